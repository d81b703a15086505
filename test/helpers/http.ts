import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

export interface Answer {
  statusCode: number
  headers: IncomingHttpHeaders
  body: string
}

/** Starts an app on a free port of this machine. */
export async function listen (app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return portOf(app.server as Server)
}

export function portOf (server: Pick<Server, 'address'>): number {
  return (server.address() as AddressInfo).port
}

/** One request over a socket of its own. A header that is `undefined` is not sent. */
export async function send (
  port: number, method: string, path: string, { body, headers = {} }: { body?: unknown, headers?: OutgoingHttpHeaders } = {}
): Promise<Answer> {
  const isJson = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)
  const payload = isJson ? JSON.stringify(body) : body as string | Buffer | undefined
  const outgoing = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    agent: false,
    headers: Object.fromEntries(Object.entries({
      'user-agent': 'test',
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...(payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) }),
      ...headers,
    }).filter(([, value]) => value !== undefined)),
  })
  outgoing.end(payload)
  const [response] = await once(outgoing, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { statusCode: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }
}

/** Writes text to a socket and returns everything that comes back until the server closes it. */
export async function sendRaw (port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(text)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
