/** What stands in a recorded text in the place of something that is not recorded. */

/** A value that was taken out by its name or its pattern. */
export const SCRUBBED = '[scrubbed]'

/** A value that scrubbing could not decide about, since a callback threw. */
export const SCRUBBING_FAILED = '[scrubbing failed]'

/** A part whose schema this package cannot read, or a reference that leads nowhere. */
export const UNKNOWN_SCHEMA = '[unknown schema]'

/** A value whose getter or proxy threw. */
export const UNREADABLE = '[unreadable]'

/** A redacted value: that it is there, and its kind. */
export function redactedMark (value: unknown): string {
  return REDACTED_MARKS[kindName(value)] ?? '[redacted]'
}

/** A value that is not what its schema declares, or of which only the kind may be told. */
export function kindMark (value: unknown): string {
  return Array.isArray(value) ? `[array of ${value.length}]` : `[${kindName(value)}]`
}

function kindName (value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

const REDACTED_MARKS: Record<string, string | undefined> = Object.fromEntries(
  ['string', 'number', 'boolean', 'bigint', 'object', 'array', 'null'].map((kind) => [kind, `[redacted ${kind}]`])
)
