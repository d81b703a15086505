import type { Marks } from './annotations.ts'
import { writeItems, writeOpen, writePrimitive, writeSpecial } from './bounded-walk.ts'
import type { CaptureNode, Writer } from './capture-node.ts'
import { checkSchema } from './check-schema.ts'
import { attributeWriter, checkAttributeNames } from './keep-attribute.ts'
import { closedWriter, dynamicWriter } from './object-writers.ts'
import { toLeaf } from './schema-leaf.ts'
import { isSamePlace, takeApart, type FindSchema, type JsonSchema, type SchemaInDocument } from './schema-leaves.ts'
import { kindMark, redactedMark, UNKNOWN_SCHEMA } from './stand-ins.ts'
import { ALL_KINDS, kindOf, NO_KIND } from './value-kinds.ts'
import type { CaptureSettings, ValueSink } from './value-sink.ts'

/** What is wrong with a schema, and where. */
export class SchemaError extends TypeError {
  /** JSON pointer into the value that the schema describes. */
  readonly pointer: string

  constructor (cause: unknown, pointer: string) {
    super(cause instanceof Error ? cause.message : String(cause))
    this.pointer = pointer
  }
}

export interface CompileOptions {
  findSchema: FindSchema
  /** Properties at the top are header names: compared in lower case, credentials redacted. */
  isHeaders: boolean
  settings: CaptureSettings
}

/**
 * Compiles a schema into the writer of what it declares. Done once for each route and part, so that a request only reads the properties
 * that its schema names, in the schema's order, with the secret ones decided beforehand.
 *
 * @throws SchemaError - when a keyword or an annotation is not what it must be
 */
