/** Ids that count from one, separately for traces and spans: `00…01`, `00…02`. Not for production. */
export class IncrementalIdGenerator {
  #traces = 0
  #spans = 0

  generateTraceId = (): string => (++this.#traces).toString(16).padStart(32, '0')

  generateSpanId = (): string => (++this.#spans).toString(16).padStart(16, '0')

  reset (): void {
    this.#traces = 0
    this.#spans = 0
  }
}
