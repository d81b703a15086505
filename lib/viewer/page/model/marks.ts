/** Something that stands in the place of a value. */
export interface Mark {
  kind: 'redacted' | 'scrubbed' | 'truncated' | 'unknown'
  /** For the reader. */
  text: string
  /** Why, in a sentence. */
  hint: string
}

const HINTS: Record<Mark['kind'], string> = {
  redacted: 'The schema or the rule for credential headers keeps this value out of the trace; it came, and was of this kind.',
  scrubbed: 'Taken out, since its name or its form is that of a secret.',
  truncated: 'Cut by a limit.',
  unknown: 'What is here is not described by the schema, so that only its kind is told.',
}

const REDACTED = /^\[(redacted(?: [a-z]+)?)\]$/
const SCRUBBED = /^\[(scrubbed(?: failed)?|scrubbing failed|Scrubbed due to [^\]]*)\]$/
const UNKNOWN = /^\[(unknown schema|unreadable|array of \d+|string|number|boolean|bigint|object|null|function|symbol)\]$/
const CUT = /^(?:\[…\]|\{…\}|…|… \d+ more)$/

/**
 * Reads what the recorder writes in the place of values.
 *
 * @param isCut - something of these arguments was cut: a text that ends in `…` may be one
 */
export function markOf (value: unknown, isCut: boolean): Mark | undefined {
  if (typeof value !== 'string') return undefined
  const redacted = REDACTED.exec(value)
  if (redacted !== null) return mark('redacted', redacted[1])
  const scrubbed = SCRUBBED.exec(value)
  if (scrubbed !== null) return mark('scrubbed', scrubbed[1])
  const unknown = UNKNOWN.exec(value)
  if (unknown !== null) return mark('unknown', unknown[1])
  if (!isCut) return undefined
  return CUT.test(value) ? mark('truncated', value) : value.endsWith('…') ? mark('truncated', 'cut') : undefined
}

/** The mark says all there is; otherwise it stands beside the value. */
export function isWholeValue ({ kind, text }: Mark): boolean {
  return kind !== 'truncated' || text !== 'cut'
}

/** Part of a text was scrubbed, according to the recorder's list. */
export const PARTLY_SCRUBBED: Mark = mark('scrubbed', 'scrubbed')

function mark (kind: Mark['kind'], text = ''): Mark {
  return { kind, text, hint: HINTS[kind] }
}
