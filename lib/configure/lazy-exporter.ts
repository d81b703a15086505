import { SCOPE_NAME } from '../semconv.ts'

/** What exporters of spans and of metrics have in common. */
export interface Exporter<Items> {
  export (items: Items, callback: (result: { code: number, error?: Error }) => void): void
  forceFlush? (): Promise<void>
  shutdown (): Promise<void>
}

/** `ExportResultCode.FAILED` of `@opentelemetry/core`. */
const FAILED = 1

/** An exporter that is loaded when the first items are due: who does not use it need not install it. */
export class LazyExporter<Items> implements Exporter<Items> {
  readonly #load: () => Promise<Exporter<Items>>
  readonly #packageName: string
  readonly #warn: (line: string) => void
  #exporter: Promise<Exporter<Items>> | undefined

  /** @param warn - takes one line, with its end, when the package is missing */
  constructor (load: () => Promise<Exporter<Items>>, packageName: string, warn: (line: string) => void) {
    this.#load = load
    this.#packageName = packageName
    this.#warn = warn
  }

  export (items: Items, callback: Parameters<Exporter<Items>['export']>[1]): void {
    this.#exporter ??= this.#loadOnce()
    this.#exporter.then(
      (exporter) => exporter.export(items, callback),
      (error: unknown) => callback({ code: FAILED, error: error as Error }))
  }

  async #loadOnce (): Promise<Exporter<Items>> {
    try {
      return await this.#load()
    } catch (error) {
      this.#warn(`${SCOPE_NAME}: ${this.#packageName} cannot be loaded, so nothing is exported over it: ${String(error)}. ` +
        `Install that of your OpenTelemetry line: npm i ${this.#packageName}@0.223 (2.x) or @0.301 (3.x)\n`)
      throw error
    }
  }

  async forceFlush (): Promise<void> {
    const exporter = await this.#exporter?.catch(() => undefined)
    await exporter?.forceFlush?.()
  }

  async shutdown (): Promise<void> {
    const exporter = await this.#exporter?.catch(() => undefined)
    await exporter?.shutdown()
  }
}
