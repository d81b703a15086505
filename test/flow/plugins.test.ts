// repository only
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import autoload from '@fastify/autoload'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { context, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { listen, portOf, send } from '../helpers/http.ts'
import { runProgram } from '../helpers/program.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

t.before(() => { execFileSync('npm', ['run', '--silent', 'prestart'], { stdio: 'inherit' }) })

t.test('@fastify/autoload loads it as a plugin file, its options from autoload\'s', async (t) => {
  const telemetry = createTestTelemetry()
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  await app.register(autoload, { dir: fileURLToPath(new URL('../fixtures/autoload/plugins', import.meta.url)), options: { extraSpans: true, prefix: '/ignored' } })
  await app.register(autoload, { dir: fileURLToPath(new URL('../fixtures/autoload/routes', import.meta.url)) })
  const port = await listen(app)
  await send(port, 'GET', '/autoloaded')
  const spans = await telemetry.waitForSpans(3)
  t.same(spans.map(({ name }) => name), ['fastify.arguments', 'fastify.handler', 'GET /autoloaded'])
})

t.test('fastify-cli runs an app that registers it, in CommonJS, and SIGTERM flushes', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  const program = runProgram(['node_modules/fastify-cli/cli.js', 'start', '--port', String(port), '--address', '127.0.0.1', '--log-level', 'info', 'test/fixtures/cli-app.cjs'])
  await program.waitFor(/Server listening/)
  t.same(JSON.parse((await send(port, 'GET', '/users/7')).body), { id: 7, traced: true })
  await program.end('SIGTERM')
  t.match(program.output(), /GET \/users\/:id {2}200/)
})

t.test('the CommonJS and the ESM build on one app: one span a request', async (t) => {
  const script = `
    const { register } = await import('node:module')
    const require = (await import('node:module')).createRequire(process.cwd() + '/')
    const cjs = require('fastify-schema-telemetry')
    const esm = await import('fastify-schema-telemetry')
    const { createTestTelemetry } = require('fastify-schema-telemetry/testing')
    const telemetry = createTestTelemetry()
    const app = require('fastify')()
    await app.register(cjs)
    await app.register(esm)
    app.get('/', async () => 'ok')
    await app.inject('/')
    await app.close()
    console.log(JSON.stringify([cjs.default === cjs.otelPlugin, cjs.default === esm.default, telemetry.spans.map(({ name }) => name)]))`
  const program = runProgram(['--input-type=module', '-e', script])
  t.equal(await program.end(), 0, program.output())
  t.same(JSON.parse(program.output()), [true, false, ['GET /']])
})

t.test('a provider of sdk-trace-base 2.x, as existing users have it', async (t) => {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(tracerProvider)
  t.teardown(() => {
    trace.disable()
    context.disable()
  })
  const app = Fastify()
  await app.register(otelPlugin, { extraSpans: true })
  app.get('/users/:id', { schema: { params: Type.Object({ id: Type.Integer() }) } }, async () => {
    trace.getTracer('app').startSpan('work').end()
    return 'ok'
  })
  const port = await listen(app)
  await send(port, 'GET', '/users/7')
  await send(port, 'GET', '/users/seven')
  await app.close()
  const spans = exporter.getFinishedSpans()
  t.same(spans.map(({ name }) => name), ['fastify.arguments', 'work', 'fastify.handler', 'GET /users/:id', 'fastify.arguments', 'GET /users/:id'])
  t.match(spans[3]!.attributes, { 'fastify.arguments.values': '{"params":{"id":7}}', 'http.response.status_code': 200 })
  t.match(spans[5]!.attributes, { 'fastify.arguments.error_count': 1, 'http.response.status_code': 400 })
  t.equal(spans[1]!.parentSpanContext?.spanId, spans[2]!.spanContext().spanId)
})

