import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { Readable } from 'node:stream'
import { context, propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api'
import { ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import otelPlugin, { type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { openConnection, requestText } from '../helpers/connection.ts'
import { send } from '../helpers/http.ts'
import { setUp } from '../helpers/lifecycle.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const CALLER = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01`, tracestate: 'acme=1', baggage: 'tenant=a' }

/** What services further in are told of. */
const outgoing = (request: FastifyRequest): Record<string, string> => request.telemetry.inject({})

// ---- inbound ----------------------------------------------------------------------------------------------

t.test('inbound: whose trace a request belongs to', async (t) => {
  const continued = { isNew: false, links: [], goesOn: ['tracestate', 'baggage'] }
  const linked = { isNew: true, links: [{ traceId: TRACE_ID, spanId: SPAN_ID }], goesOn: [] }
  const restarted = { isNew: true, links: [], goesOn: [] }
  const rows: Array<[name: string, plugin: FastifySchemaTelemetryOptions, route: FastifySchemaTelemetryOptions['inbound'], expected: typeof linked | typeof continued, failures: number]> = [
    ['by default it is continued', {}, undefined, continued, 0],
    ['continue', { inbound: 'continue' }, undefined, continued, 0],
    ['link', { inbound: 'link' }, undefined, linked, 0],
    ['restart', { inbound: 'restart' }, undefined, restarted, 0],
    ['a route has its own', { inbound: 'restart' }, 'link', linked, 0],
    ['a route that continues', { inbound: 'link' }, 'continue', continued, 0],
    ['a function that trusts', { inbound: ({ ip }) => ip === '127.0.0.1' ? 'continue' : 'link' }, undefined, continued, 0],
    ['a function that restarts', { inbound: () => 'restart' }, undefined, restarted, 0],
    ['a function that throws', { inbound: () => { throw new Error('no policy') } }, undefined, linked, 1],
    ['a function that returns a promise', { inbound: (async () => { throw new Error('no policy') }) as never }, undefined, linked, 1],
    ['a function that returns nothing', { inbound: (() => {}) as never }, undefined, linked, 0],
  ]
  for (const [name, plugin, route, { isNew, links, goesOn }, failures] of rows) {
    await t.test(name, async (t) => {
      const { app, telemetry, port, complaints } = await setUp(t, { plugin })
      app.get('/', { config: route === undefined ? {} : { telemetry: { inbound: route } } }, async (request) => outgoing(request))
      const { body } = await send(await port(), 'GET', '/', { headers: CALLER })
      const [span] = await telemetry.waitForSpans(1)
      t.equal(span!.traceId !== TRACE_ID, isNew)
      t.equal(span!.parentSpanId, isNew ? undefined : SPAN_ID)
      t.equal(span!.kind, 'SERVER')
      t.same(span!.links, links)
      const { traceparent, ...rest } = JSON.parse(body)
      t.equal(traceparent, `00-${span!.traceId}-${span!.spanId}-01`)
      t.same(Object.keys(rest), goesOn)
      t.same(complaints.length, failures, complaints.join('\n'))
    })
  }

  await t.test('without a caller, or with one that cannot be read, there is nothing to link', async (t) => {
    const { app, telemetry, port } = await setUp(t, { plugin: { inbound: 'link' } })
    app.get('/', async () => 'ok')
    await send(await port(), 'GET', '/')
    await send(await port(), 'GET', '/', { headers: { traceparent: `00-${'0'.repeat(32)}-${SPAN_ID}-01` } })
    t.same((await telemetry.waitForSpans(2)).map(({ links, parentSpanId }) => [links, parentSpanId]), [[[], undefined], [[], undefined]])
  })

  await t.test('a caller that a hook has read is a caller', async (t) => {
    const remote = await setUp(t, {
      plugin: { inbound: 'link' },
      before: (app) => app.addHook('onRequest', (request, _reply, done) => context.with(propagation.extract(ROOT_CONTEXT, request.headers), done)),
    })
    remote.app.get('/', async () => 'ok')
    await send(await remote.port(), 'GET', '/', { headers: CALLER })
    t.match(await remote.telemetry.waitForSpans(1), [{ kind: 'SERVER', parentSpanId: undefined, links: [{ traceId: TRACE_ID }] }])
  })

  await t.test('a span of this process is none', async (t) => {
    const local = await setUp(t, {
      plugin: { inbound: 'restart' },
      before: (app) => app.addHook('onRequest', (_request, reply, done) => trace.getTracer('app').startActiveSpan('outer', (span) => {
        reply.raw.on('close', () => span.end())
        done()
      })),
    })
    local.app.get('/', async () => 'ok')
    await send(await local.port(), 'GET', '/', { headers: CALLER })
    const spans = await local.telemetry.waitForSpans(2)
    const [outer, inner] = ['outer', 'GET /'].map((name) => spans.find((span) => span.name === name)!)
    t.match(inner, { kind: 'INTERNAL', parentSpanId: outer!.spanId, traceId: outer!.traceId, links: [] })
  })

  await t.test('an ignored request of a caller that is left is in a trace of its own, and silent', async (t) => {
    const { app, telemetry, port } = await setUp(t, { plugin: { inbound: 'restart', ignore: ['/'] } })
    app.get('/', async (request) => outgoing(request))
    const { body } = await send(await port(), 'GET', '/', { headers: CALLER })
    t.match(JSON.parse(body).traceparent, new RegExp(`^00-(?!${TRACE_ID})[0-9a-f]{32}-[0-9a-f]{16}-00$`))
    t.same(telemetry.spans, [])
  })
})

t.test('ten thousand callers that demand to be recorded: with "link" they are sampled as any others', async (t) => {
  let ids = 0
  // The same at each run, and spread as random ids are.
  const nextId = (length: number) => createHash('sha256').update(`id ${ids++}`).digest('hex').slice(0, length)
  const recorded: Record<string, number> = {}
  for (const [inbound, requests] of [['continue', 100], ['link', 10_000], ['restart', 1000]] as const) {
    let count = 0
    const tracerProvider = new TracerProvider({
      idGenerator: { generateTraceId: () => nextId(32), generateSpanId: () => nextId(16) },
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }),
      spanProcessors: [{ onStart () {}, onEnd () { count++ }, forceFlush: async () => {}, shutdown: async () => {} }],
    })
    const telemetry = createTestTelemetry()
    const app = Fastify()
    await app.register(otelPlugin, { inbound, tracerProvider, metrics: false })
    app.get('/', async () => 'ok')
    for (let request = 0; request < requests; request++) {
      await app.inject({ url: '/', headers: { traceparent: `00-${nextId(32)}-${nextId(16)}-01` } })
    }
    await app.close()
    telemetry.release()
    recorded[inbound] = count
  }
  t.equal(recorded.continue, 100)
  t.ok(recorded.link! > 0 && recorded.link! <= 120, `${recorded.link}`)
  t.ok(recorded.restart! > 0 && recorded.restart! <= 30, `${recorded.restart}`)
})

// ---- Baggage and headers ----------------------------------------------------------------------------------

t.test('baggageAttributes: entries that are named, bounded and scrubbed; when the sampler decides', async (t) => {
  const seen: unknown[] = []
  const sampler = { shouldSample: (...[, , , , attributes]: unknown[]) => { seen.push(attributes); return { decision: 2 } }, toString: () => 'test' }
  const telemetry = createTestTelemetry({ sampler: sampler as never })
  t.teardown(() => telemetry.release())
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(otelPlugin, { baggageAttributes: ['tenant', 'app.note', 'absent', 'long'], captureHeaders: { request: ['X-Request-Id'] }, metrics: false })
  app.get('/', async () => 'ok')
  const baggage = `tenant=acme,other=1,app.note=${encodeURIComponent('Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJlc2lnbmF0dXJl')},long=${'x'.repeat(3000)}`
  await app.inject({ url: '/', headers: { baggage, 'x-request-id': 'r1' } })
  const [{ attributes }] = telemetry.spans as [typeof telemetry.spans[0] & object]
  t.equal(attributes.tenant, 'acme')
  t.match(attributes['app.note'], /scrubbed/)
  t.match(attributes.long, /^x{1024}…$/)
  t.same(['other', 'absent', 'baggage.tenant'].filter((name) => name in attributes), [])
  t.match(seen, [{ tenant: 'acme', 'http.request.header.x-request-id': ['r1'], 'http.route': '/' }])
})

t.test('captureHeaders: lists of strings, bounded and scrubbed', async (t) => {
  const subject = await setUp(t, {
    plugin: { captureHeaders: { request: ['X-Request-Id', 'x-request-id', 'accept', 'x-long', 'x-note'], response: ['Content-Type', 'content-length', 'x-list', 'x-raw', 'vary'] } },
  })
  const { app, telemetry } = subject
  app.get('/', async (_request, reply) => reply.headers({ 'x-list': ['a', 'b'], 'x-other': 'c' }).send({ ok: true }))
  app.get('/hijacked', (_request, reply) => {
    reply.hijack()
    reply.raw.setHeader('x-raw', 7)
    reply.raw.writeHead(200, { Vary: 'accept' })
    reply.raw.end()
  })
  app.get('/hangs', (_request, reply) => { reply.raw.setHeader('x-raw', 'never sent') })
  const port = await subject.port()
  const ofHeaders = ({ attributes }: typeof telemetry.spans[number]) => Object.fromEntries(Object.entries(attributes).filter(([name]) => name.includes('.header.')))
  await send(port, 'GET', '/', { headers: { 'x-request-id': ['r1', 'r2'], 'x-long': 'x'.repeat(2000), 'x-note': 'token=ghp_0123456789012345678901234567890123456789', 'x-other': 'no' } })
  await send(port, 'GET', '/hijacked')
  const client = openConnection(t, port, requestText('GET', '/hangs'))
  await once(app.server, 'request')
  client.socket.destroy()
  const [first, hijacked, hangs] = (await telemetry.waitForSpans(3)).map(ofHeaders)
  t.match(first, {
    'http.request.header.x-request-id': ['r1, r2'],
    'http.request.header.x-long': [`${'x'.repeat(1024)}…`],
    'http.request.header.x-note': [/scrubbed/],
    'http.response.header.content-type': ['application/json; charset=utf-8'],
    'http.response.header.content-length': ['11'],
    'http.response.header.x-list': ['a', 'b'],
  })
  t.equal(Object.keys(first!).length, 6)
  t.same(hijacked, { 'http.response.header.x-raw': ['7'], 'http.response.header.vary': ['accept'] })
  t.same(hangs, {}, 'no head was sent')
})

t.test('headers and baggage whose reading throws cost a line, never an answer', async (t) => {
  const subject = await setUp(t, {
    plugin: { captureHeaders: { request: ['x-a'], response: ['x-a'] }, responseHeader: true, scrubbing: { extraPatterns: ['^evil$'], callback: () => { throw new Error('callback') } } },
    before: (app) => app.addHook('onRequest', async (request, reply) => {
      if (request.url !== '/hostile') return
      Object.defineProperty(request.raw.headers, 'x-a', { get () { throw new Error('no header') } })
      Object.defineProperty(reply.raw, 'writeHead', { value: reply.raw.writeHead, writable: false })
    }),
  })
  subject.app.get('/hostile', async () => 'ok')
  subject.app.get('/', async (_request, reply) => reply.header('x-a', 'evil').send('ok'))
  const port = await subject.port()
  t.equal((await send(port, 'GET', '/hostile')).body, 'ok')
  t.equal((await send(port, 'GET', '/', { headers: { 'x-a': 'evil' } })).body, 'ok')
  const spans = await subject.telemetry.waitForSpans(2)
  t.match(spans[1]!.attributes, { 'http.request.header.x-a': ['[scrubbing failed]'], 'http.response.header.x-a': ['[scrubbing failed]'] })
  t.match(subject.complaints.join('\n'), /headers failed; the request is not affected: Error: no header\n.*response header failed/)
})

// ---- The answer's own header ------------------------------------------------------------------------------

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** How an answer is made, and what stands in `Server-Timing` beside the trace. */
const answers: Array<[name: string, handler: Handler, others: string]> = [
  ['a value', async () => ({ ok: true }), ''],
  ['an error', async () => { throw new Error('failed') }, ''],
  ['no content', async (_request, reply) => reply.code(204).send(), ''],
  ['a stream', async (_request, reply) => reply.send(Readable.from(['a', 'b'])), ''],
  ['a stream that fails before its first byte', async (_request, reply) => reply.send(new Readable({ read () { this.destroy(new Error('disk')) } })), ''],
  ['an entry of the handler', async (_request, reply) => reply.header('Server-Timing', 'db;dur=1').send('ok'), 'db;dur=1, '],
  ['two entries of the handler', async (_request, reply) => reply.header('server-timing', ['db;dur=1', 'cache']).send('ok'), 'db;dur=1, cache, '],
  ['a raw entry of the handler', async (_request, reply) => { reply.raw.setHeader('Server-Timing', 'db'); return 'ok' }, 'db, '],
  ['raw entries of the handler', async (_request, reply) => { reply.raw.setHeader('Server-Timing', ['db', 'cache']); return 'ok' }, 'db, cache, '],
  ['an entry that the handler takes away', async (_request, reply) => { reply.raw.removeHeader('server-timing'); return 'ok' }, ''],
  ['a reply that is hijacked', (_request, reply) => { reply.hijack(); reply.raw.end('ok') }, ''],
  ['a hijacked head', (_request, reply) => { reply.hijack(); reply.raw.writeHead(200, { 'SERVER-Timing': 'db' }).end('ok') }, 'db, '],
  ['a hijacked head with a message', (_request, reply) => { reply.hijack(); reply.raw.writeHead(200, 'Fine', { a: 'b' }).end('ok') }, ''],
  ['a hijacked head that a library hands on', (_request, reply) => { reply.hijack(); reply.raw.writeHead(200, { 'Server-Timing': 'db' } as never, undefined).end('ok') }, 'db, '],
  ['a hijacked head without headers', (_request, reply) => { reply.hijack(); reply.raw.writeHead(200).end('ok') }, ''],
]

t.test('responseHeader: the trace stands in Server-Timing of every answer, beside the entries of others', async (t) => {
  const raw: typeof answers = [
    ['a list of headers', (_request, reply) => { reply.hijack(); reply.raw.writeHead(200, ['a', 'b', 'Server-Timing', 'db']).end('ok') }, 'db, '],
    ['a list without the header', (_request, reply) => { reply.hijack(); reply.raw.writeHead(200, ['a', 'b']).end('ok') }, ''],
    ['a list beside a raw entry', (_request, reply) => { reply.hijack(); reply.raw.setHeader('server-timing', 'db').writeHead(200, ['a', 'b']).end('ok') }, 'db, '],
    ['an empty raw entry', async (_request, reply) => { reply.raw.setHeader('Server-Timing', ''); return 'ok' }, ''],
  ]
  const { app, telemetry, port } = await setUp(t, { plugin: { responseHeader: true, ignore: ['/ignored*'] } })
  app.addHook('onSend', async (request, reply) => { if (request.url === '/hook') reply.header('server-timing', 'hook') })
  ;[...answers, ...raw].forEach(([, handler], index) => app.get(`/${index}`, handler as never))
  app.get('/hook', async () => 'ok')
  app.get('/ignored/this', async () => 'ok')
  const expectations = [...[...answers, ...raw].map(([name, , others], index) => [name, `/${index}`, others] as const), ['a hook', '/hook', 'hook, '] as const, ['nothing found', '/nowhere', ''] as const]
  for (const [name, path, others] of expectations) {
    const { headers } = await send(await port(), 'GET', path)
    const span = (await telemetry.waitForSpans(1))[0]!
    t.equal(headers['server-timing'], `${others}trace;desc=00-${span.traceId}-${span.spanId}-01`, name)
    telemetry.reset()
  }
  t.notHas((await send(await port(), 'GET', '/ignored/this')).headers, { 'server-timing': /./ })
  t.notHas((await app.inject('/ignored/this')).headers, { 'server-timing': /./ })
  t.match((await app.inject('/0')).headers['server-timing'], /^trace;desc=00-/)

  const plain = await setUp(t, { plugin: { responseHeader: true } })
  plain.app.get('/twice', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200)
    t.throws(() => reply.raw.writeHead(201), { code: 'ERR_HTTP_HEADERS_SENT' }, 'as without the plugin')
    reply.raw.end('ok')
  })
  plain.app.get('/pairs', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, [['a', 'b']] as never).end('ok')
  })
  plain.app.get('/handed-on', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, ['set-cookie', 'a=1', 'set-cookie', 'b=2'] as never, undefined).end('ok')
  })
  plain.app.get('/odd', (_request, reply) => {
    reply.hijack()
    t.throws(() => reply.raw.writeHead(200, ['a', 'b', 'server-timing']), { code: 'ERR_INVALID_ARG_VALUE' }, 'as without the plugin')
    reply.raw.end('ok')
  })
  t.match((await send(await plain.port(), 'GET', '/twice')).headers['server-timing'], /^trace;desc=00-/)
  t.match((await send(await plain.port(), 'GET', '/pairs')).headers, { a: 'b' })
  t.match((await send(await plain.port(), 'GET', '/handed-on')).headers, { 'set-cookie': ['a=1', 'b=2'], 'server-timing': /^trace;desc=00-/ })
  t.match((await send(await plain.port(), 'GET', '/odd')).headers['server-timing'], /^trace;desc=00-/)
})

