import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { context, diag, DiagLogLevel, propagation, ROOT_CONTEXT, SpanKind, trace, type Span } from '@opentelemetry/api'
import { setRPCMetadata, RPCType } from '@opentelemetry/core'
import Fastify, { type FastifyRequest } from 'fastify'
import t from 'tap'
import { createTestTelemetry } from '../../lib/testing/index.ts'
import { breakOffOf } from '../../lib/fastify/break-off.ts'
import { createFlush } from '../../lib/fastify/close.ts'
import { captureArguments } from '../../lib/fastify/capture-arguments.ts'
import { copyArguments, noteRefused, noteValidated } from '../../lib/fastify/note-request-arguments.ts'
import { createRequestFactsReader, pathOf, toHost } from '../../lib/fastify/request-facts.ts'
import { createRoutePlan, planOf } from '../../lib/fastify/route-plan.ts'
import { currentContext } from '../../lib/server-span/current-context.ts'
import { NO_FACTS, RequestRecord } from '../../lib/server-span/request-record.ts'
import { toSettings } from '../../lib/settings.ts'
import otelPlugin from '../../plugin.ts'

t.jobs = 1

t.test('the path of a request target, in every form that HTTP allows', async (t) => {
  const cases: Array<[target: string, path: string]> = [
    ['/', '/'], ['/a/b?c=d', '/a/b'], ['/a#b', '/a'], ['/a;b?c', '/a;b'], ['//evil.example/a?b', '//evil.example/a'],
    ['http://user:secret@host:80/a/b?c', '/a/b'], ['HTTPS://host', '/'], ['http://host?a=b', '/'], ['*', '*'], ['host:443', 'host:443'], ['', ''],
  ]
  for (const [target, path] of cases) t.equal(pathOf(target), path, target)
})

t.test('host and port of a Host header, whatever it holds', async (t) => {
  const cases: Array<[text: string | undefined, address: string | undefined, port: number | undefined]> = [
    ['example.com', 'example.com', undefined], ['example.com:8080', 'example.com', 8080], ['[::1]:3000', '::1', 3000], ['[::1]', '::1', undefined],
    ['', undefined, undefined], [undefined, undefined, undefined], ['example.com:99999', 'example.com', undefined], ['a:b:c', 'a:b:c', undefined],
    ['x'.repeat(300), `${'x'.repeat(255)}…`, undefined],
  ]
  for (const [text, address, port] of cases) t.same(toHost(text), { address, port })
})

t.test('facts of requests that have no socket, no host, an odd method, HTTP/2', async (t) => {
  const app = Fastify()
  const plan = createRoutePlan(toSettings({}), app, { url: '/reset/:token(^\\d+$)/*', method: 'GET', schema: undefined, config: undefined, handler: undefined, bodyLimit: undefined })
  plan.compile()
  const read = createRequestFactsReader()
  const request = (more: object, raw: object) => ({ method: 'PURGE', url: '/reset/1/a/b', host: '', ip: '1.1.1.1', protocol: 'https', ...more, raw: { headers: {}, ...raw } }) as unknown as FastifyRequest
  t.same(read(request({}, { httpVersionMajor: 2 }), plan), {
    ...NO_FACTS,
    method: '_OTHER',
    methodOriginal: 'PURGE',
    scheme: 'http',
    path: '/reset/:token(^\\d+$)/*',
    protocolVersion: '2',
  })
  t.match(read(request({ url: '/reset/1/a' }, { socket: {}, headers: { 'user-agent': 'u'.repeat(2000) } }), plan), {
    scheme: 'https',
    path: '/reset/REDACTED/a',
    protocolVersion: '1.1',
    clientAddress: '1.1.1.1',
    userAgent: `${'u'.repeat(1024)}…`,
  })
  t.equal(plan.bodyLimit, 1_048_576)
  const unmatched = createRoutePlan(toSettings({}), app, { url: undefined, method: undefined, schema: undefined, config: undefined, handler: () => {}, bodyLimit: 5 })
  t.match(read(request({ url: '/reset/1' }, { socket: {} }), unmatched), { path: '/reset/1' })
})

