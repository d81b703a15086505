import type { FastifyRequest } from 'fastify'
import type { RequestParts } from '../arguments/request-capture.ts'

/** The parts of a request, under the names that they are recorded with. */
export function partsOf ({ params, body, query, headers }: FastifyRequest): RequestParts {
  return { params, body, querystring: query, headers }
}

/** Content-Length, bytes. */
export function contentLength ({ headers }: FastifyRequest): number | undefined {
  const text = headers['content-length']
  const length = text === undefined ? Number.NaN : Number(text)
  return Number.isSafeInteger(length) ? length : undefined
}

/** Size of the parsed body as far as the headers tell it: not for chunked or compressed ones. */
export function bodyBytes (request: FastifyRequest): number | undefined {
  return request.headers['content-encoding'] === undefined ? contentLength(request) : undefined
}

/** Content-Type without parameters, lower case. */
export function mediaType ({ headers }: FastifyRequest): string | undefined {
  const text = headers['content-type']
  if (text === undefined) return undefined
  const semicolon = text.indexOf(';')
  return (semicolon === -1 ? text : text.slice(0, semicolon)).trim().toLowerCase()
}
