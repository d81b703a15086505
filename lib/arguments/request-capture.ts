import { ARGUMENT_PARTS, type ArgumentPart } from './argument-part.ts'
import type { CaptureNode } from './capture-node.ts'
import { compileCapture } from './compile-capture.ts'
import { VALUE_LIMITS } from './limits.ts'
import { isSchema, type FindSchema, type JsonSchema } from './schema-leaves.ts'
import { ValueSink } from './value-sink.ts'

/** What a route records of its requests' arguments: one node for each part that has a schema. */
export type RequestCapture = Partial<Record<ArgumentPart, CaptureNode>>

/** A route's `schema` option, as far as it describes arguments. */
export interface RouteArgumentSchemas {
  params?: unknown
  body?: unknown
  querystring?: unknown
  /** Fastify's other name of `querystring`. */
  query?: unknown
  headers?: unknown
}

/** The parts of one request, under the names that the values are recorded with. */
export type RequestParts = Record<ArgumentPart, unknown>

export interface CapturedValues {
  /** JSON text; `undefined` when no part was recorded. */
  json: string | undefined
  truncated: boolean
}

/** Compiles the schemas of a route; parts whose schema is not JSON Schema (zod, joi) are left out and record nothing. */
export function compileRequestCapture (schemas: RouteArgumentSchemas | undefined, findSchema: FindSchema): RequestCapture {
  const capture: RequestCapture = {}
  for (const part of ARGUMENT_PARTS) {
    const schema = part === 'querystring' ? schemas?.querystring ?? schemas?.query : schemas?.[part]
    const jsonSchema = part === 'body' ? bodySchema(schema) : schema
    if (isJsonSchema(jsonSchema)) capture[part] = compileCapture(jsonSchema, { findSchema, isHeaders: part === 'headers' })
  }
  return capture
}

/** The one schema of a body, or, of a map by media type (`body.content`), all its schemas as alternatives. */
function bodySchema (schema: unknown): unknown {
  if (!isSchema(schema) || typeof schema === 'boolean' || !isSchema(schema.content)) return schema
  const alternatives = Object.values(schema.content).map((entry: unknown) => (entry as { schema?: unknown } | null)?.schema).filter(isJsonSchema)
  return alternatives.length === 0 ? undefined : { anyOf: alternatives }
}

/** Schema objects of other libraries carry methods; JSON Schema is data. */
function isJsonSchema (schema: unknown): schema is JsonSchema {
  if (!isSchema(schema)) return false
  if (typeof schema === 'boolean') return true
  return typeof schema.parse !== 'function' && typeof schema.validate !== 'function' && !('~standard' in schema)
}

/**
 * Writes what the parts' schemas declare as one JSON text.
 *
 * @param failed - the part that did not pass validation: neither it nor what Fastify would have validated after it is recorded
 * @param bodyBytes - size of the body on the wire, `undefined` when not known
 */
export function captureValues (
  capture: RequestCapture, parts: RequestParts, failed: ArgumentPart | undefined, bodyBytes: number | undefined
): CapturedValues {
  let sink: ValueSink | undefined
  for (const part of ARGUMENT_PARTS) {
    if (part === failed) break
    const node = capture[part]
    if (node === undefined) continue
    const value = parts[part]
    if (value === undefined) continue
    sink ??= new ValueSink(VALUE_LIMITS)
    const isBody = part === 'body'
    const mayWalkOpen = !isBody || (bodyBytes !== undefined && bodyBytes <= VALUE_LIMITS.maxOpenBytes)
    sink.startPart(sink.text === '' ? FIRST_PREFIX[part] : NEXT_PREFIX[part], mayWalkOpen, isBody ? bodyBytes : undefined)
    node.write(value, sink, 0)
  }
  if (sink === undefined) return NOTHING
  return { json: `${sink.text}}`, truncated: sink.truncated }
}

const NOTHING: CapturedValues = Object.freeze({ json: undefined, truncated: false })
const FIRST_PREFIX = prefixes('{')
const NEXT_PREFIX = prefixes(',')

function prefixes (separator: string): Record<ArgumentPart, string> {
  return {
    params: `${separator}"params":`,
    body: `${separator}"body":`,
    querystring: `${separator}"querystring":`,
    headers: `${separator}"headers":`,
  }
}
