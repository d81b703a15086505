import { trace, type Context } from '@opentelemetry/api'
import type { RequestRecord } from './request-record.ts'

/**
 * Where a request goes on: in the active context while that belongs to its trace (a hook of the application may have put baggage or a span of
 * its own into it), else in the record's; a body parser or a callback hook that resumed from a pool has lost it, or brought another request's.
 */
export function currentContext (record: RequestRecord, active: Context): Context {
  if (active === record.context || record.traceId === undefined) return active
  try {
    return trace.getSpanContext(active)?.traceId === record.traceId ? active : record.context
  } catch {
    // A context or a span of somebody else that throws.
    return record.context
  }
}
