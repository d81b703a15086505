/**
 * Time for spans and time stamps: one wall-clock reading anchors a request, a monotonic clock measures from there, as
 * the OpenTelemetry SDK does; so an adjustment of the system clock during a request cannot make a duration negative.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  epochMillis (): number
  /** Milliseconds, with fractions, from an arbitrary origin; never goes back. */
  monotonicMillis (): number
}

export const systemClock: Clock = {
  epochMillis: () => Date.now(),
  monotonicMillis: () => performance.now(),
}

const THREE_DIGITS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'))

/**
 * Makes a formatter of epoch milliseconds as UTC, ISO 8601, six decimals: `2026-11-21T04:30:24.123456Z`.
 * The text of the current second is kept, since `Date` costs eight times the rest (four stamps a request).
 */
export function createTimestampFormatter (): (epochMillis: number) => string {
  let cachedSecond = Number.NaN
  let cachedText = ''
  return function formatTimestamp (epochMillis) {
    const micros = Math.round(epochMillis * 1000)
    const second = Math.floor(micros / 1_000_000)
    if (second !== cachedSecond) {
      cachedText = new Date(second * 1000).toISOString().slice(0, 20)
      cachedSecond = second
    }
    const fraction = micros - second * 1_000_000
    const millis = (fraction / 1000) | 0
    return cachedText + THREE_DIGITS[millis] + THREE_DIGITS[fraction - millis * 1000] + 'Z'
  }
}
