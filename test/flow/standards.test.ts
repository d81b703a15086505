import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { context, diag, metrics, propagation, trace, type Attributes } from '@opentelemetry/api'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import otelPlugin, { omit, redact, type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { configure, type ConfigureOptions } from 'fastify-schema-telemetry/configure'
import t, { type Test } from 'tap'
import { openConnection, openSession, openStream, requestText, sendHttp2 } from '../helpers/connection.ts'
import { listen, send, sendRaw } from '../helpers/http.ts'
import { startOtlpReceiver, type OtlpSpan } from '../helpers/otlp-receiver.ts'
import { checkAttributes, checkServerSpan, model, namesOf, readMetricData, type OtlpMetricData } from '../helpers/semconv-model.ts'
import { SELF_SIGNED } from '../helpers/tls.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

t.beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
})

const releaseGlobals = (): void => { for (const api of [trace, metrics, propagation, context, diag]) api.disable() }

t.afterEach(releaseGlobals)

interface SetUp {
  options?: FastifySchemaTelemetryOptions
  configuration?: ConfigureOptions
  server?: FastifyServerOptions & { http2?: boolean, https?: object }
  build?: (app: FastifyInstance) => void
}

/** An application whose spans and metrics go to a collector on a socket; `finish` closes it, and returns what the collector got. */
async function setUp (t: Test, { options = {}, configuration = {}, server = {}, build = addRoutes }: SetUp) {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const telemetry = configure({ serviceName: 'standards', endpoint: receiver.url, metrics: true, ...configuration })
  const app: FastifyInstance = Fastify(server as FastifyServerOptions)
  await app.register(otelPlugin, options)
  build(app)
  let isClosed = false
  async function finish (): Promise<{ spans: OtlpSpan[], metrics: OtlpMetricData[] }> {
    isClosed = true
    await app.close()
    await telemetry.shutdown()
    releaseGlobals()
    return { spans: receiver.spans, metrics: latestMetrics() }
  }
  t.teardown(async () => { if (!isClosed) await finish() })

  /** The last export has all there is: the metrics are cumulative. */
  function latestMetrics (): OtlpMetricData[] {
    const posts = receiver.posts.filter(({ path }) => path === '/v1/metrics')
    return posts.length === 0 ? [] : readMetricData(posts.at(-1)!.bytes)
  }

  return {
    app,
    finish,
    async metrics () {
      await telemetry.forceFlush()
      return latestMetrics()
    },
  }
}

const search = Type.Object({ q: Type.Optional(Type.String()), sig: Type.Optional(Type.String()), key: redact(Type.Optional(Type.String())), gone: omit(Type.Optional(Type.String())) })

function addRoutes (app: FastifyInstance): void {
  app.get('/users/:id', { schema: { operationId: 'readUser', params: Type.Object({ id: Type.Integer() }) } }, async function readUser () { return 'ok' })
  app.get('/search', { schema: { querystring: search } }, async () => 'ok')
  app.post('/users', { schema: { body: Type.Object({ name: Type.String() }) } }, async () => ({ added: true }))
  app.get('/failing', async () => { throw new RangeError('no') })
  app.get('/view', async ({ ip, protocol, host }) => ({ ip, protocol, host }))
  app.get('/unavailable', async (_request, reply) => reply.code(503).send('later'))
}

/** The port of an attribute is that of the server, or any: they differ from run to run. */
function plain ({ name, attributes }: OtlpSpan): { name: string, attributes: Record<string, unknown> } {
  return {
    name,
    attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => !/^fastify\.(?:arguments|handler)\./.test(name))
      .map(([name, value]) => [name, name.endsWith('.port') && typeof value === 'number' ? 'PORT' : value])),
  }
}

const onSocket = (address: string) => ({ 'client.address': address, 'network.peer.address': address, 'network.peer.port': 'PORT' })
const LOCAL = { ...onSocket('127.0.0.1'), 'server.address': '127.0.0.1', 'server.port': 'PORT' }
const HTTP1 = { 'http.request.method': 'GET', 'url.scheme': 'http', 'network.protocol.version': '1.1', 'user_agent.original': 'test' }
const USER = { 'url.path': '/users/7', 'http.route': '/users/:id', 'code.function.name': 'readUser', 'fastify.route.operation_id': 'readUser', 'http.response.status_code': 200 }
const NOT_FOUND = { 'http.response.status_code': 404 }

