import type { TraceSummary } from '../../wire.ts'

interface Entry {
  summary: TraceSummary
}

/** The traces that the page knows, by start; changes of many at once cost one pass. */
export class TraceStore {
  readonly #byId = new Map<string, Entry>()
  /** Oldest first: a new trace is nearly always the last one. */
  #entries: Entry[] = []

  get size (): number {
    return this.#entries.length
  }

  get (traceId: string): TraceSummary | undefined {
    return this.#byId.get(traceId)?.summary
  }

  /**
   * New and changed traces.
   *
   * @param onChange - gets each with what was known of it before
   */
  apply (summaries: readonly TraceSummary[], onChange?: (now: TraceSummary, before: TraceSummary | undefined) => void): void {
    let isSorted = true
    for (const summary of summaries) {
      const entry = this.#byId.get(summary.traceId)
      // A list that was asked for earlier can come later.
      if (entry !== undefined && entry.summary.revision > summary.revision) continue
      onChange?.(summary, entry?.summary)
      if (entry === undefined) {
        isSorted &&= summary.startMillis >= (this.#entries.at(-1)?.summary.startMillis ?? -Infinity)
        const added = { summary }
        this.#byId.set(summary.traceId, added)
        this.#entries.push(added)
      } else {
        isSorted &&= summary.startMillis === entry.summary.startMillis
        entry.summary = summary
      }
    }
    if (!isSorted) this.#entries.sort((first, second) => first.summary.startMillis - second.summary.startMillis)
  }

  remove (traceIds: readonly string[]): void {
    const gone = new Set<Entry>()
    for (const traceId of traceIds) {
      const entry = this.#byId.get(traceId)
      if (entry === undefined) continue
      this.#byId.delete(traceId)
      gone.add(entry)
    }
    if (gone.size > 0) this.#entries = this.#entries.filter((entry) => !gone.has(entry))
  }

  clear (): void {
    this.#byId.clear()
    this.#entries = []
  }

  /** Newest first. */
  select (passes: (summary: TraceSummary) => boolean = () => true): TraceSummary[] {
    const selected: TraceSummary[] = []
    for (let index = this.#entries.length - 1; index >= 0; index--) {
      const { summary } = this.#entries[index] as Entry
      if (passes(summary)) selected.push(summary)
    }
    return selected
  }

  /** Names of all services, sorted. */
  services (): string[] {
    const names = new Set<string>()
    for (const { summary } of this.#entries) for (const name of summary.services) names.add(name)
    return [...names].sort()
  }
}
