import { metrics, trace } from '@opentelemetry/api'
import { behindProxy } from '../behind-proxy.ts'
import type { Guard } from '../guard.ts'
import type { LoggerSource } from '../logger-source.ts'
import type { FastifySchemaTelemetryOptions } from '../options.ts'
import { within } from '../within.ts'

/** How long `app.close()` may wait for the flushes, in all; how long Fastify waits for requests between them is its own. */
const FLUSH_BUDGET_MILLIS = 5000

interface Flushable {
  forceFlush (): Promise<unknown>
}

/**
 * Makes the flush of `app.close()`. The API knows no `forceFlush`, so it is looked for by shape: on the user's provider, on the global one, and
 * behind the API's proxy. It is called twice (before and after the last requests have ended) within one budget, and never rejects:
 * a collector that does not answer must not hold up the closing. A logger provider is flushed once it has taken an exception.
 */
export function createFlush ({ tracerProvider, meterProvider }: FastifySchemaTelemetryOptions, guard: Guard, logs?: LoggerSource): () => Promise<void> {
  let budgetMillis = FLUSH_BUDGET_MILLIS

  return async function flush () {
    if (budgetMillis <= 0) return
    const startMillis = performance.now()
    const flushing = [tracerProvider ?? trace.getTracerProvider(), meterProvider ?? metrics.getMeterProvider(), logs?.provider ?? {}]
      .map(findFlushable)
      .filter((flushable) => flushable !== undefined)
      .map(async (flushable) => {
        try {
          await flushable.forceFlush()
        } catch (error) {
          guard.report('flush', error)
        }
      })
    if (flushing.length > 0) await within(budgetMillis, Promise.all(flushing))
    budgetMillis -= performance.now() - startMillis
  }
}

function findFlushable (provider: object): Flushable | undefined {
  return [provider, behindProxy(provider)].find((candidate): candidate is Flushable => typeof (candidate as Partial<Flushable>).forceFlush === 'function')
}
