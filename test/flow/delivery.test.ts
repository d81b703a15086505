import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { context, diag, metrics, propagation, SpanKind, trace, type Tracer } from '@opentelemetry/api'
import { SamplingDecision, type Sampler } from '@opentelemetry/sdk-trace'
import { configure, type ConfigureOptions, type DeliveryStats, type Telemetry } from 'fastify-schema-telemetry/configure'
import t, { type Test } from 'tap'
import { OK, startBadCollector, type BadCollector, type Behaviour } from '../helpers/bad-collector.ts'
import { faultCases, SPANS } from '../helpers/fault-matrix.ts'
import { portOf, send } from '../helpers/http.ts'
import { startOtlpReceiver } from '../helpers/otlp-receiver.ts'
import { runProgram } from '../helpers/program.ts'
import { SELF_SIGNED } from '../helpers/tls.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1
// Collectors that do not answer take their time.
t.setTimeout(120_000)

t.beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
})

t.afterEach(() => {
  for (const api of [trace, metrics, propagation, context, diag]) api.disable()
})

/** Small, so that a collector that does not answer costs the tests little time. */
const EXPORT_TIMEOUT_MILLIS = '400'
/** Spans wait until somebody flushes. */
const NEVER = 3_600_000

function catchStderr (t: Test): () => string {
  let text = ''
  const { write } = process.stderr
  process.stderr.write = ((chunk: unknown) => {
    text += String(chunk)
    return true
  }) as typeof write
  t.teardown(() => { process.stderr.write = write })
  return () => text
}

/** Names decide, so that every way which a span can go is there. */
const byName: Sampler = {
  shouldSample: (_context, _traceId, name) => ({
    decision: name === 'left out' ? SamplingDecision.NOT_RECORD : name === 'recorded only' ? SamplingDecision.RECORD : SamplingDecision.RECORD_AND_SAMPLED,
  }),
  toString: () => 'byName',
}

function start (endpoint: string, options: ConfigureOptions = {}): { telemetry: Telemetry, tracer: Tracer } {
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT ??= EXPORT_TIMEOUT_MILLIS
  const telemetry = configure({ serviceName: 'test', endpoint, sampler: byName, scheduledDelayMillis: NEVER, flushTimeoutMillis: 20_000, ...options })
  return { telemetry, tracer: telemetry.tracerProvider.getTracer('test') }
}

function endSpans (tracer: Tracer, count: number): void {
  for (let index = 0; index < count; index++) tracer.startSpan('span', { kind: SpanKind.SERVER, attributes: { index } }).end()
}

function droppedOf ({ dropped }: DeliveryStats): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0)
}

/** What must hold at any quiet moment. */
function checkBooks (t: Test, stats: DeliveryStats, collector?: BadCollector): void {
  t.equal(stats.exported + droppedOf(stats) + stats.queued + stats.open + stats.unsampled, stats.started, 'every span that was begun is in one place')
  t.equal(stats.started - stats.open, stats.ended)
  if (collector !== undefined) t.equal(stats.exported, collector.taken.size, 'what counts as exported is what the collector has')
}

for (const [index, { name }] of faultCases().entries()) {
  t.test(`a collector that misbehaves: ${name}`, async (t) => {
    const stderr = catchStderr(t)
    // Made anew, since one has a date.
    const { behaviours, fate, says } = faultCases()[index]!
    const collector = await startBadCollector(behaviours === 'untrusted' ? { tls: SELF_SIGNED } : {})
    if (behaviours === 'away') await collector.leave()
    else if (behaviours !== 'untrusted') collector.behaviours = behaviours
    t.teardown(() => collector.leave())

    const { telemetry, tracer } = start(collector.url, fate === 'waits' ? { flushTimeoutMillis: 800 } : {})
    const open = tracer.startSpan('open')
    tracer.startSpan('recorded only').end()
    tracer.startSpan('left out').end()
    endSpans(tracer, SPANS)
    checkBooks(t, telemetry.stats(), collector)
    t.match(telemetry.stats(), { started: SPANS + 2, ended: SPANS + 1, open: 1, unsampled: 1, sampledOut: 1, queued: SPANS })

    await telemetry.forceFlush()
    const flushed = telemetry.stats()
    checkBooks(t, flushed, collector)
    const refused = typeof fate === 'object' ? fate.refused : 0
    t.match(flushed, { exported: fate === 'waits' ? 0 : SPANS - refused, queued: fate === 'waits' ? SPANS : 0, dropped: { rejected: refused, shutdown: 0, queue_full: 0 } })
    t.equal(flushed.queuedBytes > 0, fate === 'waits')

    await telemetry.shutdown()
    open.end()
    const end = telemetry.stats()
    checkBooks(t, end, collector)
    t.match(end, { open: 0, queued: 0, queuedBytes: 0, exported: flushed.exported, dropped: { rejected: refused, shutdown: fate === 'waits' ? SPANS + 1 : 1 } })
    if (says !== undefined) t.match(stderr(), says)
    // What was tried again may be said, and then also that it is over.
    else t.match(stderr(), /^$|spans are delivered again to .*; none was lost\.\n$/)
    t.equal(stderr().includes(`${SPANS} spans were not delivered`), fate === 'waits')
    t.equal(collector.repeated, 0)
  })
}

