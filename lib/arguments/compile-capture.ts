import { writeItems, writeOpen, writePrimitive, writeSpecial } from './bounded-walk.ts'
import type { CaptureNode, Writer } from './capture-node.ts'
import { closedWriter, dynamicWriter } from './object-writers.ts'
import { isSchema, schemaLeaves, type FindSchema, type JsonSchema, type SchemaInDocument } from './schema-leaves.ts'

export interface CompileOptions {
  findSchema: FindSchema
  /** Properties at the top are header names: compared in lower case, credentials redacted. */
  isHeaders: boolean
}

/**
 * Compiles a schema into the writer of what it declares. Done once for each route and part, so that a request only reads the properties
 * that its schema names, in the schema's order, with the secret ones decided beforehand.
 */
export function compileCapture (schema: JsonSchema, { findSchema, isHeaders }: CompileOptions): CaptureNode {
  /** Nodes by the schemas that they come from: this is what ends a recursive type. */
  const nodes = new Map<string, CaptureNode>()
  const numbers = new Map<JsonSchema, number>()

  function numberOf ({ schema }: SchemaInDocument): number {
    const known = numbers.get(schema)
    if (known !== undefined) return known
    numbers.set(schema, numbers.size)
    return numbers.size - 1
  }

  function nodeOf (schemas: SchemaInDocument[], isTopOfHeaders = false): CaptureNode {
    const key = schemas.map(numberOf).join()
    const known = nodes.get(key)
    if (known !== undefined) return known
    const node = {} as CaptureNode
    nodes.set(key, node)
    Object.assign(node, describe(schemaLeaves(schemas, findSchema), isTopOfHeaders))
    return node
  }

  function describe (leaves: SchemaInDocument[], isTopOfHeaders: boolean): CaptureNode {
    if (leaves.some(({ schema }) => isOpen(schema))) return { write: writeOpen, child: () => undefined }
    // `false`, and references that lead nowhere: nothing is declared, so not even a primitive is recorded.
    if (leaves.every(({ schema }) => schema === false)) return { write: (_value, sink) => sink.raw('null'), child: () => undefined }

    const properties = new Map<string, SchemaInDocument[]>()
    const patterns = new Map<string, SchemaInDocument[]>()
    const others: SchemaInDocument[] = []
    const items: SchemaInDocument[] = []
    const tuple: SchemaInDocument[][] = []
    for (const { schema, ...place } of leaves) {
      if (typeof schema === 'boolean') continue
      for (const [name, property] of schemaEntries(schema.properties)) {
        gather(properties, isTopOfHeaders ? name.toLowerCase() : name, { schema: property, ...place })
      }
      for (const [pattern, property] of schemaEntries(schema.patternProperties)) gather(patterns, pattern, { schema: property, ...place })
      if (isSchema(schema.additionalProperties) && schema.additionalProperties !== false) {
        others.push({ schema: schema.additionalProperties, ...place })
      }
      const positions = Array.isArray(schema.items) ? schema.items : schema.prefixItems
      if (Array.isArray(positions)) {
        positions.forEach((item, index) => { (tuple[index] ??= []).push({ schema: item as JsonSchema, ...place }) })
      }
      if (isSchema(schema.items)) items.push({ schema: schema.items, ...place })
      else if (isSchema(schema.additionalItems)) items.push({ schema: schema.additionalItems, ...place })
    }

    const propertyNodes = new Map([...properties].map(([name, schemas]) => [name, nodeOf(schemas)]))
    const patternNodes = [...patterns].map(([pattern, schemas]) => ({ pattern: toPattern(pattern), node: nodeOf(schemas) }))
    const otherNode = others.length > 0 ? nodeOf(others) : undefined
    const itemNode = items.length > 0 ? nodeOf(items) : undefined
    const tupleNodes = tuple.map((schemas) => nodeOf(schemas))

    const isDynamic = otherNode !== undefined || patternNodes.length > 0
    const writeObject = isDynamic
      ? dynamicWriter(propertyNodes, patternNodes, otherNode, isTopOfHeaders)
      : closedWriter(propertyNodes, isTopOfHeaders)
    const writeArray: Writer = (value, sink, depth) => writeItems(value as unknown[], sink, (item, index) => {
      const node = tupleNodes[index] ?? itemNode
      if (node !== undefined) node.write(item, sink, depth + 1)
      else if (!writePrimitive(item, sink)) sink.raw('{}')
    })

    return {
      write (value, sink, depth) {
        if (writePrimitive(value, sink)) return
        if (depth >= sink.limits.maxDepth) sink.cut(Array.isArray(value) ? '[…]' : '{…}')
        else if (Array.isArray(value)) writeArray(value, sink, depth)
        else if (!writeSpecial(value as object, sink)) writeObject(value, sink, depth)
      },
      child (segment) {
        const property = propertyNodes.get(isTopOfHeaders ? segment.toLowerCase() : segment)
        if (property !== undefined) return property
        return /^\d+$/.test(segment) ? tupleNodes[Number(segment)] ?? itemNode : undefined
      },
    }
  }

  return nodeOf([{ schema, document: schema, base: schema }], isHeaders)
}

/**
 * `{}`, `true` and what only annotates (`Type.Any()`, `Type.Unknown()`), and objects that are said to take anything. Not a bare
 * `{ type: 'object' }`, which declares nothing: it is recorded as `{}`.
 */
function isOpen (schema: JsonSchema): boolean {
  if (typeof schema === 'boolean') return schema
  if (schema.additionalProperties === true) return schema.properties === undefined
  return !CLOSING_KEYWORDS.some((keyword) => keyword in schema)
}

/** Every keyword that asks something of a value: a schema that has one of them is more than `{}`. */
const CLOSING_KEYWORDS = [
  'type', 'properties', 'patternProperties', 'additionalProperties', 'items', 'prefixItems', 'enum', 'const', 'required', 'not', '$ref',
  'unevaluatedProperties', 'propertyNames', 'minProperties', 'maxProperties', 'dependencies', 'dependentRequired', 'dependentSchemas',
  'additionalItems', 'unevaluatedItems', 'contains', 'minContains', 'maxContains', 'minItems', 'maxItems', 'uniqueItems',
  'minLength', 'maxLength', 'pattern', 'format', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf',
]

function gather (map: Map<string, SchemaInDocument[]>, key: string, schema: SchemaInDocument): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [schema])
  else list.push(schema)
}

function schemaEntries (holder: unknown): Array<[string, JsonSchema]> {
  if (holder === null || typeof holder !== 'object') return []
  return Object.entries(holder).filter((entry): entry is [string, JsonSchema] => isSchema(entry[1]))
}

/** A record's pattern; one that does not compile matches nothing, so that its values are not recorded. */
function toPattern (pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return /(?!)/
  }
}
