import type { AttributeValue } from '@opentelemetry/api'
import { isForeign } from './annotations.ts'
import { ARGUMENT_PARTS, type ArgumentPart } from './argument-part.ts'
import { writeSafely } from './bounded-walk.ts'
import type { CaptureNode } from './capture-node.ts'
import { compileCapture, UNKNOWN, type SchemaError } from './compile-capture.ts'
import { foreignNode } from './foreign-schema.ts'
import { isSchema, type FindSchema, type JsonSchema } from './schema-leaves.ts'
import { ValueSink, type CaptureSettings } from './value-sink.ts'

/** What to record of one part: a node, or one for each media type (`body.content`). */
export type PartCapture = CaptureNode | ReadonlyMap<string, CaptureNode>

/** What a route records of its requests' arguments: of each part that has a schema. */
export type RequestCapture = Partial<Record<ArgumentPart, PartCapture>>

/** A route's `schema` option, as far as values are described. */
export interface RouteSchemas {
  params?: unknown
  body?: unknown
  querystring?: unknown
  /** Fastify's other name of `querystring`. */
  query?: unknown
  headers?: unknown
  response?: unknown
}

/** The parts of one request, under the names that the values are recorded with. */
export type RequestParts = Record<ArgumentPart, unknown>

export interface CapturedValues {
  /** JSON text; `undefined` when no part was recorded. */
  json: string | undefined
  truncated: boolean
  /** What schemas want as attributes of their own. */
  attributes: ReadonlyArray<readonly [name: string, value: AttributeValue]>
  /** JSON pointers of what was scrubbed. */
  scrubbed: readonly string[]
}

export interface PartOptions {
  findSchema: FindSchema
  settings: CaptureSettings
  /** Record parts whose schema is not JSON Schema. */
  captureUnknownSchemas: boolean
}

/** @throws SchemaPartError - naming the part, when a schema cannot be compiled */
export function compileRequestCapture (schemas: RouteSchemas | undefined, options: PartOptions): RequestCapture {
  const capture: RequestCapture = {}
  for (const part of ARGUMENT_PARTS) {
    const schema = part === 'querystring' ? schemas?.querystring ?? schemas?.query : schemas?.[part]
    const compiled = compilePart(part, schema, options)
    if (compiled !== undefined) capture[part] = compiled
  }
  return capture
}

/** Which part of a route, and where in it, has a schema that cannot be compiled. */
export class SchemaPartError extends TypeError {
  constructor (part: string, { message, pointer }: SchemaError) {
    super(`${part}${pointer}: ${message}`)
  }
}

/** Compiles the schema of a part, or of a response; `undefined` when there is none. */
export function compilePart (part: string, schema: unknown, options: PartOptions): PartCapture | undefined {
  if (schema === undefined || schema === null) return undefined
  if (isSchema(schema) && typeof schema !== 'boolean' && isSchema(schema.content) && (part === 'body' || part.startsWith('response'))) {
    return new Map(Object.entries(schema.content).flatMap(([mediaType, entry]: [string, unknown]) => {
      const node = compileSchema(`${part} (${mediaType})`, (entry as { schema?: unknown } | null)?.schema, options)
      // As it is written: Fastify compares it with the request's type in lower case, and validates nothing when they differ.
      return node === undefined ? [] : [[mediaType, node]]
    }))
  }
  return compileSchema(part, schema, options)
}

function compileSchema (part: string, schema: unknown, { findSchema, settings, captureUnknownSchemas }: PartOptions): CaptureNode | undefined {
  if (schema === undefined) return undefined
  const jsonSchema = toJsonSchema(schema)
  if (jsonSchema === undefined) {
    return foreignNode(schema, captureUnknownSchemas ? compileCapture(true, { findSchema, isHeaders: part === 'headers', settings }) : UNKNOWN)
  }
  try {
    return compileCapture(jsonSchema, { findSchema, isHeaders: part === 'headers', settings })
  } catch (error) {
    throw new SchemaPartError(part, error as SchemaError)
  }
}

/** JSON Schema, also as fluent-json-schema builds it; `undefined` for the schema objects of other libraries. */
function toJsonSchema (schema: unknown): JsonSchema | undefined {
  if (!isSchema(schema)) return undefined
  if (typeof schema === 'boolean') return schema
  if (schema.isFluentSchema === true || schema.isFluentJSONSchema === true) return schema.valueOf() as JsonSchema
  return isForeign(schema) ? undefined : schema
}

/** The node that holds for a request's part; `undefined` when its media type has no schema, and nothing was validated. */
export function nodeOfPart (capture: PartCapture | undefined, mediaType: string | undefined): CaptureNode | undefined {
  return capture instanceof Map ? capture.get(mediaType ?? '') : capture as CaptureNode | undefined
}

/**
 * Writes what the parts' schemas declare as one JSON text.
 *
 * @param failed - the part that did not pass validation: neither it nor what Fastify would have validated after it is recorded
 * @param bodyBytes - size of the body on the wire, `undefined` when not known
 */
export function captureValues (
  capture: RequestCapture, parts: RequestParts, failed: ArgumentPart | undefined, settings: CaptureSettings,
  { mediaType, bodyBytes }: { mediaType: string | undefined, bodyBytes: number | undefined }
): CapturedValues {
  let sink: ValueSink | undefined
  for (const part of ARGUMENT_PARTS) {
    if (part === failed) break
    const isBody = part === 'body'
    const node = nodeOfPart(capture[part], isBody ? mediaType : undefined)
    if (node === undefined || node.isOmitted) continue
    const value = parts[part]
    if (value === undefined) continue
    sink ??= new ValueSink(settings)
    const mayWalkOpen = !isBody || (bodyBytes !== undefined && bodyBytes <= settings.limits.maxOpenBytes)
    sink.startPart(sink.text === '' ? FIRST_PREFIX[part] : NEXT_PREFIX[part], POINTERS[part], mayWalkOpen, isBody ? bodyBytes : undefined)
    writeSafely(node.write, value, sink)
  }
  if (sink === undefined) return NOTHING
  return { json: `${sink.text}}`, truncated: sink.truncated, attributes: sink.attributes ?? NO_ATTRIBUTES, scrubbed: sink.scrubbed ?? NO_PATHS }
}

const NO_ATTRIBUTES: CapturedValues['attributes'] = Object.freeze([])
const NO_PATHS: readonly string[] = Object.freeze([])
const NOTHING: CapturedValues = Object.freeze({ json: undefined, truncated: false, attributes: NO_ATTRIBUTES, scrubbed: NO_PATHS })
const FIRST_PREFIX = byPart((part) => `{"${part}":`)
const NEXT_PREFIX = byPart((part) => `,"${part}":`)
const POINTERS = byPart((part) => `/${part}`)

function byPart (textOf: (part: ArgumentPart) => string): Record<ArgumentPart, string> {
  return Object.fromEntries(ARGUMENT_PARTS.map((part) => [part, textOf(part)])) as Record<ArgumentPart, string>
}
