import { isThenable } from '../guard.ts'
import { nearText, withoutEnd, type ScrubMatch } from './scrubber.ts'
import { SCRUBBED, SCRUBBING_FAILED, UNREADABLE } from './stand-ins.ts'
import type { ValueSink } from './value-sink.ts'

/**
 * Writes any value as JSON within the sink's limits: what a schema leaves open, and what a mapper returns. It stops at the limits
 * instead of cutting a finished text, so hostile input costs no more than the limits allow; recursion ends at `maxDepth`.
 */
export function writeOpen (value: unknown, sink: ValueSink, depth: number): void {
  if (writePrimitive(value, sink, depth)) return
  if (depth >= sink.limits.maxDepth) return sink.cut(Array.isArray(value) ? '[…]' : '{…}')
  if (Array.isArray(value)) return writeItems(value, sink, depth, writeOpen)
  if (writeSpecial(value as object, sink)) return
  if (!sink.mayWalkOpen) return writeKind('object', sink)
  sink.raw('{')
  let isFirst = true
  for (const key in value as object) {
    if (!Object.hasOwn(value as object, key)) continue
    const wasWritten = writeProperty(value as object, key, isFirst, sink, depth, writeOpenProperty)
    if (wasWritten === undefined) break
    if (wasWritten) isFirst = false
  }
  sink.raw('}')
}

function writeOpenProperty (item: unknown, sink: ValueSink, depth: number): void {
  const matched = sink.isDecided ? undefined : sink.scrubber.findInName(sink.path[depth - 1] as string)
  if (matched === undefined) writeOpen(item, sink, depth)
  else writeSecret(item, matched, sink, depth)
}

/**
 * Writes one property of an object whose keys are not known beforehand. What its getter, or a proxy below, throws costs the property only.
 *
 * @returns whether anything was written; `undefined` when the limits allow no more
 */
export function writeProperty (
  holder: object, key: string, isFirst: boolean, sink: ValueSink, depth: number, write: (item: unknown, sink: ValueSink, depth: number) => void
): boolean | undefined {
  const { text, bytes } = sink
  try {
    const item = (holder as Record<string, unknown>)[key]
    if (item === undefined || typeof item === 'function' || (key === 'fields' && isMultipartField(holder, item))) return false
    if (!sink.enter()) return undefined
    if (!isFirst) sink.raw(',')
    writeKey(key, sink)
    sink.path[depth] = key
    write(item, sink, depth + 1)
  } catch {
    sink.rollBack(text, bytes)
    // The getter may have thrown before the property was counted.
    if (!sink.enter()) return undefined
    if (!isFirst) sink.raw(',')
    writeKey(key, sink)
    sink.mark(UNREADABLE)
  }
  return true
}

/** Writes a name that the client chose: it can hold a credential as well as a value can. */
function writeKey (key: string, sink: ValueSink): void {
  const { scrubber, limits } = sink
  sink.key(scrubber.hideInName(nearText(key, limits.maxKeyLength)))
}

/** With `attachFieldsToBody: true`, each field of @fastify/multipart holds all the fields of the form, itself among them; JSON cannot do that. */
function isMultipartField (holder: object, fields: unknown): boolean {
  const { fieldname } = holder as { fieldname?: unknown }
  if (typeof fieldname !== 'string' || fields === null || typeof fields !== 'object') return false
  const named = (fields as Record<string, unknown>)[fieldname]
  return named === holder || (Array.isArray(named) && named.includes(holder))
}

/** Writes strings, numbers, booleans, bigints and what stands for nothing; `false` when the value is an object. */
export function writePrimitive (value: unknown, sink: ValueSink, depth: number): boolean {
  switch (typeof value) {
    case 'string': if (!sink.plainString(value)) writeText(value, sink, depth); return true
    case 'number': sink.raw(Number.isFinite(value) ? String(value) : `"${value}"`); return true
    case 'boolean': sink.raw(value ? 'true' : 'false'); return true
    case 'bigint': sink.string(value.toString()); return true
    case 'object': if (value !== null) return false
  }
  // null, undefined, a function, a symbol.
  sink.raw('null')
  return true
}

/** Writes a string, with what looks like a credential taken out of it. */
function writeText (value: string, sink: ValueSink, depth: number): void {
  const { scrubber } = sink
  if (sink.isDecided) return sink.string(value)
  const near = nearText(value, sink.limits.maxStringLength)
  if (!scrubber.mayHoldSecret(near)) return sink.string(value)
  const clean = scrubber.hideInText(near)
  if (clean === near) return sink.string(value)
  if (scrubber.callback !== null && writeDecision(value, scrubber.findInText(near)!, sink, depth)) return
  sink.noteScrubbed(depth)
  if (near === value) return sink.string(clean)
  sink.truncated = true
  sink.string(withoutEnd(clean))
}