t.test('the flushes of a close share a budget, which the wait for requests between them does not use up', async (t) => {
  let nowMillis = 1000
  performance.now = () => nowMillis
  t.teardown(() => { delete (performance as { now?: unknown }).now })
  const { guard } = toSettings({})
  const flushed: number[] = []
  let tookMillis = 0
  const tracerProvider = {
    getTracer: () => { throw new Error('not asked') },
    async forceFlush () {
      await new Promise((resolve) => { setImmediate(resolve) })
      nowMillis += tookMillis
      flushed.push(nowMillis)
    },
  }
  const flush = createFlush({ tracerProvider }, guard)
  await flush()
  t.same(flushed, [1000])
  nowMillis += 60_000
  tookMillis = 4000
  await flush()
  t.same(flushed, [1000, 65_000], 'waited for, though a request under way took a minute')
  tookMillis = 2000
  await flush()
  await flush()
  t.same(flushed, [1000, 65_000, 67_000], 'the budget is used up')
})

t.test('an odd method has the name HTTP', async (t) => {
  const telemetry = createTestTelemetry()
  t.teardown(() => telemetry.release())
  const app = Fastify()
  app.addHttpMethod('PURGE')
  await app.register(otelPlugin)
  app.route({ method: ['PURGE' as 'GET', 'GET'], url: '/cache', handler: async () => 'ok' })
  await app.inject({ method: 'PURGE' as 'GET', url: '/cache' })
  await app.close()
  t.match(telemetry.spans, [{ name: 'HTTP /cache', attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' } }])
})

t.test('errors of other origin are not taken for the arguments\'', async (t) => {
  const app = Fastify()
  const settings = toSettings({ metrics: false })
  const plan = createRoutePlan(settings, app, { url: '/', method: 'POST', schema: undefined, config: undefined, handler: undefined, bodyLimit: 10 })
  const request = { headers: {}, params: {}, body: undefined, query: {}, getValidationFunction: () => undefined } as unknown as FastifyRequest
  const record = () => new RequestRecord(settings, plan, NO_FACTS, null, ROOT_CONTEXT)
  t.equal(noteRefused(record(), plan, request, new Error('in onRequest')), false)
  const parsing = record()
  parsing.argumentsStartMillis = 1
  t.equal(noteRefused(parsing, plan, request, Object.assign(new Error('aborted'), { code: 'ECONNRESET' })), false)
  t.equal(noteRefused(parsing, plan, request, { validationContext: 'cookies' }), false)
  t.equal(noteRefused(parsing, plan, request, { validationContext: 'body' }), true)
  t.match(captureArguments(parsing, plan, request).errors, [{ part: 'body', path: '', keyword: 'unknown', message: 'is not valid' }])
  const lenient = { ...request, headers: { 'content-encoding': 'gzip', 'content-length': '5' }, validationError: { validationContext: 'body' } } as unknown as FastifyRequest
  const attached = record()
  noteValidated(attached, plan, lenient)
  t.match(captureArguments(attached, plan, lenient).errors, [{ part: 'body', path: '', keyword: 'unknown', message: 'is not valid' }])
  t.same(copyArguments({ valuesJson: undefined, errors: [] }), { values: {}, errors: [] })
})

t.test('request.telemetry survives propagators and spans that throw', async (t) => {
  const telemetry = createTestTelemetry()
  const lines: string[] = []
  const log = (...words: unknown[]) => { lines.push(words.join(' ')) }
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel.WARN)
  t.teardown(() => {
    diag.disable()
    telemetry.release()
  })
  propagation.disable()
  const fail = () => { throw new Error('propagator') }
  propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: () => [] })
  const app = Fastify()
  await app.register(otelPlugin, { tracerProvider: telemetry.tracerProvider })
  app.get('/', async ({ telemetry }) => {
    telemetry.span.setAttributes = fail
    telemetry.setAttributes({ a: 1 })
    return { carrier: telemetry.inject({ kept: 'yes' }), extracted: telemetry.extract({}) === ROOT_CONTEXT }
  })
  t.same(JSON.parse((await app.inject('/')).body), { carrier: { kept: 'yes' }, extracted: true })
  await app.close()
  t.same(lines.map((line) => line.split(' ').slice(1, 3).join(' ')), ['context extraction', 'setAttributes failed;', 'inject failed;', 'extract failed;'])

  const silent = Fastify()
  await silent.register(otelPlugin, { ignore: ['/'] })
  silent.get('/', async ({ telemetry }) => ({ carrier: telemetry.inject({}), extracted: telemetry.extract({}) === ROOT_CONTEXT }))
  t.same(JSON.parse((await silent.inject('/')).body), { carrier: {}, extracted: true })
  await silent.close()
})

