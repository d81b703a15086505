import type { FastifyRequest, RequestPayload } from 'fastify'
import { MAX_SEARCHED_LENGTH, MAX_TOKEN_LENGTH } from '../arguments/json-position.ts'
import { isJson } from '../arguments/parse-errors.ts'
import type { RequestRecord } from '../server-span/request-record.ts'

/** Bytes that are kept: enough for the UTF-16 units that are searched, each of which takes up to three, and for the token at their end. */
const MAX_KEPT_BYTES = 3 * (MAX_SEARCHED_LENGTH + MAX_TOKEN_LENGTH)

/**
 * Keeps a JSON body while it is parsed, since Fastify does not say where a bad one is bad. It listens without making the stream flow
 * (`on('data')` would: bytes could be lost before the parser listens), and copies nothing.
 */
export function keepBody (record: RequestRecord, { headers }: FastifyRequest, payload: RequestPayload): void {
  const contentType = headers['content-type']
  if (contentType === undefined || headers['content-encoding'] !== undefined || (contentType !== 'application/json' && !isJson(contentType))) return
  if (typeof (payload as Partial<RequestPayload>).prependListener !== 'function') return
  const chunks: Buffer[] = []
  let bytes = 0
  record.bodyChunks = chunks
  payload.prependListener('data', (chunk: Buffer | string) => {
    if (bytes > MAX_KEPT_BYTES || record.bodyChunks === null) return
    const buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    bytes += buffer.length
    chunks.push(buffer)
  })
}
