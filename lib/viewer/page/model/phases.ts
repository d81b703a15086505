import { ARGUMENTS_END_TIMESTAMP, ARGUMENTS_START_TIMESTAMP, HANDLER_END_TIMESTAMP, HANDLER_START_TIMESTAMP } from '../../../semconv.ts'
import type { ViewerSpan } from '../../wire.ts'
import { barOf, type Bar } from './waterfall.ts'

/** A stretch of a request's own span. */
export interface Phase {
  name: 'arguments' | 'handler'
  /** In shares of the span, inside of it. */
  bar: Bar
  millis: number
}

/** When a request's arguments were read and when its handler ran; what is between them is hooks, and what is after them the sending. */
export function phasesOf ({ attributes, startMillis, endMillis }: Pick<ViewerSpan, 'attributes' | 'startMillis' | 'endMillis'>): Phase[] {
  if (endMillis === null || endMillis <= startMillis) return []
  const stretches = [
    ['arguments', ARGUMENTS_START_TIMESTAMP, ARGUMENTS_END_TIMESTAMP],
    ['handler', HANDLER_START_TIMESTAMP, HANDLER_END_TIMESTAMP],
  ] as const
  return stretches.flatMap(([name, start, end]) => {
    const from = timestampMillis(attributes[start])
    const to = timestampMillis(attributes[end])
    if (from === undefined || to === undefined || to < from) return []
    const { left, width } = barOf({ startMillis: from, endMillis: to }, { startMillis, endMillis })
    const inside = Math.max(0, Math.min(1, left))
    return [{ name, bar: { left: inside, width: Math.min(width, 1 - inside) }, millis: to - from }]
  })
}

/** `Date` reads milliseconds; the three digits behind them are microseconds. */
function timestampMillis (timestamp: unknown): number | undefined {
  const match = typeof timestamp === 'string' ? /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{3})Z$/.exec(timestamp) : null
  const millis = match === null ? Number.NaN : Date.parse(`${match[1]}Z`) + Number(match[2]) / 1000
  return Number.isNaN(millis) ? undefined : millis
}
