import * as api from '@opentelemetry/api'
import { BatchLogRecordProcessor, InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor, type ReadableLogRecord } from '@opentelemetry/sdk-logs'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import otelPlugin, { type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry, type PlainSpan, type TestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { listen, send } from '../helpers/http.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

const VARIABLE = 'OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN'

/** The entry of the logs API: that of `@opentelemetry/api` itself from 1.10 on, else of a package of its own. */
interface LogsApi {
  setGlobalLoggerProvider (provider: LoggerProvider): unknown
  disable (): void
}
const API_LOGS = '@opentelemetry/api-logs'
const logsApi: LogsApi = (api as { logs?: LogsApi }).logs ?? (await import(API_LOGS) as { logs: LogsApi }).logs

interface Subject {
  app: FastifyInstance
  telemetry: TestTelemetry
  port: number
  exporter: InMemoryLogRecordExporter
  loggerProvider: LoggerProvider
}

function createLogs () {
  const exporter = new InMemoryLogRecordExporter()
  return { exporter, loggerProvider: new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }) }
}

async function setUp (t: Test, options: FastifySchemaTelemetryOptions, { telemetry = createTestTelemetry(), logs = createLogs() } = {}): Promise<Subject> {
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  await app.register(otelPlugin, { tracerProvider: telemetry.tracerProvider, loggerProvider: logs.loggerProvider, ...options })
  addRoutes(app)
  return { app, telemetry, port: await listen(app), ...logs }
}

function addRoutes (app: FastifyInstance): void {
  app.get('/throws', async () => { throw new RangeError('no password=hunter2 here', { cause: new Error('postgres://app:hunter2@db/x') }) })
  app.get('/throws-text', async () => { throw 'text' }) // eslint-disable-line no-throw-literal
  app.get('/not-found', async () => { throw Object.assign(new Error('none'), { statusCode: 404 }) })
  app.get('/good', async () => 'ok')
  app.get('/long', async () => { throw new Error('m'.repeat(5000)) })
  app.post('/refused', {
    schema: { body: Type.Object({ pin: Type.String({ pattern: '^\\d+$' }) }) },
    errorHandler: async (_error, _request, reply) => reply.code(500).send('sorry'),
  }, async () => 'ok')
  app.get('/serialize', { schema: { response: { 200: Type.Object({ n: Type.Integer() }) } } }, async () => ({ n: 'canary' }) as never)
}

/** What a log record says, as a span's event does; whose it is, besides. */
function read ({ eventName, severityNumber, severityText, attributes, spanContext, body, instrumentationScope }: ReadableLogRecord) {
  return {
    eventName, severityNumber, severityText, body, attributes, traceId: spanContext?.traceId, spanId: spanContext?.spanId, traceFlags: spanContext?.traceFlags, scope: instrumentationScope.name,
  }
}

const exceptionsOf = (span: PlainSpan) => span.events.filter(({ name }) => name === 'exception').map(({ attributes }) => attributes)

const expectedLog = (span: PlainSpan, attributes: object) => ({
  eventName: 'http.server.request.exception',
  severityNumber: 17,
  severityText: 'ERROR',
  body: undefined,
  attributes,
  traceId: span.traceId,
  spanId: span.spanId,
  traceFlags: 1,
  scope: 'fastify-schema-telemetry',
})

const FAILING: Array<[method: string, path: string, body?: object]> = [
  ['GET', '/throws'], ['GET', '/throws-text'], ['GET', '/long'], ['POST', '/refused', { pin: 'hunter2' }], ['GET', '/serialize'],
]

t.test('event, log, both, none: an exception is recorded once in each signal, in the same words', async (t) => {
  for (const exceptions of [undefined, 'event', 'log', 'both', 'none'] as const) {
    const isEvent = exceptions !== 'log' && exceptions !== 'none'
    const isLog = exceptions === 'log' || exceptions === 'both'
    const { telemetry, port, exporter } = await setUp(t, { exceptions })
    const said: object[] = []
    for (const [method, path, body] of FAILING) {
      telemetry.reset()
      exporter.reset()
      t.ok((await send(port, method, path, { body })).statusCode >= 500)
      const [span] = await telemetry.waitForSpans(1)
      const events = exceptionsOf(span!)
      const logs = exporter.getFinishedLogRecords().map(read)
      t.same([events.length, logs.length], [isEvent ? 1 : 0, isLog ? 1 : 0], `${exceptions}: ${path}`)
      const attributes = events[0] ?? logs[0]?.attributes
      if (isLog) t.same(logs, [expectedLog(span!, attributes!)], path)
      if (attributes !== undefined) said.push(attributes)
      t.match(span, { status: 'ERROR', attributes: { 'error.type': String } }, 'the span tells of the failure in any case')
    }
    t.notMatch(JSON.stringify(said), /hunter2|canary/)
    if (exceptions !== 'none') {
      t.match(said, [
        { 'exception.type': 'RangeError', 'exception.message': 'no password=[scrubbed] here', 'exception.stacktrace': /^RangeError: no password=\[scrubbed\] here\n +at [^]*Caused by: Error: postgres:\/\/\[scrubbed\]@db\/x/ },
        { 'exception.type': 'string', 'exception.message': 'text' },
        { 'exception.message': `${'m'.repeat(1024)}…` },
        { 'exception.message': 'does not satisfy "pattern"', 'exception.stacktrace': /^Error: does not satisfy "pattern"(?:\n +at .*)*$/ },
        { 'exception.message': 'The value "[scrubbed]" cannot be converted to an integer.' },
      ])
    }
    telemetry.release()
  }
})

