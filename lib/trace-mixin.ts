import { context, isSpanContextValid, trace, type Context, type Span, type SpanContext } from '@opentelemetry/api'
import { LOG_SPAN_ID, LOG_TRACE_FLAGS, LOG_TRACE_ID } from './semconv.ts'
import { kLoggedRequest, kRecord } from './symbols.ts'

/** What {@link traceMixin} adds to a line. */
export interface TraceFields {
  /** 32 hex digits. */
  [LOG_TRACE_ID]?: string
  /** 16 hex digits. */
  [LOG_SPAN_ID]?: string
  /** Two hex digits: `01` sampled, `00` not. */
  [LOG_TRACE_FLAGS]?: string
}

/** What is read of a request. Its slot is there, and empty, before the plugin's first hook. */
interface LoggedRequest {
  [kRecord]?: { context: Context } | null
}

/** What Fastify hands to a line of its own: `{ req }` when a request comes, `{ res }` when it ends. */
interface FastifyLine {
  req?: unknown
  res?: { request?: unknown }
}

/**
 * For pino's option `mixin`: adds `trace_id`, `span_id` and `trace_flags` to each line that is logged inside a request; nothing to others. Never throws.
 *
 * A line belongs to the request that it is about (`{ req }`, `{ res }`), or to that of its logger, when that is `request.log` or a child of it, whatever context
 * it is written in: `request completed` is written from a listener, which on a pipelined connection runs in the context of another request. In
 * the request's own trace the active span counts, so that lines within a span of the application carry its id. Lines of other loggers belong to
 * the active span.
 *
 * @param mergeObject - the object that is logged
 * @param logger - the logger of the line
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
 */
export function traceMixin (mergeObject?: object, _level?: number, logger?: object): TraceFields {
  try {
    const spanContext = findSpanContext(mergeObject as FastifyLine | undefined, logger as { [kLoggedRequest]?: LoggedRequest | null } | undefined)
    if (spanContext === undefined || !isSpanContextValid(spanContext)) return {}
    const { traceId, spanId, traceFlags } = spanContext
    return { [LOG_TRACE_ID]: traceId, [LOG_SPAN_ID]: spanId, [LOG_TRACE_FLAGS]: traceFlags === 1 ? '01' : toHex(traceFlags) }
  } catch {
    // A span, or something that is logged, whose getters throw: the line is what matters.
    return {}
  }
}

function findSpanContext (line: FastifyLine | undefined, logger: { [kLoggedRequest]?: LoggedRequest | null } | undefined): SpanContext | undefined {
  const request = requestIn(line?.req) ?? requestIn(line?.res?.request) ?? logger?.[kLoggedRequest] ?? undefined
  const active = context.active()
  if (request === undefined) return trace.getSpanContext(active)
  const record = request[kRecord]
  // Before the plugin's first hook: what was active when the server began to listen is active still, for ever.
  if (record === undefined || record === null) return hasEnded(trace.getSpan(active)) ? undefined : trace.getSpanContext(active)
  const own = trace.getSpanContext(record.context)
  if (line?.res?.request === request) return own
  const current = trace.getSpanContext(active)
  return current !== undefined && current.traceId === own?.traceId ? current : own
}

/** A request of Fastify with this plugin; of anything else that is logged under the same names nothing is known. */
function requestIn (logged: unknown): LoggedRequest | undefined {
  return logged !== null && typeof logged === 'object' && kRecord in logged ? logged as LoggedRequest : undefined
}

/** A span of the SDK says so. */
function hasEnded (span: Span | undefined): boolean {
  return (span as { ended?: unknown } | undefined)?.ended === true
}

function toHex (traceFlags: number): string {
  return (traceFlags & 0xff).toString(16).padStart(2, '0')
}
