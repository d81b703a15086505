import type { TraceState } from '@opentelemetry/api'
import { KEY, KEY_START, skip, skipBack, STATE_VALUE, WHITE_SPACE } from './characters.ts'

const MAX_MEMBERS = 32
/** Characters that are passed on; the specification's least. */
const MAX_LENGTH = 512
/** Characters of a key, and of a value. */
const MAX_PART_LENGTH = 256
/** Members longer than this go first when the list is too long. */
const LONG_MEMBER = 128

/** UTF-16 units that are read. A longer header counts as a bad one. */
export const MAX_READ_LENGTH = 2048
/** Members that are looked at, empty ones too: HTTP wants a reasonable number of these ignored, and no more (RFC 9110, 5.6.1). */
const MAX_LOOKED_AT = 2 * MAX_MEMBERS

type Members = ReadonlyMap<string, string>

/**
 * The members of a `tracestate`, the newest first; never changed. It has at most 32 members and 512 characters, and none that the specification
 * forbids.
 *
 * @see https://www.w3.org/TR/trace-context-2/#tracestate-header
 */
export class StrictTraceState implements TraceState {
  readonly #members: Members

  /** @param members - valid, and within the limits */
  constructor (members: Members = new Map()) {
    this.#members = members
  }

  /** Puts a member first. The last ones make room for it; a key or value that is not allowed changes nothing. */
  set (key: string, value: string): TraceState {
    const room = MAX_LENGTH - key.length - value.length - 1
    if (room < 0 || !isKey(key, 0, key.length) || !isValue(value, 0, value.length) || value.endsWith(' ')) return this
    const others = [...this.#members].filter(([other]) => other !== key).slice(0, MAX_MEMBERS - 1)
    return new StrictTraceState(new Map([[key, value], ...shorten(others, room - 1)]))
  }

  unset (key: string): TraceState {
    return this.#members.has(key) ? new StrictTraceState(new Map([...this.#members].filter(([other]) => other !== key))) : this
  }

  get (key: string): string | undefined {
    return this.#members.get(key)
  }

  serialize (): string {
    let list = ''
    for (const [key, value] of this.#members) list += `${list === '' ? '' : ','}${key}=${value}`
    return list
  }
}

/**
 * Reads a `tracestate`; `undefined` when it is bad in any place, or empty. Of members with the same key the first is kept. A list of more than 512 characters
 * loses whole members, in the order that the specification gives.
 *
 * @param list - all headers of this name, joined with commas
 */
export function parseTraceState (list: string): StrictTraceState | undefined {
  if (list.length > MAX_READ_LENGTH) return undefined
  const members = new Map<string, string>()
  let count = 0
  let lookedAt = 0
  for (let start = 0, end; start < list.length; start = end + 1) {
    end = list.indexOf(',', start)
    if (end === -1) end = list.length
    const from = skip(list, start, end, WHITE_SPACE)
    const to = skipBack(list, from, end)
    if (++lookedAt > MAX_LOOKED_AT) return undefined
    // Empty ones are allowed.
    if (from === to) continue
    const equals = skip(list, from, to, KEY)
    if (++count > MAX_MEMBERS || list[equals] !== '=' || !isKey(list, from, equals) || !isValue(list, equals + 1, to)) return undefined
    const key = list.slice(from, equals)
    if (!members.has(key)) members.set(key, list.slice(equals + 1, to))
  }
  return members.size === 0 ? undefined : new StrictTraceState(new Map(shorten([...members], MAX_LENGTH)))
}

function isKey (text: string, start: number, end: number): boolean {
  return end > start && end - start <= MAX_PART_LENGTH && skip(text, start, start + 1, KEY_START) === start + 1 && skip(text, start, end, KEY) === end
}

/** Without white space at its end, which is for the caller to see. */
function isValue (text: string, start: number, end: number): boolean {
  return end > start && end - start <= MAX_PART_LENGTH && skip(text, start, end, STATE_VALUE) === end
}

/** Takes out members from the end until the list fits: first the long ones, then any. */
function shorten (members: Array<[key: string, value: string]>, maxLength: number): Array<[key: string, value: string]> {
  let length = members.reduce((sum, [key, value]) => sum + key.length + value.length + 2, -1)
  for (const least of [LONG_MEMBER + 1, 0]) {
    for (let index = members.length - 1; index >= 0 && length > maxLength; index--) {
      const [key, value] = members[index]!
      const memberLength = key.length + value.length + 1
      if (memberLength < least) continue
      members.splice(index, 1)
      length -= memberLength + 1
    }
  }
  return members
}
