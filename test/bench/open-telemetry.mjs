import { context, propagation } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace'

/** Sets what is global in a process. Never a global tracer provider: subjects are given theirs, so that one without an SDK can stand beside. */
export function installGlobals () {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
}

/** A provider whose spans are counted and dropped. */
export function createCountedTracing ({ sampled }) {
  const counter = { started: 0, ended: 0, attributes: {} }
  const countingProcessor = {
    onStart () { counter.started++ },
    onEnd (span) {
      counter.ended++
      counter.attributes = span.attributes
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  }
  const sampler = sampled ? new AlwaysOnSampler() : new AlwaysOffSampler()
  return { counter, tracerProvider: new TracerProvider({ sampler, spanProcessors: [countingProcessor] }) }
}

class IdleReader extends MetricReader {
  async onForceFlush () {}
  async onShutdown () {}
}

/** A provider that aggregates for real and is never collected. */
export function createMetering () {
  return new MeterProvider({ readers: [new IdleReader()] })
}
