// repository only
import { execFileSync } from 'node:child_process'
import { configure } from 'fastify-schema-telemetry/configure'
import t from 'tap'
import { send } from '../helpers/http.ts'
import { eventually, startJaeger, type JaegerSpan } from '../helpers/jaeger.ts'
import { runProgram } from '../helpers/program.ts'
import { startOrSkip } from '../helpers/skip.ts'

t.test('the example and its client in a real Jaeger: services, parents, arguments, errors, and the search by error count', async (t) => {
  const jaeger = await startOrSkip(t, () => startJaeger())
  if (jaeger === undefined) return
  t.teardown(() => jaeger.stop())
  execFileSync('npm', ['run', '--silent', 'prestart'], { stdio: 'inherit' })

  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl }
  const server = runProgram(['--enable-source-maps', 'dist/example-server/server.js'], { PORT: '0', ...env })
  const [, port] = await server.waitFor(/listens on http:\S+:(\d+)/)
  t.match(server.output(), `They are also sent to ${jaeger.otlpUrl}`)
  const call = (method: string, path: string, request?: Parameters<typeof send>[3]) => send(Number(port), method, path, request)

  const user = { name: 'Ada', country_code: 'GB', dob: '1815-12-10' }
  t.equal((await call('POST', '/', { body: user })).statusCode, 200)
  t.equal((await call('POST', '/', { body: { ...user, country_code: 'England' } })).statusCode, 400)
  t.equal((await call('POST', '/', { body: '{"name":', headers: { 'content-type': 'application/json' } })).statusCode, 400)
  t.equal((await call('GET', '/failing')).statusCode, 500)
  const client = runProgram(['dist/example-server/client.js'], { SERVER_URL: `http://127.0.0.1:${port}`, ...env })
  t.equal(await client.end(), 0, client.output())
  t.equal(await server.end('SIGTERM'), 0)

  t.same(await eventually(async () => {
    const services = await jaeger.services()
    return services.length >= 2 && services
  }), ['example-server', 'my-client-service'])

  const rejected = await eventually(async () => {
    const traces = await jaeger.findTraces({ service: 'example-server', tags: { 'fastify.arguments.error_count': 1 } })
    return traces.length >= 2 && traces.every(({ spans }) => spans.length >= 2) && traces
  })
  const errors = rejected.map(({ spans }) => rootOf(spans)).map(({ name, tags }) => [name, tags['http.response.status_code'], JSON.parse(String(tags['fastify.arguments.errors']))])
  t.same(errors.sort((one, other) => one[2][0].keyword < other[2][0].keyword ? -1 : 1), [
    ['POST /', 400, [{ part: 'body', path: '', keyword: 'parse', message: 'is not valid JSON', params: { position: 8, line: 1, column: 9 } }]],
    ['POST /', 400, [{
      part: 'body',
      path: '/country_code',
      keyword: 'pattern',
      message: 'must match pattern "^[A-Z]{2}$"',
      schemaPath: '#/properties/country_code/pattern',
      params: { pattern: '^[A-Z]{2}$' },
      input: 'England',
    }]],
  ])

  // Spans of one trace can arrive one after the other: each look waits until the trace is whole.
  const findWhole = (query: Parameters<typeof jaeger.findTraces>[0], spanCount: number) => eventually(async () => {
    const traces = await jaeger.findTraces(query)
    return traces.length > 0 && traces.every(({ spans }) => spans.length >= spanCount) && traces
  })
  const [added] = await findWhole({ service: 'example-server', tags: { 'http.response.status_code': 200, 'http.request.method': 'POST' } }, 3)
  t.match(rootOf(added!.spans).tags, {
    'span.kind': 'server',
    'http.route': '/',
    'fastify.arguments.values': JSON.stringify({ body: user }),
    'code.function.name': 'addUser',
    'otel.scope.name': 'fastify-schema-telemetry',
  })
  t.same(added!.spans.map(({ name }) => name).sort(), ['POST /', 'fastify.arguments', 'fastify.handler'])

  const [failed] = await findWhole({ service: 'example-server', tags: { 'error.type': 'RangeError', 'http.response.status_code': 500 } }, 3)
  const failure = rootOf(failed!.spans)
  t.match(failure.tags, { error: true, 'otel.status_code': 'ERROR' })
  t.match(failure.events, [{ event: 'exception', 'exception.type': 'RangeError', 'exception.message': 'this route always fails' }])

  // The visit, two calls, and for each of them a request with its two phases.
  const [visit, ...more] = await findWhole({ service: 'my-client-service' }, 9)
  t.same(more, [])
  const byId = new Map(visit!.spans.map((span) => [span.spanId, span]))
  const parentOf = ({ parentSpanId }: JaegerSpan) => parentSpanId === undefined ? undefined : byId.get(parentSpanId)
  const served = visit!.spans.filter(({ tags }) => tags['span.kind'] === 'server').sort((one, other) => one.name < other.name ? -1 : 1)
  t.same(served.map((span) => [span.service, span.name, parentOf(span)?.service, parentOf(span)?.tags['span.kind'], parentOf(parentOf(span)!)?.name]), [
    ['example-server', 'GET /hello', 'my-client-service', 'client', 'visit the example server'],
    ['example-server', 'GET /items/:item_id', 'my-client-service', 'client', 'visit the example server'],
  ])
  t.equal(served[1]!.tags['fastify.arguments.values'], '{"params":{"item_id":5},"querystring":{"q":"somequery"}}')
})

