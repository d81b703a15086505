import { isErrored } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  ERROR_TYPE_CLIENT_DISCONNECTED, ERROR_TYPE_RESPONSE_STREAM_ERROR, ERROR_TYPE_SERVER_CLOSING, ERROR_TYPE_TIMEOUT,
} from '../semconv.ts'
import { codeOf, HANDLER_TIMEOUT } from '../server-span/exceptions.ts'
import type { BreakOff } from '../server-span/outcome.ts'

/** What a socket that is no mock tells of its end. */
interface EndedSocket {
  readableEnded?: unknown
  errored?: { code?: unknown } | null
}

/** HTTP/2 streams have a code in the place of a socket of their own. */
interface MaybeHttp2 {
  stream?: { rstCode?: number }
}

/** The code with which clients cancel a stream, and Node.js those of a session that goes. @see https://www.rfc-editor.org/rfc/rfc9113#section-7 */
const HTTP2_CANCEL = 8

/**
 * Tells why an answer was not sent whole, from the state in which `close` of the response finds socket, stream and payload: no listener is needed, and
 * nothing that a listener would change. The order matters, since one failure brings on the others.
 *
 * @param payload - the stream that was being sent, if any
 * @param hasTimedOut - the socket was idle for longer than the server allows
 */
export function breakOffOf (
  { raw: { socket } }: FastifyRequest, { raw }: FastifyReply, payload: unknown, hasTimedOut: boolean, isClosing: boolean
): BreakOff {
  const { readableEnded, errored } = socket as EndedSocket | undefined ?? {}
  if (codeOf(raw.errored) === HANDLER_TIMEOUT || errored?.code === 'ERR_HTTP_REQUEST_TIMEOUT') return ERROR_TYPE_TIMEOUT
  // A response that was destroyed with an error was so by the server; what a client does leaves none there.
  if (hasFailed(payload) || (raw.errored !== null && raw.errored !== undefined)) return ERROR_TYPE_RESPONSE_STREAM_ERROR

  const { stream } = raw as MaybeHttp2
  const isClients = stream === undefined
    // Neither the end nor an error of the client's half has come: the server destroyed the socket.
    ? readableEnded !== false || typeof errored?.code === 'string'
    : stream.rstCode === HTTP2_CANCEL && !isClosing
  if (isClients) return ERROR_TYPE_CLIENT_DISCONNECTED
  if (hasTimedOut) return ERROR_TYPE_TIMEOUT
  return isClosing ? ERROR_TYPE_SERVER_CLOSING : ERROR_TYPE_RESPONSE_STREAM_ERROR
}

/** Whether a stream failed, or was destroyed before its end; a Response is looked at by its body. */
function hasFailed (payload: unknown): boolean {
  if (payload === null || typeof payload !== 'object') return false
  const { destroyed, readableEnded, body } = payload as { destroyed?: unknown, readableEnded?: unknown, body?: unknown }
  if (destroyed === true && readableEnded === false) return true
  if (isErrored(payload as never)) return true
  return body !== null && typeof body === 'object' && isErrored(body as never)
}
