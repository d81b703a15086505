import { isSecretName, SCRUBBED } from './scrub.ts'
import type { ValueSink } from './value-sink.ts'

/**
 * Writes any value as JSON within the sink's limits: what a schema leaves open, and what a mapper returns. It stops at the limits
 * instead of cutting a finished text, so hostile input costs no more than the limits allow; recursion ends at `maxDepth`.
 */
export function writeOpen (value: unknown, sink: ValueSink, depth: number): void {
  if (writePrimitive(value, sink)) return
  if (depth >= sink.limits.maxDepth) return sink.cut(Array.isArray(value) ? '[…]' : '{…}')
  if (Array.isArray(value)) return writeItems(value, sink, (item) => writeOpen(item, sink, depth + 1))
  if (writeSpecial(value as object, sink)) return
  if (!sink.mayWalkOpen) return writeKind('object', sink)
  sink.raw('{')
  let isFirst = true
  for (const key in value as object) {
    if (!Object.hasOwn(value as object, key)) continue
    const item = (value as Record<string, unknown>)[key]
    if (item === undefined || typeof item === 'function') continue
    if (!sink.enter()) break
    if (!isFirst) sink.raw(',')
    isFirst = false
    sink.key(key)
    if (item !== null && isSecretName(key)) sink.string(SCRUBBED)
    else writeOpen(item, sink, depth + 1)
  }
  sink.raw('}')
}

/** Writes strings, numbers, booleans, bigints and what stands for nothing; `false` when the value is an object. */
export function writePrimitive (value: unknown, sink: ValueSink): boolean {
  switch (typeof value) {
    case 'string': sink.string(value); return true
    case 'number': sink.raw(Number.isFinite(value) ? String(value) : `"${value}"`); return true
    case 'boolean': sink.raw(value ? 'true' : 'false'); return true
    case 'bigint': sink.string(value.toString()); return true
    case 'object': if (value !== null) return false
  }
  // null, undefined, a function, a symbol.
  sink.raw('null')
  return true
}

/** Writes an array with at most `maxItems` items, the rest as a mark. */
export function writeItems (items: readonly unknown[], sink: ValueSink, writeItem: (item: unknown, index: number) => void): void {
  const count = items.length
  const shown = Math.min(count, sink.limits.maxItems)
  sink.raw('[')
  let index = 0
  for (; index < shown; index++) {
    if (!sink.enter()) break
    if (index > 0) sink.raw(',')
    writeItem(items[index], index)
  }
  if (index < count) {
    if (index > 0) sink.raw(',')
    sink.cut(`… ${count - index} more`)
  }
  sink.raw(']')
}

/** Writes dates, and buffers and streams as `{ type, bytes }`; `false` for any other object. */
export function writeSpecial (value: object, sink: ValueSink): boolean {
  // What a JSON parser makes is none of them.
  if (Object.getPrototypeOf(value) === Object.prototype) return false
  if (value instanceof Date) {
    const millis = value.getTime()
    sink.raw(Number.isNaN(millis) ? 'null' : `"${new Date(millis).toISOString()}"`)
    return true
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    sink.raw('{"type":')
    sink.string(value.constructor.name)
    sink.raw(`,"bytes":${value.byteLength}}`)
    return true
  }
  if (typeof (value as { pipe?: unknown }).pipe === 'function') {
    sink.raw('{"type":"stream"}')
    return true
  }
  return false
}

/** Writes `{ type, bytes }` in the place of a value that is too large to look into. */
export function writeKind (type: string, sink: ValueSink): void {
  sink.truncated = true
  sink.raw(sink.partBytes === undefined ? `{"type":"${type}"}` : `{"type":"${type}","bytes":${sink.partBytes}}`)
}
