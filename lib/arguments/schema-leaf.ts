import { toRegExp } from './check-schema.ts'
import { isSchema, schemaEntries, type JsonSchema, type SchemaInDocument } from './schema-leaves.ts'
import { ALL_KINDS, kindsOf } from './value-kinds.ts'

/** One plain schema, by what it lets in. */
export interface SchemaLeaf {
  /** `{}`, `true` and what only annotates (`Type.Any()`, `Type.Unknown()`): lets in everything. */
  isOpen: boolean
  kinds: number
  properties: Map<string, SchemaInDocument>
  patterns: Array<{ pattern: RegExp, schemas: SchemaInDocument[] }>
  /** Of names that nothing else lets in. */
  others: SchemaInDocument[]
  /** Of items by position, then of those that follow. */
  tuple: SchemaInDocument[][]
  rest: SchemaInDocument[]
  /** What the schema says of a property, declared or not. */
  schemasOf (name: string): SchemaInDocument[]
}

/** `undefined` for `false`, which lets in nothing. */
export function toLeaf ({ schema, ...place }: SchemaInDocument, isTopOfHeaders: boolean): SchemaLeaf | undefined {
  if (schema === false) return undefined
  const isOpen = schema === true || !CLOSING_KEYWORDS.some((keyword) => keyword in schema)
  const keywords: Exclude<JsonSchema, boolean> = isOpen ? OPENED : schema as Exclude<JsonSchema, boolean>
  const inPlace = (inner: unknown): SchemaInDocument[] => isSchema(inner) && inner !== false ? [{ schema: inner, ...place }] : []

  const properties = new Map(schemaEntries(keywords.properties).map(([name, property]) =>
    [isTopOfHeaders ? name.toLowerCase() : name, { schema: property, ...place }]))
  const patterns = schemaEntries(keywords.patternProperties).map(([pattern, property]) => ({ pattern: toRegExp(pattern), schemas: inPlace(property) }))
  const others = [...inPlace(keywords.additionalProperties), ...inPlace(keywords.unevaluatedProperties)]
  const positions = Array.isArray(keywords.items) ? keywords.items as unknown[] : keywords.prefixItems as unknown[] | undefined
  return {
    isOpen,
    kinds: isOpen ? ALL_KINDS : kindsOf(keywords),
    properties,
    patterns,
    others,
    tuple: (positions ?? []).map(inPlace),
    rest: Array.isArray(keywords.items) ? inPlace(keywords.additionalItems) : inPlace(keywords.items),
    schemasOf (name) {
      const matching = patterns.filter(({ pattern }) => pattern.test(name)).flatMap(({ schemas }) => schemas)
      const declared = properties.get(name)
      if (declared !== undefined) matching.push(declared)
      return matching.length > 0 ? matching : others
    },
  }
}

const OPENED = { additionalProperties: true, items: true }

/**
 * Every keyword that asks something of a value: a schema that has one of them is more than `{}`. A bare `{ type: 'object' }` declares nothing and
 * is recorded as `{}`.
 */
export const CLOSING_KEYWORDS: readonly string[] = [
  'type', 'properties', 'patternProperties', 'additionalProperties', 'items', 'prefixItems', 'enum', 'const', 'required', 'not', '$ref', '$dynamicRef', '$recursiveRef',
  'unevaluatedProperties', 'propertyNames', 'minProperties', 'maxProperties', 'dependencies', 'dependentRequired', 'dependentSchemas',
  'additionalItems', 'unevaluatedItems', 'contains', 'minContains', 'maxContains', 'minItems', 'maxItems', 'uniqueItems',
  'minLength', 'maxLength', 'pattern', 'format', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf',
]
