import { installLine, type Line } from '../install-lines.ts'
import { SCOPE_NAME } from '../semconv.ts'
import { firstLine } from './first-line.ts'

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
  readonly #line: Line
  readonly #warn: (line: string) => void
  #exporter: Promise<Exporter<Items>> | undefined

  /**
   * @param line - of the SDK that is installed
   * @param warn - takes one line, with its end, when the package is missing
   */
  constructor (load: () => Promise<Exporter<Items>>, packageName: string, line: Line, warn: (line: string) => void) {
    this.#load = load
    this.#packageName = packageName
    this.#line = line
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
      // In CommonJS the lines after the first are the files that asked for it.
      this.#warn(`${SCOPE_NAME}: ${this.#packageName} cannot be loaded, so nothing is exported over it: ${firstLine(String(error))}. ` +
        `Install it: ${installLine(this.#line, [this.#packageName])}\n`)
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
