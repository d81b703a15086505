export { BaggagePropagator } from './baggage-propagator.ts'
export { TraceContextPropagator } from './trace-context-propagator.ts'
