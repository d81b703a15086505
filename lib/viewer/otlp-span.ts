import type { ViewerSpan } from './wire.ts'

/** By number; `SPAN_KIND_UNSPECIFIED` counts as internal, as the protocol wants. */
const KINDS = ['INTERNAL', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']
const STATUSES: Array<ViewerSpan['status']> = ['UNSET', 'OK', 'ERROR']

export function kindOf (number: number): string {
  return KINDS[number] ?? 'INTERNAL'
}

export function statusOf (number: number): ViewerSpan['status'] {
  return STATUSES[number] ?? 'UNSET'
}

/** Milliseconds, exact to the microsecond, of nanoseconds. */
export function nanosToMillis (nanos: bigint): number {
  return Number(nanos / 1000n) / 1000
}

export function isTraceIdUsable (traceId: string): boolean {
  return /^(?!0+$)[\da-f]{32}$/.test(traceId)
}

/** Whether ids are valid by the rules of the trace context: not missing, too long or short, or all zero. */
export function areUsable (traceId: string, spanId: string): boolean {
  return isTraceIdUsable(traceId) && isSpanIdUsable(spanId)
}

export function isSpanIdUsable (spanId: string): boolean {
  return /^(?!0+$)[\da-f]{16}$/.test(spanId)
}