interface Kind {
  name: string
  server?: SetUp['server']
  send (t: Test, app: FastifyInstance): Promise<unknown>
  expected: { name: string, attributes: Record<string, unknown> }
}

/** Requests of every kind, each with all that its span is to say. */
const kinds: Kind[] = [
  {
    name: 'HTTP/1.1',
    send: async (_t, app) => await send(await listen(app), 'GET', '/users/7'),
    expected: { name: 'GET /users/:id', attributes: { ...HTTP1, ...LOCAL, ...USER } },
  },
  {
    name: 'HTTP/1.0 without Host and user agent',
    send: async (_t, app) => await sendRaw(await listen(app), 'GET /users/7 HTTP/1.0\r\n\r\n'),
    expected: { name: 'GET /users/:id', attributes: { 'http.request.method': 'GET', 'url.scheme': 'http', 'network.protocol.version': '1.0', ...onSocket('127.0.0.1'), ...USER } },
  },
  {
    name: 'https',
    server: { https: SELF_SIGNED },
    async send (t, app) {
      await openConnection(t, await listen(app), requestText('GET', '/users/7', { headers: { host: 'api.example.com', connection: 'close' } }), { isTls: true }).closed
    },
    expected: { name: 'GET /users/:id', attributes: { ...HTTP1, 'url.scheme': 'https', ...onSocket('127.0.0.1'), 'server.address': 'api.example.com', ...USER } },
  },
  ...[true, false].map((isTls): Kind => ({
    name: `HTTP/2 ${isTls ? 'over TLS' : 'without TLS'}`,
    server: { http2: true, ...(isTls ? { https: SELF_SIGNED } : {}) },
    async send (t, app) {
      const session = openSession(t, `http${isTls ? 's' : ''}://127.0.0.1:${await listen(app)}`)
      await sendHttp2(session, '/users/7')
      session.close()
    },
    expected: { name: 'GET /users/:id', attributes: { ...HTTP1, 'url.scheme': isTls ? 'https' : 'http', 'network.protocol.version': '2', ...LOCAL, ...USER } },
  })),
  {
    name: 'IPv6',
    async send (_t, app) {
      const url = new URL(await app.listen({ host: '::1', port: 0 }))
      const outgoing = httpRequest({ host: '::1', port: url.port, path: '/users/7', agent: false, headers: { host: `[::1]:${url.port}`, 'user-agent': 'test' } }).end()
      const [response] = await once(outgoing, 'response')
      await once(response.resume(), 'end')
    },
    expected: { name: 'GET /users/:id', attributes: { ...HTTP1, ...onSocket('::1'), 'server.address': '::1', 'server.port': 'PORT', ...USER } },
  },
  {
    name: 'a Unix domain socket',
    async send (_t, app) {
      const path = join(tmpdir(), `standards-${process.pid}.sock`)
      await app.listen({ path })
      const socket = connectSocket(path)
      socket.end('GET /users/7 HTTP/1.1\r\nhost: localhost\r\nuser-agent: test\r\nconnection: close\r\n\r\n')
      await once(socket.resume(), 'close')
    },
    // The other end of such a socket has no name.
    expected: { name: 'GET /users/:id', attributes: { ...HTTP1, 'server.address': 'localhost', ...USER } },
  },
  {
    name: 'inject',
    send: async (_t, app) => await app.inject({ url: 'http://example.com:8080/users/7', headers: { 'user-agent': 'test' }, remoteAddress: '10.1.2.80' }),
    expected: { name: 'GET /users/:id', attributes: { ...HTTP1, 'client.address': '10.1.2.80', 'network.peer.address': '10.1.2.80', 'server.address': 'example.com', 'server.port': 'PORT', ...USER } },
  },
  {
    name: 'a method that is not known',
    send: async (_t, app) => await send(await listen(app), 'PROPFIND', '/users/7'),
    expected: { name: 'HTTP', attributes: { ...HTTP1, 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND', ...LOCAL, 'url.path': '/users/7', ...NOT_FOUND } },
  },
  {
    name: 'a target in absolute form, with a query',
    send: async (_t, app) => await sendRaw(await listen(app), 'GET http://user:canary@example.com/search?a=canary&q=1 HTTP/1.1\r\nhost: example.com\r\nuser-agent: test\r\nconnection: close\r\n\r\n'),
    expected: {
      name: 'GET /search',
      attributes: { ...HTTP1, ...onSocket('127.0.0.1'), 'server.address': 'example.com', 'url.path': '/search', 'url.query': '*=REDACTED&q=1', 'http.route': '/search', 'http.response.status_code': 200 },
    },
  },
  {
    name: 'a query',
    send: async (_t, app) => await send(await listen(app), 'GET', '/search?q=OpenTelemetry&sig=canary&key=canary&gone=canary&X-Goog-Signature=canary&note=canary'),
    expected: {
      name: 'GET /search',
      attributes: { ...HTTP1, ...LOCAL, 'url.path': '/search', 'url.query': 'q=OpenTelemetry&sig=REDACTED&key=REDACTED&gone=REDACTED&X-Goog-Signature=REDACTED&*=REDACTED', 'http.route': '/search', 'http.response.status_code': 200 },
    },
  },
  {
    name: 'an answer that tells the client it was wrong',
    send: async (_t, app) => await send(await listen(app), 'POST', '/users', { body: {} }),
    expected: { name: 'POST /users', attributes: { ...HTTP1, 'http.request.method': 'POST', ...LOCAL, 'url.path': '/users', 'http.route': '/users', 'http.response.status_code': 400 } },
  },
  {
    name: 'an exception',
    send: async (_t, app) => await send(await listen(app), 'GET', '/failing'),
    expected: { name: 'GET /failing', attributes: { ...HTTP1, ...LOCAL, 'url.path': '/failing', 'http.route': '/failing', 'http.response.status_code': 500, 'error.type': 'RangeError' } },
  },
  {
    name: 'a 5xx without an exception',
    send: async (_t, app) => await send(await listen(app), 'GET', '/unavailable'),
    expected: { name: 'GET /unavailable', attributes: { ...HTTP1, ...LOCAL, 'url.path': '/unavailable', 'http.route': '/unavailable', 'http.response.status_code': 503, 'error.type': '503' } },
  },
]

t.test('spans of requests of every kind: names, types, levels and words of the model; all start attributes before the sampler decides', async (t) => {
  const recorded = new Set<string>()
  for (const { name, server = {}, send, expected } of kinds) {
    const asked: Array<{ name: string, attributes: Attributes }> = []
    const sampler = {
      shouldSample (...[, , spanName, , attributes]: [unknown, string, string, unknown, Attributes]) {
        asked.push({ name: spanName, attributes: { ...attributes } })
        return { decision: 2 }
      },
      toString: () => 'asked',
    }
    const { app, finish } = await setUp(t, { server, configuration: { sampler } })
    await send(t, app)
    const { spans, metrics } = await finish()
    t.equal(spans.length, 1, name)
    const span = spans[0]!
    t.same(plain(span), expected, name)
    t.notMatch(JSON.stringify(spans), /canary/, name)
    checkServerSpan(t, name, span)
    for (const attribute of Object.keys(span.attributes)) recorded.add(attribute)

    const isKnownAtTheEnd = (attribute: string): boolean => /^(?:http\.response\.|error\.type$|fastify\.(?:arguments|handler)\.)/.test(attribute)
    t.same(asked, [{ name: span.name, attributes: Object.fromEntries(Object.entries(span.attributes).filter(([attribute]) => !isKnownAtTheEnd(attribute))) }], `${name}: what the sampler was given`)
    const duration = metrics.find((metric) => metric.name === 'http.server.request.duration')!
    const { attributes } = duration.points[0]!
    checkAttributes(t, `${name}: duration`, attributes, model.metrics[duration.name]!.attributes)
    const shared = namesOf(model.metrics[duration.name]!.attributes, ['required', 'conditionally_required', 'recommended'])
    t.same(attributes, Object.fromEntries(shared.filter((attribute) => span.attributes[attribute] !== undefined).map((attribute) => [attribute, span.attributes[attribute]])), `${name}: the metric says what the span says`)

    for (const { name: eventName, attributes: list } of (span as OtlpSpan & { events?: Array<{ name: string, attributes: Array<{ key: string, value: { stringValue: string } }> }> }).events ?? []) {
      t.equal(eventName, 'exception')
      checkAttributes(t, name, Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue])), model.events.exception.attributes)
      t.same(list.map(({ key }) => key).toSorted(), namesOf(model.events.exception.attributes, ['conditionally_required', 'recommended']))
    }
  }
  t.same(namesOf(model.spans['http.server'].attributes, ['required', 'conditionally_required', 'recommended']).filter((name) => !recorded.has(name)), [], 'nothing that the model wants is never recorded')
})

