import { request } from 'node:http'
import { join } from 'node:path'
import { context, diag, metrics, propagation, trace, type Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { configure } from 'fastify-schema-telemetry/configure'
import viewer, { createTraceStore } from 'fastify-schema-telemetry/viewer'
import t, { type Test } from 'tap'
import type { FailuresReport, StoreState, TraceDetail, TraceList, TraceSummary, ViewerSpan } from '../../lib/viewer/wire.ts'
import { listen, send } from '../helpers/http.ts'
import { runProgram } from '../helpers/program.ts'
import { openLive, saidOf, traceIdOf, type LivePage } from '../helpers/viewer.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

t.beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
})

t.afterEach(() => {
  for (const api of [trace, metrics, propagation, context, diag]) api.disable()
})

interface Watched {
  app: FastifyInstance
  port: number
  page: LivePage
  /** Newest state of a trace that the page was told of, once it satisfies `isReached`. */
  waitFor (isReached: (trace: TraceSummary) => boolean): Promise<TraceSummary>
  get<Body> (path: string): Promise<Body>
}

/** An application that shows itself, and a page that watches. */
async function watch (t: Test, declare: (app: FastifyInstance) => void): Promise<Watched> {
  const telemetry = configure({ serviceName: 'users', exporter: 'none', viewer: true })
  const app = Fastify()
  await app.register(otelPlugin, { extraSpans: true })
  await app.register(viewer, { prefix: '/telemetry' })
  declare(app)
  const port = await listen(app)
  const page = await openLive(port, '/telemetry/api/live')
  t.teardown(async () => {
    await app.close()
    await telemetry.shutdown()
  })
  return {
    app,
    port,
    page,
    async waitFor (isReached) {
      let found: TraceSummary | undefined
      await page.until((events) => {
        const newest = new Map(saidOf(events, 'traces').flat().map((trace) => [trace.traceId, trace]))
        found = [...newest.values()].find(isReached)
        return found !== undefined
      })
      return found!
    },
    async get<Body> (path: string) {
      return JSON.parse((await send(port, 'GET', `/telemetry${path}`)).body) as Body
    },
  }
}

t.test('a request is shown while it runs and when it has ended; watching it makes no spans', async (t) => {
  let answer = () => {}
  const { port, page, waitFor, get } = await watch(t, (app) => {
    app.get('/slow/:id', { schema: { params: Type.Object({ id: Type.Integer() }) } }, () => new Promise((resolve) => { answer = () => resolve('ok') }))
  })
  const answered = send(port, 'GET', '/slow/7')
  const running = await waitFor(({ spanCount }) => spanCount === 3)
  t.match(running, { name: 'GET /slow/:id', durationMillis: null, method: 'GET', route: '/slow/:id', service: 'users', isFailed: false })
  t.notOk('statusCode' in running)
  answer()
  t.equal((await answered).statusCode, 200)
  const ended = await waitFor(({ traceId, durationMillis }) => traceId === running.traceId && durationMillis !== null)
  t.match(ended, { statusCode: 200, spanCount: 3, validationErrors: 0 })
  t.ok(ended.revision > running.revision)

  const { spans } = await get<TraceDetail>(`/api/traces/${ended.traceId}`)
  t.same(spans.map(({ name, kind }) => [name, kind]), [['GET /slow/:id', 'SERVER'], ['fastify.arguments', 'INTERNAL'], ['fastify.handler', 'INTERNAL']])
  t.equal(spans[0]!.attributes['fastify.arguments.values'], '{"params":{"id":7}}')

  const paths = ['', '/', '/failures', '/traces', `/traces/${ended.traceId}`, '/viewer.js', '/viewer.css', '/api/traces', `/api/traces/${ended.traceId}`, '/api/traces/none', '/api/failures']
  for (const path of paths) await send(port, 'GET', `/telemetry${path}`)
  await send(port, 'GET', '/telemetry/api/traces', { headers: { host: 'evil.example' } })
  await send(port, 'POST', '/telemetry/v1/traces', { body: { resourceSpans: [] } })
  for (const [method, path] of [['HEAD', '/'], ['HEAD', '/api/live'], ['GET', '/nowhere'], ['POST', '/v1/logs'], ['PUT', '/api/traces']] as const) await send(port, method, `/telemetry${path}`)
  const again = await openLive(port, '/telemetry/api/live')
  again.leave()
  const { state } = await get<TraceList>('/api/traces')
  t.same([state.traces, state.droppedSpans], [1, 0])
  t.same([...new Set(saidOf(page.events, 'traces').flat().map(({ traceId }) => traceId))], [ended.traceId])
})

