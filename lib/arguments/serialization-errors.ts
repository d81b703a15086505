import type { ValidationErrorRecord } from './argument-part.ts'
import { MAX_ERROR_TEXT_LENGTH } from './limits.ts'
import { scrubText, type Scrubber } from './scrubber.ts'
import { SCRUBBED } from './stand-ins.ts'

/** How fast-json-stringify quotes what it could not convert. */
const QUOTED_VALUE = /(The value )"[\s\S]*"(?= (?:cannot|does not))/g

/** Whether Fastify met this error while it made a response's text. */
export function isSerializationError (error: unknown): error is { message?: unknown } {
  try {
    return error !== null && typeof error === 'object' && 'serialization' in error
  } catch {
    return false
  }
}

/** The text of a serializer's message or stack, without the value that it quotes: responses hold secrets too. */
export function withoutQuotedValue (text: string): string {
  return text.replace(QUOTED_VALUE, `$1"${SCRUBBED}"`)
}

/** A response that its schema's serializer refused, as an error of the same list as those of the arguments. */
export function describeSerializationFailure ({ message }: { message?: unknown }, scrubber: Scrubber): ValidationErrorRecord {
  const text = typeof message === 'string' ? withoutQuotedValue(message) : 'could not be serialized'
  return { part: 'response', path: '', keyword: 'serialization', message: scrubText(scrubber, text, MAX_ERROR_TEXT_LENGTH) }
}
