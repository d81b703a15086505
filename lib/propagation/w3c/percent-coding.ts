import { BAGGAGE_OCTET, kindsOf } from './characters.ts'

const PERCENT = 0x25

/** What each hexadecimal digit counts; -1 for all else. */
const DIGITS = new Int8Array(256).fill(-1)
for (let digit = 0; digit < 16; digit++) {
  const character = digit.toString(16)
  DIGITS[character.charCodeAt(0)] = digit
  DIGITS[character.toUpperCase().charCodeAt(0)] = digit
}

/** Runs of what may not stand in the header as it is; the percent sign too. */
const NEEDS_CODING = /[^\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+/g

/** A value of baggage as it stands in a header. What the header allows stays as it is, so that what came in is no longer when it goes on. */
export function encodePercent (value: string): string {
  return toWellFormed(value).replace(NEEDS_CODING, encodeURIComponent)
}

/** Where, from `start` on, a value ends as it stands in a header; -1 when a percent sign in it has no two digits behind it. */
export function skipValue (text: string, start: number, end: number): number {
  let index = start
  while (index < end) {
    const code = text.charCodeAt(index)
    if ((kindsOf(code) & BAGGAGE_OCTET) === 0) break
    if (code !== PERCENT) {
      index++
    } else {
      if (index + 2 >= end || digitAt(text, index + 1) < 0 || digitAt(text, index + 2) < 0) return -1
      index += 3
    }
  }
  return index
}

/**
 * The value that stands in a header; bytes that are no UTF-8 become U+FFFD, where `decodeURIComponent` throws.
 *
 * @param text - as {@link skipValue} found it
 */
export function decodePercent (text: string): string {
  if (!text.includes('%')) return text
  const bytes = Buffer.allocUnsafe(text.length)
  let length = 0
  for (let index = 0; index < text.length; index++) {
    let byte = text.charCodeAt(index)
    if (byte === PERCENT) {
      byte = digitAt(text, index + 1) << 4 | digitAt(text, index + 2)
      index += 2
    }
    bytes[length++] = byte
  }
  return bytes.toString('utf8', 0, length)
}

function digitAt (text: string, index: number): number {
  return DIGITS[text.charCodeAt(index)] ?? -1
}

/** Text with U+FFFD in the place of surrogates that stand alone: UTF-8 cannot say them. */
function toWellFormed (text: string): string {
  return (text as unknown as { toWellFormed (): string }).toWellFormed()
}
