import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http'
import type { Span } from '@opentelemetry/api'

const SERVER_TIMING = 'server-timing'

type WriteHead = (this: ServerResponse, statusCode: number, ...rest: unknown[]) => ServerResponse

/**
 * Puts the entry `trace` of `Server-Timing` on an answer, beside the entries of others: whoever writes the head (Fastify, a handler that has hijacked the
 * reply, Node.js itself) does so by `writeHead` of this one response. Over HTTP/2 a head that nobody writes takes what was set before.
 *
 * @see https://www.w3.org/TR/server-timing/
 */
export function announceTrace (raw: ServerResponse<IncomingMessage>, span: Span): void {
  const { traceId, spanId, traceFlags } = span.spanContext()
  const entry = `trace;desc=00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
  raw.setHeader(SERVER_TIMING, entry)
  const { writeHead } = raw as unknown as { writeHead: WriteHead }
  const writeHeadWithEntry: WriteHead = function (statusCode, ...rest) {
    const headers = rest.at(-1)
    if (headers !== null && typeof headers === 'object') rest[rest.length - 1] = withEntry(headers, entry)
    const known = this.getHeader(SERVER_TIMING)
    if (!this.headersSent && !isThere(known, entry)) this.setHeader(SERVER_TIMING, append(known, entry))
    return writeHead.call(this, statusCode, ...rest)
  }
  raw.writeHead = writeHeadWithEntry as typeof raw.writeHead
}

/** Headers in the form in which `writeHead` got them, a list or an object; those that do not name the header are as they were. */
function withEntry (headers: object, entry: string): object {
  if (Array.isArray(headers)) {
    const isPairs = Array.isArray(headers[0])
    const at = headers.findIndex((name: unknown, index) => isNamed(isPairs ? (name as unknown[])[0] : index % 2 === 0 ? name : undefined))
    if (at === -1) return headers
    const copy: unknown[] = [...headers]
    if (isPairs) copy[at] = [SERVER_TIMING, appendTo((headers[at] as unknown[])[1], entry)]
    else copy[at + 1] = appendTo(headers[at + 1], entry)
    return copy
  }
  const name = Object.keys(headers).find(isNamed)
  return name === undefined ? headers : { ...headers, [name]: appendTo((headers as Record<string, unknown>)[name], entry) }
}

function isNamed (name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === SERVER_TIMING
}

function appendTo (value: unknown, entry: string): unknown {
  return isThere(value, entry) ? value : append(value as OutgoingHttpHeader | undefined, entry)
}

function append (value: OutgoingHttpHeader | undefined, entry: string): OutgoingHttpHeader {
  if (value === undefined || value === null || value === '') return entry
  return Array.isArray(value) ? [...value, entry] : `${value}, ${entry}`
}

function isThere (value: unknown, entry: string): boolean {
  return Array.isArray(value) ? value.some((one) => isThere(one, entry)) : typeof value === 'string' && value.includes(entry)
}
