import { once } from 'node:events'
import { createServer } from 'node:net'
import { context, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { globalErrorHandler } from '@opentelemetry/core'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { configure, type ConfigureOptions } from 'fastify-schema-telemetry/configure'
import t, { type Test } from 'tap'
import { listen, portOf, send } from '../helpers/http.ts'
import { startOtlpReceiver } from '../helpers/otlp-receiver.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

t.beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
})

t.afterEach(() => {
  for (const api of [trace, metrics, propagation, context, diag]) api.disable()
})

/** Catches what is written to standard error while a test runs, and listens to standard output, where the test reports. */
function catchOutput (t: Test) {
  const lines = { stderr: '', stdout: '' }
  for (const name of ['stderr', 'stdout'] as const) {
    const { write } = process[name]
    process[name].write = ((...args: Parameters<typeof write>) => {
      lines[name] += String(args[0])
      return name === 'stderr' ? true : write.apply(process[name], args)
    }) as typeof write
    t.teardown(() => { process[name].write = write })
  }
  return lines
}

async function buildApp () {
  const app = Fastify()
  await app.register(otelPlugin, { extraSpans: true })
  app.get('/users/:id', { schema: { params: Type.Object({ id: Type.Integer() }) } }, async function readUser () { return 'ok' })
  return app
}

t.test('spans arrive over OTLP with resource, scope and schema; app.close() flushes them', async (t) => {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = receiver.url
  process.env.OTEL_SERVICE_NAME = 'from-environment'
  process.env.OTEL_METRICS_EXPORTER = 'otlp'
  const telemetry = configure({ scheduledDelayMillis: 3_600_000 })
  const app = await buildApp()
  const port = await listen(app)
  await send(port, 'GET', '/users/7', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } })
  await send(port, 'GET', '/users/seven')
  await app.close()

  const { spans } = receiver
  t.same(spans.map(({ name }) => name), ['fastify.arguments', 'fastify.handler', 'GET /users/:id', 'fastify.arguments', 'GET /users/:id'])
  t.same(new Set(spans.map(({ service }) => service)), new Set(['from-environment']))
  t.match(spans[2], {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    parentSpanId: 'b7ad6b7169203331',
    kind: 2,
    scope: { name: 'fastify-schema-telemetry', version: '0.1.0' },
    schemaUrl: 'https://opentelemetry.io/schemas/1.45.0',
    attributes: { 'http.response.status_code': 200, 'fastify.arguments.values': '{"params":{"id":7}}', 'code.function.name': 'readUser' },
  })
  t.match(spans[4]!.attributes, { 'http.response.status_code': 400, 'fastify.arguments.error_count': 1 })
  t.ok(spans.every(({ startTimeUnixNano, endTimeUnixNano }) => BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano)))
  const started = Number(BigInt(spans[2]!.startTimeUnixNano) / 1_000_000n)
  t.ok(Math.abs(Date.now() - started) < 60_000, 'the times are today\'s')
  await telemetry.shutdown()
  t.match(receiver.metrics.find(({ name }) => name === 'http.server.request.duration'), { unit: 's' })
})

t.test('arguments are stronger than the environment; metrics are exported only on demand', async (t) => {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:1'
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'service.name=environment,deployment.environment.name=test'
  const telemetry = configure({ serviceName: 'argument', serviceVersion: '1.2.3', endpoint: `${receiver.url}/`, metrics: true, resourceAttributes: { 'app.team': 'a' } })
  const app = await buildApp()
  await app.inject('/users/7')
  await app.close()
  await telemetry.shutdown()
  t.same(receiver.spans.map(({ service }) => service), ['argument', 'argument', 'argument'])
  t.match(receiver.metrics.find(({ name }) => name === 'http.server.request.duration'), { unit: 's' })
  t.ok(telemetry.meterProvider)
})

t.test('OTEL_METRICS_EXPORTER and OTEL_TRACES_EXPORTER choose; a bad value is said and ignored', async (t) => {
  const output = catchOutput(t)
  process.env.OTEL_TRACES_EXPORTER = 'console'
  process.env.OTEL_METRICS_EXPORTER = 'carrier-pigeon'
  const telemetry = configure({ serviceName: 'x' })
  t.equal(telemetry.meterProvider, undefined)
  const app = await buildApp()
  await app.inject('/users/seven')
  await app.close()
  await telemetry.shutdown()
  t.equal(output.stderr, 'fastify-schema-telemetry: OTEL_METRICS_EXPORTER must be a list of otlp, console, none, received "carrier-pigeon"; it is ignored.\n')
  t.match(output.stdout, new RegExp([
    '\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  GET /users/:id  400  [\\d.]+ ms  trace [0-9a-f]{32}',
    '│ ✗ params/id must be integer received "seven"',
    '└─ fastify\\.arguments  [\\d.]+ ms\n',
  ].join('\n')))
})

