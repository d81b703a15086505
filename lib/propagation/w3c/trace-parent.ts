import { INVALID_SPANID, INVALID_TRACEID, TraceFlags } from '@opentelemetry/api'
import { HEX, skip, skipBack, WHITE_SPACE } from './characters.ts'

/** Whoever began the trace made its id at random, in its last seven bytes at least. */
export const RANDOM_FLAG = 0x02

/** Those that level 2 defines; the others are zero when they go on. */
const KNOWN_FLAGS = TraceFlags.SAMPLED | RANDOM_FLAG

export interface TraceParent {
  traceId: string
  spanId: string
  traceFlags: number
}

/** Characters of `00-<trace id>-<span id>-<flags>`. */
const LENGTH = 55

/** UTF-16 units that are read: white space around, and what later versions may add. A longer one counts as none. */
const MAX_READ_LENGTH = 1024

/**
 * Reads a `traceparent`; `undefined` when it is none. Several headers, which servers join with a comma, are none.
 *
 * @see https://www.w3.org/TR/trace-context-2/#traceparent-header
 */
export function parseTraceParent (text: string): TraceParent | undefined {
  if (text.length > MAX_READ_LENGTH) return undefined
  const start = skip(text, 0, text.length, WHITE_SPACE)
  const end = skipBack(text, start, text.length)
  const version = text.slice(start, start + 2)
  const isWellFormed = end - start >= LENGTH &&
    isHex(text, start, 2) && text[start + 2] === '-' &&
    isHex(text, start + 3, 32) && text[start + 35] === '-' &&
    isHex(text, start + 36, 16) && text[start + 52] === '-' &&
    isHex(text, start + 53, 2)
  if (!isWellFormed || version === 'ff') return undefined
  if (end - start > LENGTH) {
    // Later versions may add fields, and only after a dash.
    if (version === '00' || text[start + LENGTH] !== '-' || text.includes(',')) return undefined
  }
  const traceId = text.slice(start + 3, start + 35)
  const spanId = text.slice(start + 36, start + 52)
  if (traceId === INVALID_TRACEID || spanId === INVALID_SPANID) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(text.slice(start + 53, start + LENGTH), 16) & KNOWN_FLAGS }
}

/** A `traceparent` of version 00. Ids in capitals, which the API allows, are written small, as the header wants them. */
export function writeTraceParent ({ traceId, spanId, traceFlags }: TraceParent): string {
  return `00-${traceId.toLowerCase()}-${spanId.toLowerCase()}-0${traceFlags & KNOWN_FLAGS}`
}

function isHex (text: string, start: number, length: number): boolean {
  return skip(text, start, start + length, HEX) === start + length
}
