import { context, ROOT_CONTEXT, TraceFlags } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import { newAttempt, observeAttempts, type Attempt, type AttemptObserver, type NoteRequest } from './attempt.ts'
import { newStats, type DeliveryStats, type DropReason } from './delivery-counts.ts'
import type { DeliveryReport } from './delivery-report.ts'
import { halve, SpanQueue, type Batch, type QueueLimits } from './span-queue.ts'
import { judge } from './verdict.ts'

export interface DeliveryOptions extends QueueLimits {
  /** Longest wait of an ended span for its batch, milliseconds. */
  scheduledDelayMillis: number
  /** Longest that one attempt may take in all, milliseconds: longer than that an answer may not drip in. */
  attemptTimeoutMillis: number
  /** Sees each request of the exporter. */
  noteRequest?: NoteRequest
}

/** `ExportResultCode.SUCCESS` of `@opentelemetry/core`. */
const SUCCESS = 0

/** Batches under way at once, while the collector answers. */
const MAX_UNDER_WAY = 4

/** Exports are no work of a request, and none that an instrumentation of HTTP clients may record: each export would make spans to export. */
const EXPORT_CONTEXT = suppressTracing(ROOT_CONTEXT)

const FIRST_WAIT_MILLIS = 500
const LONGEST_WAIT_MILLIS = 10_000
const WAIT_FACTOR = 1.7

/** How long a batch is tried; one that only ever fails must not be in the way of the others for ever. */
const MAX_TRYING_MILLIS = 15 * 60_000

/** How long an exporter may take to say that its request was cut. */
const GRACE_MILLIS = 1000

/**
 * Takes ended spans, and brings them to the exporter: in batches, oldest first, again and again while the collector is away, within its bounds. The SDK's batch
 * processor in front of an exporter gives up each batch after some eight seconds, drops what comes meanwhile, and does not count either.
 */
export class DeliveryProcessor implements SpanProcessor {
  readonly #exporter: SpanExporter
  readonly #options: DeliveryOptions
  readonly #report: DeliveryReport
  readonly #queue: SpanQueue
  readonly #observer: AttemptObserver
  readonly #stats = newStats()
  readonly #attempts = new Set<Attempt>()
  #spansUnderWay = 0
  #bytesUnderWay = 0
  /** Runs while spans wait for their batch, or for the collector. */
  #timer: NodeJS.Timeout | undefined
  /** How long the collector is left alone after the next failure; 0 while it answers. */
  #waitMillis = 0
  #isWaiting = false
  /** The collector said how long to wait: then a flush waits too. */
  #wasAsked = false
  #isFlushing = false
  #isShutDown = false
  #idle: Array<() => void> = []

  constructor (exporter: SpanExporter, options: DeliveryOptions, report: DeliveryReport) {
    this.#exporter = exporter
    this.#options = options
    this.#report = report
    this.#queue = new SpanQueue(options)
    this.#observer = observeAttempts(options.noteRequest)
  }

  /** A sampler decided that a span is not even begun. */
  countSampledOut (): void {
    this.#stats.sampledOut++
  }

  stats (): DeliveryStats {
    const stats = this.#stats
    return {
      ...stats,
      dropped: { ...stats.dropped },
      open: stats.started - stats.ended,
      queued: this.#queue.length + this.#spansUnderWay,
      queuedBytes: this.#queue.bytes + this.#bytesUnderWay,
    }
  }

  onStart (): void {
    this.#stats.started++
  }

