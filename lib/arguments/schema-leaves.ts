import { marksOf, type Marks } from './annotations.ts'

/** A JSON Schema as written: an object, or `true`/`false`. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown }

/** A schema together with where it stands. */
export interface SchemaInDocument {
  schema: JsonSchema
  /** The whole text, in which `$id`s and definitions are found. */
  document: JsonSchema
  /** The part of it that `#` means: the nearest schema around that has an `$id`. */
  base: JsonSchema
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
  const seen = new Set<JsonSchema>()
  const queue = [...roots]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { schema, document } = next
    if (typeof schema === 'boolean') {
      leaves.push(next)
      continue
    }
    if (seen.has(schema)) continue
    seen.add(schema)
    check(schema)
    const marks = marksOf(schema)
    isRedacted ||= marks.isRedacted
    isOmitted ||= marks.isOmitted
    for (const name of marks.attributes) attributes.add(name)

    const base = typeof schema.$id === 'string' && !schema.$id.startsWith('#') ? schema : next.base
    const branches: JsonSchema[] = COMBINATORS.flatMap((keyword) => (schema[keyword] ?? []) as JsonSchema[])
    for (const keyword of CONDITIONALS) if (isSchema(schema[keyword])) branches.push(schema[keyword])
    for (const keyword of DEPENDENTS) branches.push(...schemaEntries(schema[keyword]).map(([, dependent]) => dependent))
    for (const branch of branches) queue.push({ schema: branch, document, base })
    const isReference = typeof schema.$ref === 'string'
    if (isReference) {
      const target = resolveReference(schema.$ref as string, { schema, document, base }, findSchema)
      if (target === undefined) hasUnknown = true
      else queue.push(target)
    }
    // A combinator alone says nothing of its own: `{ anyOf: […] }` is not an open schema.
    if ((branches.length === 0 && !isReference) || describesShape(schema)) leaves.push({ schema, document, base })
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
function resolveReference (reference: string, from: SchemaInDocument, findSchema: FindSchema): SchemaInDocument | undefined {
  const [id = '', pointer = ''] = reference.split('#', 2)
  const place = id === '' ? { document: from.document, base: from.base } : findPlace(id, from, findSchema)
  if (place === undefined) return undefined
  if (pointer === '') return { schema: place.base, ...place }
  const target = pointer.startsWith('/') ? followPointer(place.base, pointer) : findById(place.base, `#${pointer}`)
  return target === undefined ? undefined : { schema: target, ...place }
}

function findPlace (id: string, { schema, document }: SchemaInDocument, findSchema: FindSchema): Omit<SchemaInDocument, 'schema'> | undefined {
  const inside = findById(document, id)
  if (inside !== undefined) return { document, base: inside }
  const outside = findSchema(id)
  if (outside !== undefined) return { document: outside, base: outside }
  const definition = findDefinition(schema, document, id)
  return definition === undefined ? undefined : { document, base: definition }
}

/** TypeBox modules refer to their members by bare name: `{ $defs: { User }, $ref: 'User' }`. */
function findDefinition (schema: JsonSchema, document: JsonSchema, name: string): JsonSchema | undefined {
  for (const holder of [schema, document]) {
    for (const keyword of ['$defs', 'definitions']) {
      const definitions = (holder as Exclude<JsonSchema, boolean>)[keyword]
      if (!isSchema(definitions) || typeof definitions === 'boolean' || !Object.hasOwn(definitions, name)) continue
      const target = definitions[name]
      if (isSchema(target)) return target
    }
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
