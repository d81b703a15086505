import { TraceFlags } from '@opentelemetry/api'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace'
import { newStats, type DeliveryStats } from './delivery/delivery-counts.ts'

/** Counts spans that go nowhere: without an exporter. */
export class SpanCounter implements SpanProcessor {
  readonly #stats = newStats()

  countSampledOut (): void {
    this.#stats.sampledOut++
  }

  stats (): DeliveryStats {
    const stats = this.#stats
    return { ...stats, dropped: { ...stats.dropped }, open: stats.started - stats.ended }
  }

  onStart (): void {
    this.#stats.started++
  }

  /** Without an exporter every sampled span counts as handed on: other processors had it. */
  onEnd (span: ReadableSpan): void {
    this.#stats.ended++
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) this.#stats.unsampled++
    else this.#stats.exported++
  }

  async forceFlush (): Promise<void> {}

  async shutdown (): Promise<void> {}
}
