import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { portOf } from './http.ts'
import { readSpans } from './otlp-receiver.ts'

/** How one request is answered. Spans of a 2xx are taken, all others are not. */
export type Behaviour =
  /** Nothing comes, ever. */
  | 'hang'
  /** The request is not even read. */
  | 'deaf'
  | 'reset'
  /** Bytes that are no HTTP. */
  | 'noise'
  /** A 200 of which one byte of the head comes every few milliseconds, without end. */
  | 'drip head'
  /** A 200 of which the body drips so. */
  | 'drip body'
  /** A 200 whose connection ends in the middle of the body. */
  | 'truncated'
  | Answer

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string | Buffer
  /** Sends so many bytes instead of `body`, as fast as they are read. */
  bodyBytes?: number
  /** Spans that a partial success does not take: the first ones. */
  rejects?: number
}

export const OK: Answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }

export interface BadCollector {
  /** For `endpoint`. */
  url: string
  /** Answers of the next requests; the last one stays. */
  behaviours: Behaviour[]
  /** Ids of the spans that were taken. */
  taken: Set<string>
  /** Spans that came more than once after they had been taken. */
  repeated: number
  /** Batches as they came, taken or not: number of spans. */
  batches: number[]
  /** Resolves once so many requests have come. */
  waitForRequests (count: number): Promise<void>
  /** Connections that are open. */
  readonly connections: number
  /** Goes away: nobody listens any more, what is open is cut. */
  leave (): Promise<void>
  /** Listens again, on the same port. */
  comeBack (): Promise<void>
}

const DRIP_MILLIS = 20

/** A collector on a real socket that behaves as badly as it is told, one request at a time. It reads OTLP/HTTP JSON. */
export async function startBadCollector ({ tls }: { tls?: { key: string, cert: string } } = {}): Promise<BadCollector> {
  const sockets = new Set<Socket>()
  const waiters = new Set<() => void>()
  let port = 0
  let requests = 0
  let server = await listen()

  async function listen (): Promise<ReturnType<typeof createServer>> {
    const made = tls === undefined ? createServer(onRequest) : createSecureServer(tls, onRequest)
    made.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => { sockets.delete(socket) }).on('error', () => {})
    })
    made.listen(port, '127.0.0.1')
    await once(made, 'listening')
    port = portOf(made)
    return made
  }

  async function onRequest (request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests++
    const { behaviours } = collector
    const behaviour = behaviours.length > 1 ? behaviours.shift()! : behaviours[0]!
    if (behaviour !== 'deaf') {
      const spans = await read(request).catch(() => undefined)
      if (spans !== undefined) {
        collector.batches.push(spans.length)
        behave(behaviour, request.socket, response, spans)
      }
    }
    for (const check of waiters) check()
  }

  async function read (request: IncomingMessage) {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    return readSpans(JSON.parse((request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()))
  }

  function take (spans: ReturnType<typeof readSpans>): void {
    for (const { spanId } of spans) {
      if (collector.taken.has(spanId)) collector.repeated++
      collector.taken.add(spanId)
    }
  }

  function behave (behaviour: Behaviour, socket: Socket, response: ServerResponse, spans: ReturnType<typeof readSpans>): void {
    switch (behaviour) {
      case 'hang': case 'deaf': return
      case 'reset': socket.resetAndDestroy(); return
      case 'noise': socket.end('\u0000\u0001 what?\r\n\r\n'); return
      case 'drip head': drip(socket, 'HTTP/1.1 200 OK\r\nx-drip: '); return
      case 'drip body':
        take(spans)
        drip(socket, 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n ')
        return
      case 'truncated':
        take(spans)
        socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"partialSucc')
        return
      default: answer(behaviour, response, spans)
    }
  }

  function drip (socket: Socket, start: string): void {
    socket.write(start)
    const timer = setInterval(() => socket.write(' '), DRIP_MILLIS)
    timer.unref()
    socket.once('close', () => clearInterval(timer))
  }

  function answer ({ status, headers, body = '', bodyBytes, rejects = 0 }: Answer, response: ServerResponse, spans: ReturnType<typeof readSpans>): void {
    if (status < 300) take(spans.slice(rejects))
    response.on('error', () => {})
    if (bodyBytes === undefined) {
      response.writeHead(status, headers).end(body)
      return
    }
    response.writeHead(status, { ...headers, 'content-length': String(bodyBytes) })
    const piece = Buffer.alloc(64 * 1024, ' ')
    let left = bodyBytes
    const more = (): void => {
      while (left > 0) {
        left -= piece.length
        if (!response.write(piece)) break
      }
      if (left <= 0) response.end()
    }
    response.on('drain', more)
    more()
  }

  const collector: BadCollector = {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}`,
    behaviours: [OK],
    taken: new Set(),
    repeated: 0,
    batches: [],
    waitForRequests: (count) => new Promise((resolve) => {
      const check = () => {
        if (requests < count) return
        waiters.delete(check)
        resolve()
      }
      waiters.add(check)
      check()
    }),
    get connections () {
      return sockets.size
    },
    async leave () {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
    async comeBack () {
      server = await listen()
    },
  }
  return collector
}