t.test('Jaeger is killed in the middle of a run, and another one starts in its place: nothing is lost', async (t) => {
  const first = await startOrSkip(t, () => startJaeger())
  if (first === undefined) return
  t.teardown(() => first.stop('SIGKILL'))
  const { write } = process.stderr
  let stderr = ''
  process.stderr.write = ((chunk: unknown) => {
    stderr += String(chunk)
    return true
  }) as typeof write
  t.teardown(() => { process.stderr.write = write })

  const telemetry = configure({ serviceName: 'restarts', endpoint: first.otlpUrl, scheduledDelayMillis: 50, flushTimeoutMillis: 60_000 })
  t.teardown(() => telemetry.shutdown())
  const tracer = telemetry.tracerProvider.getTracer('test')
  const endSpans = (name: string, count: number) => {
    for (let index = 0; index < count; index++) tracer.startSpan(name, { root: true, attributes: { index } }).end()
  }
  const find = async (jaeger: typeof first, operation: string) =>
    (await jaeger.findTraces({ service: 'restarts', operation, limit: 1000 })).flatMap(({ spans }) => spans.map(({ spanId }) => spanId))

  endSpans('before', 300)
  t.ok(await eventually(async () => (await find(first, 'before')).length === 300))
  await first.stop('SIGKILL')
  endSpans('while it is away', 300)
  // It has been noticed: an attempt has failed.
  await eventually(() => stderr.includes('no trace collector answers'))
  endSpans('while it starts', 300)
  const second = await startJaeger(first.ports)
  t.teardown(() => second.stop('SIGKILL'))
  endSpans('after', 300)
  await telemetry.forceFlush()

  t.match(telemetry.stats(), { started: 1200, ended: 1200, exported: 1200, queued: 0, dropped: { queue_full: 0, rejected: 0, retry_exhausted: 0, shutdown: 0 } })
  for (const name of ['while it is away', 'while it starts', 'after']) {
    t.equal((await eventually(async () => {
      const found = await find(second, name)
      return found.length >= 300 && found
    })).length, 300, name)
  }
  t.match(stderr, /spans are delivered again to .*; none was lost\.\n$/)
})

function rootOf (spans: JaegerSpan[]): JaegerSpan {
  return spans.find(({ tags }) => tags['span.kind'] === 'server')!
}