t.test('a collector that is back before the process ends gets all that waited', async (t) => {
  const waiting = faultCases().filter(({ fate, behaviours }) => fate === 'waits' && Array.isArray(behaviours))
  for (const { name, behaviours } of waiting) {
    await t.test(name, async (t) => {
      catchStderr(t)
      const collector = await startBadCollector()
      t.teardown(() => collector.leave())
      // Two minutes would be too long to wait for.
      const bad = (behaviours as Behaviour[]).map((behaviour) => typeof behaviour === 'object' ? { ...behaviour, headers: {} } : behaviour)
      collector.behaviours = [...bad, OK]
      const { telemetry, tracer } = start(collector.url)
      endSpans(tracer, SPANS)
      await telemetry.forceFlush()
      checkBooks(t, telemetry.stats(), collector)
      t.match(telemetry.stats(), { exported: SPANS, queued: 0 })
      await telemetry.shutdown()
      trace.disable()
    })
  }
})

t.test('31 answers that drip do not stop the next one', async (t) => {
  catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  collector.behaviours = [...Array.from({ length: 31 }, (): Behaviour => 'drip body'), OK]
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '150'
  process.env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE = '1'
  const { telemetry, tracer } = start(collector.url)
  endSpans(tracer, 40)
  await telemetry.forceFlush()
  t.equal(telemetry.stats().exported, 40)
  checkBooks(t, telemetry.stats(), collector)
  await telemetry.shutdown()
})

t.test('a collector that does not read costs its attempt, and no more', async (t) => {
  catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  collector.behaviours = ['deaf', OK]
  const { telemetry, tracer } = start(collector.url)
  const long = 'x'.repeat(100_000)
  for (let index = 0; index < 20; index++) tracer.startSpan('large', { attributes: { long } }).end()
  await telemetry.forceFlush()
  t.equal(telemetry.stats().exported, 20)
  checkBooks(t, telemetry.stats(), collector)
  await telemetry.shutdown()
})

t.test('two seconds without a collector at 1,000 spans a second: nothing is lost, two lines', async (t) => {
  const stderr = catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  const { telemetry, tracer } = start(collector.url, { scheduledDelayMillis: 100 })
  endSpans(tracer, 100)
  await collector.waitForRequests(1)
  await collector.leave()

  // The bursts of a clock that ticks every 50 ms, until the time is over.
  let ticks = 0
  await new Promise<void>((resolve) => {
    const clock = setInterval(() => {
      endSpans(tracer, 50)
      if (++ticks < 40) return
      clearInterval(clock)
      resolve()
    }, 50)
  })
  checkBooks(t, telemetry.stats())
  await collector.comeBack()
  await telemetry.forceFlush()
  const stats = telemetry.stats()
  t.match(stats, { started: 2100, exported: 2100, queued: 0 })
  t.equal(droppedOf(stats), 0)
  checkBooks(t, stats)
  t.equal(collector.taken.size, 2100)
  await telemetry.shutdown()
  const lines = stderr().trimEnd().split('\n')
  t.equal(lines.length, 2)
  t.match(lines[0], /no trace collector answers at .* the spans wait until one does/)
  t.match(lines[1], /spans are delivered again to .*; none was lost\.$/)
})

t.test('a full queue drops the oldest: counted, and said when it begins and when it ends', async (t) => {
  const stderr = catchStderr(t)
  const collector = await startBadCollector()
  await collector.leave()
  t.teardown(() => collector.leave())
  process.env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE = '10'
  const { telemetry, tracer } = start(collector.url, { maxQueueBytes: 50_000 })
  endSpans(tracer, 1000)
  const full = telemetry.stats()
  checkBooks(t, full)
  t.ok(full.queuedBytes <= 50_000)
  t.equal(full.dropped.queue_full, 1000 - full.queued)
  await collector.comeBack()
  await telemetry.forceFlush()
  const stats = telemetry.stats()
  checkBooks(t, stats, collector)
  t.equal(stats.exported, full.queued)
  t.equal(stats.dropped.queue_full, full.dropped.queue_full, 'nothing more was lost')
  await telemetry.shutdown()
  t.equal(stderr(), [
    `fastify-schema-telemetry: the queue of spans for ${collector.url}/v1/traces is full: the oldest are dropped from here on.`,
    `fastify-schema-telemetry: spans are delivered to ${collector.url}/v1/traces; ${full.dropped.queue_full} spans were dropped since the queue was full.`,
    '',
  ].join('\n'))
})

