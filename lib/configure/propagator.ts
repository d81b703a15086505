import type { TextMapPropagator } from '@opentelemetry/api'
import { CompositePropagator } from '@opentelemetry/core'
import { BaggagePropagator } from '../propagation/w3c/baggage-propagator.ts'
import { TraceContextPropagator } from '../propagation/w3c/trace-context-propagator.ts'
import type { Environment } from './environment.ts'

/** What OTEL_PROPAGATORS names; by default W3C trace context and baggage, both strict. */
export function createPropagator (names: Environment['propagators'] = ['tracecontext', 'baggage']): TextMapPropagator {
  const propagators: TextMapPropagator[] = []
  if (!names.includes('none')) {
    if (names.includes('tracecontext')) propagators.push(new TraceContextPropagator())
    if (names.includes('baggage')) propagators.push(new BaggagePropagator())
  }
  return new CompositePropagator({ propagators })
}
