import type { SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Guard } from '../guard.ts'

/**
 * Stands around a span processor of the user's own: one that throws neither keeps the others from hearing of a span, which would then count as open for ever,
 * nor throws into the application.
 */
export function fence (processor: SpanProcessor, guard: Guard): SpanProcessor {
  const settled = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      guard.report('span processor', error)
    }
  }
  return {
    onStart: (span, context) => { guard.run('span processor', () => processor.onStart(span, context)) },
    onEnding: (span) => { guard.run('span processor', () => processor.onEnding?.(span)) },
    onEnd: (span) => { guard.run('span processor', () => processor.onEnd(span)) },
    forceFlush: () => settled(() => processor.forceFlush()),
    shutdown: () => settled(() => processor.shutdown()),
  }
}
