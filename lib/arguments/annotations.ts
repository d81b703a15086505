import { TelemetryError } from '../error-codes.ts'

/** What the annotations of a schema say of its value. */
export interface Marks {
  /** Presence and kind are recorded, the value is not. */
  readonly isRedacted: boolean
  /** Nothing is recorded, not even that there is something. */
  readonly isOmitted: boolean
  /** Names of the attributes that the value is also set as. */
  readonly attributes: readonly string[]
}

/**
 * Annotations are words in `$comment`: the one keyword of JSON Schema that every validator ignores, and that Fastify's `addSchema` (it clones
 * schemas and drops symbol keys), TypeBox's mapped types and JSON itself carry along.
 */
const PREFIX = 'fastify-schema-telemetry:'
const REDACT = `${PREFIX}redact`
const OMIT = `${PREFIX}omit`
const ATTRIBUTE = `${PREFIX}attribute=`

/**
 * Marks a value as secret: spans show that it is there and of which kind, never what it is or how long.
 *
 * The same holds for its validation errors. `writeOnly: true` and `format: 'password'` in a schema mean the same.
 *
 * @param schema - a TypeBox schema or plain JSON Schema, of any type; it is not changed
 * @returns a copy with the same static type
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_INVALID_ANNOTATION` when `schema` is no JSON Schema object
 */
export function redact<Schema extends object> (schema: Schema): Schema {
  return hide(schema, REDACT, 'redact')
}

/**
 * Keeps a value off all spans, as if it had not been sent. Its validation errors name the path and the keyword only.
 *
 * @param schema - a TypeBox schema or plain JSON Schema, of any type; it is not changed
 * @returns a copy with the same static type
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_INVALID_ANNOTATION` when `schema` is no JSON Schema object
 */
export function omit<Schema extends object> (schema: Schema): Schema {
  return hide(schema, OMIT, 'omit')
}

/**
 * Also sets a value as a span attribute of its own, so that every backend can search for it: `asAttribute('app.country', Type.String())`.
 * Strings, numbers, booleans and lists of them; what stands inside a list of objects becomes a list.
 *
 * @param name - attribute name: letters, digits, `_`, `.`, `-`; at most 128 characters. Names of the semantic conventions (`http.*`, `url.*`, …)
 * are refused when the application gets ready
 * @param schema - a TypeBox schema or plain JSON Schema; it is not changed
 * @returns a copy with the same static type
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_INVALID_ANNOTATION` when `schema` is no JSON Schema object or `name` no attribute name
 */
export function asAttribute<Schema extends object> (name: string, schema: Schema): Schema {
  if (typeof name !== 'string' || !/^[A-Za-z][\w.-]{0,127}$/.test(name)) {
    throw invalid(`asAttribute() takes an attribute name of letters, digits, "_", "." and "-", received ${describeReceived(name)}`)
  }
  return comment(schema, ATTRIBUTE + name, 'asAttribute')
}

/** What a schema's own keywords say; not what stands in its branches. */
export function marksOf (schema: { readonly [keyword: string]: unknown }): Marks {
  const isPassword = schema.writeOnly === true || schema.format === 'password'
  const { $comment } = schema
  if (typeof $comment !== 'string' || !$comment.includes(PREFIX)) return isPassword ? REDACTED : UNMARKED
  const words = $comment.split(/\s+/)
  return {
    isRedacted: isPassword || words.includes(REDACT),
    isOmitted: words.includes(OMIT),
    attributes: words.filter((word) => word.startsWith(ATTRIBUTE)).map((word) => word.slice(ATTRIBUTE.length)),
  }
}

export const UNMARKED: Marks = Object.freeze({ isRedacted: false, isOmitted: false, attributes: [] })
const REDACTED: Marks = Object.freeze({ ...UNMARKED, isRedacted: true })

/**
 * Marks a schema, and what it is made of: a type that is derived from an object (`Type.Composite`, `Type.Pick`, `Type.Partial`) keeps the properties
 * and may leave behind what was said of the whole.
 */
function hide<Schema extends object> (schema: Schema, word: string, caller: string): Schema {
  const marked = comment(schema, word, caller) as { [keyword: string]: unknown }
  if (isObject(marked.properties)) {
    marked.properties = Object.fromEntries(Object.entries(marked.properties).map(([name, property]) =>
      [name, isObject(property) ? comment(property, word, caller) : property]))
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const branches = marked[keyword]
    if (Array.isArray(branches)) marked[keyword] = branches.map((branch: unknown) => isObject(branch) ? hide(branch, word, caller) : branch)
  }
  return marked as Schema
}

function comment<Schema extends object> (schema: Schema, word: string, caller: string): Schema {
  if (!isObject(schema) || isForeign(schema) || isBuilder(schema)) {
    throw invalid(`${caller}() takes a TypeBox schema or a JSON Schema object, received ${describeReceived(schema)}`)
  }
  const copy = copyOf(schema)
  const { $comment } = copy
  const words = typeof $comment === 'string' ? $comment.split(/\s+/) : []
  copy.$comment = words.includes(word) ? $comment : [...words, word].join(' ')
  return copy as Schema
}

/** By descriptors, since TypeBox 1.x keeps its own words in properties that are not enumerable; writable, also when TypeBox has frozen the schema. */
function copyOf (schema: object): Record<string, unknown> {
  const descriptors: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(schema)
  for (const descriptor of Object.values(descriptors)) {
    descriptor.configurable = true
    if ('value' in descriptor) descriptor.writable = true
  }
  return Object.create(Object.getPrototypeOf(schema) as object | null, descriptors) as Record<string, unknown>
}

function isObject (value: unknown): value is object {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Schema objects of other libraries carry methods; JSON Schema is data. */
export function isForeign (schema: object): boolean {
  const { parse, validate } = schema as { parse?: unknown, validate?: unknown }
  return typeof parse === 'function' || typeof validate === 'function' || '~standard' in schema
}

/** An object of fluent-json-schema: what is added to it does not reach the schema that it builds. */
function isBuilder (schema: object): boolean {
  return 'isFluentSchema' in schema || 'isFluentJSONSchema' in schema
}

function invalid (message: string): TelemetryError {
  return new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_ANNOTATION', message)
}

function describeReceived (value: unknown): string {
  switch (typeof value) {
    case 'string': return JSON.stringify(value)
    case 'function': return 'a function'
    case 'object': break
    default: return String(value)
  }
  if (!isObject(value)) return value === null ? 'null' : 'an array'
  if (isBuilder(value)) return 'an object of fluent-json-schema (annotate what its valueOf() returns)'
  return isForeign(value) ? 'the schema object of another library' : 'an object'
}
