import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { estimateBytes } from './span-size.ts'

export interface QueueLimits {
  /** Bytes on the wire, estimated, of the spans that wait. */
  maxBytes: number
  /** Spans that wait. */
  maxSpans: number
  /** Spans of one batch. */
  maxBatchSpans: number
  /** Bytes of one batch, estimated; one span may have more. Serialising it blocks the event loop. */
  maxBatchBytes: number
}

/** Spans that are sent together. */
export interface Batch {
  spans: ReadableSpan[]
  bytes: number
  /** Monotonic milliseconds of the first attempt; -1 before. */
  firstTriedAt: number
}

/** Ended spans that wait for their turn, oldest first. When it is full the oldest go: the newest tell what is wrong now. */
export class SpanQueue {
  readonly #limits: QueueLimits
  #spans: ReadableSpan[] = []
  #sizes: number[] = []
  /** Index of the oldest; what is before it has been taken. */
  #head = 0
  /** Batches that come before the rest: they were tried, and are to be tried again. */
  #returned: Batch[] = []
  #returnedSpans = 0
  bytes = 0

  constructor (limits: QueueLimits) {
    this.#limits = limits
  }

  get length (): number {
    return this.#spans.length - this.#head + this.#returnedSpans
  }

  get hasFullBatch (): boolean {
    return this.#returned.length > 0 || this.#spans.length - this.#head >= this.#limits.maxBatchSpans || this.bytes >= this.#limits.maxBatchBytes
  }

  /** Adds a span; returns how many of the oldest it drove out. */
  push (span: ReadableSpan): number {
    const size = estimateBytes(span)
    this.#spans.push(span)
    this.#sizes.push(size)
    this.bytes += size
    let dropped = 0
    while (this.length > 1 && (this.bytes > this.#limits.maxBytes || this.length > this.#limits.maxSpans)) dropped += this.#dropOldest()
    return dropped
  }

  /** The oldest spans, as many as one batch may have; `undefined` when there are none. */
  take (): Batch | undefined {
    const returned = this.#returned.shift()
    if (returned !== undefined) {
      this.#returnedSpans -= returned.spans.length
      this.bytes -= returned.bytes
      return returned
    }
    const { maxBatchSpans, maxBatchBytes } = this.#limits
    let bytes = 0
    let end = this.#head
    while (end < this.#spans.length && end - this.#head < maxBatchSpans && (end === this.#head || bytes + this.#sizes[end]! <= maxBatchBytes)) bytes += this.#sizes[end++]!
    if (end === this.#head) return undefined
    const spans = this.#spans.slice(this.#head, end)
    this.#advance(end)
    this.bytes -= bytes
    return { spans, bytes, firstTriedAt: -1 }
  }

  /** Puts batches back, before the rest; returns how many spans of theirs, or of the oldest, there is no room for. */
  giveBack (...batches: Batch[]): number {
    this.#returned.unshift(...batches)
    for (const { spans, bytes } of batches) {
      this.#returnedSpans += spans.length
      this.bytes += bytes
    }
    let dropped = 0
    while (this.length > 1 && (this.bytes > this.#limits.maxBytes || this.length > this.#limits.maxSpans)) dropped += this.#dropOldest()
    return dropped
  }

  /** Gives up what waits; returns how many spans. */
  clear (): number {
    const count = this.length
    this.#spans = []
    this.#sizes = []
    this.#head = 0
    this.#returned = []
    this.#returnedSpans = 0
    this.bytes = 0
    return count
  }

  #dropOldest (): number {
    const returned = this.#returned.shift()
    if (returned !== undefined) {
      this.#returnedSpans -= returned.spans.length
      this.bytes -= returned.bytes
      return returned.spans.length
    }
    this.bytes -= this.#sizes[this.#head]!
    this.#advance(this.#head + 1)
    return 1
  }

  /** Moves the head; taken spans are let go of in large steps, since cutting the front of an array copies the rest. */
  #advance (head: number): void {
    for (let index = this.#head; index < head; index++) this.#spans[index] = undefined as never
    this.#head = head
    if (head < 1024 && head < this.#spans.length) return
    if (head < this.#spans.length / 2) return
    this.#spans = this.#spans.slice(head)
    this.#sizes = this.#sizes.slice(head)
    this.#head = 0
  }
}

/** Both halves of a batch that was too large; `undefined` when it is one span. */
export function halve ({ spans, firstTriedAt }: Batch): [Batch, Batch] | undefined {
  if (spans.length < 2) return undefined
  const half = (part: ReadableSpan[]): Batch => ({ spans: part, bytes: part.reduce((bytes, span) => bytes + estimateBytes(span), 0), firstTriedAt })
  const middle = Math.ceil(spans.length / 2)
  return [half(spans.slice(0, middle)), half(spans.slice(middle))]
}
