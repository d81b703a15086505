import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { DeliveryReport } from './delivery-report.ts'

type ExportCallback = Parameters<SpanExporter['export']>[1]

/** `ExportResultCode.SUCCESS` of `@opentelemetry/core`. */
const SUCCESS = 0

/** Passes spans on to an exporter, tells how it went, and knows what is under way, so that a flush can wait for it. */
export class ReportingExporter implements SpanExporter {
  /** Failures that were told here: the SDK need not tell them again. */
  readonly reported = new WeakSet<object>()
  /** Spans handed to the exporter and not settled. */
  pendingCount = 0
  readonly #exporter: SpanExporter
  readonly #report: DeliveryReport
  #idle: Array<() => void> = []

  constructor (exporter: SpanExporter, report: DeliveryReport) {
    this.#exporter = exporter
    this.#report = report
  }

  export (spans: ReadableSpan[], callback: ExportCallback): void {
    this.pendingCount += spans.length
    this.#report.attempted()
    this.#exporter.export(spans, (result) => {
      this.pendingCount -= spans.length
      if (result.code === SUCCESS) {
        this.#report.delivered(spans.length)
        callback(result)
      } else {
        this.#report.lost(spans.length, result.error)
        const error = result.error instanceof Error ? result.error : new Error('span export failed', { cause: result.error })
        this.reported.add(error)
        callback({ code: result.code, error })
      }
      if (this.pendingCount === 0) for (const resolve of this.#idle.splice(0)) resolve()
    })
  }

  /** Resolves when nothing is under way: the SDK's batch processor does not wait for an export that it has begun. */
  async whenIdle (): Promise<void> {
    if (this.pendingCount > 0) await new Promise<void>((resolve) => { this.#idle.push(resolve) })
  }

  async forceFlush (): Promise<void> {
    await this.whenIdle()
    await this.#exporter.forceFlush?.()
  }

  async shutdown (): Promise<void> {
    await this.whenIdle()
    await this.#exporter.shutdown()
  }
}
