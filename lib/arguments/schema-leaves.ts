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

const COMBINATORS = ['allOf', 'anyOf', 'oneOf'] as const
const CONDITIONALS = ['if', 'then', 'else'] as const

/**
 * Takes apart what a schema combines: references are followed, `allOf`, `anyOf`, `oneOf` and conditionals are opened, and what is
 * left are plain schemas that each describe something about the same value. A property that any of them declares counts as declared.
 */
export function schemaLeaves (roots: readonly SchemaInDocument[], findSchema: FindSchema): SchemaInDocument[] {
  const leaves: SchemaInDocument[] = []
  const seen = new Set<JsonSchema>()
  const queue = [...roots]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { schema, document } = next
    if (!isSchema(schema)) continue
    if (typeof schema === 'boolean') {
      leaves.push(next)
      continue
    }
    if (seen.has(schema)) continue
    seen.add(schema)
    const base = typeof schema.$id === 'string' && !schema.$id.startsWith('#') ? schema : next.base
    let isCombined = false
    if (typeof schema.$ref === 'string') {
      isCombined = true
      const target = resolveReference(schema.$ref, { schema, document, base }, findSchema)
      if (target !== undefined) queue.push(target)
    }
    for (const keyword of COMBINATORS) {
      if (!Array.isArray(schema[keyword])) continue
      isCombined = true
      for (const branch of schema[keyword]) queue.push({ schema: branch as JsonSchema, document, base })
    }
    for (const keyword of CONDITIONALS) {
      if (!isSchema(schema[keyword])) continue
      isCombined = true
      queue.push({ schema: schema[keyword], document, base })
    }
    // A combinator alone says nothing of its own: `{ anyOf: […] }` is not an open schema.
    if (!isCombined || describesShape(schema)) leaves.push({ schema, document, base })
  }
  return leaves
}

export function isSchema (value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

function describesShape (schema: Exclude<JsonSchema, boolean>): boolean {
  return 'properties' in schema || 'items' in schema || 'additionalProperties' in schema || 'patternProperties' in schema
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