t.test('validation failures lead from the field to their traces; a caller that leaves is shown as such', async (t) => {
  const { port, waitFor, get } = await watch(t, (app) => {
    app.post('/users', { schema: { body: Type.Object({ name: Type.String(), country: Type.String({ pattern: '^[A-Z]{2}$' }) }) } }, async () => 'ok')
    app.get('/broken', async () => { throw new RangeError('out of order') })
    app.get('/endless', () => new Promise(() => {}))
  })
  await send(port, 'POST', '/users', { body: { name: 'Ada', country: 'GB' } })
  const first = await send(port, 'POST', '/users', { body: { name: 'Ada', country: 'England' } })
  await send(port, 'POST', '/users', { body: { name: 'Bob', country: 'France' } })
  await send(port, 'GET', '/broken')
  t.equal(first.statusCode, 400)
  const broken = await waitFor(({ route, durationMillis }) => route === '/broken' && durationMillis !== null)
  t.match(broken, { statusCode: 500, errorType: 'RangeError', isFailed: true })

  const leaving = request({ host: '127.0.0.1', port, path: '/endless', agent: false }).on('error', () => {}).end()
  await waitFor(({ route }) => route === '/endless')
  leaving.destroy()
  t.match(await waitFor(({ isAborted, durationMillis }) => isAborted && durationMillis !== null), { route: '/endless', errorType: 'client_disconnected', isFailed: true })

  const report = await get<FailuresReport>('/api/failures')
  t.match(report.fields, [{ method: 'POST', route: '/users', part: 'body', path: '/country', keyword: 'pattern', count: 2 }])
  t.equal(report.fields.length, 1)
  t.equal(report.fields[0]!.series.reduce((sum, count) => sum + count, 0), 2)
  for (const traceId of report.fields[0]!.traceIds) t.match(await get(`/api/traces/${traceId}`), { summary: { statusCode: 400, validationErrors: 1, isFailed: false } })
  t.match(report.routes, [{ route: '/users', requests: 3, failures: 2 }, { route: '/broken', requests: 1, failures: 1 }, { route: '/endless', requests: 1, failures: 1 }])
  for (const { requests, counts } of report.routes) t.equal(counts.reduce((sum, count) => sum + count, 0), requests)

  const find = async (text: string) => (await get<TraceList>(`/api/traces?text=${encodeURIComponent(text)}`)).traces.length
  for (const [text, count] of [['/users', 3], ['GET /broken 500', 1], ['England', 1], ['GB', 1], ['"name":"Ada"', 1], ['RANGEERROR', 1], [broken.traceId, 1], ['out of order', 1], ['http.route=/users', 3], ['nothing', 0]] as const) t.equal(await find(text), count, text)
})

t.test('the official exporters send to it, in both encodings, compressed or not, and nothing is lost or changed', async (t) => {
  const app = Fastify()
  const store = createTraceStore()
  await app.register(viewer, { prefix: '/deep/er/telemetry', store })
  const port = await listen(app)
  t.teardown(() => app.close())
  const url = `http://127.0.0.1:${port}/deep/er/telemetry/v1/traces`
  const exporters = [JsonExporter, ProtobufExporter].flatMap((Exporter) => ['none', 'gzip'].map((compression) => new Exporter({ url, compression: compression as never })))
  const shown: ViewerSpan[] = []
  for (const exporter of exporters) {
    const results: unknown[] = []
    const send: SpanProcessor = {
      onStart () {},
      onEnd: (span) => exporter.export([span], (result) => { results.push(result) }),
      forceFlush: async () => exporter.forceFlush?.(),
      shutdown: () => exporter.shutdown(),
    }
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'elsewhere' }),
      spanProcessors: [send],
      idGenerator: { generateTraceId: () => traceIdOf(1), generateSpanId: () => 'c'.repeat(16) },
    })
    const span = provider.getTracer('tracer').startSpan('sent', { startTime: [1_795_235_424, 5000], attributes: { text: 'wörds', list: [1, 2], half: 0.5 } })
    span.end([1_795_235_424, 1_005_000])
    await provider.forceFlush()
    await provider.shutdown()
    t.match(results, [{ code: 0 }])
    shown.push(...[...store.get(traceIdOf(1))!.spans.values()].map(({ span }) => structuredClone(span)))
    store.clear()
  }
  t.equal(shown.length, 4)
  for (const span of shown) t.same(span, shown[0])
  t.match(shown[0], { name: 'sent', service: 'elsewhere', startMillis: 1_795_235_424_000.005, endMillis: 1_795_235_424_001.005, attributes: { text: 'wörds', list: [1, 2], half: 0.5 } })
})