t.test('OTEL_BSP_MAX_QUEUE_SIZE bounds the queue by spans; the newest are kept', async (t) => {
  catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  process.env.OTEL_BSP_MAX_QUEUE_SIZE = '20'
  const { telemetry, tracer } = start(collector.url)
  const spans = Array.from({ length: 50 }, () => tracer.startSpan('span'))
  for (const span of spans) span.end()
  t.match(telemetry.stats(), { queued: 20, dropped: { queue_full: 30 } })
  await telemetry.shutdown()
  t.same([...collector.taken], spans.slice(30).map((span) => span.spanContext().spanId))
  checkBooks(t, telemetry.stats(), collector)
})

t.test('a slow collector under load, in and out of trouble: the books balance at every moment', async (t) => {
  catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  const troubles: Behaviour[] = [OK, { status: 503 }, OK, 'reset', { status: 413 }, OK, { status: 400 }, 'truncated', OK]
  collector.behaviours = Array.from({ length: 900 }, (_, index) => troubles[index % troubles.length]!)
  collector.behaviours.push(OK)
  const { telemetry, tracer } = start(collector.url, { scheduledDelayMillis: 5, maxQueueBytes: 2_000_000 })
  for (let round = 0; round < 60; round++) {
    endSpans(tracer, 100)
    checkBooks(t, telemetry.stats())
    await nextTurn()
  }
  await telemetry.shutdown()
  const stats = telemetry.stats()
  checkBooks(t, stats, collector)
  t.equal(stats.started, 6000)
})

t.test('ending a span neither waits nor throws, whatever the collector does', async (t) => {
  catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  collector.behaviours = ['hang']
  const { telemetry, tracer } = start(collector.url, { scheduledDelayMillis: 0, flushTimeoutMillis: 50 })
  endSpans(tracer, 2000)
  await collector.waitForRequests(1)
  endSpans(tracer, 2000)
  t.equal(telemetry.stats().ended, 4000)
  await telemetry.shutdown()
  t.equal(telemetry.stats().dropped.shutdown, 4000)
  checkBooks(t, telemetry.stats(), collector)
})

t.test('a flush ends at its bound, and a shutdown too; both settle, twice', async (t) => {
  const stderr = catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  collector.behaviours = ['hang']
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '60000'
  const { telemetry, tracer } = start(collector.url, { flushTimeoutMillis: 200 })
  endSpans(tracer, 3)
  // The collector answers nothing, ever: only the bound can end these.
  await telemetry.forceFlush()
  t.match(telemetry.stats(), { queued: 3 })
  checkBooks(t, telemetry.stats(), collector)
  await telemetry.shutdown()
  await telemetry.shutdown()
  await telemetry.forceFlush()
  t.match(telemetry.stats(), { queued: 0, dropped: { shutdown: 3 } })
  checkBooks(t, telemetry.stats(), collector)
  t.match(stderr(), /3 spans were not delivered to .* within 200 ms\.\n/)
})

t.test('after a shutdown nothing of ours is left on the collector', async (t) => {
  catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  collector.behaviours = ['drip head']
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '60000'
  const { telemetry, tracer } = start(collector.url, { flushTimeoutMillis: 100 })
  endSpans(tracer, 3)
  await telemetry.shutdown()
  t.equal(collector.batches.length, 1)
  while (collector.connections > 0) await nextTurn()
  t.match(telemetry.stats(), { exported: 0, dropped: { shutdown: 3 } })
  checkBooks(t, telemetry.stats(), collector)
})

t.test('exports make no spans of their own, and a processor that throws costs the others nothing', async (t) => {
  const stderr = catchStderr(t)
  const seen: boolean[] = []
  const exporter: ConfigureOptions['exporter'] = {
    export (_spans, callback) {
      const span = trace.getTracer('instrumentation').startSpan('POST')
      seen.push(span.isRecording())
      span.end()
      callback({ code: 0 })
    },
    async shutdown () { throw new Error('no') },
  }
  const fail = () => { throw new Error('broken') }
  const hostile = { onStart: fail, onEnding: fail, onEnd: fail, forceFlush: fail, shutdown: fail }
  const { telemetry, tracer } = start('http://127.0.0.1:1', { exporter, spanProcessors: [hostile] })
  tracer.startActiveSpan('a request', (span) => span.end())
  await telemetry.forceFlush()
  t.same(seen, [false])
  t.match(telemetry.stats(), { started: 1, ended: 1, exported: 1, open: 0 })
  checkBooks(t, telemetry.stats())
  await telemetry.shutdown()
  t.equal(stderr(), 'fastify-schema-telemetry: span processor failed; the request is not affected: Error: broken\n')
})

