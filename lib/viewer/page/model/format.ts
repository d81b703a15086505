const MICROS_PER_MILLI = 1000
const NOT_A_TIME = '–'

/** A duration at a glance, three digits or so: `412 µs`, `12.3 ms`, `1.23 s`, `2 m 05 s`. */
export function formatDuration (millis: number): string {
  if (millis < 0) return `−${formatDuration(-millis)}`
  const micros = Math.round(millis * MICROS_PER_MILLI)
  if (micros < 1000) return `${micros} µs`
  if (millis < 9.995) return `${millis.toFixed(2)} ms`
  if (millis < 99.95) return `${millis.toFixed(1)} ms`
  if (millis < 999.5) return `${millis.toFixed(0)} ms`
  if (millis < 59_995) return `${(millis / 1000).toFixed(2)} s`
  const seconds = Math.round(millis / 1000)
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`
}

/** A duration to the microsecond: `412 µs`, `12.345 ms`, `1.234567 s`. */
export function formatExactDuration (millis: number): string {
  if (millis < 0) return `−${formatExactDuration(-millis)}`
  const micros = Math.round(millis * MICROS_PER_MILLI)
  if (micros < 1000) return `${micros} µs`
  return micros < 1e6 ? `${(micros / 1000).toFixed(3)} ms` : `${(micros / 1e6).toFixed(6)} s`
}

/** Time of day where the reader is, to the millisecond: `10:53:21.123`. */
export function formatTime (millis: number): string {
  return describeDate(millis, (date) => `${clock(date)}.${pad(date.getMilliseconds(), 3)}`)
}

/** Date and time where the reader is, to the microsecond: `2026-11-21 10:53:21.123456`. */
export function formatExactTime (millis: number): string {
  const micros = Math.round(millis * MICROS_PER_MILLI)
  return describeDate(Math.floor(micros / 1000), (date) =>
    `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(date)}.${pad(date.getMilliseconds(), 3)}${pad(micros % 1000, 3)}`)
}

/** Time of day to the second. */
export function formatClock (millis: number): string {
  return describeDate(millis, clock)
}

/** Spans come from outside, and not every number is a time. */
function describeDate (millis: number, describe: (date: Date) => string): string {
  const date = new Date(millis)
  return Number.isNaN(date.getTime()) ? NOT_A_TIME : describe(date)
}

function clock (date: Date): string {
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
}

function pad (number: number, length = 2): string {
  return String(number).padStart(length, '0')
}

const COUNTS = new Intl.NumberFormat('en-US')

/** `12,345`. */
export function formatCount (count: number): string {
  return COUNTS.format(count)
}

/** `1 trace`, `2 traces`, `0 traces`. */
export function countOf (count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `512 B`, `3.2 kB`, `64 MB`. */
export function formatBytes (bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const [value, unit] = bytes < 1e6 ? [bytes / 1000, 'kB'] : [bytes / 1e6, 'MB']
  return `${value < 10 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** A share between 0 and 1: `0 %`, `<1 %`, `12 %`, `100 %` only when it is all. */
export function formatShare (share: number): string {
  if (share > 0 && share < 0.01) return '<1 %'
  return `${share < 1 ? Math.min(99, Math.round(share * 100)) : 100} %`
}

/** `4.2/s`, `120/s`. */
export function formatRate (perSecond: number): string {
  return `${perSecond < 10 ? perSecond.toFixed(1) : formatCount(Math.round(perSecond))}/s`
}

/** `now`, `12 s ago`, `3 min ago`, `2 h ago`, `4 d ago`. */
export function formatAgo (millis: number, nowMillis: number): string {
  const seconds = Math.max(0, Math.floor((nowMillis - millis) / 1000))
  if (seconds < 2) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`
}
