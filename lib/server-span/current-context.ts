import { trace, type Context } from '@opentelemetry/api'
import type { RequestRecord } from './request-record.ts'

/**
 * Where a request goes on: in the active context while that belongs to its trace (a hook of the application may have put baggage or a span of
 * its own into it), else in the record's; a body parser or a callback hook that resumed from a pool has lost it, or brought another request's.
 */
export function currentContext (record: RequestRecord, active: Context): Context {
  if (active === record.context) return active
  const traceId = trace.getSpanContext(active)?.traceId
  return traceId !== undefined && traceId === record.span.spanContext().traceId ? active : record.context
}