t.test('no collector: one clear line, the app runs on, close is bounded', async (t) => {
  const output = catchOutput(t)
  // A port that was free a moment ago.
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${portOf(server)}`
  server.close()
  await once(server, 'close')

  const telemetry = configure({ serviceName: 'x', endpoint: url, flushTimeoutMillis: 300, scheduledDelayMillis: 1 })
  const app = Fastify()
  await app.register(otelPlugin, { flushOnClose: false })
  app.get('/', async () => 'ok')
  for (let request = 0; request < 3; request++) t.equal((await app.inject('/')).body, 'ok')
  await telemetry.forceFlush()
  await app.close()
  await telemetry.shutdown()
  const lines = output.stderr.trimEnd().split('\n')
  t.match(lines[0], `fastify-schema-telemetry: no trace collector answers at ${url}/v1/traces (ECONNREFUSED).`)
  t.match(lines[1], /^fastify-schema-telemetry: \d spans were not delivered to .* within 300 ms\.$/)
  t.equal(lines.length, 2)
})

t.test('a collector that refuses spans and then takes them is said once each', async (t) => {
  const output = catchOutput(t)
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const { answer } = receiver
  receiver.answer = (_request, response) => { response.writeHead(400).end() }
  const telemetry = configure({ serviceName: 'x', endpoint: receiver.url })
  const app = await buildApp()
  for (let request = 0; request < 2; request++) {
    await app.inject('/users/7')
    await telemetry.forceFlush()
  }
  receiver.answer = answer
  await app.inject('/users/7')
  await app.close()
  await telemetry.shutdown()
  t.equal(output.stderr, [
    `fastify-schema-telemetry: ${receiver.url}/v1/traces refuses spans (400); they are lost. The application runs on.`,
    `fastify-schema-telemetry: spans are delivered to ${receiver.url}/v1/traces; 6 were refused.`,
    '',
  ].join('\n'))
})

t.test('a flush waits for the export that is under way', async (t) => {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const { answer } = receiver
  let release = () => {}
  receiver.answer = (request, response) => { release = () => answer(request, response) }
  const telemetry = configure({ serviceName: 'x', endpoint: receiver.url, scheduledDelayMillis: 0 })
  const app = await buildApp()
  await app.inject('/users/7')
  await receiver.waitForSpans(3)
  let isFlushed = false
  const flushing = telemetry.tracerProvider.forceFlush().then(() => { isFlushed = true })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(isFlushed, false)
  release()
  await flushing
  t.equal(isFlushed, true)
  await app.close()
  await telemetry.shutdown()
})

t.test('wrong options of configure() throw, naming the option', async (t) => {
  const cases: Array<[options: object, code: string, message: RegExp]> = [
    [{ servicename: 'x' }, 'FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION', /^configure: option "servicename" is not known; known are: serviceName, /],
    [{ serviceName: '' }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /^configure: option "serviceName" must be a string that is not empty, received ""$/],
    [{ exporter: 'jaeger' }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /must be "otlp", "none" or a span exporter \(an object with export\), received "jaeger"$/],
    [{ endpoint: 'localhost:4318' }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /must be a URL that begins with http:\/\/ or https:\/\/, received "localhost:4318"$/],
    [{ flushTimeoutMillis: -1 }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /must be a number of milliseconds, 0 or more, received -1$/],
  ]
  for (const [options, code, message] of cases) t.throws(() => configure(options as ConfigureOptions), { code, message })
})

t.test('a second SDK is said in one line; an exporter and processors of the user\'s own are taken', async (t) => {
  const output = catchOutput(t)
  const exported: string[] = []
  const ended: string[] = []
  const telemetry = configure({
    serviceName: 'x',
    exporter: {
      export (spans, callback) {
        exported.push(...spans.map(({ name }) => name))
        callback({ code: 0 })
      },
      async shutdown () {},
    },
    spanProcessors: [{ onStart () {}, onEnd: ({ name }) => { ended.push(name) }, async forceFlush () {}, async shutdown () {} }],
  })
  const second = configure({ serviceName: 'y', exporter: 'none' })
  const app = await buildApp()
  await app.inject('/users/7')
  await app.close()
  await Promise.all([telemetry.shutdown(), second.shutdown()])
  t.same(exported, ['fastify.arguments', 'fastify.handler', 'GET /users/:id'])
  t.same(ended, exported)
  t.match(output.stderr, /^fastify-schema-telemetry: an OpenTelemetry SDK has been registered in this process already; .*\n$/)
})

t.test('what OpenTelemetry reports by itself is one line, without its stack', async (t) => {
  const output = catchOutput(t)
  const telemetry = configure({ serviceName: 'x', exporter: 'none' })
  globalErrorHandler(new Error('something broke\nin detail'))
  globalErrorHandler('a text')
  await telemetry.shutdown()
  t.equal(output.stderr, 'fastify-schema-telemetry: OpenTelemetry reports: something broke\nfastify-schema-telemetry: OpenTelemetry reports: a text\n')
})

t.test('warnings of the plugin become visible: a mapper that throws is one line', async (t) => {
  const output = catchOutput(t)
  const telemetry = configure({ serviceName: 'x', exporter: 'none', console: true })
  const app = Fastify()
  await app.register(otelPlugin, { mapper: () => { throw new Error('no such property') } })
  app.get('/', async () => 'ok')
  for (let request = 0; request < 5; request++) t.equal((await app.inject('/')).body, 'ok')
  await app.close()
  await telemetry.shutdown()
  t.equal(output.stderr, 'fastify-schema-telemetry: mapper failed; the request is not affected: Error: no such property\n')
  t.match(output.stdout, '│ ! the mapper failed: no arguments were recorded'.slice(2))
})