/** Writes what stands for a value whose name says that it is secret; the name is the last of the path. */
export function writeSecret (value: unknown, matched: string, sink: ValueSink, depth: number): void {
  if (value === null) return sink.raw('null')
  if (value !== SCRUBBED && sink.scrubber.callback !== null && writeDecision(value, matched, sink, depth)) return
  sink.noteScrubbed(depth)
  sink.mark(SCRUBBED)
}

/** Asks the callback, and writes what it wants recorded; `false` when the value is to be taken out. */
function writeDecision (value: unknown, matched: string, sink: ValueSink, depth: number): boolean {
  const { scrubber, text, bytes } = sink
  const match: ScrubMatch = { path: sink.pointer(depth), value, matched }
  try {
    const decided = scrubber.callback!(match)
    if (decided === undefined) return false
    if (isThenable(decided)) {
      decided.then(undefined, () => {})
      throw new TypeError('the scrubbing callback must be synchronous, it returned a promise')
    }
    sink.isDecided = true
    writeOpen(decided, sink, depth)
  } catch (error) {
    scrubber.reportFailure(error)
    sink.rollBack(text, bytes)
    sink.noteScrubbed(depth)
    sink.mark(SCRUBBING_FAILED)
  } finally {
    sink.isDecided = false
  }
  return true
}

/** Writes an array with at most `maxItems` items, the rest as a mark. */
export function writeItems (
  items: readonly unknown[], sink: ValueSink, depth: number, writeItem: (item: unknown, sink: ValueSink, depth: number, index: number) => void
): void {
  const count = items.length
  const shown = Math.min(count, sink.limits.maxItems)
  sink.raw('[')
  let index = 0
  for (; index < shown; index++) {
    if (!sink.enter()) break
    if (index > 0) sink.raw(',')
    sink.path[depth] = index
    const { text, bytes } = sink
    try {
      writeItem(items[index], sink, depth + 1, index)
    } catch {
      sink.rollBack(text, bytes)
      sink.mark(UNREADABLE)
    }
  }
  if (index < count) {
    if (index > 0) sink.raw(',')
    sink.cut(`… ${count - index} more`)
  }
  sink.raw(']')
}

/** Writes dates, and files, buffers and streams as `{ type, bytes }`; `false` for any other object. */
export function writeSpecial (value: object, sink: ValueSink): boolean {
  // What a JSON parser makes is none of them.
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype && !('toBuffer' in value)) return false
  if (value instanceof Date) {
    const millis = value.getTime()
    sink.raw(Number.isNaN(millis) ? 'null' : `"${new Date(millis).toISOString()}"`)
    return true
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    writeBytes(value.constructor.name, value.byteLength, sink)
    return true
  }
  if (value instanceof Blob) {
    writeBytes(value instanceof File ? 'file' : 'blob', value.size, sink)
    return true
  }
  // A file of @fastify/multipart: its bytes are known once they have been read.
  const { toBuffer, file, _buf: read } = value as { toBuffer?: unknown, file?: { bytesRead?: unknown }, _buf?: { byteLength?: unknown } | null }
  if (typeof toBuffer === 'function') {
    writeBytes('file', read?.byteLength ?? file?.bytesRead, sink)
    return true
  }
  if (typeof (value as { pipe?: unknown }).pipe === 'function' || value instanceof ReadableStream) {
    writeBytes('stream', undefined, sink)
    return true
  }
  return false
}

/** Writes `{ type, bytes }` in the place of a value that is too large to look into. */
export function writeKind (type: string, sink: ValueSink): void {
  sink.truncated = true
  writeBytes(type, sink.partBytes, sink)
}

/** @param bytes - what calls itself a size; anything can have a property of that name */
function writeBytes (type: string, bytes: unknown, sink: ValueSink): void {
  sink.raw('{"type":')
  sink.mark(type)
  sink.raw(Number.isFinite(bytes) ? `,"bytes":${bytes as number}}` : '}')
}

/** Writes a value; what it throws (a proxy at the very top) leaves a mark, and the text valid. */
export function writeSafely (write: (value: unknown, sink: ValueSink, depth: number) => void, value: unknown, sink: ValueSink): void {
  const { text, bytes } = sink
  try {
    write(value, sink, 0)
  } catch {
    sink.rollBack(text, bytes)
    sink.mark(UNREADABLE)
  }
}
