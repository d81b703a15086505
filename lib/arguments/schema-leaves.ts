import { marksOf, type Marks } from './annotations.ts'
import { kindsOf, NO_KIND } from './value-kinds.ts'

/** A JSON Schema as written: an object, or `true`/`false`. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown }

/** A schema together with where it stands. */
export interface SchemaInDocument {
  schema: JsonSchema
  /** The whole text, in which `$id`s and definitions are found. */
  document: JsonSchema
  /** The part of it that `#` means: the nearest schema around that has an `$id`. */
  base: JsonSchema
  /** The nearest schema around that has definitions: two modules of TypeBox in one document can have members of the same name. */
  scope: JsonSchema
}

/** Whether a schema stands in the same place: one object can be used in several. */
export function isSamePlace (first: SchemaInDocument, second: SchemaInDocument): boolean {
  return first.schema === second.schema && first.document === second.document && first.base === second.base && first.scope === second.scope
}

/** Finds a schema by its `$id`; the route's own `$id`s are found without it. */
export type FindSchema = (id: string) => JsonSchema | undefined

/** What a schema combines, taken apart. */
export interface SchemaParts {
  /** Plain schemas that each describe something about the same value. */
  leaves: SchemaInDocument[]
  /** The annotations of every schema on the way: what one branch hides is hidden. */
  marks: Marks
  /** A reference led nowhere. */
  hasUnknown: boolean
}

const COMBINATORS = ['allOf', 'anyOf', 'oneOf'] as const
const CONDITIONALS = ['if', 'then', 'else'] as const
/** By property name: what else holds for the object when the property is there. */
const DEPENDENTS = ['dependentSchemas', 'dependencies'] as const
const DEFINITIONS = ['$defs', 'definitions'] as const

/** @throws TypeError - naming the keyword, when one does not have the form that JSON Schema gives it */
export type CheckSchema = (schema: Exclude<JsonSchema, boolean>) => void

/**
 * Takes apart what a schema combines: references are followed, `allOf`, `anyOf`, `oneOf` and conditionals are opened. A property that any of
 * the leaves declares counts as declared.
 */
export function takeApart (roots: readonly SchemaInDocument[], findSchema: FindSchema, check: CheckSchema): SchemaParts {
  const leaves: SchemaInDocument[] = []
  let isRedacted = false
  let isOmitted = false
  let hasUnknown = false
  const attributes = new Set<string>()
  const seen: SchemaInDocument[] = []
  const queue = [...roots]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { schema, document } = next
    if (typeof schema === 'boolean') {
      leaves.push(next)
      continue
    }
    if (seen.some((place) => isSamePlace(place, next!))) continue
    seen.push(next)
    check(schema)
    const marks = marksOf(schema)
    isRedacted ||= marks.isRedacted
    isOmitted ||= marks.isOmitted
    for (const name of marks.attributes) attributes.add(name)

    const place = {
      document,
      base: typeof schema.$id === 'string' && !schema.$id.startsWith('#') ? schema : next.base,
      scope: DEFINITIONS.some((keyword) => keyword in schema) ? schema : next.scope,
    }
    const branches: JsonSchema[] = COMBINATORS.flatMap((keyword) => (schema[keyword] ?? []) as JsonSchema[])
    for (const keyword of CONDITIONALS) if (isSchema(schema[keyword])) branches.push(schema[keyword])
    for (const keyword of DEPENDENTS) branches.push(...schemaEntries(schema[keyword]).map(([, dependent]) => dependent))
    for (const branch of branches) queue.push({ schema: branch, ...place })
    const isReference = typeof schema.$ref === 'string'
    if (isReference) {
      const target = resolveReference(schema.$ref as string, { schema, ...place }, findSchema)
      if (target === undefined) hasUnknown = true
      else queue.push(target)
    }
    // A combinator alone says nothing of its own: `{ anyOf: […] }` is not an open schema.
    if ((branches.length === 0 && !isReference) || describesShape(schema) || namesPrimitives(schema)) leaves.push({ schema, ...place })
  }
  return { leaves, marks: { isRedacted, isOmitted, attributes: [...attributes] }, hasUnknown }
}

