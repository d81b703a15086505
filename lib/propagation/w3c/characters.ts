/**
 * Kinds of characters of the W3C headers, and walks over them. Each walk looks at a character once and never goes back, so reading a header costs
 * what it is long, whatever stands in it.
 */

/** Space and tab: optional white space, and nothing else is. */
export const WHITE_SPACE = 1
/** `0-9a-f`: no capitals. */
export const HEX = 2
/** `0-9a-z`, with which keys of `tracestate` begin. */
export const KEY_START = 4
/** What else these keys may have. */
export const KEY = 8
/** Values of `tracestate`. */
export const STATE_VALUE = 16
/** Tokens of HTTP: names of baggage and of its properties. */
export const TOKEN = 32
/** Values of baggage, as they stand in the header. */
export const BAGGAGE_OCTET = 64

// For all of Latin-1, as which Node.js reads headers.
const KINDS = new Uint8Array(256)
for (let code = 0; code < 128; code++) {
  const character = String.fromCharCode(code)
  const isPrintable = code > 0x20 && code < 0x7f
  if (character === ' ' || character === '\t') KINDS[code]! |= WHITE_SPACE
  if (/[\da-f]/.test(character)) KINDS[code]! |= HEX
  if (/[\da-z]/.test(character)) KINDS[code]! |= KEY_START
  if (/[\da-z_\-*/@]/.test(character)) KINDS[code]! |= KEY
  if (character === ' ' || (isPrintable && !',='.includes(character))) KINDS[code]! |= STATE_VALUE
  if (/[\w!#$%&'*+\-.^`|~]/.test(character)) KINDS[code]! |= TOKEN
  if (isPrintable && !'",;\\'.includes(character)) KINDS[code]! |= BAGGAGE_OCTET
}

/** All kinds of a character, as bits: none for what is not ASCII. */
export function kindsOf (code: number): number {
  return KINDS[code] ?? 0
}

/** Where, from `start` on, the first character stands that is not of a kind; `end` when all are. */
export function skip (text: string, start: number, end: number, kind: number): number {
  let index = start
  while (index < end && (KINDS[text.charCodeAt(index)]! & kind) !== 0) index++
  return index
}

/** Where the text without white space at its end ends. */
export function skipBack (text: string, start: number, end: number): number {
  let index = end
  while (index > start && (KINDS[text.charCodeAt(index - 1)]! & WHITE_SPACE) !== 0) index--
  return index
}
