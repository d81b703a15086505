import type { LiveEvents, StoreState, TraceList, TraceSummary } from '../wire.ts'
import { getJson, PREFIX } from './api.ts'
import { Pulse } from './model/pulse.ts'
import { TraceStore } from './model/trace-store.ts'

export type Connection = 'loading' | 'live' | 'reconnecting'

const FIRST_RETRY_MILLIS = 500
const MAX_RETRY_MILLIS = 5000

/** The list as it was when it was stopped. */
interface Pause {
  traces: TraceSummary[]
  /** Traces that came since. */
  unseen: number
}

/** What the page knows of the server's traces, kept up to date. Listeners are told of changes once a frame. */
export class LiveTraces {
  connection: Connection = 'loading'
  state: StoreState | null = null
  readonly store = new TraceStore()
  readonly pulse = new Pulse()
  pause: Pause | null = null
  /** The server was started anew while the page was open. */
  wasRestarted = false
  #text = ''
  #source: EventSource | null = null
  #loading: AbortController | null = null
  #retry: ReturnType<typeof setTimeout> | undefined
  #retryMillis = FIRST_RETRY_MILLIS
  readonly #listeners = new Set<() => void>()
  #frame: number | undefined

  subscribe (listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Begins, or begins anew with another text to search for. */
  async open (text: string): Promise<void> {
    this.#text = text
    await this.#connect()
  }

  togglePause (): void {
    this.pause = this.pause === null ? { traces: this.store.select(), unseen: 0 } : null
    this.#changed()
  }

  /** What the list shows, newest first. */
  shown (passes: (summary: TraceSummary) => boolean): TraceSummary[] {
    return this.pause === null ? this.store.select(passes) : this.pause.traces.filter(passes)
  }

  async #connect (): Promise<void> {
    this.#disconnect()
    this.#changed()
    const loading = new AbortController()
    this.#loading = loading
    try {
      const { state, traces } = await getJson<TraceList>(`traces?text=${encodeURIComponent(this.#text)}`, loading.signal)
      this.#begin(state, traces)
      this.#listen(state.revision)
    } catch {
      if (!loading.signal.aborted) this.#lose()
    }
  }

  #begin (state: StoreState, traces: TraceSummary[]): void {
    if (this.state !== null && this.state.storeId !== state.storeId) {
      this.wasRestarted = true
      this.pulse.clear()
    }
    this.state = state
    // What was removed in the meantime, or is not searched for, is known only by its absence.
    this.store.clear()
    this.store.apply(traces, (summary) => this.pulse.add(summary))
    if (this.pause !== null) this.pause = { traces: this.store.select(), unseen: 0 }
  }

  #listen (since: number): void {
    const source = new EventSource(`${PREFIX}/api/live?since=${since}&text=${encodeURIComponent(this.#text)}`)
    this.#source = source
    const on = <Name extends keyof LiveEvents>(name: Name, handle: (data: LiveEvents[Name]) => void) => {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        handle(JSON.parse(data) as LiveEvents[Name])
        this.#changed()
      })
    }
    on('hello', (state) => {
      if (state.storeId !== this.state?.storeId) {
        this.#connect()
        return
      }
      this.state = state
      this.connection = 'live'
      this.#retryMillis = FIRST_RETRY_MILLIS
    })
    on('reload', () => { this.#connect() })
    on('state', (state) => { this.state = state })
    on('traces', (traces) => {
      this.store.apply(traces, (now, before) => {
        this.pulse.add(now)
        if (before === undefined && this.pause !== null) this.pause.unseen++
      })
    })
    on('removed', (traceIds) => this.store.remove(traceIds))
    source.addEventListener('error', () => { if (source === this.#source) this.#lose() })
  }

  #lose (): void {
    this.#disconnect()
    this.connection = 'reconnecting'
    this.#retry = setTimeout(() => { this.#connect() }, this.#retryMillis)
    this.#retryMillis = Math.min(MAX_RETRY_MILLIS, this.#retryMillis * 2)
    this.#changed()
  }

  #disconnect (): void {
    clearTimeout(this.#retry)
    this.#loading?.abort()
    this.#source?.close()
    this.#source = null
  }

  #changed (): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined
      for (const listener of this.#listeners) listener()
    })
  }
}
