import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { SCOPE_NAME } from '../semconv.ts'

type ExportCallback = Parameters<PushMetricExporter['export']>[1]

/** `ExportResultCode.FAILED` of `@opentelemetry/core`. */
const FAILED = 1

/** The OTLP exporter for metrics, loaded when the first metrics are due: who exports traces only need not install it. */
export class LazyMetricExporter implements PushMetricExporter {
  readonly #warn: (line: string) => void
  readonly #url: string | undefined
  readonly #import: typeof importOtlpExporter
  #exporter: Promise<PushMetricExporter> | undefined

  /**
   * @param warn - takes one line, with its end, when the package is missing
   * @param url - where metrics go; by default what the exporter reads from the environment
   */
  constructor (warn: (line: string) => void, url?: string, importExporter = importOtlpExporter) {
    this.#warn = warn
    this.#url = url
    this.#import = importExporter
  }

  export (metrics: ResourceMetrics, callback: ExportCallback): void {
    this.#exporter ??= this.#load()
    this.#exporter.then(
      (exporter) => exporter.export(metrics, callback),
      (error: unknown) => callback({ code: FAILED, error: error as Error }))
  }

  async #load (): Promise<PushMetricExporter> {
    try {
      return await this.#import(this.#url)
    } catch (error) {
      this.#warn(`${SCOPE_NAME}: metrics are not exported: ${String(error)}. Install the exporter of your OpenTelemetry line: ` +
        'npm i @opentelemetry/exporter-metrics-otlp-http@0.223 (2.x) or @0.301 (3.x)\n')
      throw error
    }
  }

  async forceFlush (): Promise<void> {
    const exporter = await this.#exporter?.catch(() => undefined)
    await exporter?.forceFlush()
  }

  async shutdown (): Promise<void> {
    const exporter = await this.#exporter?.catch(() => undefined)
    await exporter?.shutdown()
  }
}

async function importOtlpExporter (url: string | undefined): Promise<PushMetricExporter> {
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http')
  return new OTLPMetricExporter(url === undefined ? {} : { url })
}
