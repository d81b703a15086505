import { once } from 'node:events'
import { createServer } from 'node:net'
import { diag } from '@opentelemetry/api'
import t from 'tap'
import { createDeliveryReport } from '../../lib/configure/delivery-report.ts'
import { installDiagLogger } from '../../lib/configure/diag-logger.ts'
import { readEnvironment } from '../../lib/configure/environment.ts'
import { LazyMetricExporter } from '../../lib/configure/lazy-metric-exporter.ts'
import { ReportingExporter } from '../../lib/configure/reporting-exporter.ts'
import { createTestTelemetry, IncrementalIdGenerator } from '../../lib/testing/index.ts'
import { portOf } from '../helpers/http.ts'

t.jobs = 1

t.test('delivery report: one line when it begins to fail, one when it works again', async (t) => {
  const url = 'http://collector/v1/traces'
  const reasons: Array<[error: unknown, reason: string]> = [
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [new AggregateError([Object.assign(new Error('y'), { code: 'ECONNREFUSED' })]), 'ECONNREFUSED'],
    [new Error('request timed out\nat somewhere'), 'request timed out'],
    [undefined, 'unknown error'],
    [new AggregateError([]), 'unknown error'],
  ]
  for (const [error, reason] of reasons) {
    const lines: string[] = []
    const report = createDeliveryReport(url, (line) => { lines.push(line) })
    report.delivered(1)
    report.lost(2, error)
    report.lost(3, error)
    report.delivered(4)
    report.delivered(5)
    report.abandoned(6, 100)
    t.same(lines, [
      `fastify-schema-telemetry: no trace collector answers at ${url} (${reason}). The application runs on; its traces are lost until one does. ` +
        'Start one there (for instance Jaeger), or set OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_TRACES_EXPORTER=none.\n',
      `fastify-schema-telemetry: traces are delivered again to ${url} (4 spans; 5 were lost).\n`,
      `fastify-schema-telemetry: 6 spans were not delivered to ${url} within 100 ms.\n`,
    ])
  }
  const lines: string[] = []
  const own = createDeliveryReport(undefined, (line) => { lines.push(line) })
  own.attempted()
  own.lost(1, new Error('disk full'))
  t.same(lines, ['fastify-schema-telemetry: the span exporter refuses spans (disk full). The application runs on; its traces are lost until they are taken.\n'])
})