t.test('responseHeader over HTTP/2, and of a request that is not sampled', async (t) => {
  const http2 = await setUp(t, { server: { http2: true }, plugin: { responseHeader: true } })
  const cases = answers.filter(([name]) => name !== 'a hijacked head with a message')
  cases.forEach(([, handler], index) => http2.app.get(`/${index}`, handler as never))
  const session = connectHttp2(`http://127.0.0.1:${await http2.port()}`)
  t.teardown(() => session.destroy())
  for (const [index, [name, , others]] of cases.entries()) {
    const stream = session.request({ ':path': `/${index}` })
    const [headers] = await once(stream, 'response')
    stream.resume()
    await once(stream, 'close')
    t.match(headers['server-timing'], new RegExp(`^${others}trace;desc=00-[0-9a-f]{32}-[0-9a-f]{16}-01$`), name)
  }

  const unsampled = await setUp(t, { plugin: { responseHeader: true } })
  unsampled.app.get('/', async () => 'ok')
  const { headers } = await send(await unsampled.port(), 'GET', '/', { headers: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-00` } })
  t.match(headers['server-timing'], new RegExp(`^trace;desc=00-${TRACE_ID}-[0-9a-f]{16}-0${TraceFlags.NONE}$`))
})

t.test('responseHeader with a tracer whose span contexts are odd: an answer, whatever they are', async (t) => {
  const ids = { traceId: TRACE_ID, spanId: SPAN_ID }
  const contexts: Array<[spanContext: unknown, flags: string | undefined]> = [
    [{ ...ids, traceFlags: 0x1001 }, '01'], [{ ...ids, traceFlags: '1\r\nb: c' }, '00'], [ids, '00'], [{ ...ids, traceFlags: 1n }, undefined],
    [{ ...ids, traceId: TRACE_ID.toUpperCase(), traceFlags: 1 }, undefined], [{ ...ids, traceId: 'a\r\nb: c', traceFlags: 1 }, undefined], [{}, undefined], [undefined, undefined],
  ]
  for (const [spanContext, flags] of contexts) {
    const methods = Object.fromEntries(['setAttribute', 'setAttributes', 'addEvent', 'addLink', 'addLinks', 'setStatus', 'updateName', 'end', 'recordException'].map((name) => [name, () => {}]))
    const span = { ...methods, spanContext: () => spanContext, isRecording: () => true }
    const { app, port } = await setUp(t, { plugin: { responseHeader: true, tracerProvider: { getTracer: () => ({ startSpan: () => span }) } as never } })
    app.get('/', async () => 'ok')
    const { statusCode, headers } = await send(await port(), 'GET', '/')
    t.equal(statusCode, 200)
    t.equal(headers['server-timing'], flags === undefined ? undefined : `trace;desc=00-${TRACE_ID}-${SPAN_ID}-${flags}`)
    t.notOk('b' in headers)
  }
})

t.test('responseHeader without an SDK: no header', async (t) => {
  const app = Fastify()
  await app.register(otelPlugin, { responseHeader: true })
  app.get('/', async () => 'ok')
  t.notHas((await app.inject('/')).headers, { 'server-timing': /./ })
})

t.test('ignore: routes by name, and by the beginning of their names', async (t: Test) => {
  const { app, telemetry, port } = await setUp(t, { plugin: { ignore: ['/health*', '/metrics', '/files/*'] } })
  const ignored = ['/health', '/health/live', '/healthz', '/metrics', '/files/*']
  const recorded = ['/', '/metrics/more', '/healt', '/x/health']
  for (const path of [...ignored, ...recorded]) app.get(path, async () => 'ok')
  for (const path of [...ignored, ...recorded]) await send(await port(), 'GET', path.replace('*', 'a'))
  await telemetry.waitForSpans(recorded.length)
  t.same(telemetry.spans.map(({ name }) => name), recorded.map((path) => `GET ${path}`))
})
