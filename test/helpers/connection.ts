import { once } from 'node:events'
import { connect as connectHttp2, type ClientHttp2Session, type OutgoingHttpHeaders, type SecureClientSessionOptions } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Test } from 'tap'

/** A client that writes bytes and sees what comes back; closed with the test. */
export interface Connection {
  socket: Socket
  /** All that has come so far. */
  text (): string
  /** Resolves with all that has come, once the pattern is in it; rejects when the connection closes before. */
  read (pattern: RegExp): Promise<string>
  closed: Promise<unknown>
}

export interface Head {
  headers?: Record<string, string | number>
  body?: string
}

/** One request of HTTP/1.1, as it goes over the wire. */
export function requestText (method: string, path: string, { headers = {}, body = '' }: Head = {}): string {
  const lines = Object.entries({ host: '127.0.0.1:1', 'user-agent': 'test', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Connects and writes at once. */
export function openConnection (t: Test, port: number, text: string, { isTls = false } = {}): Connection {
  const socket = isTls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1')
  let received = ''
  const waiters = new Set<() => void>()
  const check = (): void => { for (const waiter of waiters) waiter() }
  socket.setEncoding('utf8').on('data', (part: string) => {
    received += part
    check()
  })
  // Resets are part of the tests.
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  socket.on('close', check)
  t.teardown(() => socket.destroy())
  socket.write(text)
  return {
    socket,
    closed,
    text: () => received,
    read: (pattern) => new Promise((resolve, reject) => {
      const waiter = (): void => {
        const isThere = pattern.test(received)
        if (!isThere && !socket.destroyed) return
        waiters.delete(waiter)
        if (isThere) resolve(received)
        else reject(new Error(`the connection was closed before ${pattern} came: ${received}`))
      }
      waiters.add(waiter)
      waiter()
    }),
  }
}

export interface Http2Answer {
  status: number
  body: string
  trailers: Record<string, unknown>
}

/** A session of HTTP/2, over TLS for `https`; destroyed with the test. */
export function openSession (t: Test, origin: string, options: SecureClientSessionOptions = {}): ClientHttp2Session {
  const session = connectHttp2(origin, { rejectUnauthorized: false, ...options })
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

/** Opens a stream whose errors are part of the test. */
export function openStream (session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}) {
  const stream = session.request({ ':path': path, 'user-agent': 'test', ...headers })
  stream.on('error', () => {})
  return stream
}

/** One request over HTTP/2, read to its end. */
export async function sendHttp2 (session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}, body?: string): Promise<Http2Answer> {
  const stream = openStream(session, path, headers)
  let trailers: Record<string, unknown> = {}
  stream.on('trailers', (fields) => { trailers = { ...fields } })
  stream.end(body)
  const [head] = await once(stream, 'response')
  let text = ''
  for await (const part of stream.setEncoding('utf8')) text += part
  return { status: head[':status'], body: text, trailers }
}
