import type { TextMapPropagator } from '@opentelemetry/api'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import type { Environment } from './environment.ts'

/** What OTEL_PROPAGATORS names; by default W3C trace context and baggage. */
export function createPropagator (names: Environment['propagators'] = ['tracecontext', 'baggage']): TextMapPropagator {
  const propagators: TextMapPropagator[] = []
  if (!names.includes('none')) {
    if (names.includes('tracecontext')) propagators.push(new W3CTraceContextPropagator())
    if (names.includes('baggage')) propagators.push(new W3CBaggagePropagator())
  }
  return new CompositePropagator({ propagators })
}