t.test('addresses and scheme are those that Fastify believes', async (t) => {
  const forwarded = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.example.org:8443', forwarded: 'for=198.51.100.1;proto=https;host=evil.example' }
  const believed = { 'client.address': '203.0.113.9', 'url.scheme': 'https', 'server.address': 'api.example.org', 'server.port': 8443 }
  const notBelieved = { 'client.address': '127.0.0.1', 'url.scheme': 'http', 'server.address': 'example.com', 'server.port': 8080 }
  // Of proxies that are not trusted early versions of Fastify believe some headers all the same.
  const cases: Array<[trustProxy: FastifyServerOptions['trustProxy'], headers: Record<string, string>, attributes?: Record<string, unknown>]> = [
    [false, forwarded, notBelieved],
    [true, forwarded, believed],
    [['127.0.0.1', '10.0.0.0/8'], forwarded, believed],
    ['10.0.0.0/8', forwarded],
    [(address: string) => address === '127.0.0.1', forwarded, believed],
    [() => false, forwarded],
    // A proxy that passes on whatever it gets.
    [true, { 'x-forwarded-proto': `javascript-${'x'.repeat(3000)}`, 'x-forwarded-for': 'y'.repeat(3000) }, { ...notBelieved, 'client.address': `${'y'.repeat(255)}…` }],
    [true, { 'x-forwarded-proto': 'HTTPS' }, { ...notBelieved, 'url.scheme': 'https' }],
  ]
  for (const [trustProxy, headers, attributes] of cases) {
    const { app, finish } = await setUp(t, { server: { trustProxy: trustProxy! } })
    const view = JSON.parse((await send(await listen(app), 'GET', '/view', { headers: { host: 'example.com:8080', ...headers } })).body)
    const { spans, metrics } = await finish()
    const recorded = spans[0]!.attributes
    t.match(recorded, { ...attributes, 'network.peer.address': '127.0.0.1' }, String(trustProxy))
    if (headers === forwarded) {
      t.same([recorded['client.address'], recorded['url.scheme'], `${String(recorded['server.address'])}:${String(recorded['server.port'])}`], [view.ip, view.protocol, view.host], String(trustProxy))
    }
    t.same(metrics.find(({ name }) => name === 'http.server.request.duration')?.points.map(({ attributes }) => attributes['url.scheme']), [recorded['url.scheme']])
  }
})

