import type { ValueSink } from './value-sink.ts'

/** Writes a value, as far as its schema declares it. */
export type Writer = (value: unknown, sink: ValueSink, depth: number) => void

/** What a schema says of one value: how to record it, and what is inside it. */
export interface CaptureNode {
  write: Writer
  /** Annotated as secret: `write` tells presence and kind only, and errors do not quote the value. */
  isRedacted: boolean
  /** Annotated to leave no trace: not written at all. */
  isOmitted: boolean
  /** Nothing is known of the schema, or of this place in it: errors do not quote the value. */
  isUnknown: boolean
  /** The node of a property or item, by its name in a JSON pointer; `undefined` when the schema does not name it. */
  child (segment: string): CaptureNode | undefined
  /** The node of a name that only a record or a pattern lets in, which makes it the client's choice; `undefined` when nothing does. */
  unnamedChild (segment: string): CaptureNode | undefined
}
