import type { Attributes } from '@opentelemetry/api'
import { withoutQuotedJson } from '../arguments/parse-errors.ts'
import { scrubText, type Scrubber } from '../arguments/scrubber.ts'
import { isSerializationError, withoutQuotedValue } from '../arguments/serialization-errors.ts'
import { EXCEPTION_EVENT, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from '../semconv.ts'
import { logException } from './exception-log.ts'
import type { RequestRecord } from './request-record.ts'

const MAX_MESSAGE_LENGTH = 1024
const MAX_STACK_LENGTH = 8192

/** Code of Fastify's error when a handler takes longer than `handlerTimeout`. */
export const HANDLER_TIMEOUT = 'FST_ERR_HANDLER_TIMEOUT'

/** The code of an error, without trusting its getter. */
export function codeOf (error: unknown): unknown {
  try {
    return (error as { code?: unknown } | null | undefined)?.code
  } catch {
    return undefined
  }
}

/** Class of a thrown value, for `error.type`; `undefined` when it has none (strings, `null`, objects without a prototype). */
export function exceptionTypeOf (thrown: unknown): string | undefined {
  try {
    if (thrown === null || typeof thrown !== 'object') return undefined
    const name: unknown = thrown.constructor?.name
    return typeof name === 'string' && name !== '' ? name.slice(0, 128) : undefined
  } catch {
    // A getter or a Proxy that throws.
    return undefined
  }
}

/**
 * Records what a request has thrown: as the event `exception` of its span, as a log record, or as both, in the same words. Where the logger provider is missing or
 * fails, a log record becomes an event: better in the wrong place than lost.
 *
 * @param words - what is recorded as its message, where its own may quote what was sent
 */
export function recordException (record: RequestRecord, words?: string): void {
  const { span, settings: { exceptions, scrubber } } = record
  if (exceptions === 'none') return
  const attributes = describeException(record.thrown, scrubber, words)
  const time = record.toHrTime(record.thrownMillis)
  const isLogged = exceptions !== 'event' && logException(record, attributes, time)
  if (exceptions !== 'log' || !isLogged) span.addEvent(EXCEPTION_EVENT, attributes, time)
}

/**
 * Describes a thrown value; never throws, whatever the value's getters do. Not left to the SDK (`recordException` of a span, `exception` of a log record), which
 * trusts them, bounds nothing and puts an error's `code` where its class belongs.
 */
export function describeException (thrown: unknown, scrubber: Scrubber, words?: string): Attributes {
  const clean = (text: string, maxLength: number): string =>
    scrubText(scrubber, withoutQuotedJson(isSerializationError(thrown) ? withoutQuotedValue(text) : text), maxLength)
  const type = exceptionTypeOf(thrown) ?? typeof thrown
  const attributes: Attributes = { [EXCEPTION_TYPE]: type }
  const message = words ?? (typeof thrown === 'string' ? thrown : readText(thrown, 'message'))
  if (message !== undefined) attributes[EXCEPTION_MESSAGE] = clean(message, MAX_MESSAGE_LENGTH)
  const stack = words === undefined && !isSerializationError(thrown) ? stackOf(thrown) : readText(thrown, 'stack')
  if (stack !== undefined) attributes[EXCEPTION_STACKTRACE] = clean(words === undefined ? stack : [`${type}: ${words}`, ...framesOf(stack)].join('\n'), MAX_STACK_LENGTH)
  return attributes
}

/** The calls of a stack, without the message above them. */
function framesOf (stack: string): string[] {
  return stack.split('\n').filter((line) => /^ +at /.test(line))
}

/** Errors inside one another that are described. */
const MAX_CAUSES = 5

/** The stack, followed by those of the causes, and of the errors that an AggregateError holds. */
function stackOf (thrown: unknown): string | undefined {
  const stacks: string[] = []
  const seen = new Set<unknown>()
  const queue = [thrown]
  while (queue.length > 0 && seen.size < MAX_CAUSES) {
    const next = queue.shift()
    if (next === null || typeof next !== 'object' || seen.has(next)) continue
    seen.add(next)
    const stack = readText(next, 'stack')
    if (stack !== undefined) stacks.push(stack.slice(0, MAX_STACK_LENGTH))
    queue.push(...innerErrors(next))
  }
  return stacks.length === 0 ? undefined : stacks.join('\nCaused by: ')
}

function innerErrors (thrown: object): unknown[] {
  try {
    const { cause, errors } = thrown as { cause?: unknown, errors?: unknown }
    return [cause, ...(Array.isArray(errors) ? errors.slice(0, MAX_CAUSES) as unknown[] : [])]
  } catch {
    return []
  }
}

function readText (thrown: unknown, property: 'message' | 'stack'): string | undefined {
  try {
    const text: unknown = (thrown as Record<string, unknown> | null)?.[property]
    return typeof text === 'string' && text !== '' ? text : undefined
  } catch {
    return undefined
  }
}