t.test('OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS replaces the known methods, as it is at registration', async (t) => {
  process.env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS = ' PROPFIND,Get ,, POST'
  const { app, finish } = await setUp(t, {})
  delete process.env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS
  const port = await listen(app)
  for (const method of ['PROPFIND', 'GET', 'POST']) await send(port, method, '/nowhere')
  const { spans, metrics } = await finish()
  t.same(spans.map(({ name, attributes }) => [name, attributes['http.request.method'], attributes['http.request.method_original']]), [
    ['PROPFIND', 'PROPFIND', undefined], ['HTTP', '_OTHER', 'GET'], ['POST', 'POST', undefined],
  ])
  t.same(metrics.find(({ name }) => name === 'http.server.request.duration')?.points.map(({ attributes }) => attributes['http.request.method']), ['PROPFIND', '_OTHER', 'POST'])

  process.env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS = ' , '
  const usual = await setUp(t, {})
  const usualPort = await listen(usual.app)
  const { METHODS } = await import('node:http')
  const methods = model.knownMethods.filter((method) => METHODS.includes(method) && method !== 'CONNECT')
  for (const method of methods) await send(usualPort, method, '/nowhere')
  t.same((await usual.finish()).spans.map(({ name }) => name), methods, 'those of the model')
})

t.test('url.query: what the schema declares and nothing else, bounded, whatever is sent', async (t) => {
  const build = (app: FastifyInstance): void => {
    const list = Type.Object({ q: Type.Optional(Type.String()), n: Type.Optional(Type.Integer()), ids: Type.Optional(Type.Array(Type.String())), marks: Type.Optional(Type.Array(redact(Type.String()))), password: Type.Optional(Type.String()) })
    for (const capture of ['all', 'failure', 'none'] as const) app.get(`/${capture}`, { schema: { querystring: list }, config: { telemetry: { capture } } }, async () => 'ok')
    app.get('/open', { schema: { querystring: Type.Record(Type.String(), Type.String()) } }, async () => 'ok')
    app.get('/hidden', { schema: { querystring: redact(Type.Object({ q: Type.String() })) } }, async () => 'ok')
    app.get('/schemaless', async () => 'ok')
    app.register(async (child) => { child.get('/404', async (_request, reply) => reply.callNotFound()) })
  }
  const cases: Array<[target: string, query: string | undefined]> = [
    ['/all', undefined], ['/all?', undefined], ['/all#q=canary', undefined], ['/all#?q=canary', undefined], ['/all?#q=canary', undefined],
    ['/all?q=a', 'q=a'], ['/all?q=a&n=7&ids=1&ids=2', 'q=a&n=7&ids=1&ids=2'], ['/all?q', 'q'], ['/all?q=', 'q='], ['/all?n=wrong', 'n=wrong'],
    ['/all?q=a=b', 'q=a=b'], ['/all?q=a%20b+c', 'q=a%20b+c'], ['/all?%71=a', '%71=a'], ['/all?&&q=a&', '&&q=a&'], ['/all?q=a#canary', 'q=REDACTED'],
    ['/all?note=canary', '*=REDACTED'], ['/all?canary', '*'], ['/all?canary=1&q=a', '*=REDACTED&q=a'], ['/all?Q=canary', '*=REDACTED'], ['/all?__proto__=canary', '*=REDACTED'],
    ['/all?%ZZcanary=1', '*=REDACTED'], ['/all?q=%ZZcanary', 'q=REDACTED'], [`/all?${'x'.repeat(300)}canary=1`, '*=REDACTED'],
    ['/all?password=canary', 'password=REDACTED'], ['/all?p%61ssword=canary', 'p%61ssword=REDACTED'], ['/all?marks=canary&marks=canary', 'marks=REDACTED&marks=REDACTED'],
    ['/all?q=Bearer%20canary0123456789', 'q=REDACTED'], ['/all?q=token%3Dcanary', 'q=REDACTED'],
    ['/all?sig=canary&Sig=canary&AWSAccessKeyId=canary&Signature=canary', 'sig=REDACTED&*=REDACTED&AWSAccessKeyId=REDACTED&Signature=REDACTED'],
    [`/all?q=${'x'.repeat(1500)}`, 'q=REDACTED'], [`/all?q=${'x'.repeat(1020)}&note=canary`, `q=${'x'.repeat(1020)}&*…`],
    [`/all?${'canary&'.repeat(1500)}`, `${'*&'.repeat(512)}…`],
    ['/failure?q=canary&note=canary', 'q=REDACTED&*=REDACTED'], ['/none?q=canary', 'q=REDACTED'], ['/schemaless?q=canary', '*=REDACTED'], ['/schemaless', undefined],
    ['/open?q=canary', '*=REDACTED'], ['/hidden?q=canary', '*=REDACTED'], ['/nowhere?q=canary', '*=REDACTED'], ['/404?q=canary', '*=REDACTED'],
  ]
  const { app, finish } = await setUp(t, { build })
  const port = await listen(app)
  for (const [target] of cases) await sendRaw(port, requestText('GET', target, { headers: { connection: 'close' } }))
  const { spans } = await finish()
  t.same(spans.map(({ attributes }) => attributes['url.query']), cases.map(([, query]) => query))
  t.notMatch(JSON.stringify(spans.map(({ attributes }) => [attributes['url.query'], attributes['url.path']])), /canary/)

  // What the application's parser makes of a query decides: here `;` separates too, and names stand in another letter case.
  const parser = (text: string) => text.includes('odd') ? null : Object.fromEntries(text.split(/[&;]/).map((pair) => pair.split('=')))
  for (const options of [{ querystringParser: parser as never }, { querystringParser: () => new Proxy({}, { getOwnPropertyDescriptor () { throw new Error('no') } }) as never }]) {
    const custom = await setUp(t, { build, server: options })
    const customPort = await listen(custom.app)
    for (const query of ['q=a', 'q=a;note=canary', 'q=odd']) await send(customPort, 'GET', `/all?${query}`)
    const queries = (await custom.finish()).spans.map(({ attributes }) => attributes['url.query'])
    t.same(queries, options.querystringParser === parser as never ? ['q=a', 'q=REDACTED', 'q=REDACTED'] : ['q=REDACTED', 'q=REDACTED', 'q=REDACTED'])
  }
})

