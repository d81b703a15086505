import { writeKind, writeProperty, writeSecret } from './bounded-walk.ts'
import type { CaptureNode, Writer } from './capture-node.ts'
import { isCredentialHeader } from './secret-names.ts'
import { redactedMark, UNREADABLE } from './stand-ins.ts'
import type { CaptureSettings } from './value-sink.ts'

/** Names that stand in JSON as they are. */
const PLAIN_NAME = /^[\w.-]+$/

/** Units of names that are written without asking for room: what closes a text fits behind one of them. */
const MAX_PLAIN_LENGTH = 128

interface PropertyPlan {
  name: string
  /** `"name":`, ready to write, and the same behind a comma; absent when the name is not short and plain. */
  json: string | undefined
  nextJson: string | undefined
  write: Writer
  /** `constructor` and its like are found on every object; only own ones count. */
  mustBeOwn: boolean
}

/** What the writers of one part's objects have in common. */
export interface ObjectSettings extends CaptureSettings {
  /** The names are those of headers: credentials among them are redacted, whatever scrubbing says. */
  isHeaders: boolean
}

function propertyPlan (name: string, node: CaptureNode, settings: ObjectSettings): PropertyPlan {
  const isPlain = PLAIN_NAME.test(name) && name.length <= Math.min(settings.limits.maxKeyLength, MAX_PLAIN_LENGTH)
  return {
    name,
    json: isPlain ? `"${name}":` : undefined,
    nextJson: isPlain ? `,"${name}":` : undefined,
    write: propertyWriter(name, node, settings),
    mustBeOwn: name in Object.prototype,
  }
}

/** Redacted by its schema, else by the name of its header; else scrubbed by its name; else as the schema says. */
function propertyWriter (name: string, node: CaptureNode, { isHeaders, scrubber }: ObjectSettings): Writer {
  if (node.isRedacted) return node.write
  if (isHeaders && isCredentialHeader(name)) return (value, sink) => sink.mark(redactedMark(value))
  const matched = scrubber.findInName(name)
  return matched === undefined ? node.write : (value, sink, depth) => writeSecret(value, matched, sink, depth)
}

/** Reads the declared properties and nothing else: whatever more the client sent costs nothing. */
export function closedWriter (properties: Map<string, CaptureNode>, settings: ObjectSettings): Writer {
  // A node may not be described yet in a recursive type: it is looked at when the first value comes.
  let plans: PropertyPlan[] | undefined
  return function writeClosed (value, sink, depth) {
    plans ??= [...properties].filter(([, node]) => !node.isOmitted).map(([name, node]) => propertyPlan(name, node, settings))
    sink.raw('{')
    let isFirst = true
    for (let index = 0; index < plans.length; index++) {
      const plan = plans[index]!
      const { text, bytes } = sink
      let isUnreadable = false
      try {
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
        sink.path[depth] = plan.name
        plan.write(item, sink, depth + 1)
      } catch {
        isUnreadable = true
      }
      if (isUnreadable) {
        sink.rollBack(text, bytes)
        if (!sink.enter()) break
        if (!isFirst) sink.raw(',')
        sink.key(plan.name)
        sink.mark(UNREADABLE)
      }
      isFirst = false
    }
    sink.raw('}')
  }
}

/**
 * Declared properties and those that a record, a pattern or `additionalProperties` lets in, their names decided as they come.
 *
 * @param unnamedChild - the node of a name that is not declared; `undefined` when nothing lets it in
 */
export function dynamicWriter (
  properties: Map<string, CaptureNode>, unnamedChild: CaptureNode['unnamedChild'], settings: ObjectSettings
): Writer {
  const writeDeclared = closedWriter(properties, settings)
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
      const node = properties.get(key) ?? unnamedChild(key)
      if (node === undefined || node.isOmitted) continue
      const wasWritten = writeProperty(value as object, key, isFirst, sink, depth, propertyWriter(key, node, settings))
      if (wasWritten === undefined) break
      if (wasWritten) isFirst = false
    }
    sink.raw('}')
  }
}
