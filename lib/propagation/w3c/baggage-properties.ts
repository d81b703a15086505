import { BAGGAGE_OCTET, kindsOf, TOKEN, WHITE_SPACE } from './characters.ts'

const SEMICOLON = 0x3b
const EQUALS = 0x3d

/** Where in a property a character stands. */
const NAME_NEXT = 0
const IN_NAME = 1
const AFTER_NAME = 2
const VALUE_NEXT = 3
const IN_VALUE = 4
const AFTER_VALUE = 5

/**
 * Whether a part of the text, behind a value, is any number of `;name` and `;name=value`, with white space between. One pass, since properties can be of
 * two characters, and a header of thousands of them.
 *
 * @see https://www.w3.org/TR/baggage/#property
 */
export function areProperties (text: string, start: number, end: number): boolean {
  let place = AFTER_VALUE
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index)
    const kinds = kindsOf(code)
    if (code === SEMICOLON) {
      if (place === NAME_NEXT) return false
      place = NAME_NEXT
    } else if (code === EQUALS && (place === IN_NAME || place === AFTER_NAME)) {
      place = VALUE_NEXT
    } else if ((kinds & WHITE_SPACE) !== 0) {
      if (place === IN_NAME || place === IN_VALUE) place++
    } else if (place === NAME_NEXT || place === IN_NAME) {
      if ((kinds & TOKEN) === 0) return false
      place = IN_NAME
    } else if (place === VALUE_NEXT || place === IN_VALUE) {
      if ((kinds & BAGGAGE_OCTET) === 0) return false
      place = IN_VALUE
    } else {
      return false
    }
  }
  return place !== NAME_NEXT
}
