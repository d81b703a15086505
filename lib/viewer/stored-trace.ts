import type { PooledSource } from './source-pool.ts'
import { summarize } from './summary.ts'
import type { TraceSummary, ViewerSpan } from './wire.ts'

export interface StoredSpan {
  span: ViewerSpan
  bytes: number
  source: PooledSource
}

/** The map, the summary and the places in lists, about. */
const TRACE_BYTES = 1200

/** The spans of one trace that are kept. */
export class StoredTrace {
  readonly traceId: string
  /** When its first span came: by it traces go, and failures are counted over time, since clocks of senders can be wrong. */
  readonly receivedMillis: number
  /** By span id. */
  readonly spans = new Map<string, StoredSpan>()
  /** Spans of each source. */
  readonly sources = new Map<PooledSource, number>()
  revision = 0
  /** Without its sources. */
  bytes = TRACE_BYTES
  sourceBytes = 0
  droppedSpans = 0
  #summary: TraceSummary | undefined

  constructor (traceId: string, receivedMillis: number) {
    this.traceId = traceId
    this.receivedMillis = receivedMillis
  }

  get summary (): TraceSummary {
    if (this.#summary?.revision !== this.revision) this.#summary = summarize(this)
    return this.#summary
  }
}