/** What test/fixtures/doubles.cjs prints. */
interface Doubles {
  answers: string[]
  open: number
  spans: Array<{ name: string, kind: string, scope: string, parent: string | null, endedBy: string, status: string, attributes: Record<string, unknown> }>
  metrics: Array<{ scope: string, name: string, count: number, attributes: Record<string, unknown> }>
}

/** Runs the application with these instrumentations, in this order. */
async function runWith (t: Test, names: string[]): Promise<Doubles> {
  const program = runProgram(['test/fixtures/doubles.cjs', ...names])
  const code = await program.end()
  if (code !== 0) t.fail(program.output())
  return JSON.parse(program.output())
}

const OUR_SCOPE = 'fastify-schema-telemetry'
const HTTP_SCOPE = '@opentelemetry/instrumentation-http'
const OTEL_SCOPE = '@fastify/otel'
const ROUTES = ['/users/:id', '/users/:id', '/thrown', '/outer', undefined, '/hang']

/** The requests, in their order. */
const serversOf = ({ spans }: Doubles) => spans.filter(({ kind }) => kind === 'SERVER')
const requestsOf = ({ spans }: Doubles) => spans.filter(({ scope, name }) => scope === OUR_SCOPE && !name.startsWith('fastify.') && name !== 'GET /inner')
const durationsOf = ({ metrics }: Doubles) => metrics.filter(({ name }) => name === 'http.server.request.duration').map(({ scope, count, attributes }) => [scope, count, attributes['http.route']])

let bare: Promise<Doubles> | undefined

/** Answers are as without any instrumentation, and every span but those of others ends. */
async function checkAnswers (t: Test, run: Doubles, open = 0): Promise<void> {
  bare ??= runWith(t, [])
  t.same(run.answers, (await bare).answers)
  t.match(run.answers.map((answer) => answer.slice(9, 12)), ['200', '400', '500', '200', '404'])
  t.equal(run.open, open)
}

t.test('beside instrumentation-http: its SERVER span has what both know, it ends it, and it measures', async (t) => {
  for (const name of ['plugin', 'plugin-without-extra-spans']) {
    const run = await runWith(t, ['http', name])
    await checkAnswers(t, run)
    const servers = serversOf(run)
    t.same(servers.map(({ name, scope, endedBy, status, attributes }) => [name, scope, endedBy, status, attributes['http.route'], attributes['error.type']]), [
      ['GET /users/:id', HTTP_SCOPE, 'instrumentation-http', 'UNSET', '/users/:id', undefined],
      ['GET /users/:id', HTTP_SCOPE, 'instrumentation-http', 'UNSET', '/users/:id', undefined],
      ['GET /thrown', HTTP_SCOPE, 'instrumentation-http', 'ERROR', '/thrown', 'TypeError'],
      ['GET /outer', HTTP_SCOPE, 'instrumentation-http', 'UNSET', '/outer', undefined],
      ['GET', HTTP_SCOPE, 'instrumentation-http', 'UNSET', undefined, undefined],
      ['GET /hang', HTTP_SCOPE, 'instrumentation-http', 'ERROR', '/hang', 'client_disconnected'],
    ])
    const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
    t.match(servers[0], {
      parent: 'caller',
      attributes: {
        'code.function.name': 'readUser',
        'fastify.arguments.values': '{"params":{"id":7}}',
        'fastify.arguments.start_timestamp': TIME,
        'fastify.arguments.end_timestamp': TIME,
        'fastify.handler.start_timestamp': TIME,
        'fastify.handler.end_timestamp': TIME,
        'http.response.status_code': 200,
      },
    })
    t.match(servers[1]!.attributes, { 'fastify.arguments.error_count': 1, 'fastify.arguments.errors': /"path":"\/id"/ })
    t.same(requestsOf(run), [], 'no second span for a request')
    t.same(run.spans.filter(({ name }) => name === 'GET /inner').map(({ kind, scope, parent }) => [kind, scope, parent]), [
      ['INTERNAL', OUR_SCOPE, name === 'plugin' ? 'fastify.handler' : 'GET /outer'],
    ], 'a request that is made up inside another is a child of it')
    const children = run.spans.filter(({ name }) => name.startsWith('fastify.') || name === 'work').map(({ name, parent }) => `${name} of ${parent}`)
    if (name === 'plugin') t.same(children.slice(0, 4), ['fastify.arguments of GET /users/:id', 'work of fastify.handler', 'fastify.handler of GET /users/:id', 'fastify.arguments of GET /users/:id'])
    else t.same(children, ['work of GET /users/:id'])
    t.same(durationsOf(run), ROUTES.map((route) => [HTTP_SCOPE, 1, route]))
    t.match(run.metrics.filter(({ name }) => name === 'fastify.validation.failures'), [
      { scope: OUR_SCOPE, count: 1, attributes: { 'http.route': '/users/:id', 'fastify.validation.part': 'params', 'fastify.validation.keyword': 'type' } },
    ])
  }
})

