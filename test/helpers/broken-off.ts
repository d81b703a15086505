import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance } from 'fastify'
import { listen } from './http.ts'

/** A client that goes away. `seen` says what happens in the application, by name. */
interface BreakOff {
  bytes: string
  /** What has to have happened before it goes. */
  after: string
  leave (socket: Socket): void
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: test\r\n\r\n`
const upload = 'POST /upload HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"name":'
const destroy = (socket: Socket) => { socket.destroy() }
const reset = (socket: Socket) => { socket.resetAndDestroy() }
const end = (socket: Socket) => { socket.end() }

const BREAK_OFFS: Record<string, BreakOff> = {
  'in an upload': { bytes: upload, after: 'preParsing /upload', leave: destroy },
  'in an upload, by reset': { bytes: upload, after: 'preParsing /upload', leave: reset },
  'in an upload, by half': { bytes: upload, after: 'preParsing /upload', leave: end },
  'in a hook': { bytes: get('/hook'), after: 'route hook', leave: destroy },
  'in a handler': { bytes: get('/hang'), after: 'handler /hang', leave: destroy },
  'in a handler, by reset': { bytes: get('/hang'), after: 'handler /hang', leave: reset },
  'in a handler, by half': { bytes: get('/hang'), after: 'handler /hang', leave: end },
  'in a download': { bytes: get('/endless'), after: 'bytes', leave: destroy },
  'in a download, by reset': { bytes: get('/endless'), after: 'bytes', leave: reset },
  'after a hijack': { bytes: get('/hijack'), after: 'handler /hijack', leave: destroy },
  'with others behind it': { bytes: get('/hang') + get('/text') + get('/endless'), after: 'handler /endless', leave: destroy },
}

/** Breaks off a request in every way, and tells what an application sees of it: events sorted, since some of them come at the same time. */
export async function breakOffAll (install: (app: FastifyInstance) => Promise<void>): Promise<Record<string, string[]>> {
  const told: Record<string, string[]> = {}
  for (const [name, breakOff] of Object.entries(BREAK_OFFS)) told[name] = (await seenOf(install, breakOff)).toSorted()
  return told
}

async function seenOf (install: (app: FastifyInstance) => Promise<void>, { bytes, after, leave }: BreakOff): Promise<string[]> {
  const seen: string[] = []
  const happened = new EventEmitter()
  const tell = (event: string) => {
    seen.push(event)
    happened.emit(event)
  }
  const app = Fastify()
  await install(app)
  declareRoutes(app, tell)
  const socket = connect(await listen(app), '127.0.0.1')
  socket.on('error', () => {})
  socket.once('data', () => happened.emit('bytes'))
  const isReached = once(happened, after)
  socket.write(bytes)
  await isReached
  const isClosed = Promise.all([once(app.server, 'last socket closed'), once(socket, 'close')])
  leave(socket)
  await isClosed
  await app.close()
  return seen
}

function declareRoutes (app: FastifyInstance, tell: (event: string) => void): void {
  app.server.on('connection', (socket: Socket) => socket.on('close', () => app.server.emit('last socket closed')))
  for (const hook of ['onRequest', 'preValidation', 'preHandler', 'onResponse'] as const) {
    app.addHook(hook, async (request) => tell(`${hook} ${request.url}`))
  }
  app.addHook('preParsing', async (request) => tell(`preParsing ${request.url}`))
  app.addHook('onSend', async (request) => tell(`onSend ${request.url}`))
  app.addHook('onError', async (request, _reply, error) => tell(`onError ${request.url} ${error.code} ${error.message}`))
  app.addHook('onRequest', (request, reply, done) => {
    request.raw.on('close', () => tell(`close of request ${request.url}`))
    reply.raw.on('close', () => tell(`close of reply ${request.url} ${reply.statusCode} ${reply.raw.headersSent}`))
    done()
  })
  app.addHook('onRequestAbort', async (request) => {
    tell(`onRequestAbort ${request.url}`)
    throw new Error('in onRequestAbort')
  })
  const never = async () => new Promise<never>(() => {})
  app.post('/upload', async () => 'never')
  app.get('/text', async () => 'text')
  app.get('/hook', { preHandler: () => tell('route hook') }, async () => 'never')
  app.get('/hang', () => {
    tell('handler /hang')
    return never()
  })
  app.get('/hijack', (_request, reply) => {
    reply.hijack()
    tell('handler /hijack')
  })
  app.get('/endless', async (_request, reply) => {
    tell('handler /endless')
    return reply.send(Readable.from((async function * () { while (true) yield 'x'.repeat(1000) })()))
  })
}
