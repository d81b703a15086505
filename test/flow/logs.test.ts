// latest versions only
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { context, trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import otelPlugin, { traceMixin, type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry, type PlainSpan, type TestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { openConnection, openSession, requestText, sendHttp2 } from '../helpers/connection.ts'
import { listen, portOf, send } from '../helpers/http.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

interface Line {
  msg: string
  reqId?: string
  trace_id?: string
  span_id?: string
  trace_flags?: string
  [name: string]: unknown
}

interface Logged {
  app: FastifyInstance
  telemetry: TestTelemetry
  lines: Line[]
  /** Resolves with all lines, once so many of them have this message. */
  waitForLines (message: string, count?: number): Promise<Line[]>
}

interface SetUp {
  plugin?: FastifySchemaTelemetryOptions | false
  /** Pino's options. */
  logger?: object
  server?: object
  telemetry?: TestTelemetry
}

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const CALLER = `00-${TRACE_ID}-b7ad6b7169203331-01`

async function setUp (t: Test, { plugin = {}, logger = {}, server = {}, telemetry = createTestTelemetry() }: SetUp = {}): Promise<Logged> {
  const lines: Line[] = []
  const waiters = new Set<() => void>()
  const stream = {
    write (text: string) {
      lines.push(JSON.parse(text))
      for (const waiter of waiters) waiter()
    },
  }
  const app = Fastify({ logger: { mixin: traceMixin, stream, ...logger }, ...server } as FastifyServerOptions) as FastifyInstance
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  if (plugin !== false) await app.register(otelPlugin, { tracerProvider: telemetry.tracerProvider, ...plugin })
  return {
    app,
    telemetry,
    lines,
    waitForLines: (message, count = 1) => new Promise((resolve) => {
      const waiter = (): void => {
        if (lines.filter(({ msg }) => msg === message).length < count) return
        waiters.delete(waiter)
        resolve(lines)
      }
      waiters.add(waiter)
      waiter()
    }),
  }
}

/** The trace fields of lines, with their messages. */
const fieldsOf = (lines: Line[]) => lines.map(({ msg, trace_id: traceId, span_id: spanId, trace_flags: flags }) => [msg, traceId, spanId, flags])

/** What stands on each line of a sampled request. */
const fieldsIn = ({ traceId, spanId }: Pick<PlainSpan, 'traceId' | 'spanId'>, ...messages: string[]) => messages.map((message) => [message, traceId, spanId, '01'])

/** What a line says that is in no trace. */
const bare = (...messages: string[]) => messages.map((message) => [message, undefined, undefined, undefined])

/** Lines of requests that have begun, a list for each. */
function linesByRequest (lines: Line[]): Line[][] {
  const begun = lines.filter(({ reqId, msg }) => reqId !== undefined && msg !== 'incoming request')
  return [...new Set(begun.map(({ reqId }) => reqId))].map((id) => begun.filter(({ reqId }) => reqId === id))
}

const withoutListening = (lines: Line[]) => lines.filter(({ msg }) => !msg.startsWith('Server listening'))

t.test('each line of a request has the ids of its span, from the first hook to "request completed"; "incoming request" has none', async (t) => {
  const { app, telemetry, lines, waitForLines } = await setUp(t, { plugin: { requestHook: (_span, request) => request.log.info('requestHook'), responseHook: (_span, request) => request.log.info('responseHook') } })
  for (const name of ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onResponse'] as const) {
    app.addHook(name as 'onRequest', async (request) => { request.log.info(name) })
  }
  app.addHook('onSend', async (request) => { request.log.info('onSend') })
  app.get('/', async (request, reply) => {
    request.log.info('handler')
    reply.log.info('reply.log')
    request.log.child({ part: 1 }).child({ part: 2 }).info('child')
    app.log.info('app.log')
    await nextTurn()
    request.log.info('later')
    return 'ok'
  })
  const port = await listen(app)
  app.log.info('outside')
  for (let round = 0; round < 2; round++) {
    lines.length = 0
    telemetry.reset()
    await send(port, 'GET', '/', { headers: { traceparent: CALLER } })
    const [span] = await telemetry.waitForSpans(1)
    await waitForLines('request completed')
    t.equal(span!.traceId, TRACE_ID)
    t.same(fieldsOf(lines.slice(0, 12)), [
      ...bare('incoming request'),
      ...fieldsIn(span!, 'requestHook', 'onRequest', 'preParsing', 'preValidation', 'preHandler', 'handler', 'reply.log', 'child', 'app.log', 'later', 'onSend'),
    ])
    // What `finish` and `close` bring has no order of its own.
    t.same(fieldsOf(lines.slice(12)).toSorted(), fieldsIn(span!, 'onResponse', 'request completed', 'responseHook'))
  }
  lines.length = 0
  app.log.info('outside')
  t.same(fieldsOf(lines), bare('outside'))
})

t.test('a kept-alive connection, requests one after another and in a pipeline, also of one trace: each line is of its own request', async (t) => {
  const { app, telemetry, lines, waitForLines } = await setUp(t)
  const gates = new Map<string, () => void>()
  app.get('/:name', (request, reply) => {
    const { name } = request.params as { name: string }
    request.log.info(`handler ${name}`)
    if (!name.startsWith('slow')) return reply.send(name)
    gates.set(name, () => reply.send(name))
  })
  const port = await listen(app)
  for (const headers of [{}, { traceparent: CALLER }] as Array<Record<string, string>>) {
    lines.length = 0
    telemetry.reset()
    const connection = openConnection(t, port, requestText('GET', '/first', { headers }))
    await connection.read(/first$/)
    // The second answer waits behind the first: it is flushed by what ends that.
    connection.socket.write(['slow-1', 'fast-1', 'slow-2', 'fast-2'].map((name) => requestText('GET', `/${name}`, { headers })).join(''))
    await waitForLines('handler fast-2')
    gates.get('slow-2')!()
    gates.get('slow-1')!()
    await connection.read(/fast-2$/)
    await waitForLines('request completed', 5)
    const spans = await telemetry.waitForSpans(5)
    connection.socket.destroy()
    const spanOf = new Map(spans.map((span) => [String(span.attributes['url.path']).slice(1), span]))
    const nameOf = new Map(lines.filter(({ msg }) => msg.startsWith('handler')).map(({ reqId, msg }) => [reqId, msg.slice('handler '.length)]))
    for (const line of lines.filter(({ reqId }) => reqId !== undefined)) {
      const span = spanOf.get(nameOf.get(line.reqId)!)!
      t.same(fieldsOf([line]), line.msg === 'incoming request' ? bare(line.msg) : fieldsIn(span, line.msg), `${nameOf.get(line.reqId)}: ${line.msg}`)
    }
    t.equal(new Set(spans.map(({ spanId }) => spanId)).size, 5)
  }
})

t.test('HTTP/2: many streams of one session at once', async (t) => {
  const { app, telemetry, lines, waitForLines } = await setUp(t, { server: { http2: true } })
  const waiting: Array<() => void> = []
  app.get('/:name', (request, reply) => {
    request.log.info('handler')
    waiting.push(() => reply.send((request.params as { name: string }).name))
    // The last to come answers all, the newest first.
    if (waiting.length === 10) for (const answer of waiting.splice(0).reverse()) answer()
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const session = openSession(t, `http://127.0.0.1:${portOf(app.server)}`)
  await Promise.all(Array.from({ length: 10 }, (_item, index) => sendHttp2(session, `/${index}`)))
  const spans = await telemetry.waitForSpans(10)
  await waitForLines('request completed', 10)
  const urls = new Map(lines.filter(({ msg }) => msg === 'incoming request').map(({ reqId, req }) => [reqId, (req as { url: string }).url]))
  t.equal(urls.size, 10)
  for (const line of withoutListening(lines)) {
    const span = spans.find(({ attributes }) => attributes['url.path'] === urls.get(line.reqId))!
    t.same(fieldsOf([line]), line.msg === 'incoming request' ? bare(line.msg) : fieldsIn(span, line.msg))
  }
})

t.test('callbacks that run in the context of another request: the line is of the request whose logger it is', async (t) => {
  const { app, telemetry, lines, waitForLines } = await setUp(t)
  const waiting: Array<() => void> = []
  app.get('/:name', (request, reply) => {
    waiting.push(() => {
      request.log.info('from the pool')
      reply.send('ok')
    })
    // As a pool does: the last one's context is active in the callbacks of all.
    if (waiting.length === 3) for (const act of waiting.splice(0)) act()
  })
  const port = await listen(app)
  await Promise.all(['/a', '/b', '/c'].map((path) => send(port, 'GET', path)))
  const spans = await telemetry.waitForSpans(3)
  await waitForLines('request completed', 3)
  const byRequest = linesByRequest(lines)
  t.equal(byRequest.length, 3)
  for (const ofRequest of byRequest) {
    const span = spans.find(({ spanId }) => spanId === ofRequest[0]!.span_id)!
    t.same(fieldsOf(ofRequest), fieldsIn(span, 'from the pool', 'request completed'))
  }
  t.equal(new Set(lines.map(({ span_id: spanId }) => spanId)).size, 4, 'three spans, and none')
})

t.test('within a span of the application, or fastify.handler, a line has that span; Fastify\'s own of the answer have the request\'s', async (t) => {
  const { app, telemetry, lines, waitForLines } = await setUp(t, { plugin: { extraSpans: true } })
  app.get('/', async (request) => {
    request.log.info('in fastify.handler')
    trace.getTracer('app').startActiveSpan('work', (span) => {
      request.log.info('in work')
      request.log.info({ res: { statusCode: 200, getHeaders: () => ({}) } }, 'of another answer in work')
      span.end()
    })
    throw new RangeError('no')
  })
  const port = await listen(app)
  await send(port, 'GET', '/')
  await waitForLines('request completed')
  const spans = await telemetry.waitForSpans(4)
  const [work, handler, server] = ['work', 'fastify.handler', 'GET /'].map((name) => spans.find((span) => span.name === name)!)
  t.same(fieldsOf(withoutListening(lines)), [
    ...bare('incoming request'), ...fieldsIn(handler!, 'in fastify.handler'), ...fieldsIn(work!, 'in work', 'of another answer in work'), ...fieldsIn(server!, 'no', 'request completed'),
  ])
})

t.test('requests that are ignored or not sampled: the ids that services called from them get too, with flags 00', async (t) => {
  const cases: Array<[name: string, plugin: FastifySchemaTelemetryOptions, sampler?: AlwaysOffSampler]> = [
    ['ignored', { ignore: ['/'] }],
    ['not sampled', {}, new AlwaysOffSampler()],
    ['not sampled, nothing measured', { metrics: false }, new AlwaysOffSampler()],
  ]
  for (const [name, plugin, sampler] of cases) {
    const { app, telemetry, lines, waitForLines } = await setUp(t, { plugin, telemetry: createTestTelemetry({ sampler }) })
    app.get('/', async (request) => {
      request.log.info('handler')
      return request.telemetry.inject({})
    })
    const port = await listen(app)
    for (const headers of [{}, { traceparent: CALLER }]) {
      lines.length = 0
      const { body } = await send(port, 'GET', '/', { headers })
      await waitForLines('request completed')
      const [, traceId, spanId, flags] = JSON.parse(body).traceparent.split('-')
      t.same(fieldsOf(withoutListening(lines)), [...bare('incoming request'), ['handler', traceId, spanId, '00'], ['request completed', traceId, spanId, '00']], name)
      t.equal(flags, '00')
      if ('traceparent' in headers) t.equal(traceId, TRACE_ID)
    }
    telemetry.release()
  }
})

t.test('without the plugin, without an SDK, outside of requests: nothing is added', async (t) => {
  for (const plugin of [false, {}] as const) {
    const telemetry = createTestTelemetry({ global: false })
    const { app, lines, waitForLines } = await setUp(t, { plugin: plugin && { ...plugin, tracerProvider: undefined }, telemetry })
    app.get('/', async (request) => {
      request.log.info('handler')
      return 'ok'
    })
    await send(await listen(app), 'GET', '/')
    await waitForLines('request completed')
    t.same(fieldsOf(withoutListening(lines)), bare('incoming request', 'handler', 'request completed'))
  }
})

t.test('what was active when the server began to listen is on no line of a request', async (t) => {
  const { app, telemetry, lines, waitForLines } = await setUp(t)
  app.get('/', async () => 'ok')
  const port = await trace.getTracer('app').startActiveSpan('start-up', async (span) => {
    const port = await listen(app)
    span.end()
    return port
  })
  await send(port, 'GET', '/')
  await waitForLines('request completed')
  const [startUp, span] = await telemetry.waitForSpans(2)
  t.not(startUp!.traceId, span!.traceId)
  t.same(fieldsOf(withoutListening(lines)), [...bare('incoming request'), ...fieldsIn(span!, 'request completed')])
})

t.test('errors, routes that are not there, streams that break, clients that leave, and lines after the end', async (t) => {
  const { app, telemetry, lines, waitForLines } = await setUp(t)
  app.get('/throws', async () => { throw new RangeError('handler failed') })
  app.get('/stream', async () => Readable.from((async function * () {
    yield 'part'
    throw new Error('broken')
  })()))
  let goOn = (): void => {}
  const left = new Promise<void>((resolve) => { goOn = resolve })
  app.get('/hangs', async (request, reply) => {
    await once(reply.raw, 'close')
    await left
    request.log.info('after the end')
  })
  const port = await listen(app)
  const cases: Array<[path: string, last: string]> = [['/throws', 'request completed'], ['/nowhere', 'request completed'], ['/stream', 'response terminated with an error with headers already sent']]
  for (const [path, last] of cases) {
    lines.length = 0
    telemetry.reset()
    await send(port, 'GET', path).catch(() => {})
    await waitForLines(last)
    const [span] = await telemetry.waitForSpans(1)
    t.ok(lines.length >= 2, path)
    t.same(fieldsOf(lines.slice(1)), fieldsIn(span!, ...lines.slice(1).map(({ msg }) => msg)), path)
  }
  lines.length = 0
  telemetry.reset()
  const socket = connect(port, '127.0.0.1', () => socket.write(requestText('GET', '/hangs')))
  await waitForLines('incoming request')
  socket.destroy()
  const [span] = await telemetry.waitForSpans(1)
  goOn()
  await waitForLines('after the end')
  t.same(fieldsOf(lines.filter(({ msg }) => msg === 'after the end')), fieldsIn(span!, 'after the end'))
})

t.test('pino\'s ways to set a logger up: a mixin around ours, nested keys, an instance, levels, children', async (t) => {
  const around = (mergeObject: object, level: number, logger: object) => ({ ...traceMixin(mergeObject, level, logger), app: 'users' })
  const cases: Array<[name: string, setUp: SetUp, more?: object]> = [
    ['around', { logger: { mixin: around } }, { app: 'users' }],
    ['nested', { logger: { nestedKey: 'payload' } }],
    ['no lines of Fastify', { server: { disableRequestLogging: true } }],
    ['a child logger with names of its own', { server: { childLoggerFactory: (logger: any, bindings: object, options: object) => logger.child({ ...bindings, more: 1 }, options) } }, { more: 1 }],
  ]
  for (const [name, options, more = {}] of cases) {
    const { app, telemetry, lines, waitForLines } = await setUp(t, options)
    app.get('/', { logLevel: 'debug' }, async (request) => {
      request.log.debug('debug')
      request.log.info({ trace_id: 'my own' }, 'handler')
      return 'ok'
    })
    await send(await listen(app), 'GET', '/')
    const [{ traceId, spanId }] = await telemetry.waitForSpans(1) as [PlainSpan]
    await waitForLines('handler')
    const found = lines.filter(({ reqId, msg }) => reqId !== undefined && ['debug', 'handler'].includes(msg)).map((line) => ({ ...line, ...line.payload as object }))
    for (const line of found) t.match(line, more, name)
    t.same(fieldsOf(found), [['debug', traceId, spanId, '01'], ['handler', 'my own', spanId, '01']], `${name}: what is logged wins over the mixin`)
    await app.close()
    telemetry.release()
  }
})

t.test('an instance of pino, also as a child of another', async (t) => {
  const { app: maker, lines, waitForLines, telemetry } = await setUp(t, { plugin: false })
  for (const loggerInstance of [maker.log, maker.log.child({ part: 'web' })]) {
    lines.length = 0
    telemetry.reset()
    const app = Fastify({ loggerInstance })
    t.teardown(() => app.close())
    await app.register(otelPlugin)
    const waiting: Array<() => void> = []
    app.get('/', (request, reply) => {
      waiting.push(() => {
        request.log.info('handler')
        reply.send('ok')
      })
      if (waiting.length === 2) for (const act of waiting.splice(0)) act()
    })
    const port = await listen(app)
    await Promise.all([send(port, 'GET', '/'), send(port, 'GET', '/')])
    await waitForLines('request completed', 2)
    await telemetry.waitForSpans(2)
    const spanIds = linesByRequest(lines).map((ofRequest) => [...new Set(ofRequest.map(({ span_id: spanId }) => spanId))])
    t.same(spanIds.toSorted(), telemetry.spans.map(({ spanId }) => [spanId]).toSorted())
  }
})

t.test('a logger that all requests share tells nothing of them: Fastify\'s own lines and the active context do', async (t) => {
  let shared: unknown
  const { app, telemetry, lines, waitForLines } = await setUp(t, {
    server: { childLoggerFactory: (logger: any) => (shared ??= logger.child({ part: 'requests' })) },
  })
  app.get('/', async (request) => {
    request.log.info('handler')
    return 'ok'
  })
  const port = await listen(app)
  await send(port, 'GET', '/')
  await telemetry.waitForSpans(1)
  await waitForLines('request completed')
  lines.length = 0
  telemetry.reset()
  for (let round = 0; round < 3; round++) {
    await send(port, 'GET', '/')
    await waitForLines('request completed', round + 1)
  }
  const spans = await telemetry.waitForSpans(3)
  t.same(fieldsOf(lines), spans.flatMap((span) => [...bare('incoming request'), ...fieldsIn(span, 'handler', 'request completed')]))
  lines.length = 0
  ;(shared as FastifyInstance['log']).info('in the background')
  t.same(fieldsOf(lines), bare('in the background'))
})

t.test('another trace in a handler: the line stays with its request; without a request\'s logger it is of the active span', async (t) => {
  const { app, telemetry, lines, waitForLines } = await setUp(t)
  app.get('/', async (request) => {
    const span = trace.getTracer('app').startSpan('of another trace', { root: true })
    context.with(trace.setSpan(context.active(), span), () => {
      request.log.info('request.log')
      app.log.info('app.log')
      app.log.info({ req: request }, 'app.log of the request')
    })
    span.end()
    return 'ok'
  })
  await send(await listen(app), 'GET', '/')
  await waitForLines('request completed')
  const [other, span] = await telemetry.waitForSpans(2)
  t.not(other!.traceId, span!.traceId)
  t.same(fieldsOf(withoutListening(lines)), [
    ...bare('incoming request'), ...fieldsIn(span!, 'request.log'), ...fieldsIn(other!, 'app.log'), ...fieldsIn(span!, 'app.log of the request', 'request completed'),
  ])
})
