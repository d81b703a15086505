import type { AttributeValue } from '@opentelemetry/api'
import { isListOfOneKind, toAttributeValue } from './attribute-value.ts'
import type { Writer } from './capture-node.ts'
import { isStandardName } from './standard-names.ts'
import { ValueSink } from './value-sink.ts'

/** Attributes that one request's schemas may add. */
const MAX_ATTRIBUTES = 64

/** @throws TypeError - when a name belongs to the semantic conventions */
export function checkAttributeNames (names: readonly string[]): void {
  for (const name of names) {
    if (isStandardName(name)) throw new TypeError(`the attribute name "${name}" belongs to the semantic conventions or to this package; choose one of your own, such as "app.${name}"`)
  }
}

/** Writes a value, and keeps it under the names that its annotations give it. */
export function attributeWriter (write: Writer, names: readonly string[]): Writer {
  return function writeAndKeep (value, sink, depth) {
    write(value, sink, depth)
    const { maxItems } = sink.limits
    const kept = Array.isArray(value) && value.length > maxItems ? value.slice(0, maxItems) as unknown[] : value
    if (kept !== null && typeof kept === 'object' && !(kept instanceof Date) && !isListOfOneKind(kept, maxItems)) return
    for (const name of names) keepAttribute(name, kept, sink)
  }
}

function keepAttribute (name: string, value: unknown, sink: ValueSink): void {
  if (sink.scrubber.findInName(name) !== undefined) return
  const room = sink.maxBytes - sink.bytes
  const own = new ValueSink(sink.settings, room)
  own.startPart('', `/${name}`, true, undefined)
  const attribute = toAttributeValue(value, own)
  if (attribute === undefined) return
  sink.attributes ??= []
  const known = sink.attributes.find(([other]) => other === name)
  if (own.bytes > room || (known === undefined && sink.attributes.length >= MAX_ATTRIBUTES)) {
    sink.truncated = true
    return
  }
  sink.truncated ||= own.truncated
  // It counts as part of what the request may add to its span.
  sink.maxBytes -= own.bytes
  if (known === undefined) sink.attributes.push([name, attribute])
  else known[1] = joinLists(known[1], attribute, sink)
}

/** What was found under one name in several places: a list; of another kind than the first, it is left out. */
function joinLists (first: AttributeValue, next: AttributeValue, sink: ValueSink): AttributeValue {
  const joined: unknown = [first, next].flat()
  if (!isListOfOneKind(joined, Infinity)) return first
  const { maxItems } = sink.limits
  if (joined.length > maxItems) sink.truncated = true
  return joined.slice(0, maxItems)
}
