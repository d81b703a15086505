import type { ServerResponse } from 'node:http'
import type { Span } from '@opentelemetry/api'

const SERVER_TIMING = 'server-timing'

const ENTRY = /^trace;desc=00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

type WriteHead = (this: ServerResponse, statusCode: number, ...rest: unknown[]) => ServerResponse

/**
 * Puts the entry `trace` of `Server-Timing` on an answer, behind the entries of others. Whoever writes the head (Fastify, a handler that has hijacked the reply,
 * Node.js itself) does so by `writeHead` of this one response; over HTTP/2 a head that nobody writes takes what was set before.
 *
 * @see https://www.w3.org/TR/server-timing/
 */
export function announceTrace (raw: ServerResponse, span: Span): void {
  const { traceId, spanId, traceFlags } = span.spanContext()
  const entry = `trace;desc=00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
  // What a tracer says of itself must not be what makes Node.js refuse the head.
  if (!ENTRY.test(entry)) return
  if ('stream' in raw) raw.setHeader(SERVER_TIMING, entry)
  const { writeHead } = raw as unknown as { writeHead: WriteHead }
  const writeHeadWithEntry: WriteHead = function (statusCode, ...rest) {
    // Not always the last: libraries that hand a head on pass what they were not given as `undefined`.
    const at = rest.findLastIndex((argument) => argument !== null && typeof argument === 'object')
    const headers = rest[at] as object | undefined
    const known = this.getHeader(SERVER_TIMING)
    if (headers !== undefined) rest[at] = Array.isArray(headers) ? listWithEntry(headers, known, entry) : objectWithEntry(headers, known, entry)
    else if (!this.headersSent) this.setHeader(SERVER_TIMING, append(known, entry))
    return writeHead.call(this, statusCode, ...rest)
  }
  raw.writeHead = writeHeadWithEntry as typeof raw.writeHead
}

/** Names and values in turn, as Node.js takes them; in the undocumented form of pairs they stay as they are, and so does a list that Node.js refuses. */
function listWithEntry (headers: unknown[], known: unknown, entry: string): unknown[] {
  if (Array.isArray(headers[0]) || headers.length % 2 === 1) return headers
  const at = headers.findIndex((name, index) => index % 2 === 0 && isNamed(name))
  return at === -1 ? [...headers, SERVER_TIMING, append(known, entry)] : headers.with(at + 1, append(headers[at + 1], entry))
}

function objectWithEntry (headers: object, known: unknown, entry: string): object {
  const name = Object.keys(headers).find(isNamed)
  return name === undefined ? { ...headers, [SERVER_TIMING]: append(known, entry) } : { ...headers, [name]: append((headers as Record<string, unknown>)[name], entry) }
}

function isNamed (name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === SERVER_TIMING
}

function append (value: unknown, entry: string): string {
  if (value === undefined || value === '') return entry
  const text = Array.isArray(value) ? value.join(', ') : String(value)
  return text.includes(entry) ? text : `${text}, ${entry}`
}
