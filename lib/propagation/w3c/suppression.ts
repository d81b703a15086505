import { createContextKey, type Context } from '@opentelemetry/api'

/** The key of `suppressTracing()` of `@opentelemetry/core`, which is not needed for it: the API makes the same key of the same text. */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/** Whether this context belongs to telemetry itself, such as an export: nothing is passed on from it. */
export function isTracingSuppressed (context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING) === true
}
