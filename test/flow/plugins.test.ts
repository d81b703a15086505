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
import t from 'tap'
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
