import { toPlainSpan, type SdkSpan } from '../plain-span.ts'

/** Prints each ended span as a line of JSON, for machines. */
export class ConsoleJsonProcessor {
  readonly #write: (text: string) => void

  /** @param write - takes one line with its end */
  constructor (write: (text: string) => void = (text) => { process.stdout.write(text) }) {
    this.#write = write
  }

  onStart (): void {}

  onEnd (span: SdkSpan): void {
    this.#write(`${JSON.stringify(toPlainSpan(span))}\n`)
  }

  async forceFlush (): Promise<void> {}

  async shutdown (): Promise<void> {}
}
