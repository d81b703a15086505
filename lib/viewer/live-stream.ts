import type { Writable } from 'node:stream'
import type { TraceFilter } from './search.ts'
import type { TraceStore } from './trace-store.ts'
import { createTurns } from './turns.ts'
import type { LiveEvents } from './wire.ts'

/** Least time between two events of changes. */
const EVENT_MILLIS = 100
const STATE_MILLIS = 1000
/** Proxies and browsers give up streams on which nothing comes. */
const HEARTBEAT_MILLIS = 15_000
/** UTF-16 units of one event; more changes are several events. */
const EVENT_LENGTH = 64 * 1024
/** Milliseconds until a browser connects again. */
const RETRY_MILLIS = 1000
/** How long the end of a stream may take. */
const END_MILLIS = 500

/** What a page that connects has already. */
export interface LiveStart {
  /** It has all up to here. */
  since: number
  /** Of another store, or too old to be continued. */
  isLost: boolean
}

export interface LiveOptions {
  /** Only traces that pass; without one, all. */
  filter: TraceFilter | undefined
  start: LiveStart
  onClose: () => void
  /** @default 15000 */
  heartbeatMillis?: number
}

/**
 * What `Last-Event-ID` or the query say. An id is `<storeId>:<revision>`.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
 */
export function readStart (lastEventId: string | undefined, since: string | undefined, store: TraceStore): LiveStart {
  if (lastEventId === undefined || lastEventId === '') return { since: toRevision(since), isLost: false }
  const [storeId, revision] = lastEventId.split(':')
  return storeId === store.storeId ? { since: toRevision(revision), isLost: false } : { since: 0, isLost: true }
}

function toRevision (text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0
}

/**
 * Tells one page what changes, as server-sent events. Changes between two events become one, and while the page is slow to read they wait
 * as a set of traces, not as texts: what waits is bounded by the number of traces that are kept. A page that reads nothing for long is cut off.
 */
export class LiveStream {
  readonly #output: Writable
  readonly #store: TraceStore
  readonly #filter: TraceFilter | undefined
  readonly #unwatch: () => void
  readonly #heartbeat: NodeJS.Timeout
  readonly #onClose: () => void
  #timer: NodeJS.Timeout | undefined
  #dueMillis = Infinity
  /** Ids of traces that the page has to be told of. */
  #changed: Set<string>
  #removed: Set<string>
  #isWriting = false
  #hasBlockedBeat = false
  #isClosed = false
  #nextStateMillis = 0
  #stateText = ''

  constructor (output: Writable, store: TraceStore, { filter, start, onClose, heartbeatMillis = HEARTBEAT_MILLIS }: LiveOptions) {
    this.#output = output
    this.#store = store
    this.#filter = filter
    this.#onClose = onClose
    this.#changed = new Set(store.traces().filter(({ revision }) => revision > start.since).map(({ traceId }) => traceId))
    const removed = start.since === 0 ? [] : store.removedSince(start.since)
    this.#removed = new Set(removed)
    this.#unwatch = store.watch({
      changed: ({ traceId }) => {
        this.#changed.add(traceId)
        this.#schedule(EVENT_MILLIS)
      },
      removed: (traceId) => {
        this.#changed.delete(traceId)
        this.#removed.add(traceId)
        // Nothing that the page has is there any more: when it comes back it begins anew.
        if (this.#removed.size > 2 * store.maxTraces) output.destroy()
        this.#schedule(EVENT_MILLIS)
      },
    })
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMillis).unref()
    output.once('close', () => this.close())
    output.on('error', () => this.close())
    output.write(`retry: ${RETRY_MILLIS}\n`)
    this.#sendState('hello')
    if (start.isLost || removed === null) this.#send('reload', this.#stateText)
    this.#schedule(0)
  }

  /** Ends the stream, at once. */
  close (): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#unwatch()
    clearInterval(this.#heartbeat)
    clearTimeout(this.#timer)
    this.#onClose()
    // What a page does not read cannot hold up who closes the application.
    if (this.#output.writableLength > 0) {
      this.#output.destroy()
      return
    }
    const timer = setTimeout(() => this.#output.destroy(), END_MILLIS).unref()
    this.#output.once('close', () => clearTimeout(timer)).end()
  }

  /** Writes after so many milliseconds, or sooner when that is planned already. */
  #schedule (millis: number): void {
    if (this.#isWriting || this.#isClosed) return
    const dueMillis = performance.now() + millis
    if (dueMillis >= this.#dueMillis) return
    this.#dueMillis = dueMillis
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#dueMillis = Infinity
      this.#flush().catch(() => this.close())
    }, millis).unref()
  }

  async #flush (): Promise<void> {
    this.#isWriting = true
    const changed = this.#changed
    const removed = this.#removed
    const { revision } = this.#store.state()
    this.#changed = new Set()
    this.#removed = new Set()
    await this.#sendList('removed', removed, (traceId) => traceId)
    await this.#sendList('traces', changed, (traceId) => {
      const trace = this.#store.get(traceId)
      // It may have gone in the meantime, which the next event says.
      return trace !== undefined && (this.#filter === undefined || this.#filter(trace)) ? trace.summary : undefined
    })
    const nowMillis = performance.now()
    if (nowMillis >= this.#nextStateMillis) this.#sendState('state')
    // All up to here was said; a page that comes back says so.
    if (changed.size + removed.size > 0) this.#write(`id: ${this.#store.storeId}:${revision}\nevent: mark\ndata: ${revision}\n\n`)
    await this.#drained()
    this.#isWriting = false
    if (this.#changed.size + this.#removed.size > 0) this.#schedule(EVENT_MILLIS)
    else if (this.#hasNewState()) this.#schedule(Math.max(0, this.#nextStateMillis - nowMillis))
  }

  async #sendList<Item> (event: keyof LiveEvents, items: Iterable<Item>, toJson: (item: Item) => unknown): Promise<void> {
    const turn = createTurns()
    let texts: string[] = []
    let length = 0
    for (const item of items) {
      const value = toJson(item)
      await turn()
      if (value === undefined) continue
      const text = JSON.stringify(value)
      texts.push(text)
      length += text.length
      if (length < EVENT_LENGTH) continue
      this.#send(event, `[${texts.join()}]`)
      await this.#drained()
      texts = []
      length = 0
    }
    if (texts.length > 0) this.#send(event, `[${texts.join()}]`)
  }

  #hasNewState (): boolean {
    return JSON.stringify(this.#store.state()) !== this.#stateText
  }

  #sendState (event: 'hello' | 'state'): void {
    this.#stateText = JSON.stringify(this.#store.state())
    this.#nextStateMillis = performance.now() + STATE_MILLIS
    this.#send(event, this.#stateText)
  }

  #send (event: keyof LiveEvents, json: string): void {
    this.#write(`event: ${event}\ndata: ${json}\n\n`)
  }

  #write (text: string): void {
    if (!this.#isClosed) this.#output.write(text)
  }

  /** Waits while the page does not read; for ever when it never does, until the stream is closed. */
  async #drained (): Promise<void> {
    if (!this.#output.writableNeedDrain || this.#isClosed) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#output.off('drain', done).off('close', done)
        resolve()
      }
      this.#output.on('drain', done).on('close', done)
    })
  }

  #beat (): void {
    const isBlocked = this.#output.writableNeedDrain
    if (!isBlocked) this.#write(': \n\n')
    else if (this.#hasBlockedBeat) this.#output.destroy()
    this.#hasBlockedBeat = isBlocked
  }
}
