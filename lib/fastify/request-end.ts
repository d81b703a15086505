import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { headerAttributes } from '../arguments/named-texts.ts'
import { ERROR_TYPE_SERVER_CLOSING } from '../semconv.ts'
import { finishServerSpan } from '../server-span/finish.ts'
import { OpenRecords } from '../server-span/open-records.ts'
import type { BreakOff } from '../server-span/outcome.ts'
import { NEVER, type RequestRecord } from '../server-span/request-record.ts'
import { countStart } from '../server-span/start.ts'
import { ABNORMAL_CLOSURE } from '../server-span/web-socket.ts'
import type { Settings } from '../settings.ts'
import { bodyBytesOf } from './body-bytes.ts'
import { breakOffOf } from './break-off.ts'
import { createIdleSockets } from './idle-sockets.ts'
import { noteUnvalidated } from './note-request-arguments.ts'
import { createQueuedReplies } from './queued-replies.ts'
import type { RoutePlan } from './route-plan.ts'

/** How long a WebSocket whose connection is gone may take to say how it was closed, milliseconds. */
const CLOSE_CODE_MILLIS = 250

/** The code of a stream that nobody has reset. @see https://www.rfc-editor.org/rfc/rfc9113#section-7 */
const HTTP2_NO_ERROR = 0

/** Ends each request that it was told of, once, whatever becomes of it. */
export interface RequestEnds {
  listen (record: RequestRecord, request: FastifyRequest, reply: FastifyReply): void
  /** The application closes: what breaks off from here on, and not by its client, does so for that reason. */
  startClosing (): void
  /** Ends what is still open, once its connections have had the time to say how they ended. */
  endAll (): Promise<void>
}

/**
 * `close` of the response is the one event that comes for every request, and `finish` before it tells that the answer is complete. Two listeners instead
 * of an `onResponse` hook, which is not called for aborted requests and makes Fastify add two of its own for each.
 */
export function createRequestEnds (settings: Settings): RequestEnds {
  const { guard } = settings
  const queued = createQueuedReplies()
  const idle = createIdleSockets()
  const open = new OpenRecords()
  let isClosing = false

  function listen (record: RequestRecord, request: FastifyRequest, reply: FastifyReply): void {
    const { raw } = reply
    const { socket } = request.raw
    const end = (cause?: BreakOff): void => {
      const { webSocket } = record
      if (cause === undefined && webSocket !== null && webSocket.closeCode === undefined && record.endMillis === NEVER) return awaitCloseCode(record, end)
      open.remove(record)
      endRequest(record, request, reply, cause)
    }
    countStart(record)
    // A hook before ours may have waited for so long that the client has left: `close` has come, or never will (HTTP/2 says it of the stream alone).
    if (raw.destroyed || socket?.destroyed) return end()
    record.end = end
    open.add(record)
    // First of its listeners: later ones may destroy the socket, and Node.js takes it from the response.
    raw.prependListener('finish', () => { record.completed = wasFlushed(raw, socket) })
    if (raw.socket === null && socket !== undefined) waitInQueue(record, request, reply, end)
    if (socket?.timeout! > 0) idle.watch(socket)
    // Whose span it is ends it at `close` too, and has listened before.
    if (record.ownsSpan) raw.on('close', end)
    else raw.prependListener('close', end)
    if (isHttp2(raw) && request.method === 'HEAD') endWithHead(record, raw, end)
  }

  /** A pipelined reply has no socket until its turn comes; then its own `close` comes too. */
  function waitInQueue (record: RequestRecord, request: FastifyRequest, { raw }: FastifyReply, end: () => void): void {
    const { socket } = request.raw
    const endUnsent = (): void => {
      if (!record.hadTurn) end()
    }
    record.hadTurn = false
    raw.once('socket', () => { record.hadTurn = !isBroken(socket) })
    queued.watch(socket, endUnsent)
    raw.on('close', () => queued.forget(socket, endUnsent))
  }

  function endRequest (record: RequestRecord, request: FastifyRequest, reply: FastifyReply, cause: BreakOff | undefined): void {
    if (record.ended) return
    try {
      if (record.isRecording) {
        if (!record.argumentsNoted) noteUnvalidated(record, record.route as RoutePlan, request)
        if (settings.capturedHeaders.response.length > 0 && reply.raw.headersSent && record.hadTurn) noteHeaders(record, reply)
        if (settings.responseHook !== null) guard.run('responseHook', settings.responseHook, record.span, request, reply)
      }
    } catch (error) {
      guard.report('arguments', error)
    }
    try {
      const { raw } = reply
      const completed = cause === undefined && (record.completed || record.webSocket !== null)
      finishServerSpan(record, {
        brokenOff: completed ? null : cause ?? breakOffOf(request, reply, record.payload, idle.hasTimedOut(request.raw.socket), isClosing),
        // Of a reply that never had its turn nothing was sent, though it says so.
        headersSent: raw.headersSent && record.hadTurn,
        statusCode: raw.statusCode,
        bodyBytes: settings.measuresBodySizes ? bodyBytesOf(request, reply, record.bodyReceived, completed) : undefined,
      })
    } catch (error) {
      guard.report('request end', error)
    }
  }

  function noteHeaders (record: RequestRecord, reply: FastifyReply): void {
    record.span.setAttributes(headerAttributes(settings.capturedHeaders.response, (name) => reply.getHeader(name), settings, {}))
  }

  return {
    listen,
    startClosing () {
      isClosing = true
    },
    async endAll () {
      // A server says `close` when its last socket is destroyed, and that socket says its own later, when the event loop has gone round.
      for (let turn = 0; turn < 2 && !open.isEmpty; turn++) await nextTurn()
      for (let record = open.pop(); record !== null; record = open.pop()) record.end!(ERROR_TYPE_SERVER_CLOSING)
    },
  }
}