t.test('under another span of this process the request is INTERNAL, and is measured once', async (t) => {
  const alone = await runWith(t, ['local', 'plugin'])
  await checkAnswers(t, alone)
  t.same(serversOf(alone), [])
  t.same(requestsOf(alone).map(({ kind, parent, endedBy }) => [kind, parent, endedBy]), ROUTES.map(() => ['INTERNAL', 'local', 'server-span']))
  t.same(durationsOf(alone).filter(([, , route]) => route !== '/inner'), ROUTES.map((route) => [OUR_SCOPE, 1, route]))

  const withHttp = await runWith(t, ['http', 'local', 'plugin'])
  await checkAnswers(t, withHttp)
  t.same(serversOf(withHttp).map(({ scope, attributes }) => [scope, attributes['http.route']]), ROUTES.map((route) => [HTTP_SCOPE, route]))
  t.same(requestsOf(withHttp).map(({ kind, parent }) => [kind, parent]), ROUTES.map(() => ['INTERNAL', 'local']))
  t.same(durationsOf(withHttp), ROUTES.map((route) => [HTTP_SCOPE, 1, route]))
})

t.test('beside @fastify/otel, in both orders, with instrumentation-http and without: one SERVER span a request', async (t) => {
  const cases: Array<[names: string[], scope: string, parentOfOurs: string | null]> = [
    [['plugin', 'otel'], OUR_SCOPE, 'caller'],
    [['otel', 'plugin'], OTEL_SCOPE, 'request'],
    [['http', 'plugin', 'otel'], HTTP_SCOPE, null],
    [['http', 'otel', 'plugin'], HTTP_SCOPE, 'request'],
  ]
  for (const [names, scope, parentOfOurs] of cases) {
    const run = await runWith(t, names)
    // @fastify/otel itself never ends the span of a request whose client leaves.
    await checkAnswers(t, run, 1)
    const servers = serversOf(run).filter(({ parent }) => parent === 'caller')
    t.same(servers.map((span) => span.scope), Array(5).fill(scope), names.join(', '))
    t.same(requestsOf(run).slice(0, 5).map(({ parent }) => parent), parentOfOurs === null ? [] : Array(5).fill(parentOfOurs))
    const recorded = run.spans.filter(({ attributes }) => attributes['fastify.arguments.values'] !== undefined && attributes['url.path'] === '/users/7')
    t.equal(recorded.length, 1)
    t.ok(run.spans.some((span) => span.scope === OTEL_SCOPE && span.name === 'handler - readUser'))
    // What @fastify/otel makes of a request inside another: the outer one gets its route.
    const durations = durationsOf(run).filter(([scope, , route]) => scope === HTTP_SCOPE || route !== '/inner')
    t.same(durations.map(([scope, count]) => [scope, count]), Array(6).fill([names.includes('http') ? HTTP_SCOPE : OUR_SCOPE, 1]))
  }
})