t.test('a request that nothing records: request.telemetry is harmless there too', async (t) => {
  const fail = () => { throw new Error('propagator') }
  propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: () => [] })
  t.teardown(() => propagation.disable())
  const app = Fastify()
  await app.register(otelPlugin)
  app.get('/', async ({ telemetry }) => {
    telemetry.setAttributes({ a: 1 })
    return [telemetry.values, telemetry.errors, telemetry.inject({}), telemetry.extract({}) === ROOT_CONTEXT, telemetry.traceId, telemetry.context === ROOT_CONTEXT]
  })
  t.same(JSON.parse((await app.inject('/')).body), [{}, [], {}, true, '0'.repeat(32), true])
  await app.close()
})

t.test('a schema that cannot be read records nothing', async (t) => {
  const app = Fastify()
  const settings = toSettings({ metrics: false })
  const schema = { get params () { throw new Error('hostile schema') } }
  const plan = createRoutePlan(settings, app, { url: '/', method: 'GET', schema, config: undefined, handler: undefined, bodyLimit: 10 })
  t.throws(() => plan.compile(), { code: 'FST_SCHEMA_TELEMETRY_INVALID_SCHEMA', message: 'route GET /: hostile schema' })
  // eslint-disable-next-line no-throw-literal
  const odd = createRoutePlan(settings, app, { url: '/', method: 'GET', schema: { get params () { throw 'a text' } }, config: undefined, handler: undefined, bodyLimit: 10 })
  t.throws(() => odd.compile(), { message: 'route GET /: a text' })
  // Of a route that no hook saw coming it is too late to say so.
  const late = planOf(settings, app, { url: '/', method: 'GET', schema, config: {}, handler: undefined, bodyLimit: 10 })
  t.same(late.requestCapture, {})
  t.same([...settings.guard.counts], [['schema', 1]])
})

t.test('parts, child spans and instruments that throw cost telemetry, never an answer', async (t) => {
  const telemetry = createTestTelemetry()
  t.teardown(() => telemetry.release())
  const meterProvider = { getMeter: () => ({ createHistogram: () => ({ record () { throw new Error('no instrument') } }), createCounter: () => ({ add () { throw new Error('no counter') } }) }) }
  const tracerProvider = {
    getTracer: () => ({
      startSpan (name: string, ...rest: [object, never]) {
        if (name.startsWith('fastify.')) throw new Error('no child spans')
        return telemetry.tracerProvider.getTracer('test').startSpan(name, ...rest)
      },
    }),
  }
  const app = Fastify()
  await app.register(otelPlugin, { tracerProvider: tracerProvider as never, meterProvider: meterProvider as never, extraSpans: true })
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/') return
    Object.defineProperty(request, 'params', { get () { throw new Error('no params') } })
    if (request.url === '/early') return reply.code(401).send('early')
  })
  app.post('/body', async () => 'never')
  app.get('/early', async () => 'never')
  app.get('/', { schema: { querystring: { type: 'object', properties: { n: { type: 'integer' } } } } }, async () => 'ok')
  const badBody = { method: 'POST', url: '/body', payload: '{', headers: { 'content-type': 'application/json' } } as const
  t.same([(await app.inject('/early')).statusCode, (await app.inject(badBody)).statusCode, (await app.inject('/')).body], [401, 400, 'ok'])
  await app.close()
  t.match(telemetry.spans, [{ name: 'GET /early' }, { name: 'POST /body' }, { name: 'GET /', attributes: { 'fastify.arguments.values': '{"querystring":{}}' } }])
  t.equal(telemetry.openCount, 0)
})