/** The connection is gone; the WebSocket says how it was closed when it has read what came before. */
function awaitCloseCode (record: RequestRecord, end: () => void): void {
  record.endMillis = record.now()
  const webSocket = record.webSocket!
  const timer = setTimeout(() => {
    webSocket.closeCode = ABNORMAL_CLOSURE
    end()
  }, CLOSE_CODE_MILLIS)
  timer.unref()
  webSocket.onClosed = () => {
    clearTimeout(timer)
    end()
  }
}

/** Over HTTP/2 the stream of a HEAD ends with the head, and its reply has no `close` if it has not ended by then. */
function endWithHead (record: RequestRecord, raw: Http2Response, end: () => void): void {
  raw.stream.once('close', () => {
    record.completed ||= raw.headersSent && raw.stream.rstCode === HTTP2_NO_ERROR
    end()
  })
}

/** Node.js says `finish` also of a response whose connection broke before all of it was written. */
function wasFlushed (raw: Response, socket: Socket | undefined): boolean {
  // The socket of HTTP/2 is the stream, which is destroyed at each end. One that is cancelled finishes too, and a reply to it ends without a head.
  if (isHttp2(raw)) return raw.stream.writableFinished && raw.writableEnded && raw.headersSent
  if (socket === undefined || !isBroken(socket)) return true
  // `app.close()` destroys the sockets of responses that have ended just now; what the system has taken at once will still arrive.
  return !socket.errored && socket.writableLength === 0 && (socket as MaybeClogged)._writableState?.needDrain !== true
}

/** Node.js 20 does not tell what was lost with a destroyed socket, but leaves this as it was. */
interface MaybeClogged {
  _writableState?: { needDrain?: boolean }
}

function isBroken ({ destroyed, errored }: Socket): boolean {
  return destroyed || (errored !== null && errored !== undefined)
}

type Response = FastifyReply['raw']
type Http2Response = Response & { stream: ServerHttp2Stream }

function isHttp2 (raw: Response): raw is Http2Response {
  return 'stream' in raw
}
