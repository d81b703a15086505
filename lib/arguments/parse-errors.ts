import type { ValidationErrorRecord } from './argument-part.ts'
import { MAX_ERROR_TEXT_LENGTH } from './limits.ts'
import { findJsonError } from './json-position.ts'
import { scrubText, type Scrubber } from './scrubber.ts'

/** What is known of a request whose body could not be parsed. */
export interface ParseFailure {
  error: unknown
  /** Content-Type of the request. */
  contentType: string | undefined
  /** Content-Length of the request, bytes. */
  contentLength: number | undefined
  /** Bytes that the route accepts. */
  bodyLimit: number
  /** The body as it came, when it was kept. */
  bodyText: string | undefined
}

/**
 * Describes a body that did not parse (bad JSON, 413, 415) in the shape of a validation error; `undefined` when the error, thrown
 * before validation, is not about the body. The text of a parser's own error is not used: engines quote the body in it.
 */
export function describeParseFailure (
  { error, contentType, contentLength, bodyLimit, bodyText }: ParseFailure, scrubber: Scrubber
): ValidationErrorRecord | undefined {
  if (error === null || typeof error !== 'object') return undefined
  const { code, name, statusCode } = error as { code?: unknown, name?: unknown, statusCode?: unknown }
  const record = (message: string, params?: Record<string, unknown>): ValidationErrorRecord =>
    ({ part: 'body', path: '', keyword: 'parse', message, ...(params === undefined ? {} : { params }) })

  switch (code) {
    case 'FST_ERR_CTP_INVALID_JSON_BODY': return record('is not valid JSON', jsonPosition(bodyText))
    case 'FST_ERR_CTP_EMPTY_JSON_BODY': return record('is empty though the content type is JSON')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH': return record('is not as long as the content length says', { contentLength })
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return record('is larger than the limit', { limit: bodyLimit, ...(contentLength === undefined ? {} : { length: contentLength }) })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return record('has a content type that is not supported', { contentType: describeMediaType(contentType, scrubber) })
  }
  // Fastify before 5.1, `__proto__` in a body, and parsers of the application's own.
  if (name === 'SyntaxError' && typeof statusCode === 'number' && statusCode < 500) {
    return isJson(contentType) ? record('is not valid JSON', jsonPosition(bodyText)) : record('could not be parsed')
  }
  return undefined
}

/** Whether a content type is JSON, or a format made of it (`application/problem+json`). */
export function isJson (contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType)
}

/** The message or stack of a JSON parser's error, without the text that V8 quotes in it. */
export function withoutQuotedJson (text: string): string {
  return text.includes(NOT_JSON) ? text.replace(QUOTED_JSON, `"…"${NOT_JSON}`) : text
}

const NOT_JSON = ' is not valid JSON'
const QUOTED_JSON = /(?:\.\.\.)?"[^]*"(?:\.\.\.)? is not valid JSON/g

function jsonPosition (text: string | undefined): Record<string, unknown> | undefined {
  const place = text === undefined ? undefined : findJsonError(text)
  return place === undefined ? undefined : { ...place }
}

/** The media type as sent, without parameters and control characters. */
function describeMediaType (contentType: string | undefined, scrubber: Scrubber): string {
  const mediaType = (contentType ?? '').split(';', 1)[0]!.trim()
  return scrubText(scrubber, mediaType.replace(/[^\x20-\x7e]/g, '?'), MAX_ERROR_TEXT_LENGTH / 2)
}