const ALL_METRICS: FastifySchemaTelemetryOptions = { metrics: { activeRequests: true, bodySizes: true } }

t.test('metrics: instruments, units, values and attributes of the model, also of unsampled requests; optional ones only when asked for', async (t) => {
  process.env.OTEL_BSP_MAX_QUEUE_SIZE = '100'
  const { app, finish } = await setUp(t, { options: ALL_METRICS, configuration: { sampler: { shouldSample: () => ({ decision: 0 }), toString: () => 'none' } } })
  const port = await listen(app)
  await send(port, 'POST', '/users', { body: { name: 'Ada' } })
  await send(port, 'GET', '/failing')
  await send(port, 'GET', '/nowhere')
  const { spans, metrics } = await finish()
  t.same(spans, [])
  for (const name of Object.keys(model.metrics).filter((name) => name.startsWith('http.server.'))) t.ok(metrics.some((metric) => metric.name === name), name)
  for (const name of ['otel.sdk.exporter.span.exported', 'otel.sdk.processor.span.queue.size', 'otel.sdk.processor.span.queue.capacity']) t.ok(metrics.some((metric) => metric.name === name), name)
  for (const { name, unit, kind, scope, schemaUrl, points } of metrics) {
    if (name.startsWith('fastify.') || scope.name !== 'fastify-schema-telemetry') continue
    const known = model.metrics[name]!
    t.same([unit, kind], [known.unit, known.instrument], name)
    t.equal(schemaUrl, model.schemaUrl, `${name}: schema URL`)
    for (const { attributes, isInt, boundaries } of points) {
      checkAttributes(t, name, attributes, known.attributes)
      if (known.valueType === 'int') t.ok(isInt, `${name}: whole numbers`)
      if (known.boundaries !== undefined) t.same(boundaries, known.boundaries, `${name}: boundaries`)
    }
    const seen = new Set(points.flatMap(({ attributes }) => Object.keys(attributes)))
    const wanted = namesOf(known.attributes, ['required', 'conditionally_required', 'recommended'])
    if (name.startsWith('http.') && !name.endsWith('body.size')) t.same([...seen].toSorted(), wanted, `${name}: all its attributes`)
  }
  const pointsOf = (name: string) => metrics.find((metric) => metric.name === name)!.points.map(({ attributes, value, count }) => [attributes['http.route'], attributes['http.response.status_code'], value, count])
  t.same(pointsOf('http.server.request.body.size'), [['/users', 200, 14, 1]])
  t.match(pointsOf('http.server.response.body.size'), [['/users', 200, 14, 1], ['/failing', 500, Number, 1], [undefined, 404, Number, 1]])
  t.same(pointsOf('http.server.request.duration').map(([route, status]) => [route, status]), [['/users', 200], ['/failing', 500], [undefined, 404]])
  t.same(metrics.find(({ name }) => name === 'http.server.active_requests')!.points.map(({ attributes, value }) => [attributes, value]), [
    [{ 'http.request.method': 'POST', 'url.scheme': 'http' }, 0], [{ 'http.request.method': 'GET', 'url.scheme': 'http' }, 0],
  ])

  delete process.env.OTEL_BSP_MAX_QUEUE_SIZE
  for (const [option, names] of [
    [true, ['http.server.request.duration']], [{}, ['http.server.request.duration']], [false, []],
    [{ activeRequests: true, bodySizes: false }, ['http.server.active_requests', 'http.server.request.duration']],
    [{ bodySizes: true }, ['http.server.request.duration', 'http.server.response.body.size']],
  ] as const) {
    const { app, finish } = await setUp(t, { options: { metrics: option } })
    await app.inject('/users/7')
    const { metrics } = await finish()
    t.same(metrics.map(({ name }) => name).filter((name) => name.startsWith('http.')).toSorted(), names, JSON.stringify(option))
  }
})

