import type { TraceSummary } from '../../wire.ts'
import { isFailure } from './outcome.ts'

/** Length of the picture in the head of the page. */
export const PULSE_SECONDS = 60
const RATE_SECONDS = 10
const KEPT_SECONDS = 2 * PULSE_SECONDS

interface Second {
  total: number
  failed: number
}

export interface PulseWindow {
  /** One for each second, oldest first; the last one is the current second. */
  seconds: readonly Second[]
  /** Traces a second, over the last ten whole seconds. */
  perSecond: number
  /** Failures among the traces of the window; `null` without any. */
  failureShare: number | null
}

/** How many traces began in each of the last seconds, and how many of them failed. Each counts once, however often it is heard of, also when it was dropped since. */
export class Pulse {
  readonly #seconds = new Map<number, Second>()
  readonly #counted = new Map<string, { key: number, isFailure: boolean }>()

  add (summary: TraceSummary): void {
    const before = this.#counted.get(summary.traceId)
    const now = { key: before?.key ?? Math.floor(summary.startMillis / 1000), isFailure: isFailure(summary) }
    const second = this.#seconds.get(now.key) ?? { total: 0, failed: 0 }
    if (before === undefined) second.total++
    second.failed += Number(now.isFailure) - Number(before?.isFailure ?? false)
    this.#seconds.set(now.key, second)
    this.#counted.set(summary.traceId, now)
  }

  clear (): void {
    this.#seconds.clear()
    this.#counted.clear()
  }

  window (nowMillis: number): PulseWindow {
    const last = Math.floor(nowMillis / 1000)
    for (const key of this.#seconds.keys()) if (key < last - KEPT_SECONDS) this.#seconds.delete(key)
    for (const [traceId, { key }] of this.#counted) if (key < last - KEPT_SECONDS) this.#counted.delete(traceId)
    const seconds = Array.from({ length: PULSE_SECONDS }, (_, index) => this.#seconds.get(last - PULSE_SECONDS + 1 + index) ?? { total: 0, failed: 0 })
    const total = sum(seconds, 'total')
    return {
      seconds,
      perSecond: sum(seconds.slice(-RATE_SECONDS - 1, -1), 'total') / RATE_SECONDS,
      failureShare: total === 0 ? null : sum(seconds, 'failed') / total,
    }
  }
}

function sum (seconds: readonly Second[], what: keyof Second): number {
  return seconds.reduce((total, second) => total + second[what], 0)
}
