import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { context } from '@opentelemetry/api'
import type { FastifyRequest } from 'fastify'
import type { Guard } from '../guard.ts'
import type { RequestRecord } from '../server-span/request-record.ts'
import { WebSocketCounts } from '../server-span/web-socket.ts'
import type { Settings } from '../settings.ts'

/** What @fastify/websocket adds to requests and instances. */
type UpgradableRequest = FastifyRequest & { ws?: unknown }
interface WebSocketInstance {
  websocketServer?: EventEmitter
}

/** The part of a WebSocket of the package ws that is used here. */
interface WebSocket extends EventEmitter {
  readyState: number
  send (data: unknown, ...rest: unknown[]): void
}

const OPEN = 1

export interface WebSockets {
  /** If the request is an upgrade that @fastify/websocket may accept, its connection is listened to before the route's handler has it. */
  expect (record: RequestRecord, request: FastifyRequest): void
}

/**
 * Follows the connections that @fastify/websocket upgrades. Its server says `connection` before the route's handler gets the socket: the one place where
 * listeners added later can still be bound to the request's context, in whatever order the plugins were registered. Upgrades of other libraries are not touched.
 */
export function createWebSockets (settings: Settings): WebSockets {
  const expected = new WeakMap<IncomingMessage, RequestRecord>()
  const heard = new WeakSet<EventEmitter>()

  function onConnection (socket: WebSocket, raw: IncomingMessage): void {
    const record = expected.get(raw)
    if (record === undefined) return
    try {
      record.webSocket = follow(socket, record, settings.guard)
    } catch (error) {
      settings.guard.report('websocket', error)
    }
  }

  return {
    expect (record, request) {
      if ((request as UpgradableRequest).ws !== true) return
      const { websocketServer: server } = request.server as WebSocketInstance
      if (server === undefined) return
      if (!heard.has(server)) {
        heard.add(server)
        server.on('connection', onConnection)
      }
      expected.set(request.raw, record)
    },
  }
}

function follow (socket: WebSocket, record: RequestRecord, guard: Guard): WebSocketCounts {
  const counts = new WebSocketCounts()
  socket.on('message', (data: ReceivedMessage) => {
    counts.messagesReceived++
    counts.bytesReceived += Array.isArray(data) ? data.reduce((bytes, fragment) => bytes + fragment.length, 0) : lengthOf(data)
  })
  socket.on('close', (code: number) => {
    counts.closeCode = code
    counts.onClosed?.()
  })
  const { send } = socket
  socket.send = function countAndSend (data, ...rest) {
    const isOpen = this.readyState === OPEN
    // Counted after ws has taken it: it throws at what it cannot send.
    send.call(this, data, ...rest)
    if (!isOpen) return
    counts.messagesSent++
    try {
      counts.bytesSent += sentBytesOf(data)
    } catch (error) {
      guard.report('websocket', error)
    }
  }
  // Message listeners of the handler run inside the request's context.
  context.bind(record.context, socket)
  return counts
}

/** What ws gives to listeners, whichever `binaryType` was set. */
type ReceivedMessage = ArrayBuffer | Blob | Buffer | Buffer[]

function lengthOf (data: ArrayBufferLike | ArrayBufferView | Blob): number {
  return 'size' in data ? data.size : data.byteLength
}

/** As ws makes bytes of it, which takes whatever `Buffer.from()` takes. */
function sentBytesOf (data: unknown): number {
  if (typeof data === 'string' || typeof data === 'number') return Buffer.byteLength(String(data))
  // An empty message.
  if (!data) return 0
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer || data instanceof Blob) return lengthOf(data)
  return Buffer.from(data as Uint8Array).length
}