t.test('answers below 500, ignored and unsampled requests leave no exception in any signal', async (t) => {
  const { telemetry, port, exporter } = await setUp(t, { exceptions: 'both', ignore: ['/throws-text'] })
  for (const path of ['/good', '/not-found', '/nowhere', '/throws-text']) await send(port, 'GET', path)
  await send(port, 'GET', '/throws', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' } })
  const spans = await telemetry.waitForSpans(3)
  t.same(spans.flatMap(exceptionsOf), [])
  t.same(exporter.getFinishedLogRecords(), [])
})

t.test('the time of a log record is that of the exception', async (t) => {
  const { telemetry, port, exporter } = await setUp(t, { exceptions: 'log' })
  await send(port, 'GET', '/throws')
  const [span] = await telemetry.waitForSpans(1)
  const [log] = exporter.getFinishedLogRecords()
  const millis = log!.hrTime[0] * 1000 + log!.hrTime[1] / 1e6
  // The test clock goes on by one at each reading.
  t.ok(millis > span!.startMillis && millis < span!.endMillis, `${span!.startMillis} ${millis} ${span!.endMillis}`)
})

t.test('app.close() flushes a logger provider that has taken an exception, and no other', async (t) => {
  for (const exceptions of ['log', 'event'] as const) {
    const exporter = new InMemoryLogRecordExporter()
    // Never by itself within a test.
    const loggerProvider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter, scheduledDelayMillis: 3_600_000 })] })
    t.teardown(() => loggerProvider.shutdown())
    let flushes = 0
    const { forceFlush } = loggerProvider
    loggerProvider.forceFlush = function (...args) {
      flushes++
      return forceFlush.apply(this, args)
    }
    const { app, port, telemetry } = await setUp(t, { exceptions }, { logs: { exporter, loggerProvider } })
    await send(port, 'GET', '/throws')
    await telemetry.waitForSpans(1)
    t.same(exporter.getFinishedLogRecords(), [])
    await app.close()
    t.same([exporter.getFinishedLogRecords().length, flushes], exceptions === 'log' ? [1, 2] : [0, 0])
    telemetry.release()
  }
})

t.test('the environment says which signal; the option is stronger; what is not known is ignored', async (t) => {
  t.teardown(() => { delete process.env[VARIABLE] })
  const cases: Array<[value: string, option: FastifySchemaTelemetryOptions['exceptions'], events: number, logs: number]> = [
    ['logs', undefined, 0, 1], ['logs/dup', undefined, 1, 1], ['', undefined, 1, 0], ['events', undefined, 1, 0], ['logs', 'event', 1, 0], ['logs/dup', 'none', 0, 0], ['logs', 'both', 1, 1],
  ]
  for (const [value, exceptions, events, logs] of cases) {
    process.env[VARIABLE] = value
    const { telemetry, port, exporter } = await setUp(t, exceptions === undefined ? {} : { exceptions })
    await send(port, 'GET', '/throws')
    const [span] = await telemetry.waitForSpans(1)
    t.same([exceptionsOf(span!).length, exporter.getFinishedLogRecords().length], [events, logs], `${value} ${String(exceptions)}`)
    telemetry.release()
  }
})

t.test('without a logger provider it is an event, said once; the global one is found when it registers', async (t) => {
  const lines: string[] = []
  const log = (...words: unknown[]) => { lines.push(words.join(' ')) }
  api.diag.setLogger({ error: log, warn: log, info () {}, debug () {}, verbose () {} }, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true })
  t.teardown(() => {
    api.diag.disable()
    logsApi.disable()
  })
  const { telemetry, port } = await setUp(t, { exceptions: 'log', loggerProvider: undefined })
  for (let count = 1; count <= 3; count++) {
    await send(port, 'GET', '/throws')
    await telemetry.waitForSpans(count)
  }
  t.same(telemetry.spans.map((span) => exceptionsOf(span).length), [1, 1, 1])
  t.same(lines, ['fastify-schema-telemetry: exceptions are to be log records, and no logger provider is registered; until one is, they are span events'])

  const { exporter, loggerProvider } = createLogs()
  logsApi.setGlobalLoggerProvider(loggerProvider)
  await send(port, 'GET', '/throws')
  const span = (await telemetry.waitForSpans(4))[3]!
  t.same(exceptionsOf(span), [])
  t.match(exporter.getFinishedLogRecords().map(read), [expectedLog(span, { 'exception.type': 'RangeError' })])
  t.equal(lines.length, 1)
})

t.test('a logger provider that fails, in whatever way, changes no answer; the exception is an event', async (t) => {
  const reference = await setUp(t, { exceptions: 'none' })
  const { statusCode, body } = await send(reference.port, 'GET', '/throws')
  reference.telemetry.release()
  const failing: Record<string, object> = {
    'getLogger throws': { getLogger () { throw new Error('no logger') } },
    'emit throws': { getLogger: () => ({ emit () { throw new Error('no emit') } }) },
    'emit rejects': { getLogger: () => ({ emit: () => Promise.reject(new Error('later')) }) },
    'no logger at all': { getLogger: () => null },
    'a processor throws': new LoggerProvider({ processors: [{ onEmit () { throw new Error('processor') }, async forceFlush () {}, async shutdown () {} }] }),
  }
  for (const [name, loggerProvider] of Object.entries(failing)) {
    const { telemetry, port } = await setUp(t, { exceptions: 'log', loggerProvider: loggerProvider as never })
    const answer = await send(port, 'GET', '/throws')
    t.same([answer.statusCode, answer.body], [statusCode, body], name)
    const [span] = await telemetry.waitForSpans(1)
    t.equal(exceptionsOf(span!).length, name === 'emit rejects' ? 0 : 1, name)
    telemetry.release()
  }
})
