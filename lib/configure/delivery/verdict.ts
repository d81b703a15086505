import { firstLine } from '../first-line.ts'
import type { Attempt } from './attempt.ts'

/** What is to become of a batch after an attempt. */
export type Verdict =
  /** The collector has it. */
  | { kind: 'delivered' }
  /** It will not be taken, however often it is sent. */
  | { kind: 'refused', reason: string }
  /** It is too large. */
  | { kind: 'too_large', reason: string }
  /** Nobody answered, or the collector asks to come again. */
  | { kind: 'again', reason: string, waitMillis: number | undefined }

const RETRYABLE = new Set([429, 502, 503, 504])

/** Longest wait that a collector may ask for. */
const MAX_RETRY_AFTER_MILLIS = 5 * 60_000

/**
 * Tells from what was seen of an export what comes next.
 *
 * | what was seen | verdict |
 * |---|---|
 * | 2xx, also with an answer that could not be read | delivered |
 * | 413 | too large: halved |
 * | 429, 502, 503, 504 | again, after Retry-After if given |
 * | any other answer | refused |
 * | no answer: refused, reset, hung, dripped | again |
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#failures-1
 */
export function judge ({ statusCode, retryAfter }: Pick<Attempt, 'statusCode' | 'retryAfter'>, succeeded: boolean, error: unknown, nowMillis: number): Verdict {
  if (succeeded || (statusCode !== undefined && statusCode >= 200 && statusCode < 300)) return { kind: 'delivered' }
  // An exporter that does not use Node's HTTP client may say the status in its error.
  const status = statusCode ?? statusOf(error)
  if (status === undefined) return { kind: 'again', reason: reasonOf(error), waitMillis: undefined }
  const reason = String(status)
  if (status === 413) return { kind: 'too_large', reason }
  if (RETRYABLE.has(status)) return { kind: 'again', reason, waitMillis: retryAfterMillis(retryAfter, nowMillis) }
  return { kind: 'refused', reason }
}

function statusOf (error: unknown): number | undefined {
  const code: unknown = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'number' && code >= 100 && code < 600 ? code : undefined
}

/** Seconds, or a date. @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterMillis (text: string | undefined, nowMillis: number): number | undefined {
  if (text === undefined) return undefined
  const millis = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - nowMillis
  return Number.isFinite(millis) ? Math.min(Math.max(millis, 0), MAX_RETRY_AFTER_MILLIS) : undefined
}

/** The code of an error, or of the first of several (Node tries each address of a host). */
export function reasonOf (error: unknown): string {
  const { code, message, errors } = (error ?? {}) as { code?: unknown, message?: unknown, errors?: unknown }
  if (typeof code === 'string' || typeof code === 'number') return String(code)
  const first: unknown = Array.isArray(errors) ? errors[0] : Array.isArray(error) ? error[0] : undefined
  if (first !== undefined) return reasonOf(first)
  return typeof message === 'string' && message !== '' ? firstLine(message, 200) : 'unknown error'
}
