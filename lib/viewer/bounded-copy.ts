import type { AttributeValue } from './wire.ts'

/** Attributes that one span, event, link or resource keeps. */
export const MAX_ATTRIBUTES = 256
/** UTF-16 units that one text keeps. */
export const MAX_TEXT_LENGTH = 64 * 1024
/** UTF-16 units of the key of an attribute, of a span's name and of other short texts. */
export const MAX_NAME_LENGTH = 1024
/** Items that one list or object among the values keeps. */
export const MAX_ITEMS = 1000
/** Levels of lists and objects in a value. */
export const MAX_DEPTH = 8

/** What an object, a property or an item takes, about. */
const NODE_BYTES = 24
const TEXT_BYTES = 20

const WIDE = /[^\u0000-\u00ff]/ // eslint-disable-line no-control-regex

/** Bytes that the engine needs for a text, about. */
export function textBytes (text: string): number {
  return TEXT_BYTES + (WIDE.test(text) ? 2 * text.length : text.length)
}

/**
 * Copies what others sent or own into plain data that JSON can carry, and counts its bytes. What is over a bound is cut, or left out and counted by
 * the caller.
 */
export class BoundedCopy {
  /** Estimate of what the copies take. */
  bytes = 0
  readonly #maxBytes: number

  constructor (maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isFull (): boolean {
    return this.bytes >= this.#maxBytes
  }

  text (text: string, maxLength = MAX_TEXT_LENGTH): string {
    const room = Math.max(0, Math.min(maxLength, this.#maxBytes - this.bytes))
    // Written anew: what the engine makes of a slice holds on to the whole text.
    const kept = text.length <= room ? text : Buffer.from(text.slice(0, room)).toString()
    this.bytes += textBytes(kept)
    return kept
  }

  /** At most {@link MAX_ATTRIBUTES}, in the order in which they come. */
  attributes (entries: Iterable<readonly [string, unknown]>): { attributes: Record<string, AttributeValue>, dropped: number } {
    const attributes: Record<string, AttributeValue> = {}
    let count = 0
    let dropped = 0
    for (const [key, value] of entries) {
      if (count >= MAX_ATTRIBUTES || this.isFull) {
        dropped++
        continue
      }
      count++
      this.bytes += NODE_BYTES
      setProperty(attributes, this.text(key, MAX_NAME_LENGTH), this.value(value))
    }
    return { attributes, dropped }
  }

  value (value: unknown, depth = 0): AttributeValue {
    switch (typeof value) {
      case 'string': return this.text(value)
      case 'boolean': return value
      // JSON has no others.
      case 'number': return Number.isFinite(value) ? value : String(value)
      case 'bigint': return this.text(String(value))
      case 'object': return value === null || this.isFull ? null : this.#structure(value, depth)
      default: return null
    }
  }

  #structure (value: object, depth: number): AttributeValue {
    this.bytes += NODE_BYTES
    if (value instanceof Uint8Array) return this.text(Buffer.from(value.subarray(0, MAX_TEXT_LENGTH)).toString('base64'))
    if (depth >= MAX_DEPTH) return '…'
    if (Array.isArray(value)) {
      const items: AttributeValue[] = []
      for (const item of value.slice(0, MAX_ITEMS)) {
        if (this.isFull) break
        this.bytes += NODE_BYTES
        items.push(this.value(item, depth + 1))
      }
      return items
    }
    const object: Record<string, AttributeValue> = {}
    for (const [key, item] of Object.entries(value).slice(0, MAX_ITEMS)) {
      if (this.isFull) break
      this.bytes += NODE_BYTES
      setProperty(object, this.text(key, MAX_NAME_LENGTH), this.value(item, depth + 1))
    }
    return object
  }
}

/** A name from outside can be `__proto__`. */
function setProperty (object: Record<string, AttributeValue>, name: string, value: AttributeValue): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}
