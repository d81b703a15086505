import type { RequestRecord } from './request-record.ts'

/**
 * The records of requests that are under way, each linked to its neighbours. Not a `Set`: it outlives the requests, so the engine keeps what it once held
 * through collections of young objects, and a request would cost twice as much.
 */
export class OpenRecords {
  #newest: RequestRecord | null = null

  get isEmpty (): boolean {
    return this.#newest === null
  }

  add (record: RequestRecord): void {
    record.older = this.#newest
    if (this.#newest !== null) this.#newest.newer = record
    this.#newest = record
  }

  /** Nothing when it is not there. */
  remove (record: RequestRecord): void {
    const { older, newer } = record
    if (newer !== null) newer.older = older
    else if (this.#newest === record) this.#newest = older
    if (older !== null) older.newer = newer
    record.older = null
    record.newer = null
  }

  /** Takes out the newest; `null` when there is none. */
  pop (): RequestRecord | null {
    const record = this.#newest
    if (record !== null) this.remove(record)
    return record
  }
}
