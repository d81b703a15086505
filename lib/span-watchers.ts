import type { SdkSpan } from './plain-span.ts'

/** One who wants to hear of all spans of this process. */
export interface SpanWatcher {
  onStart (span: SdkSpan): void
  onEnd (span: SdkSpan): void
}

/**
 * Place on `globalThis` for the watchers, as the API has one for its providers: `configure()` runs before there is an application, so
 * the two sides cannot be handed to each other. Registered, so that two copies of this package meet there; the number is that of {@link SpanWatcher}'s shape.
 */
const kWatchers = Symbol.for('fastify-schema-telemetry.span-watchers.1')

/** The watchers of this process; whoever adds one takes it out again. */
export function spanWatchers (): Set<SpanWatcher> {
  const place = globalThis as { [kWatchers]?: Set<SpanWatcher> }
  place[kWatchers] ??= new Set()
  return place[kWatchers]
}

/** Span processor that tells the watchers, those that come later too. */
export class WatchersProcessor {
  readonly #watchers = spanWatchers()

  onStart (span: unknown): void {
    for (const watcher of this.#watchers) watcher.onStart(span as SdkSpan)
  }

  onEnd (span: unknown): void {
    for (const watcher of this.#watchers) watcher.onEnd(span as SdkSpan)
  }

  async forceFlush (): Promise<void> {}

  async shutdown (): Promise<void> {}
}
