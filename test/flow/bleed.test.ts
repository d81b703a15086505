import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn, setTimeout as later } from 'node:timers/promises'
import { gzip } from 'node:zlib'
import { context, createContextKey, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import otelPlugin, { type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import t, { type Test } from 'tap'
import { exchange } from '../helpers/exchange.ts'
import { listen } from '../helpers/http.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1
t.setTimeout(300_000)

interface EndedSpan {
  kind: SpanKind
  name: string
  attributes: Record<string, unknown>
  instrumentationScope: { name: string }
  parentSpanContext?: { traceId: string }
  spanContext (): { traceId: string }
}

/** Spans are looked at as they end, and not kept: there are very many. */
class Inspector {
  open = 0
  checks = 0
  readonly mismatches: string[] = []
  readonly servers: Array<{ kind: SpanKind, traceId: string, parentTraceId: string | undefined }> = []

  onStart (): void { this.open++ }

  onEnd (span: EndedSpan): void {
    this.open--
    const { traceId } = span.spanContext()
    if (span.name === 'work') this.check(traceId === span.attributes.expected, `span of ${String(span.attributes.step)}`)
    else if (span.instrumentationScope.name === 'fastify-schema-telemetry' && !span.name.startsWith('fastify.')) this.servers.push({ kind: span.kind, traceId, parentTraceId: span.parentSpanContext?.traceId })
  }

  check (isRight: boolean, what: string): void {
    this.checks++
    if (!isRight) this.mismatches.push(what)
  }

  async forceFlush (): Promise<void> {}

  async shutdown (): Promise<void> {}
}

function setUp (t: Test): Inspector {
  const inspector = new Inspector()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(new TracerProvider({ sampler: new AlwaysOnSampler(), spanProcessors: [inspector as never] }))
  t.teardown(() => {
    trace.disable()
    propagation.disable()
    context.disable()
  })
  return inspector
}

/** Things that many requests share, and that one of them sets going for all. */
class Shared {
  readonly #waiting: Array<() => void> = []
  #isDue = false

  /** Called some time, in the context of any request. */
  push (act: () => void): void {
    this.#waiting.push(act)
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      for (const act of this.#waiting.splice(0)) act()
    })
  }

  batch (): Promise<void> {
    return new Promise((resolve) => this.push(resolve))
  }
}

/** Resolves when as many have come as it is for. */
class Barrier {
  readonly #open = new EventEmitter().setMaxListeners(0)
  readonly #size: number
  #come = 0

  constructor (size: number) {
    this.#size = size
  }

  async pass (): Promise<void> {
    if (++this.#come % this.#size === 0) this.#open.emit('open')
    else await once(this.#open, 'open')
  }
}

const AT_ONCE = 1000
const SOCKETS = 50
const ROUNDS = 5

type Step = (look: (step: string) => void) => unknown

function makeSteps (shared: Shared, storage: AsyncLocalStorage<unknown>): Record<string, Step> {
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    'at once': () => {},
    'a promise': () => Promise.resolve(),
    'next tick': () => new Promise<void>((resolve) => process.nextTick(resolve)),
    'a microtask': () => new Promise<void>((resolve) => queueMicrotask(resolve)),
    'an immediate': () => nextTurn(),
    'a timer': () => later(1),
    'a file': () => readFile(new URL(import.meta.url)),
    'a thread': () => new Promise<void>((resolve) => randomBytes(8, () => resolve())),
    'a callback of a thread': (look) => new Promise<void>((resolve) => gzip('text', () => {
      look('in the callback')
      resolve()
    })),
    'a batch of all requests': () => shared.batch(),
    'a bound callback in a batch of all': (look) => new Promise<void>((resolve) => shared.push(AsyncResource.bind(() => {
      look('in the bound callback')
      resolve()
    }))),
    'an event of another request': async () => {
      const happened = once(emitter, 'event')
      shared.push(() => emitter.emit('event'))
      await happened
    },
    'a stream': async (look) => { for await (const item of Readable.from([1, 2, 3])) look(`in the loop, ${item}`) },
    'a pipeline': (look) => pipeline(Readable.from(['a', 'b']), new Transform({
      transform (chunk, _encoding, done) {
        look('in the transform')
        setImmediate(done, null, chunk)
      },
    }), new Writable({ write: (_chunk, _encoding, done) => done() })),
    'a storage of the application': (look) => storage.run({}, async () => {
      await nextTurn()
      look('in the storage')
    }),
    'a storage that was entered': async (look) => {
      await null
      storage.enterWith({})
      look('entered')
    },
    'all of several': (look) => Promise.all([later(0), nextTurn(), shared.batch()].map(async (done) => {
      await done
      look('in one of them')
    })),
    'an error': async () => { await Promise.reject(new Error('caught')).catch(() => nextTurn()) },
  }
}

t.test('a thousand requests at a time, on connections that they share: every span is in the trace of its request', async (t) => {
  const inspector = setUp(t)
  const shared = new Shared()
  const storage = new AsyncLocalStorage<unknown>()
  const steps = makeSteps(shared, storage)
  const barrier = new Barrier(AT_ONCE)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(otelPlugin, { extraSpans: true })

  const expectedOf = (request: FastifyRequest) => (request.headers.traceparent as string | undefined)?.slice(3, 35) ?? request.telemetry.traceId
  function look (request: FastifyRequest, step: string): void {
    const expected = expectedOf(request)
    inspector.check(trace.getActiveSpan()?.spanContext().traceId === expected, step)
    trace.getTracer('test').startSpan('work', { attributes: { expected, step } }).end()
  }
  // Resumes in the context of whichever request was last, as a pool of connections does.
  app.addHook('preValidation', (_request, _reply, done) => shared.push(done))
  app.addHook('preHandler', async (request) => look(request, 'in a hook'))
  app.addHook('preHandler', (request, _reply, done) => storage.run({ request }, done))
  app.addHook('onSend', async (request) => look(request, 'in onSend'))
  app.post('/users/:id', { schema: { params: Type.Object({ id: Type.Integer() }), body: Type.Object({ n: Type.Integer() }) } }, async (request, reply) => {
    await barrier.pass()
    for (const [name, step] of Object.entries(steps)) {
      await step((where) => look(request, `${name}, ${where}`))
      look(request, name)
      inspector.check(name === 'a storage that was entered' || name === 'all of several' || name === 'an error' || (storage.getStore() as { request?: unknown }).request === request, `the application's storage after ${name}`)
    }
    const { n } = request.body as { n: number }
    if (n % 3 === 0) return { n }
    if (n % 3 === 1) return reply.type('application/json').send(Readable.from(['{"n":', `${n}}`]))
    shared.push(() => { reply.send({ n }) })
    return reply
  })
  const port = await listen(app)
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => openSocket(port)))
  let sent = 0
  const wrong: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(sockets.map(async (socket) => {
      const numbers = Array.from({ length: AT_ONCE / SOCKETS }, () => sent++)
      const answers = await socket.ask(numbers.map(toRequest))
      wrong.push(...answers.filter((answer, index) => answer !== `{"n":${numbers[index]}}`))
    }))
  }
  const traceIds = new Set(inspector.servers.map(({ traceId }) => traceId))
  for (const { socket } of sockets) socket.destroy()
  await app.close()

  t.same(wrong, [])
  t.same(inspector.mismatches.slice(0, 10), [], `${inspector.mismatches.length} mismatches`)
  t.ok(inspector.checks >= 100_000, `${inspector.checks} checks`)
  t.same([inspector.servers.length, traceIds.size, inspector.open], [AT_ONCE * ROUNDS, AT_ONCE * ROUNDS, 0])
  t.same(new Set(inspector.servers.map(({ kind }) => kind)), new Set([SpanKind.SERVER]))
  // Every other request has a caller.
  t.equal(inspector.servers.filter(({ parentTraceId }) => parentTraceId === undefined).length, AT_ONCE * ROUNDS / 2)
})