t.test('bodies and WebSockets that throw cost telemetry, never an answer', async (t) => {
  const telemetry = createTestTelemetry()
  const lines: string[] = []
  diag.setLogger({ error () {}, warn: (line) => { lines.push(line) }, info () {}, debug () {}, verbose () {} }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  t.teardown(() => {
    diag.disable()
    telemetry.release()
  })
  const build = async (webSocketServer?: { getter: () => never }) => {
    const app = Fastify()
    if (webSocketServer !== undefined) app.decorate('websocketServer', webSocketServer)
    app.decorateRequest('ws', false)
    app.addHook('preParsing', async (request, _reply, payload) => {
      if (request.method === 'POST') return Object.assign(Readable.from([Buffer.from('{}')]), { prependListener () { throw new Error('no listeners') } })
      return payload
    })
    app.addHook('onRequest', async (request) => { (request as { ws?: unknown }).ws = true })
    await app.register(otelPlugin)
    return app
  }
  const failing = await build({ getter () { throw new Error('no server') } })
  failing.post('/', async ({ body }) => body)
  t.same((await failing.inject({ method: 'POST', url: '/', payload: {} })).json(), {})

  const server = new EventEmitter()
  const app = await build({ getter: () => server as never })
  app.get('/', async ({ raw }) => {
    server.emit('connection', { on () { throw new Error('no socket') } }, raw)
    server.emit('connection', { on () { t.fail('of no request that is known') } }, {})
    return 'ok'
  })
  t.equal((await app.inject('/')).body, 'ok')

  const other = await build()
  other.get('/', async () => 'of a library that also says request.ws')
  t.match((await other.inject('/')).body, 'of a library')
  t.match(lines, [/body failed; the request is not affected: Error: no listeners/, /websocket failed.*no server/, /websocket failed.*no socket/])
  t.equal(telemetry.openCount, 0)
})

t.test('the SERVER span that instrumentation-http has opened is added to, and left to it to end', async (t) => {
  const telemetry = createTestTelemetry()
  t.teardown(() => telemetry.release())
  // As that instrumentation does it: around the server's listener, with the RPC metadata of the core package.
  const outer = (span: Span, handle: () => void) => context.with(setRPCMetadata(trace.setSpan(ROOT_CONTEXT, span), { type: RPCType.HTTP, span }), handle)
  const tracer = telemetry.tracerProvider.getTracer('http')
  let isSampled = true
  const app = Fastify({
    serverFactory: (handler) => createServer((request, response) => {
      const span = isSampled
        ? tracer.startSpan('GET', { kind: SpanKind.SERVER })
        : trace.wrapSpanContext({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 0 })
      response.on('close', () => span.end())
      outer(span, () => handler(request, response))
    }),
  })
  await app.register(otelPlugin, { captureHeaders: { request: ['connection'] }, inbound: 'restart' })
  const schema = { operationId: 'getUser', params: { type: 'object', properties: { id: { type: 'integer' } } } } as const
  app.get('/users/:id', { schema }, async function getUser (request) { return request.telemetry.traceId })
  app.get('/anonymous', async () => 'ok')
  app.setNotFoundHandler(async () => 'nothing')
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const get = async (path: string) => (await fetch(address + path, { headers: { connection: 'close' } })).text()
  const traceId = await get('/users/7')
  await get('/anonymous')
  await get('/nowhere')
  isSampled = false
  t.equal(await get('/users/7'), '0af7651916cd43dd8448eb211c80319c')
  await app.close()
  const { spans } = telemetry
  t.equal(spans.length, 3)
  t.match(spans[0], { traceId, name: 'GET /users/:id', kind: 'SERVER', attributes: { 'http.route': '/users/:id', 'fastify.route.operation_id': 'getUser', 'code.function.name': 'getUser', 'fastify.arguments.values': '{"params":{"id":7}}', 'http.request.header.connection': ['close'] } })
  t.notHas(spans[0]!.attributes, { 'http.response.status_code': 200 }, 'that is theirs')
  t.match(spans.slice(1), [{ name: 'GET /anonymous' }, { name: 'GET' }])
})

t.test('a context that throws is nobody\'s', async (t) => {
  const { context: own } = new RequestRecord(toSettings({}), createRoutePlan(toSettings({}), Fastify(), { url: '/', method: 'GET', schema: undefined, config: undefined, handler: undefined, bodyLimit: 1 }), NO_FACTS, null, ROOT_CONTEXT)
  const record = { context: own, traceId: 'a' } as RequestRecord
  t.equal(currentContext(record, { getValue () { throw new Error('no value') } } as never), own)
})

t.test('a reply without a socket that its application destroyed', async (t) => {
  t.equal(breakOffOf({ raw: {} } as never, { raw: { errored: null } } as never, null, false, false), 'response_stream_error')
})

t.test('after its end a request takes no more attributes', async (t) => {
  const telemetry = createTestTelemetry()
  t.teardown(() => telemetry.release())
  const app = Fastify()
  // Not given to the plugin: it finds provider and clock through the API.
  await app.register(otelPlugin)
  let kept: FastifyRequest['telemetry'] | undefined
  app.get('/', async (request) => { kept = request.telemetry; return 'ok' })
  await app.inject('/')
  await telemetry.waitForSpans(1)
  kept!.setAttributes({ late: true })
  t.equal(telemetry.spans[0]!.attributes.late, undefined)
  t.equal(telemetry.spans[0]!.attributes['fastify.handler.start_timestamp'], '2000-01-01T00:00:00.004000Z')
  await app.close()
})
