import type { AttributeValue } from '@opentelemetry/api'
import { cutText } from './cut-text.ts'
import type { Limits } from './limits.ts'
import { nearText, type Scrubber } from './scrubber.ts'
import { SECRET_SIGNS } from './secret-texts.ts'

/** What writers need to know of their plugin's options. */
export interface CaptureSettings {
  readonly limits: Limits
  readonly scrubber: Scrubber
}

/** Bytes kept free for the brackets and marks that close a text which ran into its bound. */
const CLOSING_BYTES = 512

/** What is not written as it is: all but printable ASCII without quote and backslash. */
const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/** The same, and the signs of a text that may hold a secret: one look for both. */
const NEEDS_LOOK = new RegExp(`${NEEDS_ESCAPE.source}|${SECRET_SIGNS}`)

/** Paths listed of values that were scrubbed. */
export const MAX_SCRUBBED_PATHS = 32
const MAX_PATH_LENGTH = 256

/** Where writers put one JSON text: it counts bytes and nodes, so that the text stays within its limits and valid. */
export class ValueSink {
  readonly settings: CaptureSettings
  readonly limits: Limits
  readonly scrubber: Scrubber
  /** Bytes of UTF-8 that this text may have. */
  maxBytes: number
  /** Whether objects whose keys no schema lists may be walked. */
  mayWalkOpen: boolean
  /** Bytes of the part on the wire, when known. */
  partBytes: number | undefined
  text = ''
  /** Bytes of `text` in UTF-8. */
  bytes = 0
  truncated = false
  /** Names and indices that lead to the value being written; as many of them count as its depth. */
  readonly path: Array<string | number> = []
  /** JSON pointers of what was scrubbed; `null` for nothing. */
  scrubbed: string[] | null = null
  /** Values that their schema also wants as attributes; `null` for none. */
  attributes: Array<[name: string, value: AttributeValue]> | null = null
  /** What is written now came from the scrubbing callback: it has decided. */
  isDecided = false
  #pointerStart = ''
  #nodes = 0

  constructor (settings: CaptureSettings, maxBytes = settings.limits.maxBytes, mayWalkOpen = true, partBytes?: number) {
    this.settings = settings
    this.limits = settings.limits
    this.scrubber = settings.scrubber
    this.maxBytes = maxBytes
    this.mayWalkOpen = mayWalkOpen
    this.partBytes = partBytes
  }

  /**
   * Begins another part of the same text: the bytes are shared, the nodes are its own.
   *
   * @param pointerStart - what comes before the path in JSON pointers: `/body`
   */
  startPart (prefix: string, pointerStart: string, mayWalkOpen: boolean, partBytes: number | undefined): void {
    this.raw(prefix)
    this.#pointerStart = pointerStart
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

  /** Takes back what was written since `text` and `bytes` had these values. */
  rollBack (text: string, bytes: number): void {
    this.text = text
    this.bytes = bytes
  }

  /** Writes a string that is short, plain and without any sign of a secret; `false` when it needs a look. */
  plainString (value: string): boolean {
    if (value.length > this.limits.maxStringLength || this.scrubber.looksAtAll || NEEDS_LOOK.test(value)) return false
    if (this.#fits(value.length)) this.raw(`"${value}"`)
    return true
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

  /** Writes a mark in the place of a value that is not recorded, whatever its size. */
  mark (mark: string): void {
    this.#quoted(mark)
  }

  /** JSON pointer to the value at `depth` of the path. */
  pointer (depth: number): string {
    let pointer = this.#pointerStart
    for (let index = 0; index < depth; index++) pointer += `/${this.#segment(String(this.path[index]))}`
    return toWellFormed(cutText(pointer, MAX_PATH_LENGTH))
  }

  /** A name that the client chose can hold a credential too. */
  #segment (name: string): string {
    return this.scrubber.hideInName(nearText(name, MAX_PATH_LENGTH)).replaceAll('~', '~0').replaceAll('/', '~1')
  }

  /** Remembers that the value at `depth` of the path was scrubbed. */
  noteScrubbed (depth: number): void {
    this.scrubbed ??= []
    if (this.scrubbed.length < MAX_SCRUBBED_PATHS) this.scrubbed.push(this.pointer(depth))
    else this.truncated = true
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
    const json = JSON.stringify(toWellFormed(text))
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

/** Text with U+FFFD in the place of surrogates that stand alone: UTF-8 cannot say them. */
function toWellFormed (text: string): string {
  return (text as unknown as { toWellFormed (): string }).toWellFormed()
}
