import { isErrored } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  ERROR_TYPE_CLIENT_DISCONNECTED, ERROR_TYPE_RESPONSE_STREAM_ERROR, ERROR_TYPE_SERVER_CLOSING, ERROR_TYPE_TIMEOUT,
} from '../semconv.ts'
import { codeOf, HANDLER_TIMEOUT } from '../server-span/exceptions.ts'
import type { BreakOff } from '../server-span/outcome.ts'

/** What a socket tells of its end; nothing when it is made up, as those of `inject`. */
interface EndedSocket {
  readableEnded?: unknown
  errored?: unknown
}

/** A stream of HTTP/2, as its end finds it. */
interface EndedStream {
  rstCode?: number
  errored: unknown
  writableFinished: boolean
}

/** The code with which clients cancel a stream, and Node.js those of a connection that is gone. @see https://www.rfc-editor.org/rfc/rfc9113#section-7 */
const HTTP2_CANCEL = 8

/** Errors that Node.js destroys a stream of HTTP/2 with when the client has cancelled it, ended the session, or is gone. */
const HTTP2_CLIENT_CODES: ReadonlySet<unknown> = new Set(['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_SESSION_ERROR', 'ECONNRESET', 'EPIPE'])

/**
 * Tells why an answer was not sent whole, from the state in which `close` of the response finds socket, stream and payload: no listener is needed, and
 * nothing that a listener would change. The order matters, since one failure brings on the others: a payload fails because its client has left, not the
 * other way round.
 *
 * @param payload - the stream that was being sent, if any
 * @param hasTimedOut - the socket was idle for longer than the server allows
 */
export function breakOffOf (
  { raw: request }: FastifyRequest, { raw }: FastifyReply, payload: unknown, hasTimedOut: boolean, isClosing: boolean
): BreakOff {
  const { stream } = raw as { stream?: EndedStream }
  const socket: EndedSocket = request.socket as typeof request.socket | undefined ?? {}
  const failure: unknown = stream === undefined ? raw.errored : stream.errored
  if (codeOf(failure) === HANDLER_TIMEOUT || codeOf(socket.errored) === 'ERR_HTTP_REQUEST_TIMEOUT') return ERROR_TYPE_TIMEOUT
  if (stream === undefined ? hasClientLeft(socket, failure) : hasClientCancelled(stream)) return ERROR_TYPE_CLIENT_DISCONNECTED
  if (hasFailed(payload)) return ERROR_TYPE_RESPONSE_STREAM_ERROR
  if (hasTimedOut) return ERROR_TYPE_TIMEOUT
  // A response that is destroyed with an error destroys its socket with the same; Node.js destroys those in the queue with one of its own.
  const isDestroyed = failure !== null && failure !== undefined && (stream !== undefined || failure === socket.errored)
  return isClosing && !isDestroyed ? ERROR_TYPE_SERVER_CLOSING : ERROR_TYPE_RESPONSE_STREAM_ERROR
}

/** Without the end or an error of the client's half of the connection, the server has destroyed it. */
function hasClientLeft ({ readableEnded, errored }: EndedSocket, failure: unknown): boolean {
  if (readableEnded === true) return true
  const code = codeOf(errored)
  // What is being written when a server destroys its socket is cancelled.
  return typeof code === 'string' && code !== 'ECANCELED' && errored !== failure
}

function hasClientCancelled ({ rstCode, errored, writableFinished }: EndedStream): boolean {
  if (errored !== null && errored !== undefined) return HTTP2_CLIENT_CODES.has(codeOf(errored))
  // A stream that its client closes without an error can still finish; one that the server destroys cannot.
  return rstCode === HTTP2_CANCEL || writableFinished
}

/** Whether a stream failed, or was destroyed before its end; a Response is looked at by its body. */
function hasFailed (payload: unknown): boolean {
  if (payload === null || typeof payload !== 'object') return false
  try {
    const { destroyed, readableEnded, body } = payload as { destroyed?: unknown, readableEnded?: unknown, body?: unknown }
    if (destroyed === true && readableEnded === false) return true
    if (isErrored(payload as never)) return true
    return body !== null && typeof body === 'object' && isErrored(body as never)
  } catch {
    // A stream of the application's own making, with getters that throw.
    return false
  }
}
