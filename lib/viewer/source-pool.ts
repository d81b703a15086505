import { createHash } from 'node:crypto'
import type { SpanSource } from './incoming-span.ts'

/** A source that traces share. */
export interface PooledSource {
  readonly key: string
  readonly source: SpanSource
  /** Traces with spans of it. */
  users: number
}

/** Each resource once, however often it was sent: every batch brings the same one again. */
export class SourcePool {
  /** Of the resources that are in use. */
  bytes = 0
  readonly #pooled = new Map<string, PooledSource>()
  readonly #keys = new WeakMap<SpanSource, string>()

  /** The one with the same content, or `source` itself. */
  find (source: SpanSource): PooledSource {
    let key = this.#keys.get(source)
    if (key === undefined) {
      key = createHash('sha256').update(JSON.stringify(source.resource)).digest('base64')
      this.#keys.set(source, key)
    }
    return this.#pooled.get(key) ?? { key, source, users: 0 }
  }

  use (pooled: PooledSource): void {
    if (pooled.users++ > 0) return
    this.#pooled.set(pooled.key, pooled)
    this.bytes += pooled.source.bytes
  }

  release (pooled: PooledSource): void {
    if (--pooled.users > 0) return
    this.#pooled.delete(pooled.key)
    this.bytes -= pooled.source.bytes
  }
}
