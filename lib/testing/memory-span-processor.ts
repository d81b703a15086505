import type { HrTime, Span } from '@opentelemetry/api'
import { toPlainSpan, type PlainSpan, type SdkSpan } from '../plain-span.ts'
import type { TestClock } from './test-clock.ts'

/** Keeps ended spans as plain data, in the order of their ends; times of spans that were not given one come from the test clock. */
export class MemorySpanProcessor {
  readonly spans: PlainSpan[] = []
  /** Spans that have started and not ended. */
  openCount = 0
  readonly #clock: TestClock
  readonly #starts = new WeakMap<object, number>()
  readonly #waiters = new Set<() => void>()

  constructor (clock: TestClock) {
    this.#clock = clock
  }

  onStart (span: Span): void {
    this.openCount++
    if (!isTestTime((span as unknown as SdkSpan).startTime)) this.#starts.set(span, this.#clock.tick())
  }

  onEnd (span: SdkSpan): void {
    this.openCount--
    const plain = toPlainSpan(span)
    const startMillis = this.#starts.get(span)
    if (startMillis !== undefined) plain.startMillis = startMillis
    if (!isTestTime(span.endTime)) plain.endMillis = this.#clock.tick()
    this.spans.push(plain)
    for (const check of this.#waiters) check()
  }

  /** Resolves when `isReached` says so, asked again after each end of a span; rejects with the text of `describe` after the timeout. */
  waitUntil (isReached: () => boolean, timeoutMillis: number, describe: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer)
        this.#waiters.delete(check)
      }
      const check = () => {
        if (!isReached()) return
        stop()
        resolve()
      }
      const timer = setTimeout(() => {
        stop()
        reject(new Error(describe()))
      }, timeoutMillis)
      this.#waiters.add(check)
      check()
    })
  }

  async forceFlush (): Promise<void> {}

  async shutdown (): Promise<void> {}
}

/** Test clocks stay in the year 2000. */
function isTestTime ([seconds]: HrTime): boolean {
  return seconds < Date.UTC(2001, 0, 1) / 1000
}
