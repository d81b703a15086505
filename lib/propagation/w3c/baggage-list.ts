import type { Baggage, BaggageEntry } from '@opentelemetry/api'
import { areProperties } from './baggage-properties.ts'
import { skip, skipBack, TOKEN, WHITE_SPACE } from './characters.ts'
import type { BaggageMember } from './header-baggage.ts'
import { encodePercent, skipValue } from './percent-coding.ts'

const MAX_MEMBERS = 64
/** Members that are looked at, bad, empty and repeated ones too. */
const MAX_LOOKED_AT = 2 * MAX_MEMBERS
/** Bytes of the whole header, which is ASCII. */
export const MAX_BAGGAGE_LENGTH = 8192

/**
 * Reads a `baggage` header: the first 64 good members of its first 8,192 bytes. A member is whole or not there; bad ones are passed over. Of
 * members with the same name the last is kept.
 *
 * @param list - all headers of this name, joined with commas
 * @see https://www.w3.org/TR/baggage/#header-content
 */
export function parseBaggage (list: string): Map<string, BaggageMember> {
  const members = new Map<string, BaggageMember>()
  for (let start = 0, end, lookedAt = 0; start < list.length && members.size < MAX_MEMBERS && lookedAt < MAX_LOOKED_AT; start = end + 1, lookedAt++) {
    end = list.indexOf(',', start)
    if (end === -1) end = list.length
    if (end > MAX_BAGGAGE_LENGTH) break
    readMember(list, start, end, members)
  }
  return members
}

/** `name=value;properties`; the properties are checked, and kept as they are. */
function readMember (list: string, start: number, end: number, members: Map<string, BaggageMember>): void {
  const nameStart = skip(list, start, end, WHITE_SPACE)
  const nameEnd = skip(list, nameStart, end, TOKEN)
  const equals = skip(list, nameEnd, end, WHITE_SPACE)
  if (nameEnd === nameStart || list[equals] !== '=') return
  const valueStart = skip(list, equals + 1, end, WHITE_SPACE)
  const valueEnd = skipValue(list, valueStart, end)
  if (valueEnd === -1 || !areProperties(list, valueEnd, end)) return
  const semicolon = skip(list, valueEnd, end, WHITE_SPACE)
  const properties = list.slice(skip(list, Math.min(semicolon + 1, end), end, WHITE_SPACE), skipBack(list, semicolon, end))
  members.set(list.slice(nameStart, nameEnd), { value: list.slice(valueStart, valueEnd), properties })
}

/** The header for a baggage: at most 64 members and 8,192 bytes. What the header cannot say, or has no room for, is left out. */
export function writeBaggage (baggage: Baggage): string {
  let list = ''
  let count = 0
  for (const [name, entry] of baggage.getAllEntries()) {
    const member = writeMember(name, entry)
    if (member === undefined || list.length + member.length + (count === 0 ? 0 : 1) > MAX_BAGGAGE_LENGTH) continue
    list += count === 0 ? member : `,${member}`
    if (++count === MAX_MEMBERS) break
  }
  return list
}

function writeMember (name: string, { value, metadata }: BaggageEntry): string | undefined {
  if (name === '' || name.length > MAX_BAGGAGE_LENGTH || skip(name, 0, name.length, TOKEN) < name.length) return undefined
  // Applications without types put numbers there.
  if (typeof value !== 'string' || value.length > MAX_BAGGAGE_LENGTH) return undefined
  const properties = metadata === undefined ? '' : `;${metadata.toString()}`
  if (properties.length > MAX_BAGGAGE_LENGTH || !areProperties(properties, 0, properties.length)) return undefined
  return `${name}=${encodePercent(value)}${properties}`
}
