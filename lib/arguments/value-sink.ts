import { cutText } from './scrub.ts'
import type { Limits } from './limits.ts'

/** Bytes kept free for the brackets and marks that close a text which ran into its bound. */
const CLOSING_BYTES = 512

/** Printable ASCII without quote and backslash: what JSON writes as it is. */
const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/** Where writers put one JSON text: it counts bytes and nodes, so that the text stays within its limits and valid. */
export class ValueSink {
  readonly limits: Limits
  /** Bytes of UTF-8 that this text may have. */
  readonly maxBytes: number
  /** Whether objects whose keys no schema lists may be walked. */
  mayWalkOpen: boolean
  /** Bytes of the part on the wire, when known. */
  partBytes: number | undefined
  text = ''
  /** Bytes of `text` in UTF-8. */
  bytes = 0
  truncated = false
  #nodes = 0

  constructor (limits: Limits, maxBytes = limits.maxBytes, mayWalkOpen = true, partBytes?: number) {
    this.limits = limits
    this.maxBytes = maxBytes
    this.mayWalkOpen = mayWalkOpen
    this.partBytes = partBytes
  }

  /** Begins another part of the same text: the bytes are shared, the nodes are its own. */
  startPart (prefix: string, mayWalkOpen: boolean, partBytes: number | undefined): void {
    this.raw(prefix)
    this.mayWalkOpen = mayWalkOpen
    this.partBytes = partBytes
    this.#nodes = 0
  }

  /** Counts one visited value; `false`, and the text is marked as truncated, when no more may be visited or written. */
  enter (): boolean {
    if (++this.#nodes <= this.limits.maxNodes && this.bytes < this.maxBytes - CLOSING_BYTES) return true
    this.truncated = true
    return false
  }

  /** Writes JSON that is ASCII and known to be short: brackets, keys of the schema, numbers. */
  raw (json: string): void {
    this.text += json
    this.bytes += json.length
  }

  string (value: string): void {
    this.#quoted(this.#atMost(this.limits.maxStringLength, value))
  }

  /** Writes `"key":`, cut to the longest key allowed. */
  key (name: string): void {
    this.#quoted(this.#atMost(this.limits.maxKeyLength, name))
    this.raw(':')
  }

  /** Writes a mark in the place of what was cut, and remembers that something was. */
  cut (mark: string): void {
    this.truncated = true
    this.#quoted(mark)
  }

  #atMost (maxLength: number, text: string): string {
    if (text.length <= maxLength) return text
    this.truncated = true
    return cutText(text, maxLength)
  }

  #quoted (text: string): void {
    if (!NEEDS_ESCAPE.test(text)) {
      if (this.#fits(text.length)) this.raw(`"${text}"`)
      return
    }
    const json = JSON.stringify(text)
    const bytes = Buffer.byteLength(json)
    if (this.#fits(bytes)) {
      this.text += json
      this.bytes += bytes
    }
  }

  /** Whether a string of so many bytes has room; if not, a mark is written in its place. */
  #fits (bytes: number): boolean {
    if (this.bytes + bytes <= this.maxBytes - CLOSING_BYTES) return true
    this.truncated = true
    this.text += '"…"'
    this.bytes += 5
    return false
  }
}
