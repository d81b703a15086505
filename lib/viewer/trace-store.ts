import { randomUUID } from 'node:crypto'
import type { IncomingSpan } from './incoming-span.ts'
import { SourcePool } from './source-pool.ts'
import { ViewerSpanProcessor } from './span-processor.ts'
import { StoredTrace, type StoredSpan } from './stored-trace.ts'
import type { StoreState } from './wire.ts'

/** Bounds of what a viewer keeps. */
export interface TraceStoreOptions {
  /** Traces; beyond it the oldest go. From 1 to 100000. @default 10000 */
  maxTraces?: number
  /** Bytes of memory, estimated, of all traces; beyond it the oldest go. At least 1048576 (1 MiB). @default 67108864 (64 MiB) */
  maxBytes?: number
}

/** One who is told of what changes in a store. */
export interface StoreWatcher {
  changed (trace: StoredTrace): void
  removed (traceId: string): void
}

const MAX_SPANS_PER_TRACE = 10_000
/** So that no single trace drives out all others. */
const MAX_TRACE_SHARE = 1 / 4

/** Keeps the newest traces, bounded in number and in bytes. Knows nothing of how spans come and who looks at them. */
export class TraceStore {
  readonly storeId = randomUUID()
  readonly maxTraces: number
  readonly maxBytes: number
  /** Shows the spans of a tracer provider here: for the `spanProcessors` of `configure()` or of any OpenTelemetry SDK. */
  readonly spanProcessor = new ViewerSpanProcessor((incoming) => this.add(incoming))

  /** Oldest first. */
  readonly #traces = new Map<string, StoredTrace>()
  readonly #sources = new SourcePool()
  readonly #watchers = new Set<StoreWatcher>()
  /** What went, oldest first, as long as it is remembered. */
  #removals: Array<{ revision: number, traceId: string }> = []
  #forgottenRevision = 0
  #revision = 0
  #traceBytes = 0
  #droppedTraces = 0
  #droppedSpans = 0

  constructor ({ maxTraces = 10_000, maxBytes = 64 * 1024 * 1024 }: TraceStoreOptions = {}) {
    this.maxTraces = maxTraces
    this.maxBytes = maxBytes
  }

  state (): StoreState {
    return {
      storeId: this.storeId,
      revision: this.#revision,
      traces: this.#traces.size,
      bytes: this.#bytes,
      maxTraces: this.maxTraces,
      maxBytes: this.maxBytes,
      droppedTraces: this.#droppedTraces,
      droppedSpans: this.#droppedSpans,
    }
  }

  get #bytes (): number {
    return this.#traceBytes + this.#sources.bytes
  }

  get (traceId: string): StoredTrace | undefined {
    return this.#traces.get(traceId)
  }

  /** Oldest first; a list of its own, which stays as it is. */
  traces (): StoredTrace[] {
    return [...this.#traces.values()]
  }

  /** Adds a span, or puts it in the place of what is known of it. */
  add ({ span, bytes, source }: IncomingSpan): void {
    const pooled = this.#sources.find(source)
    const existing = this.#traces.get(span.traceId)
    const known = existing?.spans.get(span.spanId)
    // A start that comes after its end.
    if (known !== undefined && known.span.endMillis !== null && span.endMillis === null) return
    const trace = existing ?? new StoredTrace(span.traceId, Date.now())
    const growth = bytes - (known?.bytes ?? 0)
    const isNewSource = !trace.sources.has(pooled)
    const isOver = (known === undefined && trace.spans.size >= MAX_SPANS_PER_TRACE) ||
      trace.bytes + trace.sourceBytes + growth + (isNewSource ? pooled.source.bytes : 0) > this.maxBytes * MAX_TRACE_SHARE
    if (isOver) {
      this.#refuse(span.endMillis, existing, known)
      return
    }
    if (existing === undefined) {
      this.#traces.set(span.traceId, trace)
      this.#traceBytes += trace.bytes
    }
    if (isNewSource) {
      this.#sources.use(pooled)
      trace.sourceBytes += pooled.source.bytes
    }
    trace.sources.set(pooled, (trace.sources.get(pooled) ?? 0) + 1)
    if (known !== undefined) this.#leaveSource(trace, known)
    trace.spans.set(span.spanId, { span: Object.assign(span, { resource: pooled.source.resource }), bytes, source: pooled })
    trace.bytes += growth
    this.#traceBytes += growth
    this.#touch(trace)
    this.#makeRoom()
  }

  /** A span over a bound of its trace counts once, at its end, and does not run for ever. */
  #refuse (endMillis: number | null, trace: StoredTrace | undefined, known: StoredSpan | undefined): void {
    if (endMillis === null) return
    this.#droppedSpans++
    if (trace === undefined) return
    trace.droppedSpans++
    if (known !== undefined) known.span.endMillis ??= endMillis
    this.#touch(trace)
  }

  #leaveSource (trace: StoredTrace, { source }: StoredSpan): void {
    const left = trace.sources.get(source)! - 1
    if (left > 0) {
      trace.sources.set(source, left)
    } else {
      trace.sources.delete(source)
      trace.sourceBytes -= source.source.bytes
      this.#sources.release(source)
    }
  }

  #touch (trace: StoredTrace): void {
    trace.revision = ++this.#revision
    for (const watcher of this.#watchers) watcher.changed(trace)
  }

  #makeRoom (): void {
    while (this.#traces.size > this.maxTraces || this.#bytes > this.maxBytes) {
      const [oldest] = this.#traces.values()
      this.#remove(oldest!)
      this.#droppedTraces++
    }
  }

  #remove (trace: StoredTrace): void {
    this.#traces.delete(trace.traceId)
    this.#traceBytes -= trace.bytes
    for (const source of trace.sources.keys()) this.#sources.release(source)
    this.#removals.push({ revision: ++this.#revision, traceId: trace.traceId })
    if (this.#removals.length > 2 * this.maxTraces) {
      this.#forgottenRevision = this.#removals[this.maxTraces - 1]!.revision
      this.#removals = this.#removals.slice(this.maxTraces)
    }
    for (const watcher of this.#watchers) watcher.removed(trace.traceId)
  }

  /** Traces that went after a revision and are not there again; `null` when that is too long ago to be known. */
  removedSince (revision: number): string[] | null {
    if (revision < this.#forgottenRevision) return null
    return this.#removals.filter((removal) => removal.revision > revision && !this.#traces.has(removal.traceId)).map(({ traceId }) => traceId)
  }

  /** Counts spans that could not be taken. */
  countRefused (spans: number): void {
    this.#droppedSpans += spans
  }

  /** Forgets all traces, and what went. */
  clear (): void {
    for (const trace of this.traces()) this.#remove(trace)
    this.#droppedTraces = 0
    this.#droppedSpans = 0
  }

  /** Tells of changes until the returned function is called. */
  watch (watcher: StoreWatcher): () => void {
    this.#watchers.add(watcher)
    return () => { this.#watchers.delete(watcher) }
  }
}
