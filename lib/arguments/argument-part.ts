/** The parts of a request that a route's schema can describe, in the order in which Fastify validates them. */
export const ARGUMENT_PARTS = ['params', 'body', 'querystring', 'headers'] as const

export type ArgumentPart = typeof ARGUMENT_PARTS[number]

/** One thing that was wrong with a request's arguments. The same shape for every validator, and for bodies that did not parse. */
export interface ValidationErrorRecord {
  /** Where it was; `response` when the answer could not be serialized. */
  part: ArgumentPart | 'response'
  /** JSON pointer into the part, `''` for the part itself; a name that no schema declares stands as `*`. */
  path: string
  /**
   * JSON Schema keyword that failed (`required`, `type`, …), or the validator's own word for it; `parse` for a body that did not parse, `serialization`
   * for a response, `unknown` if the validator does not say.
   */
  keyword: string
  /** The validator's message, at most 256 characters. */
  message: string
  /** The validator's pointer into the schema, when it gives one. */
  schemaPath?: string
  /** The validator's parameters (`{ missingProperty }`, `{ limit }`, …), names of undeclared properties hidden. Of bad JSON `{ position, line, column }`. */
  params?: Record<string, unknown>
  /** What was received at `path`: a primitive, at most 256 characters, or its kind; absent when nothing was there; a mark for secrets. */
  input?: unknown
}