t.test('the first attempt looks whether anybody listens', async (t) => {
  const lines: string[] = []
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${portOf(server)}/v1/traces`
  const listening = createDeliveryReport(url, (line) => { lines.push(line) })
  const connected = once(server, 'connection')
  listening.attempted()
  listening.attempted()
  await connected
  server.close()
  await once(server, 'close')
  t.same(lines, [])

  const said = new Promise<string>((resolve) => { createDeliveryReport(url, resolve).attempted() })
  t.match(await said, `no trace collector answers at ${url} (ECONNREFUSED)`)
  // Nobody listens on the well-known ports of this machine either, or somebody does: both are fine.
  createDeliveryReport('https://[::1]/v1/traces', () => {}).attempted()
  createDeliveryReport('http://127.0.0.1/v1/traces', () => {}).attempted()
  createDeliveryReport('not a URL', (line) => { lines.push(line) }).attempted()
  t.same(lines, [])
})

t.test('the reporting exporter knows what is under way', async (t) => {
  const report = createDeliveryReport(undefined, () => {})
  const calls: string[] = []
  const callbacks: Array<(result: { code: number, error?: Error }) => void> = []
  const exporter = new ReportingExporter({
    export: (_spans, callback) => { callbacks.push(callback as never) },
    forceFlush: async () => { calls.push('flushed') },
    shutdown: async () => { calls.push('shut down') },
  }, report)
  const results: Array<{ code: number, error?: Error }> = []
  exporter.export([{}, {}] as never, (result) => { results.push(result) })
  exporter.export([{}] as never, (result) => { results.push(result) })
  t.equal(exporter.pendingCount, 3)
  const flushed = exporter.forceFlush()
  callbacks[0]!({ code: 0 })
  t.same(calls, [])
  callbacks[1]!({ code: 1 })
  await flushed
  await exporter.shutdown()
  t.same(calls, ['flushed', 'shut down'])
  t.match(results, [{ code: 0 }, { code: 1, error: { message: 'span export failed' } }])
  t.ok(exporter.reported.has(results[1]!.error!))
  await new ReportingExporter({ export () {}, async shutdown () {} }, report).forceFlush()
})

t.test('the exporter for metrics that is not installed is named with its install line', async (t) => {
  const lines: string[] = []
  const exporter = new LazyMetricExporter((line) => { lines.push(line) }, undefined, () => Promise.reject(new Error("Cannot find package '@opentelemetry/exporter-metrics-otlp-http'")))
  await exporter.forceFlush()
  await exporter.shutdown()
  const result = await new Promise<{ code: number }>((resolve) => { exporter.export({} as never, resolve) })
  t.equal(result.code, 1)
  await exporter.forceFlush()
  await exporter.shutdown()
  t.same(lines, ["fastify-schema-telemetry: metrics are not exported: Error: Cannot find package '@opentelemetry/exporter-metrics-otlp-http'. " +
    'Install the exporter of your OpenTelemetry line: npm i @opentelemetry/exporter-metrics-otlp-http@0.223 (2.x) or @0.301 (3.x)\n'])
})

t.test('environment: what the SDK does not read; empty counts as unset', async (t) => {
  const nobody = () => t.fail('nothing to warn of')
  const base = { tracesExporter: 'otlp', console: false, metrics: false, tracesUrl: 'http://localhost:4318/v1/traces' }
  const cases: Array<[env: NodeJS.ProcessEnv, expected: object]> = [
    [{}, base],
    [{ OTEL_TRACES_EXPORTER: '', OTEL_METRICS_EXPORTER: ' ', OTEL_EXPORTER_OTLP_ENDPOINT: '' }, base],
    [{ OTEL_TRACES_EXPORTER: 'none' }, { ...base, tracesExporter: 'none' }],
    [{ OTEL_TRACES_EXPORTER: 'console' }, { ...base, tracesExporter: 'none', console: true }],
    [{ OTEL_METRICS_EXPORTER: 'otlp' }, { ...base, metrics: true }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/base/' }, { ...base, tracesUrl: 'https://c/base/v1/traces' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t/x' }, { ...base, tracesUrl: 'https://t/x' }],
  ]
  for (const [env, expected] of cases) t.same(readEnvironment(env, nobody), expected)
  const lines: string[] = []
  t.same(readEnvironment({ OTEL_TRACES_EXPORTER: 'jaeger' }, (line) => { lines.push(line) }), base)
  t.same(lines, ['fastify-schema-telemetry: OTEL_TRACES_EXPORTER must be one of otlp, console, none, received "jaeger"; it is ignored.\n'])
})

t.test('the diagnostics logger: one line each, once a minute; never in place of the application\'s', async (t) => {
  const lines: string[] = []
  let now = 0
  t.teardown(() => diag.disable())
  installDiagLogger((line) => { lines.push(line) }, () => now)
  diag.warn('first line\nsecond line', 5)
  diag.warn('first line\nanother stack')
  diag.info('not shown')
  diag.debug('not shown')
  diag.verbose('not shown')
  now = 60_000
  diag.error('first line')
  for (let kind = 0; kind < 150; kind++) diag.warn(`kind ${kind}`)
  t.same(lines.slice(0, 3), ['first line\n', 'first line\n', 'kind 0\n'])
  t.equal(lines.length, 152)
  installDiagLogger(() => t.fail('a logger is there'))
  diag.warn('to the first one')
  t.equal(lines.at(-1), 'to the first one\n')
})

t.test('the test telemetry tells what it waited for, and begins again', async (t) => {
  const telemetry = createTestTelemetry({ global: false })
  const tracer = telemetry.tracerProvider.getTracer('test')
  const run = () => {
    const open = tracer.startSpan('open')
    tracer.startSpan('ended', { links: [{ context: open.spanContext() }] }).addEvent('seen').end()
    return open
  }
  const open = run()
  await t.rejects(telemetry.waitForSpans(2, 1), { message: 'waited 1 ms for 2 spans, 1 have ended and 1 are open:\nended' })
  open.end()
  const first = structuredClone(await telemetry.waitForSpans(2))
  await telemetry.tracerProvider.forceFlush()
  telemetry.reset()
  t.same(telemetry.spans, [])
  run().end()
  t.same(telemetry.spans, first, 'the same ids and times')
  t.match(first, [{ traceId: '2'.padStart(32, '0'), startMillis: Date.UTC(2000, 0, 1) + 2, links: [{ spanId: '1'.padStart(16, '0') }], events: [{ name: 'seen' }] }, { name: 'open' }])
  telemetry.release()
  await telemetry.tracerProvider.shutdown()
  t.equal(new IncrementalIdGenerator().generateSpanId(), '0000000000000001')
})
