import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator } from '@opentelemetry/core'
import { TracerProvider, type Sampler } from '@opentelemetry/sdk-trace'
import type { PlainSpan } from '../plain-span.ts'
import { BaggagePropagator, TraceContextPropagator } from '../propagation/w3c/index.ts'
import { kClock } from '../symbols.ts'
import { buildTree, renderTree, type RenderOptions } from '../trace-tree.ts'
import { IncrementalIdGenerator } from './incremental-ids.ts'
import { MemorySpanProcessor } from './memory-span-processor.ts'
import { createTestClock } from './test-clock.ts'

export interface TestTelemetryOptions {
  /** @default the SDK's: every request, unless its caller said no */
  sampler?: Sampler
  /**
   * Also registers provider, propagator (W3C trace context and baggage) and context manager with the API, so that spans made in handlers
   * find their parents and callers' traces are continued. `release()` takes them off again. @default true
   */
  global?: boolean
}

export interface TestTelemetry {
  /** For the plugin's option `tracerProvider`. */
  readonly tracerProvider: TracerProvider
  /** The spans that have ended, in that order. */
  readonly spans: readonly PlainSpan[]
  /** Number of spans that have started and not ended. */
  readonly openCount: number
  /** Resolves with the spans once `count` of them have ended; rejects with their tree after `timeoutMillis` (default 5000). */
  waitForSpans (count: number, timeoutMillis?: number): Promise<readonly PlainSpan[]>
  /** The ended spans as an indented tree. */
  tree (options?: RenderOptions): string
  /** Forgets all spans; ids and times begin again. */
  reset (): void
  /** Takes everything off the API again. */
  release (): void
}

export function createTestTelemetry ({ sampler, global = true }: TestTelemetryOptions = {}): TestTelemetry {
  const clock = createTestClock()
  const idGenerator = new IncrementalIdGenerator()
  const processor = new MemorySpanProcessor(clock)
  const tracerProvider = Object.assign(new TracerProvider({ idGenerator, sampler, spanProcessors: [processor] }), { [kClock]: clock })
  const tree = (options?: RenderOptions) => renderTree(buildTree(processor.spans), options)

  if (global) {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new CompositePropagator({ propagators: [new TraceContextPropagator(), new BaggagePropagator()] }))
    trace.setGlobalTracerProvider(tracerProvider)
  }

  return {
    tracerProvider,
    spans: processor.spans,
    get openCount () {
      return processor.openCount
    },
    async waitForSpans (count, timeoutMillis = 5000) {
      await processor.waitUntil(() => processor.spans.length >= count, timeoutMillis, () =>
        `waited ${timeoutMillis} ms for ${count} spans, ${processor.spans.length} have ended and ${processor.openCount} are open:\n${tree()}`)
      return processor.spans
    },
    tree,
    reset () {
      processor.spans.length = 0
      idGenerator.reset()
      clock.reset()
    },
    release () {
      if (!global) return
      trace.disable()
      propagation.disable()
      context.disable()
    },
  }
}