function toRequest (n: number): string {
  const caller = n % 2 === 0 ? '' : `traceparent: 00-${(n + 1).toString(16).padStart(32, '0')}-00f067aa0ba902b7-01\r\n`
  const body = `{"n":${n}}`
  return `POST /users/${n} HTTP/1.1\r\nhost: test\r\n${caller}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

/** A connection that is kept, on which requests are sent all at once. */
async function openSocket (port: number) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return {
    socket,
    /** Resolves with the bodies of the answers. */
    async ask (requests: string[]): Promise<string[]> {
      let text = ''
      const bodies = () => text.match(/\{"n":[^}]*\}/g) ?? []
      // In pieces that end within a request: bodies come late, and several heads at a time.
      const bytes = requests.join('')
      const half = Math.floor(bytes.length / 2) + 7
      socket.write(bytes.slice(0, half))
      setImmediate(() => socket.write(bytes.slice(half)))
      while (bodies().length < requests.length) {
        const [chunk] = await once(socket, 'data')
        // A body of two chunks has the length of the second in between.
        text = (text + String(chunk)).replace(/("n":)\r\n[\da-f]+\r\n/g, '$1')
      }
      return bodies()
    },
  }
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: test\r\n${more}\r\n`

t.test('nothing of a request is left on its connection: not for the next request, not for listeners', async (t) => {
  const inspector = setUp(t)
  const leaks: string[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  const isClosed = listenEverywhere(app, (event) => { if (context.active() !== ROOT_CONTEXT) leaks.push(event) })
  await app.register(otelPlugin, { extraSpans: true })
  app.get('/text', async () => {
    await nextTurn()
    return 'text'
  })
  app.get('/large', async () => 'x'.repeat(3_000_000))
  app.get('/stream', async (_request, reply) => reply.send(Readable.from(['a', 'b'])))
  app.get('/thrown', async () => { throw new Error('thrown') })
  app.get('/hijack', async (_request, reply) => {
    reply.hijack()
    await nextTurn()
    reply.raw.end('raw')
  })
  app.post('/unread', (_request, reply) => { reply.send('unread') })
  app.post('/body', { schema: { body: Type.Object({ a: Type.Integer() }) } }, async () => 'body')

  const unread = 'POST /nowhere HTTP/1.1\r\nhost: test\r\ncontent-type: text/odd\r\ncontent-length: 5\r\n\r\n12345'
  const body = 'POST /body HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}'
  const paths = ['/text', '/large', '/stream', '/thrown', '/hijack', '/nowhere'].map((path) => get(path))
  const all = [...paths, unread, body, ...paths, unread, body]
  const port = await listen(app)
  await exchange(port, { name: 'one after the other', pieces: [...all, get('/text', 'connection: close\r\n')] })
  await exchange(port, { name: 'pipelined', pieces: [all.join('') + get('/text', 'connection: close\r\n')] })
  // Closed by the client, while nothing is under way.
  const socket = connect(port, '127.0.0.1')
  socket.write(get('/text'))
  await once(socket, 'data')
  socket.end()
  await Promise.all([once(socket, 'close'), isClosed(3)])
  await app.close()

  t.same(leaks, [])
  const requests = 2 * (all.length + 1) + 1
  t.equal(new Set(inspector.servers.map(({ traceId }) => traceId)).size, requests)
  t.same(inspector.servers.filter(({ kind, parentTraceId }) => kind !== SpanKind.SERVER || parentTraceId !== undefined), [])
  t.equal(inspector.open, 0)
})

/** Looks at the active context wherever a request's has no business; what is returned resolves when so many connections are closed. */
function listenEverywhere (app: FastifyInstance, look: (event: string) => void): (count: number) => Promise<void> {
  const connections = new EventEmitter()
  const closed: Socket[] = []
  app.server.on('request', () => look('request of the server'))
  app.server.on('connection', (socket: Socket) => {
    look('connection')
    for (const event of ['data', 'end', 'readable'] as const) socket.prependListener(event, () => look(`${event} of the socket`))
    socket.on('close', () => {
      look('close of the socket')
      closed.push(socket)
      connections.emit('closed')
    })
  })
  app.addHook('onRequest', async () => look('a hook before the plugin'))
  return async (count) => { while (closed.length < count) await once(connections, 'closed') }
}

t.test('a span that has ended long ago is nobody\'s parent, though the server was started inside it', async (t) => {
  const inspector = setUp(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(otelPlugin)
  app.get('/', async () => 'ok')
  const port = await trace.getTracer('test').startActiveSpan('start the server', async (span) => {
    const port = await listen(app)
    span.end()
    return port
  })
  await exchange(port, { name: 'a request', pieces: [get('/', 'connection: close\r\n')] })
  await exchange(port, { name: 'a request with a caller', pieces: [toRequest(1).replace('POST /users/1', 'GET /').replace('host', 'connection: close\r\nhost')] })
  await app.close()
  t.match(inspector.servers, [
    { kind: SpanKind.SERVER, parentTraceId: undefined },
    { kind: SpanKind.SERVER, traceId: '00000000000000000000000000000002', parentTraceId: '00000000000000000000000000000002' },
  ])
})

t.test('a caller\'s context that a hook of the application has read makes no local parent', async (t) => {
  const inspector = setUp(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', (request, _reply, done) => context.with(propagation.extract(context.active(), request.headers), done))
  await app.register(otelPlugin)
  app.get('/', async () => 'ok')
  await app.inject({ url: '/', headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } })
  t.match(inspector.servers, [{ kind: SpanKind.SERVER, parentTraceId: '0af7651916cd43dd8448eb211c80319c' }])
})

t.test('what an application puts into its context stays there, whatever is recorded', async (t) => {
  setUp(t)
  const key = createContextKey('of the application')
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: new InMemoryMetricExporter(0) })] })
  const cases: Record<string, { options: FastifySchemaTelemetryOptions, withoutTracing?: boolean }> = {
    recorded: { options: { extraSpans: true } },
    ignored: { options: { ignore: () => true } },
    'not sampled': { options: { tracerProvider: new TracerProvider({ sampler: new AlwaysOffSampler() }) } },
    'a sampler that throws': { options: { tracerProvider: new TracerProvider({ sampler: { shouldSample () { throw new Error('hostile') } } }) } },
    'metrics only': { options: { meterProvider }, withoutTracing: true },
    nothing: { options: {}, withoutTracing: true },
  }
  for (const [name, { options, withoutTracing = false }] of Object.entries(cases)) {
    if (withoutTracing) trace.disable()
    const app = Fastify()
    await app.register(otelPlugin, options)
    app.addHook('onRequest', (_request, _reply, done) => context.with(context.active().setValue(key, 'kept'), done))
    app.addHook('onSend', async (_request, reply) => { reply.header('x-kept', String(context.active().getValue(key))) })
    app.get('/', async () => {
      await nextTurn()
      return { kept: context.active().getValue(key) }
    })
    for (const headers of [{}, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }]) {
      const answer = await app.inject({ url: '/', headers })
      t.same([answer.json(), answer.headers['x-kept']], [{ kept: 'kept' }, 'kept'], name)
    }
    await app.close()
  }
  await meterProvider.shutdown()
})
