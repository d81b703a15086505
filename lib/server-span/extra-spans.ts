import { SpanKind, SpanStatusCode, trace, type AttributeValue, type Context } from '@opentelemetry/api'
import { CODE_FUNCTION_NAME, ERROR_TYPE, HTTP_ROUTE, SPAN_ARGUMENTS, SPAN_HANDLER } from '../semconv.ts'
import { exceptionTypeOf } from './exceptions.ts'
import { NEVER, type RequestRecord } from './request-record.ts'

export type ArgumentAttribute = readonly [name: string, value: AttributeValue]

/**
 * Makes the child span of parsing and validation, once both ends are known; its attributes are those of the request's span once more. None for a request
 * that was answered, or ended, before its arguments were: it would have no end.
 */
export function emitArgumentsSpan (record: RequestRecord, attributes: readonly ArgumentAttribute[]): void {
  if (record.tracer === null || record.argumentsStartMillis === NEVER || record.argumentsEndMillis === NEVER) return
  const span = record.tracer.startSpan(SPAN_ARGUMENTS, {
    kind: SpanKind.INTERNAL,
    startTime: record.toHrTime(record.argumentsStartMillis),
    attributes: { ...routeAttribute(record), ...Object.fromEntries(attributes) },
  }, record.context)
  span.end(record.toHrTime(record.argumentsEndMillis))
}

/** Opens the child span of the handler; the context returned makes spans of the handler its children. */
export function startHandlerSpan (record: RequestRecord, parent: Context): Context {
  if (record.tracer === null) return parent
  const { functionName } = record.route
  const span = record.tracer.startSpan(SPAN_HANDLER, {
    kind: SpanKind.INTERNAL,
    startTime: record.toHrTime(record.handlerStartMillis),
    attributes: { ...routeAttribute(record), ...(functionName === undefined ? {} : { [CODE_FUNCTION_NAME]: functionName }) },
  }, parent)
  // Asked before it is put anywhere: a span that fails here would fail in the hands of the application.
  span.spanContext()
  record.handlerSpan = span
  return trace.setSpan(parent, span)
}

/** Ends the child span of the handler, if one is open. `thrown` is what the handler threw or rejected with. */
export function endHandlerSpan (record: RequestRecord, endMillis: number, thrown?: { error: unknown }): void {
  const span = record.handlerSpan
  if (span === null) return
  record.handlerSpan = null
  if (thrown !== undefined) {
    span.setAttribute(ERROR_TYPE, exceptionTypeOf(thrown.error) ?? typeof thrown.error)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end(record.toHrTime(endMillis))
}

function routeAttribute ({ route: { route } }: RequestRecord): Record<string, string> {
  return route === undefined ? {} : { [HTTP_ROUTE]: route }
}