t.test('a trace through two services is one, though each sends on its own', async (t) => {
  const { port, waitFor, get } = await watch(t, (app) => {
    app.get('/front', async () => {
      const carrier: Record<string, string> = {}
      propagation.inject(context.active(), carrier)
      return (await send(Number(back[1]), 'GET', '/back', { headers: carrier })).body
    })
  })
  const directory = t.testdir({
    'service.mjs': `
import { configure } from 'fastify-schema-telemetry/configure'
import otelPlugin from 'fastify-schema-telemetry'
import Fastify from 'fastify'
const telemetry = configure({ serviceName: 'back', scheduledDelayMillis: 0 })
const app = Fastify()
await app.register(otelPlugin)
app.get('/back', async () => 'from behind')
await app.listen({ port: 0, host: '127.0.0.1' })
process.once('SIGTERM', async () => { await app.close(); await telemetry.shutdown(); process.exit(0) })
console.log('port', app.server.address().port)
`
  })
  // The package as it was built.
  const program = runProgram([join(directory, 'service.mjs')], { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/telemetry`, OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' })
  const back = await program.waitFor(/port (\d+)/)
  t.equal((await send(port, 'GET', '/front')).body, 'from behind')
  const whole = await waitFor(({ services, durationMillis }) => services.length === 2 && durationMillis !== null)
  t.match(whole, { name: 'GET /front', route: '/front', service: 'users', services: ['users', 'back'] })
  const { spans } = await get<TraceDetail>(`/api/traces/${whole.traceId}`)
  const child = spans.find(({ service }) => service === 'back')!
  t.match(child, { name: 'GET /back', kind: 'SERVER', resource: { 'service.name': 'back' } })
  t.ok(spans.some(({ spanId, service }) => spanId === child.parentSpanId && service === 'users'))
  t.equal(await program.end('SIGTERM'), 0)
})

t.test('two viewers of one process both see its spans; one with a store of its own sees those of that store', async (t) => {
  const store = createTraceStore()
  const telemetry = configure({ serviceName: 'users', exporter: 'none', viewer: true })
  const other = new TracerProvider({ spanProcessors: [store.spanProcessor] })
  const app = Fastify()
  await app.register(viewer, { prefix: '/one' })
  await app.register(viewer, { prefix: '/two', maxTraces: 1 })
  await app.register(viewer, { prefix: '/own', store })
  const port = await listen(app)
  const tracer = telemetry.tracerProvider.getTracer('test')
  for (const name of ['first', 'second']) tracer.startSpan(name, { root: true }).end()
  other.getTracer('test').startSpan('apart').end()
  const namesAt = async (prefix: string) => (JSON.parse((await send(port, 'GET', `/${prefix}/api/traces`)).body) as TraceList).traces.map(({ name }) => name).toSorted()
  t.same(await namesAt('one'), ['first', 'second'])
  t.same(await namesAt('two'), ['second'])
  t.same(await namesAt('own'), ['apart'])
  await app.close()
  t.doesNotThrow(() => tracer.startSpan('after').end())
  await telemetry.shutdown()
})

const endSpan = (tracer: Tracer, name: string, attributes = {}): void => { tracer.startSpan(name, { root: true, attributes }).end() }

t.test('thousands of spans at once are shown live, in few events', async (t) => {
  const { page, get } = await watch(t, () => {})
  const tracer = trace.getTracer('test')
  for (let burst = 0; burst < 10; burst++) {
    for (let index = 0; index < 500; index++) endSpan(tracer, `span ${burst}/${index}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await page.until((events) => new Set(saidOf(events, 'traces').flat().filter(({ durationMillis }) => durationMillis !== null).map(({ traceId }) => traceId)).size === 5000)
  const lists = saidOf(page.events, 'traces')
  t.ok(lists.length < 500, `${lists.length} events`)
  t.equal((await get<TraceList>('/api/traces')).traces.length, 5000)
})

t.test('10,000 traces of large spans stay within the bound of bytes, and the page is told what went', async (t) => {
  const app = Fastify()
  const maxBytes = 8 * 1024 * 1024
  const store = createTraceStore({ maxBytes })
  await app.register(viewer, { prefix: '/telemetry', store })
  const port = await listen(app)
  t.teardown(() => app.close())
  const page = await openLive(port, '/telemetry/api/live')
  const tracer = new TracerProvider({ spanProcessors: [store.spanProcessor] }).getTracer('test')
  let most = 0
  for (let index = 0; index < 10_000; index++) {
    endSpan(tracer, `large ${index}`, { text: `${index} ${'x'.repeat(5000)}`, list: ['δ'.repeat(500)] })
    most = Math.max(most, store.state().bytes)
  }
  t.ok(most <= maxBytes)
  const { traces, droppedTraces } = store.state()
  t.equal(traces + droppedTraces, 10_000)
  t.ok(traces > 500)
  const said = await page.until((events) => saidOf(events, 'state').at(-1)?.droppedTraces === droppedTraces)
  t.match(saidOf(said, 'state').at(-1) as StoreState, { traces, droppedTraces, maxBytes })
  const { traces: listed } = JSON.parse((await send(port, 'GET', '/telemetry/api/traces')).body) as TraceList
  t.equal(listed.length, traces)
  t.ok(listed.some(({ name }) => name === 'large 9999'), 'the newest stay')
  page.leave()
})
