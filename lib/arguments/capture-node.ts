import type { ValueSink } from './value-sink.ts'

/** Writes a value, as far as its schema declares it. */
export type Writer = (value: unknown, sink: ValueSink, depth: number) => void

/** What a schema says of one value: how to record it, and what is inside it. */
export interface CaptureNode {
  write: Writer
  /** The node of a property or item, by its name in a JSON pointer; `undefined` when the schema does not name it. */
  child (segment: string): CaptureNode | undefined
}