export function isSchema (value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

/** The schemas of a keyword that holds them by name (`properties`, `patternProperties`, …). */
export function schemaEntries (holder: unknown): Array<[string, JsonSchema]> {
  if (holder === null || typeof holder !== 'object') return []
  return Object.entries(holder).filter((entry): entry is [string, JsonSchema] => isSchema(entry[1]))
}

function describesShape (schema: Exclude<JsonSchema, boolean>): boolean {
  return ['properties', 'items', 'prefixItems', 'additionalProperties', 'unevaluatedProperties', 'patternProperties'].some((keyword) => keyword in schema)
}

/** `{ type: 'string', allOf: [{ not: … }] }` lets strings in, though no branch says so. */
function namesPrimitives (schema: Exclude<JsonSchema, boolean>): boolean {
  return ['type', 'enum', 'const'].some((keyword) => keyword in schema) && kindsOf(schema) !== NO_KIND
}

function resolveReference (reference: string, from: SchemaInDocument, findSchema: FindSchema): SchemaInDocument | undefined {
  const [id = '', pointer = ''] = reference.split('#', 2)
  const place = id === '' ? { document: from.document, base: from.base, scope: from.scope } : findPlace(id, from, findSchema)
  if (place === undefined) return undefined
  if (pointer === '') return { schema: place.base, ...place }
  const target = pointer.startsWith('/') ? followPointer(place.base, pointer) : findById(place.base, `#${pointer}`)
  return target === undefined ? undefined : { schema: target, ...place }
}

function findPlace (id: string, { schema, document, scope }: SchemaInDocument, findSchema: FindSchema): Omit<SchemaInDocument, 'schema'> | undefined {
  const near = findDefinition(scope, id)
  if (near !== undefined && (near as { $id?: unknown }).$id === id) return { document, base: near, scope }
  const inside = findById(document, id)
  if (inside !== undefined) return { document, base: inside, scope: document }
  const outside = findSchema(id)
  if (isSchema(outside)) return { document: outside, base: outside, scope: outside }
  const definition = findDefinition(schema, id) ?? findDefinition(document, id)
  return definition === undefined ? undefined : { document, base: definition, scope }
}

/** TypeBox modules refer to their members by bare name: `{ $defs: { User }, $ref: 'User' }`. */
function findDefinition (holder: JsonSchema, name: string): JsonSchema | undefined {
  for (const keyword of DEFINITIONS) {
    const definitions = (holder as Exclude<JsonSchema, boolean>)[keyword]
    if (!isSchema(definitions) || typeof definitions === 'boolean' || !Object.hasOwn(definitions, name)) continue
    const target = definitions[name]
    if (isSchema(target)) return target
  }
  return undefined
}

function followPointer (base: JsonSchema, pointer: string): JsonSchema | undefined {
  let current: unknown = base
  for (const segment of pointer.slice(1).split('/')) {
    const name = unescapeSegment(decodeSegment(segment))
    if (current === null || typeof current !== 'object' || !Object.hasOwn(current, name)) return undefined
    current = (current as Record<string, unknown>)[name]
  }
  return isSchema(current) ? current : undefined
}

/** One segment of a JSON pointer as the name that it stands for. */
export function unescapeSegment (segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** In a reference, a pointer is part of a URI; in an error's path it is not. */
function decodeSegment (segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** Finds a subschema by `$id`, or by anchor when `id` begins with `#`; recursive types of TypeBox refer to themselves so. */
function findById (document: JsonSchema, id: string): JsonSchema | undefined {
  const seen = new Set<unknown>()
  const queue: unknown[] = [document]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (next === null || typeof next !== 'object' || seen.has(next)) continue
    seen.add(next)
    const candidate = next as Record<string, unknown>
    if (candidate.$id === id || (id.startsWith('#') && candidate.$anchor === id.slice(1))) return candidate
    queue.push(...Object.values(candidate))
  }
  return undefined
}