t.test('body sizes are those of bodies that came, or were sent, as a whole', async (t) => {
  const build = (app: FastifyInstance): void => {
    app.post('/', async () => 'four')
    app.get('/', async () => 'four')
    app.post('/small', { bodyLimit: 10 }, async () => 'four')
    app.get('/stream', (_request, reply) => { reply.send(Readable.from(['a', 'b'])) })
    app.get('/sized', (_request, reply) => { reply.header('content-length', 2).send(Readable.from(['a', 'b'])) })
    app.get('/broken', (_request, reply) => {
      reply.header('content-length', 1_000_000).send(new Readable({ read () { this.push('a'); setImmediate(() => this.destroy(new Error('broken'))) } }))
    })
    app.get('/empty', (_request, reply) => { reply.code(204).send() })
    app.get('/unchanged', (_request, reply) => { reply.code(304).header('content-length', 99).send() })
    app.post('/hijacked', (_request, reply) => {
      reply.hijack()
      reply.raw.setHeader('content-length', 3)
      reply.raw.end('abc')
    })
  }
  const { app, finish } = await setUp(t, { build, options: ALL_METRICS })
  const port = await listen(app)
  const text = (method: string, path: string, headers: Record<string, string | number>, body = '') => sendRaw(port, requestText(method, path, { headers: { connection: 'close', ...headers }, body }))
  await send(port, 'POST', '/', { body: '"12345"', headers: { 'content-type': 'application/json' } })
  await text('POST', '/', { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }, '4\r\n"12"\r\n0\r\n\r\n')
  await text('POST', '/small', { 'content-type': 'application/json', 'content-length': 900_000_000 }, '"')
  await text('HEAD', '/', {})
  for (const path of ['/stream', '/sized', '/empty', '/unchanged']) await text('GET', path, {})
  await t.rejects(send(port, 'GET', '/broken'))
  await text('POST', '/hijacked', { 'content-type': 'application/json', 'content-length': 2 }, '{}')
  const { metrics } = await finish()
  const sizes = (name: string) => Object.fromEntries(metrics.find((metric) => metric.name === name)!.points.map(({ attributes, value, count }) => [`${String(attributes['http.request.method'])} ${String(attributes['http.route'])} ${String(attributes['http.response.status_code'])}`, [value, count]]))
  t.same(sizes('http.server.request.body.size'), { 'POST / 200': [7, 1], 'POST /hijacked 200': [2, 1] })
  const { 'POST /small 413': refused, ...answers } = sizes('http.server.response.body.size')
  t.equal(refused?.[1], 1)
  t.same(answers, { 'POST / 200': [8, 2], 'GET /sized 200': [2, 1], 'POST /hijacked 200': [3, 1] })

  const injected = await setUp(t, { build, options: ALL_METRICS })
  await injected.app.inject({ method: 'POST', url: '/', payload: { a: 1 } })
  const { metrics: third } = await injected.finish()
  t.same(third.find(({ name }) => name === 'http.server.request.body.size')?.points.map(({ value, count }) => [value, count]), [[7, 1]])

  const http2 = await setUp(t, { build, options: ALL_METRICS, server: { http2: true } })
  const session = openSession(t, `http://127.0.0.1:${await listen(http2.app)}`)
  await sendHttp2(session, '/', { ':method': 'POST', 'content-type': 'application/json', 'content-length': 7 }, '"12345"')
  const unfinished = openStream(session, '/', { ':method': 'POST', 'content-type': 'application/json', 'content-length': 900 })
  unfinished.write('"')
  await sendHttp2(session, '/stream')
  unfinished.destroy()
  await once(unfinished, 'close')
  session.close()
  const { metrics: second } = await http2.finish()
  t.same(second.find(({ name }) => name === 'http.server.request.body.size')?.points.map(({ value, count }) => [value, count]), [[7, 1]])
})

