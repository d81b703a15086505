import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BodyBytes } from '../metrics.ts'

/**
 * Sizes of a request's bodies by their Content-Length. The header is only a claim until the body has come, or was sent, as a whole: of others the
 * size is not known.
 *
 * @param wasParsed - Fastify has had the request's body, or there is none
 */
export function bodyBytesOf (request: FastifyRequest, reply: FastifyReply, wasParsed: boolean, isSentWhole: boolean): BodyBytes {
  const { raw } = request
  return {
    request: hasCome(raw, wasParsed) ? toBytes(raw.headers['content-length']) : undefined,
    response: isSentWhole && hasBody(request, reply) ? toBytes(reply.getHeader('content-length')) : undefined,
  }
}

/** HTTP/2 calls also what was broken off complete, and what is injected says nothing of it. */
function hasCome ({ httpVersionMajor, complete, readableEnded, aborted }: FastifyRequest['raw'], wasParsed: boolean): boolean {
  if (httpVersionMajor === 1 && (complete as boolean | undefined) !== undefined) return complete
  return wasParsed && readableEnded && !aborted
}

/** What the header of others tells is the size of a body that is not there. */
function hasBody ({ method }: FastifyRequest, { raw: { statusCode } }: FastifyReply): boolean {
  return method !== 'HEAD' && statusCode !== 204 && statusCode !== 304
}

function toBytes (header: unknown): number | undefined {
  return /^\d{1,15}$/.test(String(header)) ? Number(header) : undefined
}
