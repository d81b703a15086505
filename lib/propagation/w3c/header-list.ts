/** Stands for a value of a header that is no text: no list has such a member. */
const NO_MEMBER = '='

/** Lines that are joined; each has a member at least, and no list may have as many. */
const MAX_LINES = 130

/**
 * The lines of a header as one list, as if they had come in one line. Of what is too long, the first `maxLength + 1` UTF-16 units, so that it can be
 * told and costs no more.
 *
 * @param value - what a getter returned: a text, several, or nothing
 */
export function joinLines (value: unknown, maxLength: number): string {
  if (typeof value === 'string') return value.slice(0, maxLength + 1)
  if (!Array.isArray(value)) return value === undefined || value === null ? '' : NO_MEMBER
  let list = ''
  for (let index = 0; index < Math.min(value.length, MAX_LINES) && list.length <= maxLength; index++) {
    const line: unknown = value[index]
    list += `${index === 0 ? '' : ','}${typeof line === 'string' ? line.slice(0, maxLength + 1) : NO_MEMBER}`
  }
  return list.slice(0, maxLength + 1)
}
