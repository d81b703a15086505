/** The parts of a request that a route's schema can describe, in the order in which Fastify validates them. */
export const ARGUMENT_PARTS = ['params', 'body', 'querystring', 'headers'] as const

export type ArgumentPart = typeof ARGUMENT_PARTS[number]

/** One thing that was wrong with a request's arguments. The same shape for every validator, and for bodies that did not parse. */
export interface ValidationErrorRecord {
  part: ArgumentPart
  /** JSON pointer into the part, `''` for the part itself; a name that no schema declares stands as `*`. */
  path: string
  /** JSON Schema keyword that failed (`required`, `type`, …), `parse` for a body that did not parse, `unknown` if the validator does not say. */
  keyword: string
  /** The validator's message, at most 256 characters. */
  message: string
  /** The validator's pointer into the schema, when it gives one. */
  schemaPath?: string
  /** The validator's parameters (`{ missingProperty }`, `{ limit }`, …), names of undeclared properties hidden. */
  params?: Record<string, unknown>
  /** What was received at `path`: a primitive, at most 256 characters, or its kind; absent when nothing was there; `[scrubbed]` for secrets. */
  input?: unknown
}
