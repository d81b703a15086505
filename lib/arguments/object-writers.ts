import { writeKind } from './bounded-walk.ts'
import type { CaptureNode, Writer } from './capture-node.ts'
import { isCredentialHeader, isSecretName, REDACTED, SCRUBBED } from './scrub.ts'

/** Names that stand in JSON as they are, and whose length needs no look. */
const PLAIN_NAME = /^[\w.-]{1,128}$/

interface PropertyPlan {
  name: string
  /** `"name":`, ready to write, and the same behind a comma; absent when the name is not short and plain. */
  json: string | undefined
  nextJson: string | undefined
  write: Writer
  /** `constructor` and its like are found on every object; only own ones count. */
  mustBeOwn: boolean
}

function propertyPlan (name: string, node: CaptureNode, isHeaders: boolean): PropertyPlan {
  const isPlain = PLAIN_NAME.test(name)
  return {
    name,
    json: isPlain ? `"${name}":` : undefined,
    nextJson: isPlain ? `,"${name}":` : undefined,
    write: secretWriter(name, isHeaders) ?? node.write,
    mustBeOwn: name in Object.prototype,
  }
}

function secretWriter (name: string, isHeaders: boolean): Writer | undefined {
  if (isHeaders && isCredentialHeader(name)) return (_value, sink) => sink.string(REDACTED)
  if (isSecretName(name)) return (value, sink) => value === null ? sink.raw('null') : sink.string(SCRUBBED)
  return undefined
}

/** Reads the declared properties and nothing else: whatever more the client sent costs nothing. */
export function closedWriter (properties: Map<string, CaptureNode>, isHeaders: boolean): Writer {
  // The node's writer may not be there yet in a recursive type: it is taken from the node at the first value.
  let plans: PropertyPlan[] | undefined
  return function writeClosed (value, sink, depth) {
    plans ??= [...properties].map(([name, node]) => propertyPlan(name, node, isHeaders))
    sink.raw('{')
    let isFirst = true
    for (let index = 0; index < plans.length; index++) {
      const plan = plans[index]!
      if (plan.mustBeOwn && !Object.hasOwn(value as object, plan.name)) continue
      const item = (value as Record<string, unknown>)[plan.name]
      if (item === undefined) continue
      if (!sink.enter()) break
      const json = isFirst ? plan.json : plan.nextJson
      if (json !== undefined) {
        sink.raw(json)
      } else {
        if (!isFirst) sink.raw(',')
        sink.key(plan.name)
      }
      isFirst = false
      plan.write(item, sink, depth + 1)
    }
    sink.raw('}')
  }
}

export interface PatternNode {
  pattern: RegExp
  node: CaptureNode
}

/** Declared properties first, then those that a pattern or `additionalProperties` lets in, their names decided as they come. */
export function dynamicWriter (
  properties: Map<string, CaptureNode>, patterns: PatternNode[], others: CaptureNode | undefined, isHeaders: boolean
): Writer {
  const writeDeclared = closedWriter(properties, isHeaders)
  const nodeOf = (key: string): CaptureNode | undefined => {
    for (const { pattern, node } of patterns) if (pattern.test(key)) return node
    return others
  }
  return function writeDynamic (value, sink, depth) {
    if (!sink.mayWalkOpen) {
      if (properties.size === 0) return writeKind('object', sink)
      sink.truncated = true
      return writeDeclared(value, sink, depth)
    }
    sink.raw('{')
    let isFirst = true
    for (const key in value as object) {
      if (!Object.hasOwn(value as object, key)) continue
      const node = properties.get(key) ?? nodeOf(key)
      const item = (value as Record<string, unknown>)[key]
      if (node === undefined || item === undefined) continue
      if (!sink.enter()) break
      if (!isFirst) sink.raw(',')
      isFirst = false
      sink.key(key)
      const write = secretWriter(key, isHeaders) ?? node.write
      write(item, sink, depth + 1)
    }
    sink.raw('}')
  }
}