export function compileCapture (schema: JsonSchema, { findSchema, isHeaders, settings }: CompileOptions): CaptureNode {
  /** Nodes by the schemas that they come from: this is what ends a recursive type. */
  const nodes = new Map<string, CaptureNode>()
  /** Each is asked for once: a store that hands out copies would never let a recursive type end. */
  const found = new Map<string, JsonSchema | undefined>()
  const places = new Map<JsonSchema, SchemaInDocument[]>()
  const numbers = new Map<SchemaInDocument, number>()

  function findOnce (id: string): JsonSchema | undefined {
    if (!found.has(id)) found.set(id, findSchema(id))
    return found.get(id)
  }

  function numberOf (schema: SchemaInDocument): number {
    const same = places.get(schema.schema) ?? []
    places.set(schema.schema, same)
    const known = same.find((place) => isSamePlace(place, schema))
    if (known !== undefined) return numbers.get(known)!
    same.push(schema)
    numbers.set(schema, numbers.size)
    return numbers.size - 1
  }

  function nodeOf (schemas: SchemaInDocument[], pointer: string, isTopOfHeaders = false): CaptureNode {
    const key = schemas.map(numberOf).sort().join()
    const known = nodes.get(key)
    if (known !== undefined) return known
    const node = {} as CaptureNode
    nodes.set(key, node)
    try {
      Object.assign(node, describe(schemas, pointer, isTopOfHeaders))
    } catch (error) {
      throw error instanceof SchemaError ? error : new SchemaError(error, pointer)
    }
    return node
  }

  function describe (schemas: SchemaInDocument[], pointer: string, isTopOfHeaders: boolean): CaptureNode {
    const { leaves: all, marks, hasUnknown } = takeApart(schemas, findOnce, checkSchema)
    checkAttributeNames(marks.attributes)
    const leaves = all.map((place) => toLeaf(place, isTopOfHeaders)).filter((leaf) => leaf !== undefined)
    if (leaves.length === 0) return marked(hasUnknown ? UNKNOWN : { ...DECLARES_NOTHING, write: writeNothing }, marks)
    // Headers are looked at one by one, whatever their schema leaves open: among them are credentials.
    if (!isTopOfHeaders && leaves.every(({ isOpen }) => isOpen)) return marked(OPEN, marks)
    const kinds = leaves.reduce((bits, leaf) => bits | leaf.kinds, NO_KIND)

    const names = new Set(leaves.flatMap(({ properties }) => [...properties.keys()]))
    const hasMembers = leaves.some(({ isOpen, properties, patterns, others }) => !isOpen && properties.size + patterns.length + others.length > 0)
    if (hasMembers && marks.attributes.length > 0) {
      throw new TypeError(`an attribute (${marks.attributes.join(', ')}) can be a string, a number, a boolean or a list of them, not an object`)
    }
    const propertyNodes = new Map([...names].map((name) =>
      [name, nodeOf(leaves.flatMap((leaf) => leaf.schemasOf(name)), `${pointer}/${name}`)]))
    const patterns = leaves.flatMap((leaf) => leaf.patterns.map(({ pattern }) => pattern))
    const unnamed = leaves.flatMap(({ others }) => others)
    const isDynamic = patterns.length > 0 || unnamed.length > 0
    const otherNode = unnamed.length > 0 ? nodeOf(unnamed, `${pointer}/*`) : undefined
    // Compiled here, so that what is wrong with one is said at registration.
    for (const { patterns } of leaves) for (const { schemas } of patterns) nodeOf(schemas, `${pointer}/*`)

    function unnamedChild (name: string): CaptureNode | undefined {
      if (patterns.length === 0) return otherNode
      const matching = leaves.flatMap((leaf) => leaf.schemasOf(name))
      return matching.length === 0 ? undefined : nodeOf(matching, `${pointer}/*`)
    }

    const longest = Math.max(...leaves.map(({ tuple }) => tuple.length))
    const positionNodes = Array.from({ length: longest }, (_, index) => {
      const items = leaves.flatMap((leaf) => leaf.tuple[index] ?? leaf.rest)
      return items.length === 0 ? undefined : nodeOf(items, `${pointer}/${index}`)
    })
    const rest = leaves.flatMap((leaf) => leaf.rest)
    const restNode = rest.length === 0 ? undefined : nodeOf(rest, `${pointer}/*`)
    const itemNode = (index: number): CaptureNode | undefined => index < longest ? positionNodes[index] : restNode
    const declaresItems = longest > 0 || restNode !== undefined

    const objectSettings = { ...settings, isHeaders: isTopOfHeaders }
    const writeObject = isDynamic ? dynamicWriter(propertyNodes, unnamedChild, objectSettings) : closedWriter(propertyNodes, objectSettings)
    const writeItem = (item: unknown, sink: ValueSink, depth: number, index: number): void => {
      const node = itemNode(index)
      if (node === undefined || node.isOmitted) sink.raw('null')
      else node.write(item, sink, depth)
    }
    const writeArray: Writer = (value, sink, depth) => {
      if (!declaresItems) sink.mark(kindMark(value))
      else if (longest === 0 && restNode!.isOmitted) sink.raw('[]')
      else writeItems(value as unknown[], sink, depth, writeItem)
    }

    return marked({
      ...DECLARES_NOTHING,
      write (value, sink, depth) {
        if (value === null || typeof value !== 'object') {
          if (kinds === ALL_KINDS || (kindOf(value) & ~kinds) === 0) writePrimitive(value, sink, depth)
          else sink.mark(kindMark(value))
        } else if (depth >= sink.limits.maxDepth) sink.cut(Array.isArray(value) ? '[…]' : '{…}')
        else if (Array.isArray(value)) writeArray(value, sink, depth)
        else if (!writeSpecial(value, sink)) writeObject(value, sink, depth)
      },
      child (segment) {
        const property = propertyNodes.get(isTopOfHeaders ? segment.toLowerCase() : segment)
        if (property !== undefined) return property
        return /^\d+$/.test(segment) ? itemNode(Number(segment)) : undefined
      },
      unnamedChild,
    }, marks)
  }

  return nodeOf([{ schema, document: schema, base: schema, scope: schema }], '', isHeaders)
}

const DECLARES_NOTHING: Omit<CaptureNode, 'write'> = { isRedacted: false, isOmitted: false, isUnknown: false, child: () => undefined, unnamedChild: () => undefined }
const writeNothing: Writer = (_value, sink) => sink.raw('null')

/** What a schema leaves open: recorded whole, within the bounds. Names inside it are the client's. */
export const OPEN: CaptureNode = { ...DECLARES_NOTHING, write: writeOpen, unnamedChild: () => OPEN }

/** What nothing is known of: a reference that leads nowhere, a schema that is no JSON Schema. */
export const UNKNOWN: CaptureNode = { ...DECLARES_NOTHING, isUnknown: true, write: (_value, sink) => sink.mark(UNKNOWN_SCHEMA) }

function marked (node: CaptureNode, { isRedacted, isOmitted, attributes }: Marks): CaptureNode {
  // What is hidden hides what is inside it, from errors too.
  if (isRedacted || isOmitted) return { ...node, isRedacted, isOmitted, write: (value, sink) => sink.mark(redactedMark(value)) }
  return attributes.length === 0 ? node : { ...node, write: attributeWriter(node.write, attributes) }
}