t.test('the books are kept without an exporter and with OTEL_SDK_DISABLED too', async (t) => {
  const { telemetry, tracer } = start('http://127.0.0.1:1', { exporter: 'none' })
  endSpans(tracer, 3)
  tracer.startSpan('recorded only').end()
  tracer.startSpan('left out').end()
  const open = tracer.startSpan('open')
  checkBooks(t, telemetry.stats())
  t.match(telemetry.stats(), { started: 5, exported: 3, unsampled: 1, sampledOut: 1, open: 1 })
  open.end()
  await telemetry.shutdown()
  checkBooks(t, telemetry.stats())
  trace.disable()

  process.env.OTEL_SDK_DISABLED = 'true'
  const disabled = start('http://127.0.0.1:1')
  const span = disabled.tracer.startSpan('span')
  t.equal(span.isRecording(), false)
  span.end()
  await disabled.telemetry.forceFlush()
  await disabled.telemetry.shutdown()
  t.match(disabled.telemetry.stats(), { started: 0, exported: 0 })
})

t.test('the counts are metrics too, under the names of the conventions', async (t) => {
  catchStderr(t)
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const { answer } = receiver
  receiver.answer = (request, response) => request.url === '/v1/traces'
    ? response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{"rejectedSpans":1}}')
    : answer(request, response)
  process.env.OTEL_BSP_MAX_QUEUE_SIZE = '100'
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '5000'
  const { telemetry, tracer } = start(receiver.url, { metrics: true })
  endSpans(tracer, 5)
  await telemetry.tracerProvider.forceFlush()
  await telemetry.shutdown()
  const pointsOf = (name: string) => receiver.metrics.findLast((metric) => metric.name === name)?.points
  t.same(pointsOf('otel.sdk.exporter.span.exported'), [{ value: 4, attributes: {} }, { value: 1, attributes: { 'error.type': 'rejected' } }])
  t.same(pointsOf('otel.sdk.processor.span.queue.size'), [{ value: 0, attributes: {} }])
  t.same(pointsOf('otel.sdk.processor.span.queue.capacity'), [{ value: 100, attributes: {} }])
  t.match(pointsOf('otel.sdk.span.started'), [{ value: 5 }], 'the SDK counts these itself')
})

t.test('the probe of the first batch does not take the collector for dead', async (t) => {
  const stderr = catchStderr(t)
  const collector = await startBadCollector()
  t.teardown(() => collector.leave())
  const { telemetry, tracer } = start(collector.url)
  endSpans(tracer, 1)
  await telemetry.shutdown()
  t.equal(stderr(), '')
})

const SERVICE = `
import closeWithGrace from 'close-with-grace'
import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { configure } from 'fastify-schema-telemetry/configure'

const telemetry = configure({ serviceName: 'users' })
const app = Fastify()
await app.register(otelPlugin)
app.get('/', async () => 'hello')

closeWithGrace({ delay: 15_000 }, async function close ({ err }) {
  if (err !== undefined) console.error(err)
  await app.close()
  await telemetry.shutdown()
  console.log(JSON.stringify(telemetry.stats()))
})
console.log(await app.listen({ port: 0, host: '127.0.0.1' }))
`

t.test('SIGTERM: the spans of the last 100 requests arrive', async (t) => {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const program = runProgram([`${t.testdir({ 'service.mjs': SERVICE })}/service.mjs`], { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  const [, port] = await program.waitFor(/http:\S+:(\d+)\n/)
  await Promise.all(Array.from({ length: 100 }, () => send(Number(port), 'GET', '/')))
  t.equal(await program.end('SIGTERM'), 0, program.output())
  t.equal(receiver.spans.length, 100)
  const stats: DeliveryStats = JSON.parse(program.output().trim().split('\n').at(-1)!)
  checkBooks(t, stats)
  t.match(stats, { started: 100, exported: 100, open: 0, queued: 0 })
})

t.test('SIGTERM with a collector that hangs: the process ends by itself, and says what it could not deliver', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const program = runProgram([`${t.testdir({ 'service.mjs': SERVICE })}/service.mjs`], { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${portOf(server)}` })
  const [, port] = await program.waitFor(/http:\S+:(\d+)\n/)
  await Promise.all(Array.from({ length: 10 }, () => send(Number(port), 'GET', '/')))
  t.equal(await program.end('SIGTERM'), 0, program.output())
  t.match(program.output(), /10 spans were not delivered to .* within 5000 ms\./)
  const stats: DeliveryStats = JSON.parse(program.output().trim().split('\n').at(-1)!)
  checkBooks(t, stats)
  t.match(stats, { started: 10, exported: 0, dropped: { shutdown: 10 } })
})
