import { diag, DiagLogLevel, metrics, trace } from '@opentelemetry/api'
import { Type } from '@sinclair/typebox'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import Fastify from 'fastify'
import otelPlugin, { otelPlugin as named } from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { listen, send } from '../helpers/http.ts'
import { normalize } from '../helpers/spans.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

function setUp (t: Test) {
  const telemetry = createTestTelemetry()
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  return { telemetry, app }
}

t.test('it is one plugin under two names, for fastify 5 and 6', async (t) => {
  t.equal(named, otelPlugin)
  t.same((otelPlugin as unknown as Record<symbol, unknown>)[Symbol.for('plugin-meta')], { fastify: '>=5.0.0 <7', name: 'fastify-schema-telemetry' })
})

t.test('registered without await, routes of the root and of children are recorded', async (t) => {
  const { app, telemetry } = setUp(t)
  app.register(otelPlugin)
  const schema = { querystring: Type.Object({ n: Type.Integer() }) }
  app.get('/root', { schema }, async () => 'ok')
  app.register(async (child) => { child.get('/child', { schema }, async () => 'ok') }, { prefix: '/api' })
  const port = await listen(app)
  await send(port, 'GET', '/root?n=1')
  await send(port, 'GET', '/api/child?n=2')
  const spans = normalize(await telemetry.waitForSpans(2))
  t.match(spans, [
    { name: 'GET /root', kind: 'SERVER', attributes: { 'fastify.arguments.values': { querystring: { n: 1 } } } },
    { name: 'GET /api/child', kind: 'SERVER', attributes: { 'fastify.arguments.values': { querystring: { n: 2 } }, 'fastify.handler.start_timestamp': 'TIME' } },
  ])
})

t.test('registered twice, at the root and in children: one span a request, and its options stand', async (t) => {
  const { app, telemetry } = setUp(t)
  await app.register(otelPlugin, { capture: 'none' })
  await app.register(otelPlugin)
  await app.register(async (child) => {
    await child.register(otelPlugin, { extraSpans: true })
    child.get('/child', async () => 'ok')
  })
  app.get('/root', async () => 'ok')
  const port = await listen(app)
  await send(port, 'GET', '/root')
  await send(port, 'GET', '/child')
  t.match(normalize(await telemetry.waitForSpans(2)), [
    { name: 'GET /root', attributes: { 'fastify.arguments.start_timestamp': undefined } },
    { name: 'GET /child', attributes: { 'fastify.arguments.start_timestamp': undefined } },
  ])
  t.equal(telemetry.spans.length, 2)
})

t.test('in a child it records the child alone; at the root as well later, each request still once', async (t) => {
  const { app, telemetry } = setUp(t)
  await app.register(async (child) => {
    await child.register(otelPlugin, { requestHook: (span) => span.setAttribute('app.who', 'child') })
    child.get('/child', async (request) => request.telemetry.traceId)
  })
  app.get('/outside', async () => 'ok')
  await app.register(async (sibling) => {
    await sibling.register(otelPlugin, { requestHook: (span) => span.setAttribute('app.who', 'sibling') })
    sibling.get('/sibling', async () => 'ok')
  })
  const port = await listen(app)
  for (const path of ['/child', '/outside', '/sibling', '/nowhere']) await send(port, 'GET', path)
  await app.close()
  t.same(telemetry.spans.map(({ name, attributes }) => [name, attributes['app.who']]), [['GET /child', 'child'], ['GET /sibling', 'sibling']])
})

t.test('a child that was made before the root got the plugin: one span for its requests too', async (t) => {
  const { app, telemetry } = setUp(t)
  app.register(async (child) => {
    await child.register(otelPlugin, { requestHook: (span) => span.setAttribute('app.who', 'child') })
    child.get('/child', async () => 'ok')
  })
  app.register(otelPlugin, { requestHook: (span) => span.setAttribute('app.who', 'root') })
  app.get('/root', async () => 'ok')
  const port = await listen(app)
  for (const path of ['/child', '/root']) await send(port, 'GET', path)
  await app.close()
  t.same(telemetry.spans.map(({ name, attributes }) => [name, attributes['app.who']]), [['GET /child', 'child'], ['GET /root', 'root']])
})

