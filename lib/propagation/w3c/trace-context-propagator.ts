import { createContextKey, isSpanContextValid, trace, type Context, type TextMapGetter, type TextMapPropagator, type TextMapSetter } from '@opentelemetry/api'
import { joinLines } from './header-list.ts'
import { isTracingSuppressed } from './suppression.ts'
import { parseTraceParent, RANDOM_FLAG, writeTraceParent } from './trace-parent.ts'
import { MAX_READ_LENGTH, parseTraceState, StrictTraceState } from './trace-state.ts'

const TRACEPARENT = 'traceparent'
const TRACESTATE = 'tracestate'

/** The id of the trace whose caller set the random flag. The SDK's spans have flags of their own, 0 or 1, so it goes beside them. */
const RANDOM_TRACE_ID = createContextKey('fastify-schema-telemetry.random-trace-id')

/**
 * W3C trace context, level 2, by the letter: what the specification calls invalid is not continued, and what is written is valid whatever the span context
 * came from. It does not throw, unless the getter or the setter does, and keeps no state.
 *
 * @see https://www.w3.org/TR/trace-context-2/
 */
export class TraceContextPropagator implements TextMapPropagator {
  inject (context: Context, carrier: unknown, setter: TextMapSetter): void {
    const spanContext = trace.getSpanContext(context)
    if (spanContext === undefined || isTracingSuppressed(context) || !isSpanContextValid(spanContext)) return
    const { traceId, spanId, traceFlags, traceState } = spanContext
    const randomFlag = context.getValue(RANDOM_TRACE_ID) === traceId ? RANDOM_FLAG : 0
    setter.set(carrier, TRACEPARENT, writeTraceParent({ traceId, spanId, traceFlags: traceFlags | randomFlag }))
    if (traceState === undefined) return
    // One that a sampler made, say, has other rules.
    const state = traceState instanceof StrictTraceState ? traceState : parseTraceState(traceState.serialize())
    const list = state?.serialize() ?? ''
    if (list !== '') setter.set(carrier, TRACESTATE, list)
  }

  /** The context with the caller's span context; the same context when `traceparent` is missing, bad, or there twice. */
  extract (context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const value: unknown = getter.get(carrier, TRACEPARENT)
    const line: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
    const parent = typeof line === 'string' ? parseTraceParent(line) : undefined
    if (parent === undefined) return context
    const traceState = parseTraceState(joinLines(getter.get(carrier, TRACESTATE), MAX_READ_LENGTH))
    const extracted = trace.setSpanContext(context, { ...parent, isRemote: true, ...(traceState === undefined ? {} : { traceState }) })
    const isRandom = (parent.traceFlags & RANDOM_FLAG) !== 0
    if (isRandom === (context.getValue(RANDOM_TRACE_ID) === parent.traceId)) return extracted
    return extracted.setValue(RANDOM_TRACE_ID, isRandom ? parent.traceId : undefined)
  }

  fields (): string[] {
    return [TRACEPARENT, TRACESTATE]
  }
}