t.test('active requests: one more while a request is under way, none when it is over, however it ended', async (t) => {
  const activeIn = (metrics: OtlpMetricData[]): number => (metrics.find(({ name }) => name === 'http.server.active_requests')?.points ?? []).reduce((sum, { value }) => sum + value, 0)
  let arrived: () => void = () => {}
  const build = (app: FastifyInstance): void => {
    addRoutes(app)
    app.get('/hanging', async () => {
      arrived()
      await new Promise(() => {})
    })
    app.get('/broken', (_request, reply) => {
      reply.send(new Readable({ read () { this.push('a'); setImmediate(() => this.destroy(new Error('broken'))) } }))
    })
  }
  const whenArrived = () => new Promise<void>((resolve) => { arrived = resolve })
  const ways: Array<{ name: string, server?: SetUp['server'], go (t: Test, subject: Awaited<ReturnType<typeof setUp>>): Promise<void> }> = [
    {
      name: 'answered',
      async go (_t, { app }) {
        const port = await listen(app)
        for (const path of ['/users/7', '/failing', '/nowhere', '/users/seven']) await send(port, 'GET', path)
      },
    },
    { name: 'injected', go: async (_t, { app }) => { await app.inject('/users/7') } },
    { name: 'the stream failed', go: async (t, { app }) => { await t.rejects(send(await listen(app), 'GET', '/broken')) } },
    {
      name: 'the client left, with another request behind it',
      async go (t, { app, metrics }) {
        const isThere = whenArrived()
        const connection = openConnection(t, await listen(app), requestText('GET', '/hanging') + requestText('GET', '/users/7'))
        await isThere
        t.equal(activeIn(await metrics()), 2, 'both under way')
        connection.socket.destroy()
        await connection.closed
      },
    },
    {
      name: 'the connection timed out',
      server: { connectionTimeout: 50 },
      go: async (t, { app }) => { await openConnection(t, await listen(app), requestText('GET', '/hanging')).closed },
    },
    {
      name: 'the application closed',
      server: { forceCloseConnections: true },
      async go (t, { app, metrics }) {
        const isThere = whenArrived()
        openConnection(t, await listen(app), requestText('GET', '/hanging'))
        await isThere
        t.equal(activeIn(await metrics()), 1)
      },
    },
    {
      name: 'HTTP/2 cancelled',
      server: { http2: true },
      async go (t, { app }) {
        const session = openSession(t, `http://127.0.0.1:${await listen(app)}`)
        const isThere = whenArrived()
        const stream = openStream(session, '/hanging')
        stream.end()
        await isThere
        stream.destroy()
        await once(stream, 'close')
        await sendHttp2(session, '/users/7')
        session.close()
      },
    },
  ]
  for (const { name, server = {}, go } of ways) {
    const subject = await setUp(t, { build, server, options: { metrics: { activeRequests: true } } })
    await go(t, subject)
    const { metrics } = await subject.finish()
    const points = metrics.find((metric) => metric.name === 'http.server.active_requests')!.points
    t.same(points.map(({ value }) => value), points.map(() => 0), name)
    t.ok(points.length > 0, name)
  }
})