t.test('wrong options throw at register, naming the option, what was expected and what came', async (t) => {
  const cases: Array<[options: object, code: string, message: string]> = [
    [{ mappper: () => null }, 'FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION', 'fastify-schema-telemetry: option "mappper" is not known; known are: mapper, extraSpans, capture, captureResponse, inbound, ignore, captureHeaders, baggageAttributes, responseHeader, captureUnknownSchemas, completeErrors, scrubbing, limits, requestHook, responseHook, exceptions, metrics, tracerProvider, meterProvider, loggerProvider, flushOnClose'],
    [{ mapper: 'text' }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "mapper" must be a function (request, { values, errors }) => attributes | null, received "text"'],
    [{ capture: 'some' }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "capture" must be one of "all", "failure", "none", received "some"'],
    [{ extraSpans: 1 }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "extraSpans" must be a boolean, received 1'],
    [{ ignore: ['health'] }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "ignore" must be a function (request) => boolean or a list of route patterns that begin with "/", received an array with "health"'],
    [{ tracerProvider: {} }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "tracerProvider" must be a tracer provider (an object with getTracer), received an object'],
    [{ ignore: [['/health']] }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "ignore" must be a function (request) => boolean or a list of route patterns that begin with "/", received an array'],
    [{ inbound: 'drop' }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "inbound" must be one of "continue", "link", "restart", or a function (request) => one of them, received "drop"'],
    [{ responseHeader: 'traceparent' }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "responseHeader" must be a boolean, received "traceparent"'],
    [{ captureHeaders: ['accept'] }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "captureHeaders" must be an object of request and response, each a list of header names, received an array'],
    [{ captureHeaders: { requests: [] } }, 'FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION', 'fastify-schema-telemetry: option "captureHeaders.requests" is not known; known are: captureHeaders.request, captureHeaders.response'],
    [{ captureHeaders: { request: ['accept', 'x-*'] } }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "captureHeaders.request" must be a list of header names without wildcards, received an array with "x-*"'],
    ...['Authorization', 'proxy-authorization', 'cookie', 'X-Api-Key', 'x-acme-secret'].map((name): [object, string, string] => [
      { captureHeaders: { request: ['accept', name] } }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', `fastify-schema-telemetry: option "captureHeaders.request" must not name headers that carry credentials, received "${name.toLowerCase()}"`,
    ]),
    [{ captureHeaders: { response: ['Set-Cookie'] }, scrubbing: false }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "captureHeaders.response" must not name headers that carry credentials, received "set-cookie"'],
    ...['http.route', 'session_token'].map((name): [object, string, string] => [
      { baggageAttributes: ['tenant', name] }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', `fastify-schema-telemetry: option "baggageAttributes" must name entries that are neither secret nor attributes of the semantic conventions, received "${name}"`,
    ]),
    [{ exceptions: 'events' }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "exceptions" must be one of "event", "log", "both", "none", received "events"'],
    [{ loggerProvider: {} }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "loggerProvider" must be a logger provider (an object with getLogger), received an object'],
    [{ metrics: null }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "metrics" must be a boolean or an object of activeRequests and bodySizes, received null'],
    [{ metrics: { bodySizes: 1 } }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', 'fastify-schema-telemetry: option "metrics.bodySizes" must be a boolean, received 1'],
  ]
  for (const [options, code, message] of cases) {
    const app = Fastify()
    await t.rejects(async () => { await app.register(otelPlugin, options) }, { code, message, name: 'TelemetryError' })
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(otelPlugin, { prefix: '/x', capture: undefined })
  t.throws(() => app.get('/users', { config: { telemetry: { capture: 'al' as 'all' } } }, async () => 'ok'), {
    code: 'FST_SCHEMA_TELEMETRY_INVALID_OPTION',
    message: 'route GET /users: config.telemetry option "capture" must be one of "all", "failure", "none", received "al"',
  })
  t.throws(() => app.get('/users', { config: { telemetry: true as false } }, async () => 'ok'), {
    message: 'route GET /users: config.telemetry options must be an object, received true',
  })
})

t.test('without an SDK a request is left alone; one that registers later is found', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(otelPlugin, { extraSpans: true })
  app.get('/', async (request) => ({ traceId: request.telemetry.traceId, recording: request.telemetry.span.isRecording() }))
  const port = await listen(app)
  t.same(JSON.parse((await send(port, 'GET', '/')).body), { traceId: '0'.repeat(32), recording: false })
  t.equal(app.server.listenerCount('request') > 0, true)

  const telemetry = createTestTelemetry()
  t.teardown(() => telemetry.release())
  t.same(JSON.parse((await send(port, 'GET', '/')).body), { traceId: '1'.padStart(32, '0'), recording: true })
  t.equal((await telemetry.waitForSpans(3)).length, 3)
})

t.test('the duration metric: seconds, the advised buckets, every request, sampled or not, without traces too', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  for (const withTraces of [true, false]) {
    const telemetry = createTestTelemetry({ global: withTraces })
    const app = Fastify()
    await app.register(otelPlugin, { meterProvider, ...(withTraces ? { tracerProvider: telemetry.tracerProvider } : {}) })
    app.get('/users/:id', async (request) => {
      if ((request.params as { id: string }).id === 'bad') throw new RangeError('bad')
      return 'ok'
    })
    const port = await listen(app)
    await send(port, 'GET', '/users/1')
    await send(port, 'GET', '/users/2', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' } })
    await send(port, 'GET', '/users/bad')
    await send(port, 'GET', '/nowhere/3')
    await app.close()
    telemetry.release()
  }
  const metric = exporter.getMetrics().at(-1)!.scopeMetrics[0]!.metrics[0]!
  t.match(metric.descriptor, { name: 'http.server.request.duration', unit: 's' })
  const common = { 'http.request.method': 'GET', 'url.scheme': 'http', 'network.protocol.version': '1.1' }
  const points = metric.dataPoints as Array<{ attributes: object, value: { count: number, sum: number, buckets: { boundaries: number[] } } }>
  t.same(points.map(({ attributes, value }) => [attributes, value.count]), [
    [{ ...common, 'http.route': '/users/:id', 'http.response.status_code': 200 }, 4],
    [{ ...common, 'http.route': '/users/:id', 'http.response.status_code': 500, 'error.type': 'RangeError' }, 2],
    [{ ...common, 'http.response.status_code': 404 }, 2],
  ])
  t.same(points[0]!.value.buckets.boundaries, [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10])
  t.ok(points.every(({ value }) => value.sum < 5), 'seconds, not milliseconds')
  await meterProvider.shutdown()
})

t.test('metrics: false records none; a global meter provider is found when it comes', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] })
  t.teardown(async () => {
    metrics.disable()
    await meterProvider.shutdown()
  })
  const app = Fastify()
  const silent = Fastify()
  await silent.register(otelPlugin, { metrics: false })
  await app.register(otelPlugin)
  for (const instance of [app, silent]) instance.get('/', async () => 'ok')
  await app.inject('/')
  metrics.setGlobalMeterProvider(meterProvider)
  await app.inject('/')
  await silent.inject('/')
  await app.close()
  await silent.close()
  const points = exporter.getMetrics().at(-1)!.scopeMetrics[0]!.metrics[0]!.dataPoints
  t.match(points, [{ value: { count: 1 } }])
})

t.test('app.close() flushes the provider it records to, within its bound, and never fails', async (t) => {
  const flushes: string[] = []
  const provider = (name: string, forceFlush: () => Promise<void>) => ({
    getTracer: (...args: Parameters<typeof trace.getTracer>) => trace.getTracer(...args),
    forceFlush () {
      flushes.push(name)
      return forceFlush()
    },
  })
  for (const [name, forceFlush] of [['fine', async () => {}], ['rejects', async () => { throw new Error('flush') }], ['throws', () => { throw new Error('flush') }]] as const) {
    const app = Fastify()
    await app.register(otelPlugin, { tracerProvider: provider(name, forceFlush as () => Promise<void>) })
    await app.ready()
    await app.close()
  }
  t.same(flushes, ['fine', 'fine', 'rejects', 'rejects', 'throws', 'throws'])

  const app = Fastify()
  await app.register(otelPlugin, { tracerProvider: provider('off', async () => {}), flushOnClose: false })
  await app.close()
  t.notOk(flushes.includes('off'))
})

t.test('a provider, sampler, processor or propagator that throws costs telemetry, never an answer', async (t) => {
  const lines: string[] = []
  const log = (...words: unknown[]) => { lines.push(words.join(' ')) }
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel.WARN)
  t.teardown(() => diag.disable())
  const hostileSpan = new Proxy({}, {
    get (_target, name) {
      if (name === 'isRecording') return () => true
      if (name === 'spanContext') return () => ({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 })
      return () => { throw new Error(`hostile ${String(name)}`) }
    },
  })
  const providers = {
    'getTracer throws': { getTracer: () => { throw new Error('no tracer') } },
    'startSpan throws': { getTracer: () => ({ startSpan: () => { throw new Error('no span') } }) },
    'every span method throws': { getTracer: () => ({ startSpan: () => hostileSpan }) },
  }
  for (const [name, tracerProvider] of Object.entries(providers)) {
    const app = Fastify()
    await app.register(otelPlugin, { tracerProvider: tracerProvider as never, extraSpans: true })
    app.get('/', { schema: { querystring: Type.Object({ n: Type.Integer() }) } }, async () => ({ ok: true }))
    app.get('/throws', async () => { throw new Error('app') })
    const port = await listen(app)
    t.same([(await send(port, 'GET', '/?n=1')).body, (await send(port, 'GET', '/?n=x')).statusCode, (await send(port, 'GET', '/throws')).statusCode],
      ['{"ok":true}', 400, 500], name)
    await app.close()
  }
  t.ok(lines.length >= 3 && lines.length < 12, `each kind is said once, not for each request: ${lines.length}`)
  t.ok(lines.every((line) => line.includes('the request is not affected')))
})