  onEnd (span: ReadableSpan): void {
    this.#stats.ended++
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) {
      this.#stats.unsampled++
      return
    }
    if (this.#isShutDown) {
      this.#drop('shutdown', 1)
      return
    }
    this.#drop('queue_full', this.#queue.push(span))
    this.#scheduleRest()
  }

  /** Resolves when everything that has ended is settled; whoever calls it bounds the wait. */
  async forceFlush (): Promise<void> {
    if (this.#queue.length + this.#spansUnderWay === 0) return
    const idle = new Promise<void>((resolve) => { this.#idle.push(resolve) })
    this.#isFlushing = true
    if (!this.#wasAsked) this.#isWaiting = false
    this.#send()
    await idle
    await this.#exporter.forceFlush?.()
  }

  /** Gives up what is left, at once: whoever has time flushes before. */
  async shutdown (): Promise<void> {
    if (this.#isShutDown) return
    this.#isShutDown = true
    clearTimeout(this.#timer)
    this.#drop('shutdown', this.#queue.clear())
    for (const { request } of this.#attempts) request?.destroy()
    // An exporter that never calls back keeps no span in the books.
    this.#drop('shutdown', this.#spansUnderWay)
    this.#spansUnderWay = 0
    this.#bytesUnderWay = 0
    this.#attempts.clear()
    this.#settle()
    this.#observer.stop()
    await this.#exporter.shutdown()
  }

  /** @param delayMillis - 0: when the current turn is over, so that the spans of one request go together */
  #schedule (delayMillis: number): void {
    if (this.#timer !== undefined) {
      if (delayMillis > 0) return
      clearTimeout(this.#timer)
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#isWaiting = false
      this.#wasAsked = false
      this.#send()
    }, delayMillis)
    this.#timer.unref()
  }

  /** While the collector does not answer, one batch asks whether it is back. */
  get #hasSlot (): boolean {
    return this.#attempts.size < (this.#waitMillis > 0 ? 1 : MAX_UNDER_WAY)
  }

  /** Sends one batch; the next has a turn of the event loop of its own, since serialising it blocks. */
  #send (): void {
    if (this.#isShutDown || this.#isWaiting) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batch = this.#hasSlot ? this.#queue.take() : undefined
    if (batch !== undefined) this.#try(batch)
    this.#scheduleRest()
    this.#settle()
  }

  #scheduleRest (): void {
    // The end of an attempt comes back here.
    if (this.#isShutDown || this.#isWaiting || this.#queue.length === 0 || !this.#hasSlot) return
    this.#schedule(this.#isFlushing || this.#queue.hasFullBatch ? 0 : this.#options.scheduledDelayMillis)
  }

  #try (batch: Batch): void {
    const attempt = newAttempt()
    this.#attempts.add(attempt)
    this.#spansUnderWay += batch.spans.length
    this.#bytesUnderWay += batch.bytes
    this.#report.attempted()
    if (batch.firstTriedAt < 0) batch.firstTriedAt = performance.now()

    const finish = (succeeded: boolean, error: unknown): void => {
      clearTimeout(timer)
      // After a shutdown, or called twice.
      if (!this.#attempts.delete(attempt)) return
      this.#spansUnderWay -= batch.spans.length
      this.#bytesUnderWay -= batch.bytes
      this.#conclude(batch, attempt, succeeded, error)
    }
    let timer = setTimeout(() => {
      attempt.request?.destroy()
      timer = setTimeout(() => finish(false, new Error('no answer in time')), GRACE_MILLIS)
      timer.unref()
    }, this.#options.attemptTimeoutMillis)
    timer.unref()
    try {
      context.with(EXPORT_CONTEXT, () => this.#observer.observe(attempt, () => {
        this.#exporter.export(batch.spans, ({ code, error }) => finish(code === SUCCESS, error))
      }))
    } catch (error) {
      finish(false, error)
    }
  }

  #conclude (batch: Batch, attempt: Attempt, succeeded: boolean, error: unknown): void {
    const verdict = judge(attempt, succeeded, error, Date.now())
    const count = batch.spans.length
    if (verdict.kind === 'delivered') {
      const rejected = Math.min(attempt.rejectedSpans, count)
      this.#stats.exported += count - rejected
      this.#drop('rejected', rejected)
      if (rejected > 0) this.#report.refused(rejected, attempt.rejectedBecause || 'partial success')
      else this.#report.delivered(this.#queue.bytes <= this.#options.maxBytes / 2 && this.#queue.length <= this.#options.maxSpans / 2)
      this.#waitMillis = 0
    } else if (verdict.kind === 'refused') {
      this.#drop('rejected', count)
      this.#report.refused(count, verdict.reason)
      this.#waitMillis = 0
    } else if (verdict.kind === 'too_large') {
      const halves = halve(batch)
      if (halves === undefined) {
        this.#drop('rejected', count)
        this.#report.refused(count, verdict.reason)
      } else {
        this.#drop('queue_full', this.#queue.giveBack(...halves))
      }
    } else {
      if (performance.now() - batch.firstTriedAt > MAX_TRYING_MILLIS) {
        this.#drop('retry_exhausted', count)
        this.#report.gaveUp(count, verdict.reason)
      } else {
        this.#drop('queue_full', this.#queue.giveBack(batch))
        this.#report.failed(verdict.reason)
      }
      this.#wait(verdict.waitMillis)
    }
    this.#scheduleRest()
    this.#settle()
  }

  /** Leaves the collector alone for a while: what it asks for, or longer each time, not at the same moment as all the others. */
  #wait (askedMillis: number | undefined): void {
    this.#waitMillis = Math.min(this.#waitMillis === 0 ? FIRST_WAIT_MILLIS : this.#waitMillis * WAIT_FACTOR, LONGEST_WAIT_MILLIS)
    this.#isWaiting = true
    this.#wasAsked = askedMillis !== undefined && askedMillis > 0
    clearTimeout(this.#timer)
    this.#timer = undefined
    // "At once", or a date that has passed, asks for no storm of requests.
    this.#schedule(this.#wasAsked ? askedMillis! : this.#waitMillis * (0.75 + Math.random() / 2))
  }

  #drop (reason: DropReason, count: number): void {
    if (count === 0) return
    this.#stats.dropped[reason] += count
    if (reason === 'queue_full') this.#report.overflowed(count)
  }

  #settle (): void {
    if (this.#queue.length + this.#spansUnderWay > 0) return
    this.#isFlushing = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
