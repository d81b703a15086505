import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { context, diag, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { globalErrorHandler } from '@opentelemetry/core'
import { defaultResource } from '@opentelemetry/resources'
import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics'
import { SamplingDecision, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { ConsoleJsonProcessor } from '../../lib/configure/console-json.ts'
import { observeAttempts, newAttempt } from '../../lib/configure/delivery/attempt.ts'
import { DeliveryProcessor, type DeliveryOptions } from '../../lib/configure/delivery/delivery-processor.ts'
import { createDeliveryReport, type DeliveryReport } from '../../lib/configure/delivery/delivery-report.ts'
import { readPartialSuccess } from '../../lib/configure/delivery/partial-success.ts'
import { halve, SpanQueue } from '../../lib/configure/delivery/span-queue.ts'
import { estimateBytes } from '../../lib/configure/delivery/span-size.ts'
import { judge, reasonOf } from '../../lib/configure/delivery/verdict.ts'
import { installDiagLogger } from '../../lib/configure/diag-logger.ts'
import { readEnvironment } from '../../lib/configure/environment.ts'
import { createMetricExporter, createTraceExporter } from '../../lib/configure/exporters.ts'
import { configure } from '../../lib/configure/index.ts'
import { LazyExporter } from '../../lib/configure/lazy-exporter.ts'
import { checkLines, createExporterCheck } from '../../lib/configure/lines.ts'
import { createPropagator } from '../../lib/configure/propagator.ts'
import { createResource } from '../../lib/configure/resource.ts'
import { countSampledOut, createSampler } from '../../lib/configure/sampler.ts'
import type { TelemetryError } from '../../lib/error-codes.ts'
import { explainImportError } from '../../lib/import-errors.ts'
import { installLine, lineOf, NEEDED_PACKAGES } from '../../lib/install-lines.ts'
import { createTestTelemetry, IncrementalIdGenerator } from '../../lib/testing/index.ts'
import { portOf } from '../helpers/http.ts'

t.jobs = 1

t.afterEach(() => {
  for (const api of [trace, propagation, context, diag]) api.disable()
})

/** A sink of lines. */
function lines (): { all: string[], write: (line: string) => void } {
  const all: string[] = []
  return { all, write: (line) => { all.push(line) } }
}

const nobody = (line: string) => { throw new Error(`nothing to say, but: ${line}`) }

t.test('environment: nothing set, or everything empty, is nothing decided', async (t) => {
  const unset = readEnvironment({}, nobody)
  t.same(unset, {
    isDisabled: false,
    serviceName: undefined,
    tracesExporters: undefined,
    metricsExporters: undefined,
    tracesProtocol: undefined,
    metricsProtocol: undefined,
    sampler: undefined,
    samplerRatio: undefined,
    propagators: undefined,
    logLevel: undefined,
    scheduledDelayMillis: undefined,
    maxQueueSize: undefined,
    maxExportBatchSize: undefined,
    exportTimeoutMillis: undefined,
    metricExportIntervalMillis: undefined,
    metricExportTimeoutMillis: undefined,
    spanLimits: {},
    tracesUrl: 'http://localhost:4318/v1/traces',
    metricsUrl: 'http://localhost:4318/v1/metrics',
  })
  const names: string[] = []
  readEnvironment(new Proxy({}, { get: (_env, name) => { names.push(String(name)) } }), nobody)
  t.ok(new Set(names).size > 30)
  t.same(readEnvironment(Object.fromEntries(names.map((name) => [name, ' '])), nobody), unset)
})

t.test('environment: good values, whatever their case', async (t) => {
  const cases: Array<[env: NodeJS.ProcessEnv, expected: object]> = [
    [{ OTEL_SDK_DISABLED: 'True' }, { isDisabled: true }],
    [{ OTEL_SDK_DISABLED: 'false' }, { isDisabled: false }],
    [{ OTEL_SERVICE_NAME: ' shop ' }, { serviceName: 'shop' }],
    [{ OTEL_TRACES_EXPORTER: 'Console', OTEL_METRICS_EXPORTER: 'otlp' }, { tracesExporters: ['console'], metricsExporters: ['otlp'] }],
    [{ OTEL_TRACES_EXPORTER: 'console, otlp', OTEL_METRICS_EXPORTER: 'none' }, { tracesExporters: ['otlp', 'console'], metricsExporters: ['none'] }],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }, { tracesProtocol: 'http/protobuf', metricsProtocol: 'http/protobuf' }],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' }, { tracesProtocol: 'http/json', metricsProtocol: 'grpc' }],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }, { sampler: 'traceidratio', samplerRatio: 0.25 }],
    [{ OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: 'not looked at' }, { sampler: 'always_on', samplerRatio: undefined }],
    [{ OTEL_PROPAGATORS: 'baggage, tracecontext,baggage' }, { propagators: ['tracecontext', 'baggage'] }],
    [{ OTEL_BSP_SCHEDULE_DELAY: '0', OTEL_BSP_MAX_QUEUE_SIZE: '1', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '7' }, { scheduledDelayMillis: 0, maxQueueSize: 1, maxExportBatchSize: 7 }],
    [{ OTEL_BSP_EXPORT_TIMEOUT: '1' }, { exportTimeoutMillis: 1 }],
    [{ OTEL_BSP_EXPORT_TIMEOUT: '1', OTEL_EXPORTER_OTLP_TIMEOUT: '2' }, { exportTimeoutMillis: 2 }],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '2', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '3' }, { exportTimeoutMillis: 3 }],
    [{ OTEL_METRIC_EXPORT_INTERVAL: '5', OTEL_METRIC_EXPORT_TIMEOUT: '6' }, { metricExportIntervalMillis: 5, metricExportTimeoutMillis: 6 }],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '9', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '0' }, { spanLimits: { attributeCountLimit: 0, attributePerEventCountLimit: 9, attributePerLinkCountLimit: 9 } }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/base//' }, { tracesUrl: 'https://c/base/v1/traces', metricsUrl: 'https://c/base/v1/metrics' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t/x' }, { tracesUrl: 'https://t/x', metricsUrl: 'https://c/v1/metrics' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=b==, c=d,', OTEL_RESOURCE_ATTRIBUTES: 'a=b,c=' }, {}],
  ]
  for (const [env, expected] of cases) t.match(readEnvironment(env, nobody), expected, JSON.stringify(env))
})

t.test('environment: a bad value is one line, however often it is read, and counts as unset', async (t) => {
  const unset = readEnvironment({}, nobody)
  const cases: Array<[name: string, value: string, expected: string]> = [
    ['OTEL_SDK_DISABLED', '1', 'must be true or false, received "1"; it is ignored.'],
    ['OTEL_TRACES_EXPORTER', 'jaeger', 'must be a list of otlp, console, none, received "jaeger"; it is ignored.'],
    ['OTEL_METRICS_EXPORTER', 'x'.repeat(99), `must be a list of otlp, console, none, received "${'x'.repeat(40)}"; it is ignored.`],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'udp', 'must be one of http/json, http/protobuf, grpc, received "udp"; it is ignored.'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'must be one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio, received "jaeger_remote"; it is ignored.'],
    ['OTEL_PROPAGATORS', 'b3,xray', 'must be a list of tracecontext, baggage, none, received "b3,xray"; it is ignored.'],
    ['OTEL_LOG_LEVEL', 'trace', 'must be one of none, error, warn, info, debug, verbose, all, received "trace"; it is ignored.'],
    ['OTEL_BSP_SCHEDULE_DELAY', '1.5', 'must be an integer, 0 or more, received "1.5"; it is ignored.'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0', 'must be an integer, 1 or more, received "0"; it is ignored.'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318', 'must be a URL that begins with http:// or https://, received "localhost:4318"; it is ignored.'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'secret,%zz=1,a=b', 'must be a list of name=value, percent-encoded, and 2 of its 3 items cannot be read; these are ignored.'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=b=c', 'must be a list of name=value, percent-encoded, and 1 of its 1 items cannot be read; all of it is ignored.'],
  ]
  for (const [name, value, expected] of cases) {
    const said = lines()
    t.same(readEnvironment({ [name]: value }, said.write), unset, name)
    t.same(said.all, [`fastify-schema-telemetry: ${name} ${expected}\n`])
  }
  const beside = lines()
  t.match(readEnvironment({ OTEL_TRACES_EXPORTER: 'none,otlp', OTEL_METRICS_EXPORTER: 'none,x' }, beside.write), { tracesExporters: ['otlp'], metricsExporters: ['none'] })
  t.same(beside.all, [
    'fastify-schema-telemetry: OTEL_TRACES_EXPORTER has "none" beside others, where it means nothing; it is ignored.\n',
    'fastify-schema-telemetry: OTEL_METRICS_EXPORTER must be a list of otlp, console, none, received "x"; it is ignored.\n',
  ])
  const said = lines()
  t.match(readEnvironment({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, said.write), { sampler: 'traceidratio', samplerRatio: undefined })
  t.match(said.all, [/OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, received "2"; it is ignored/])
  t.match(readEnvironment({ OTEL_EXPORTER_OTLP_TIMEOUT: '-1', OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' }, nobody), { exportTimeoutMillis: undefined, tracesUrl: unset.tracesUrl }, 'the exporters say these')
})

t.test('samplers by name, and the count of what they leave out', async (t) => {
  const decide = (name: Parameters<typeof createSampler>[0]['sampler'], parentFlags: number | undefined, samplerRatio?: number) => {
    const parent = parentFlags === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: parentFlags, isRemote: true })
    return createSampler({ sampler: name, samplerRatio }).shouldSample(parent, 'f'.repeat(32), 'name', SpanKind.SERVER, {}, []).decision === SamplingDecision.RECORD_AND_SAMPLED
  }
  // Root, unsampled parent, sampled parent.
  const cases: Array<[name: Parameters<typeof decide>[0], expected: boolean[], ratio?: number]> = [
    [undefined, [true, false, true]],
    ['always_on', [true, true, true]],
    ['always_off', [false, false, false]],
    ['traceidratio', [true, true, true]],
    ['traceidratio', [false, false, false], 0],
    ['parentbased_always_on', [true, false, true]],
    ['parentbased_always_off', [false, false, true]],
    ['parentbased_traceidratio', [false, false, true], 0],
  ]
  for (const [name, expected, ratio] of cases) t.same([undefined, 0, 1].map((flags) => decide(name, flags, ratio)), expected, String(name))

  let count = 0
  const counting = countSampledOut(createSampler({ sampler: 'always_off', samplerRatio: undefined }), () => { count++ })
  counting.shouldSample(ROOT_CONTEXT, 'f'.repeat(32), 'name', SpanKind.SERVER, {}, [])
  t.equal(count, 1)
  t.equal(counting.toString(), 'AlwaysOffSampler')
})

t.test('propagators by name', async (t) => {
  t.same(createPropagator().fields(), ['traceparent', 'tracestate', 'baggage'])
  t.same(createPropagator(['baggage']).fields(), ['baggage'])
  t.same(createPropagator(['tracecontext', 'none']).fields(), [])
})

t.test('the resource: arguments, then the environment, then what is detected; the name of the package as the last resort', async (t) => {
  const keep = { ...process.env }
  t.teardown(() => { process.env = keep })
  delete process.env.OTEL_SERVICE_NAME
  delete process.env.OTEL_RESOURCE_ATTRIBUTES
  const folder = t.testdir({ 'package.json': '{"name":"outer"}', node_modules: { runner: { 'package.json': '{"name":"runner"}' } }, broken: { 'package.json': '{', nameless: { 'package.json': '{"private":true}', 'main.js': '' } } })
  const said = lines()
  const found = createResource({}, said.write, join(folder, 'broken/nameless/main.js')).attributes
  t.equal(found['service.name'], 'outer')
  t.same(said.all, ['fastify-schema-telemetry: service.name is "outer", from package.json; set OTEL_SERVICE_NAME or configure({ serviceName }) to choose it.\n'])
  t.match(found, { 'process.pid': process.pid, 'service.instance.id': /^[0-9a-f-]{36}$/, 'host.name': /./, 'telemetry.sdk.language': 'nodejs' })
  t.same(Object.keys(found).filter((name) => name.startsWith('process.command') || name === 'process.owner'), [])
  t.not(createResource({ serviceName: 'x' }, nobody).attributes['service.instance.id'], found['service.instance.id'])
  t.match(createResource({}, nobody, '/main.js').attributes['service.name'], /^unknown_service/)
  t.equal(createResource({}, () => {}, join(folder, 'node_modules/runner/bin/start.js')).attributes['service.name'], 'fastify-schema-telemetry', 'what runs the service is not the service')
  const { argv } = process
  process.argv = argv.slice(0, 1)
  t.match(createResource({}, () => {}).attributes['service.name'], /./, 'without a program it is the folder')
  process.argv = argv

  process.env.OTEL_RESOURCE_ATTRIBUTES = 'service.name=listed,service.instance.id=pod-7,service.version=1'
  t.match(createResource({}, nobody).attributes, { 'service.name': 'listed', 'service.instance.id': 'pod-7', 'service.version': '1' })
  process.env.OTEL_SERVICE_NAME = 'named'
  t.equal(createResource({}, nobody).attributes['service.name'], 'named')
  t.match(createResource({ serviceName: 'argument', serviceVersion: '2', environment: 'test', resourceAttributes: { team: 'a', 'service.name': 'weaker' } }, nobody).attributes, {
    'service.name': 'argument', 'service.version': '2', 'deployment.environment.name': 'test', team: 'a',
  })
})

/** A span as the queue sees it. */
function span (id: number, size = 0): ReadableSpan {
  return { name: String(id), attributes: size === 0 ? {} : { text: 'x'.repeat(size) }, events: [], links: [], spanContext: () => ({ traceFlags: 1 }) } as unknown as ReadableSpan
}

const idsOf = (spans: ReadableSpan[]) => spans.map(({ name }) => Number(name))

t.test('the size of a span counts names, values, events and links', async (t) => {
  const size = (parts: object) => estimateBytes({ ...span(0), ...parts } as ReadableSpan) - estimateBytes(span(0))
  t.equal(size({ name: '0123456789' }), 9)
  t.equal(size({ attributes: { key: 'value' } }), 48)
  t.equal(size({ attributes: { key: 5 } }), size({ attributes: { key: true } }))
  t.ok(size({ attributes: { key: ['value', 'value'] } }) > 2 * size({ attributes: { key: 'value' } }) - 40)
  t.ok(size({ attributes: { key: { inner: 'value' } } }) > size({ attributes: { key: 'value' } }))
  t.equal(size({ attributes: { key: null } }), 51)
  t.ok(size({ events: [{ name: 'event', attributes: { a: 'b' } }] }) > size({ events: [{ name: 'event' }] }))
  t.ok(size({ links: [{ attributes: { a: 'b' } }] }) > 80)
})

t.test('the queue keeps its books and its order, whatever is done with it', async (t) => {
  type Step = { push: number } | 'take' | 'give back' | 'give back halves' | 'lose'
  const step: fc.Arbitrary<Step> = fc.oneof(
    { arbitrary: fc.record({ push: fc.nat(5000) }), weight: 2 },
    { arbitrary: fc.constantFrom<Step>('take', 'give back', 'give back halves', 'lose'), weight: 1 }
  )
  const limits = fc.record({ maxBytes: fc.integer({ min: 1, max: 60_000 }), maxSpans: fc.integer({ min: 1, max: 40 }), maxBatchSpans: fc.integer({ min: 1, max: 9 }), maxBatchBytes: fc.integer({ min: 1, max: 9000 }) })
  fc.assert(fc.property(limits, fc.array(step, { maxLength: 200 }), (limits, steps) => {
    const queue = new SpanQueue(limits)
    const taken: Array<NonNullable<ReturnType<SpanQueue['take']>>> = []
    let [pushed, dropped, lost] = [0, 0, 0]
    for (const step of steps) {
      if (typeof step === 'object') {
        dropped += queue.push(span(pushed++, step.push))
      } else if (step === 'take') {
        const batch = queue.take()
        if (batch === undefined) {
          if (queue.length !== 0) throw new Error('a queue that is not empty gave nothing')
          continue
        }
        if (batch.spans.length === 0 || batch.spans.length > limits.maxBatchSpans) throw new Error('not a batch')
        if (batch.spans.length > 1 && batch.bytes > limits.maxBatchBytes) throw new Error('too many bytes')
        if (batch.bytes !== batch.spans.reduce((bytes, span) => bytes + estimateBytes(span), 0)) throw new Error('wrong bytes')
        const ids = idsOf(batch.spans)
        if (ids.some((id, index) => id !== ids[0]! + index)) throw new Error(`out of order: ${ids}`)
        taken.push(batch)
      } else if (step === 'give back' && taken.length > 0) {
        dropped += queue.giveBack(taken.pop()!)
      } else if (step === 'give back halves' && taken.length > 0) {
        const batch = taken.pop()!
        dropped += queue.giveBack(...halve(batch) ?? [batch])
      } else if (step === 'lose') {
        lost += taken.shift()?.spans.length ?? 0
      }
      const underWay = taken.reduce((count, { spans }) => count + spans.length, 0)
      if (pushed !== queue.length + underWay + dropped + lost) throw new Error('a span is in no place, or in two')
      if (queue.bytes < 0 || (queue.length === 0) !== (queue.bytes === 0)) throw new Error(`${queue.bytes} bytes of ${queue.length} spans`)
      if (queue.length > 1 && (queue.bytes > limits.maxBytes || queue.length > limits.maxSpans)) throw new Error('over its bounds')
    }
    const waiting = queue.length
    if (queue.clear() !== waiting || queue.length !== 0 || queue.bytes !== 0) throw new Error('not cleared')
  }), { numRuns: 500 })
  t.pass('500 runs')
})

t.test('the queue gives back in order, lets go of what is taken, and drops the oldest first', async (t) => {
  const queue = new SpanQueue({ maxBytes: 1e9, maxSpans: 5000, maxBatchSpans: 1000, maxBatchBytes: 1e9 })
  for (let id = 0; id < 4000; id++) t.equal(queue.push(span(id)), 0)
  t.equal(queue.hasFullBatch, true)
  const [first, second] = [queue.take()!, queue.take()!]
  t.same([first.spans.length, second.spans.length, queue.length], [1000, 1000, 2000])
  const halves = halve(first)!
  queue.giveBack(second)
  queue.giveBack(...halves)
  t.same(Array.from({ length: 5 }, () => idsOf(queue.take()!.spans)[0]), [0, 500, 1000, 2000, 3000])
  t.equal(queue.take(), undefined)
  t.equal(queue.hasFullBatch, false)
  t.equal(halve({ spans: [span(1)], bytes: 1, firstTriedAt: 1 }), undefined)

  const small = new SpanQueue({ maxBytes: 1e9, maxSpans: 3, maxBatchSpans: 2, maxBatchBytes: 1e9 })
  for (let id = 0; id < 3; id++) small.push(span(id))
  const batch = small.take()!
  t.equal(small.push(span(3)), 0)
  t.equal(small.giveBack(batch), 2, 'the batch that came back is the oldest')
  t.same(idsOf(small.take()!.spans), [2, 3])
})

t.test('what is seen of an attempt decides what comes next', async (t) => {
  const now = Date.UTC(2026, 0, 1)
  const code = (code: unknown) => Object.assign(new Error('message'), { code })
  const cases: Array<[attempt: Partial<Parameters<typeof judge>[0]>, succeeded: boolean, error: unknown, verdict: object]> = [
    [{}, true, undefined, { kind: 'delivered' }],
    [{ statusCode: 200 }, false, new Error('4 MiB'), { kind: 'delivered' }],
    [{ statusCode: 299 }, false, undefined, { kind: 'delivered' }],
    [{ statusCode: 301 }, false, undefined, { kind: 'refused', reason: '301' }],
    [{ statusCode: 400 }, false, undefined, { kind: 'refused', reason: '400' }],
    [{ statusCode: 500 }, false, undefined, { kind: 'refused', reason: '500' }],
    [{ statusCode: 413 }, false, undefined, { kind: 'too_large', reason: '413' }],
    ...[429, 502, 503, 504].map((statusCode): typeof cases[number] => [{ statusCode }, false, undefined, { kind: 'again', reason: String(statusCode), waitMillis: undefined }]),
    [{ statusCode: 429, retryAfter: '7' }, false, undefined, { kind: 'again', waitMillis: 7000 }],
    [{ statusCode: 429, retryAfter: ' 0 ' }, false, undefined, { kind: 'again', waitMillis: 0 }],
    [{ statusCode: 503, retryAfter: 'Thu, 01 Jan 2026 00:00:09 GMT' }, false, undefined, { kind: 'again', waitMillis: 9000 }],
    [{ statusCode: 503, retryAfter: 'Thu, 01 Jan 2025 00:00:09 GMT' }, false, undefined, { kind: 'again', waitMillis: 0 }],
    [{ statusCode: 503, retryAfter: '999999999' }, false, undefined, { kind: 'again', waitMillis: 300_000 }],
    [{ statusCode: 503, retryAfter: 'soon' }, false, undefined, { kind: 'again', waitMillis: undefined }],
    [{}, false, code('ECONNREFUSED'), { kind: 'again', reason: 'ECONNREFUSED', waitMillis: undefined }],
    [{}, false, code(404), { kind: 'refused', reason: '404' }],
    [{}, false, code(14), { kind: 'again', reason: '14' }],
    [{}, false, undefined, { kind: 'again', reason: 'unknown error' }],
  ]
  for (const [attempt, succeeded, error, verdict] of cases) {
    t.match(judge({ statusCode: undefined, retryAfter: undefined, ...attempt }, succeeded, error, now), verdict, JSON.stringify([attempt, verdict]))
  }
  t.equal(reasonOf(new AggregateError([code('ECONNREFUSED')])), 'ECONNREFUSED')
  t.equal(reasonOf([code('EPIPE')]), 'EPIPE')
  t.equal(reasonOf(new AggregateError([])), 'unknown error')
  t.equal(reasonOf(new Error('request timed out\nat somewhere')), 'request timed out')
  t.equal(reasonOf(null), 'unknown error')
})

t.test('partial success in JSON and in protobuf; what cannot be read counts as success', async (t) => {
  const json = (text: string) => readPartialSuccess('application/json; charset=utf-8', Buffer.from(text))
  t.same(json('{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}'), { rejectedSpans: 3, errorMessage: 'too old' })
  t.same(json('{"partialSuccess":{"errorMessage":5}}'), { rejectedSpans: 0, errorMessage: '' })
  for (const text of ['{}', 'null', '[]', '', '{"partialSuccess":{"rejectedSpans":-1}}', '{"partialSuccess":{"rejectedSpans":"many"}}', '{"partialSuccess":{"rejectedSpans":1.5}}']) {
    t.same(json(text), { rejectedSpans: 0, errorMessage: '' }, text)
  }
  const protobuf = (...bytes: number[]) => readPartialSuccess('application/x-protobuf', Buffer.from(bytes))
  t.same(protobuf(0x0a, 0x07, 0x08, 0xac, 0x02, 0x12, 0x02, 0x68, 0x69), { rejectedSpans: 300, errorMessage: 'hi' })
  t.same(protobuf(0x0a, 0x02, 0x08, 0x01), { rejectedSpans: 1, errorMessage: '' })
  for (const bytes of [[], [0x0a], [0x0a, 0x05, 0x08], [0x08, 0x01], [0x09], [0x0a, 0x00], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]]) {
    t.same(protobuf(...bytes), { rejectedSpans: 0, errorMessage: '' }, bytes.join())
  }
  t.same(readPartialSuccess(undefined, Buffer.from('{"partialSuccess":{"rejectedSpans":3}}')), { rejectedSpans: 0, errorMessage: '' })
  fc.assert(fc.property(fc.constantFrom('application/json', 'application/x-protobuf', undefined), fc.uint8Array({ maxLength: 64 }), (type, bytes) => {
    const { rejectedSpans, errorMessage } = readPartialSuccess(type, Buffer.from(bytes))
    return Number.isSafeInteger(rejectedSpans) && rejectedSpans >= 0 && errorMessage.length <= 200
  }), { numRuns: 2000 })
})

t.test('the report: a line when trouble begins, one when it is over with the count, each at most once a minute', async (t) => {
  const url = 'http://collector/v1/traces'
  const said = lines()
  let now = 0
  const report = createDeliveryReport(url, said.write, () => now)
  report.delivered(true)
  report.failed('ECONNRESET')
  report.failed('ECONNRESET')
  report.overflowed(2)
  report.overflowed(3)
  report.delivered(false)
  report.delivered(true)
  report.delivered(true)
  report.abandoned(6, 100)
  t.same(said.all.splice(0), [
    `fastify-schema-telemetry: no trace collector answers at ${url} (ECONNRESET). The application runs on; the spans wait until one does. ` +
      'Start one there (for instance Jaeger), or set OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_TRACES_EXPORTER=none.\n',
    `fastify-schema-telemetry: the queue of spans for ${url} is full: the oldest are dropped from here on.\n`,
    `fastify-schema-telemetry: spans are delivered again to ${url}; 5 spans were dropped since the queue was full.\n`,
    `fastify-schema-telemetry: 6 spans were not delivered to ${url} within 100 ms.\n`,
  ])
  for (let round = 0; round < 50; round++) {
    report.refused(1, '400')
    report.delivered(true)
  }
  t.same(said.all.splice(0), [
    `fastify-schema-telemetry: ${url} refuses spans (400); they are lost. The application runs on.\n`,
    `fastify-schema-telemetry: spans are delivered to ${url}; 1 were refused.\n`,
  ])
  now = 60_000
  report.refused(1, '400')
  report.gaveUp(2, '503')
  report.delivered(true)
  t.same(said.all.splice(0), [
    `fastify-schema-telemetry: ${url} refuses spans (400); they are lost. The application runs on.\n`,
    `fastify-schema-telemetry: spans were tried for ${url} for too long (503): the oldest are dropped from here on.\n`,
    `fastify-schema-telemetry: spans are delivered to ${url}; 50 were refused, 2 were given up.\n`,
  ], 'what was lost meanwhile is counted')

  const own = createDeliveryReport(undefined, said.write)
  own.attempted()
  own.failed('disk full')
  own.delivered(true)
  createDeliveryReport(url, said.write).failed('503')
  // The exporter has said it.
  createDeliveryReport(url, said.write).failed('ERR_MODULE_NOT_FOUND')
  t.same(said.all, [
    'fastify-schema-telemetry: the span exporter does not take spans (disk full). The application runs on; the spans wait until it does.\n',
    'fastify-schema-telemetry: spans are delivered again to the span exporter; none was lost.\n',
    `fastify-schema-telemetry: ${url} does not take spans (503). The application runs on; the spans wait until it does.\n`,
  ])
})

t.test('the first attempt looks whether anybody listens', async (t) => {
  const said = lines()
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${portOf(server)}/v1/traces`
  const listening = createDeliveryReport(url, said.write)
  const connected = once(server, 'connection')
  listening.attempted()
  listening.attempted()
  await connected
  server.close()
  await once(server, 'close')
  t.same(said.all, [])

  const refused = new Promise<string>((resolve) => { createDeliveryReport(url, resolve).attempted() })
  t.match(await refused, `no trace collector answers at ${url} (ECONNREFUSED)`)
  // Nobody listens on the well-known ports of this machine either, or somebody does: both are fine.
  createDeliveryReport('https://[::1]/v1/traces', () => {}).attempted()
  createDeliveryReport('http://127.0.0.1/v1/traces', () => {}).attempted()
  createDeliveryReport('not a URL', said.write).attempted()
  t.same(said.all, [])
})

const SILENT_REPORT: DeliveryReport = { attempted () {}, delivered () {}, failed () {}, refused () {}, overflowed () {}, gaveUp () {}, abandoned () {} }

/** A delivery in front of an exporter whose callbacks the test holds. */
function deliver (t: Test, options: Partial<DeliveryOptions> = {}) {
  const exports: Array<{ ids: number[], done: (result: { code: number, error?: Error }) => void }> = []
  const waiters: Array<() => void> = []
  const processor = new DeliveryProcessor({
    export (spans, callback) {
      exports.push({ ids: idsOf(spans), done: callback })
      for (const resolve of waiters.splice(0)) resolve()
    },
    async shutdown () {},
  }, { maxBytes: 1e9, maxSpans: Infinity, maxBatchSpans: 2, maxBatchBytes: 1e9, scheduledDelayMillis: 3_600_000, attemptTimeoutMillis: 60_000, ...options }, SILENT_REPORT)
  // The timers of the delivery keep no process alive.
  const alive = setInterval(() => {}, 60_000)
  t.teardown(() => {
    clearInterval(alive)
    return processor.shutdown()
  })
  async function waitForExports (count: number): Promise<void> {
    while (exports.length < count) await new Promise<void>((resolve) => { waiters.push(resolve) })
  }
  function end (...ids: number[]): void {
    for (const id of ids) {
      processor.onStart()
      processor.onEnd(span(id))
    }
  }
  return { processor, exports, waitForExports, end }
}

t.test('at most four batches are under way; one while the collector does not answer', async (t) => {
  const { exports, waitForExports, end, processor } = deliver(t)
  end(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
  await waitForExports(4)
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  t.same(exports.map(({ ids }) => ids), [[0, 1], [2, 3], [4, 5], [6, 7]])
  t.match(processor.stats(), { queued: 11, exported: 0 })
  processor.forceFlush()
  t.equal(exports.length, 4, 'a flush waits for a slot too')
  for (const { done } of exports.splice(0)) done({ code: 1, error: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })
  t.match(processor.stats(), { queued: 11, exported: 0 })
  end(11)
  await waitForExports(1)
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  t.equal(exports.length, 1)
  // Asked again for the same spans, twice called back: counted once.
  const [{ ids, done }] = exports.splice(0) as [typeof exports[number]]
  t.equal(ids.length, 2)
  done({ code: 0 })
  done({ code: 1 })
  t.match(processor.stats(), { queued: 10, exported: 2 })
})

t.test('an exporter that never calls back loses its slot; one that throws is tried again', async (t) => {
  const { exports, waitForExports, end, processor } = deliver(t, { attemptTimeoutMillis: 1 })
  end(0, 1)
  await waitForExports(2)
  t.same(exports.map(({ ids }) => ids), [[0, 1], [0, 1]], 'given back, and sent once more')
  exports[1]!.done({ code: 0 })
  exports[0]!.done({ code: 0 })
  t.match(processor.stats(), { exported: 2, queued: 0 })

  let calls = 0
  const throwing = new DeliveryProcessor({
    export (_spans, callback) {
      if (++calls === 1) throw new Error('not yet')
      callback({ code: 0 })
    },
    async shutdown () {},
  }, { maxBytes: 1e9, maxSpans: Infinity, maxBatchSpans: 2, maxBatchBytes: 1e9, scheduledDelayMillis: 1, attemptTimeoutMillis: 1000 }, SILENT_REPORT)
  throwing.countSampledOut()
  throwing.onStart()
  throwing.onEnd(span(1))
  await throwing.forceFlush()
  await throwing.forceFlush()
  t.match(throwing.stats(), { exported: 1, sampledOut: 1, dropped: { rejected: 0 } })
  await throwing.shutdown()
  await throwing.shutdown()
  throwing.onStart()
  throwing.onEnd(span(2))
  t.match(throwing.stats(), { dropped: { shutdown: 1 } })
})

t.test('a batch that only ever fails is given up after a quarter of an hour', async (t) => {
  const { performance } = globalThis
  const real = performance.now
  let ahead = 0
  performance.now = () => real.call(performance) + ahead
  t.teardown(() => { performance.now = real })
  const { exports, waitForExports, end, processor } = deliver(t)
  end(0, 1)
  await waitForExports(1)
  ahead = 16 * 60_000
  exports[0]!.done({ code: 1, error: new Error('still away') })
  t.match(processor.stats(), { queued: 0, dropped: { retry_exhausted: 2 } })
})

t.test('a batch that comes back to a full queue makes way; nobody waits for it for ever', async (t) => {
  const { exports, waitForExports, end, processor } = deliver(t, { maxSpans: 1 })
  end(0)
  const flushed = processor.forceFlush()
  await waitForExports(1)
  end(1)
  exports[0]!.done({ code: 1, error: new Error('away') })
  t.match(processor.stats(), { queued: 1, dropped: { queue_full: 1 } })
  await waitForExports(2)
  exports[1]!.done({ code: 0 })
  await flushed
  t.match(processor.stats(), { exported: 1, queued: 0 })
})

t.test('a request is noted once, though newer versions of Node.js tell of it twice; the last one of an attempt counts', async (t) => {
  const noted: unknown[] = []
  const observer = observeAttempts((request) => { noted.push(request) })
  t.teardown(() => observer.stop())
  const attempt = newAttempt()
  const [first, second] = [{}, {}]
  const publish = (name: string, message: object) => channel(`http.client.${name}`).publish(message)
  observer.observe(attempt, () => {
    publish('request.created', { request: first })
    publish('response.finish', { request: first, response: { statusCode: 413, headers: { 'retry-after': '5' } } })
    publish('request.start', { request: first })
    t.match(attempt, { statusCode: 413, retryAfter: '5' })
    publish('request.start', { request: second })
    t.match(attempt, { statusCode: undefined, retryAfter: undefined })
  })
  t.equal(noted.length, 2)
  t.equal(attempt.request, second)
})

t.test('requests of others are nobody\'s attempt', async (t) => {
  const observer = observeAttempts()
  t.teardown(() => observer.stop())
  const attempt = newAttempt()
  const server = (await import('node:http')).createServer((_request, response) => response.end('x')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await (await import('node:http')).get({ port: portOf(server), host: '127.0.0.1', agent: false }).on('response', (response) => response.resume()).once('close', () => server.close())
  await once(server, 'close')
  t.same(attempt, newAttempt())
})

t.test('an exporter that is not installed is named with its install line, once', async (t) => {
  const said = lines()
  const exporter = new LazyExporter<unknown[]>(() => Promise.reject(new Error('Cannot find package "x"\nRequire stack:\n- x')), '@opentelemetry/exporter-x', '3.x', said.write)
  await exporter.forceFlush()
  await exporter.shutdown()
  for (let round = 0; round < 2; round++) {
    const result = await new Promise<{ code: number, error?: Error }>((resolve) => { exporter.export([], resolve) })
    t.match(result, { code: 1, error: { message: 'Cannot find package "x"' } })
  }
  await exporter.forceFlush()
  await exporter.shutdown()
  t.same(said.all, ['fastify-schema-telemetry: @opentelemetry/exporter-x cannot be loaded, so nothing is exported over it: Error: Cannot find package "x". ' +
    'Install it: npm i @opentelemetry/exporter-x@0.301\n'])

  const calls: string[] = []
  const loaded = new LazyExporter<unknown[]>(async () => ({
    export (_items, callback) { callback({ code: 0 }) },
    async forceFlush () { calls.push('flush') },
    async shutdown () { calls.push('shutdown') },
  }), '@opentelemetry/exporter-x', '2.x', nobody)
  t.match(await new Promise((resolve) => { loaded.export([], resolve) }), { code: 0 })
  await loaded.forceFlush()
  await loaded.shutdown()
  t.same(calls, ['flush', 'shutdown'])
})

t.test('exporters: the temporality of metrics is known before they are loaded; grpc is refused', async (t) => {
  const temporalities = (preference?: string) => {
    const exporter = createMetricExporter('http/json', 'http://127.0.0.1:1', nobody, { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: preference })
    return [InstrumentType.COUNTER, InstrumentType.HISTOGRAM, InstrumentType.OBSERVABLE_COUNTER, InstrumentType.UP_DOWN_COUNTER, InstrumentType.OBSERVABLE_UP_DOWN_COUNTER]
      .map((type) => exporter.selectAggregationTemporality!(type))
  }
  const { CUMULATIVE, DELTA } = AggregationTemporality
  t.same(temporalities(), [CUMULATIVE, CUMULATIVE, CUMULATIVE, CUMULATIVE, CUMULATIVE])
  t.same(temporalities('Delta'), [DELTA, DELTA, DELTA, CUMULATIVE, CUMULATIVE])
  t.same(temporalities('lowmemory'), [DELTA, DELTA, CUMULATIVE, CUMULATIVE, CUMULATIVE])
  for (const make of [() => createTraceExporter('grpc', 'http://x', 1, nobody), () => createMetricExporter('grpc', 'http://x', nobody)]) {
    t.throws(make, { code: 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', message: /is "grpc", which configure\(\) does not export over: set it to "http\/protobuf"/ })
  }
})

t.test('packages of two OpenTelemetry lines are refused with what to install; an exporter of the other line is said', async (t) => {
  checkLines()
  checkLines({ '@opentelemetry/sdk-trace': '2.12.1', '@opentelemetry/core': '2.11.0', '@opentelemetry/resources': '2.12.0' })
  t.throws(() => checkLines({ '@opentelemetry/sdk-trace': '3.1.1', '@opentelemetry/core': '2.12.1', '@opentelemetry/resources': '3.1.1' }), {
    code: 'FST_SCHEMA_TELEMETRY_MIXED_LINES',
    message: /two OpenTelemetry lines are installed: @opentelemetry\/sdk-trace 3\.1\.1, @opentelemetry\/core 2\.12\.1, .*npm i @opentelemetry\/api@1\.9/,
    cause: undefined,
  })
  const request = (agent: string | undefined) => ({ getHeader: () => agent }) as unknown as Parameters<ReturnType<typeof createExporterCheck>>[0]
  const sdkIs2 = String(defaultResource().attributes['telemetry.sdk.version']).startsWith('2.')
  const [same, other] = sdkIs2 ? ['0.223.0', '0.301.0'] : ['0.301.0', '0.223.0']
  for (const agent of [undefined, 'mine', `OTel-OTLP-Exporter-JavaScript/${same}`]) createExporterCheck(nobody)(request(agent))
  const said = lines()
  const check = createExporterCheck(said.write)
  check(request(`app OTel-OTLP-Exporter-JavaScript/${other}`))
  check(request(`app OTel-OTLP-Exporter-JavaScript/${other}`))
  t.equal(said.all.length, 1)
  t.match(said.all[0], `the exporter ${other} is of another OpenTelemetry line than the SDK`)
})

/** Peers of this package by name, with their ranges. */
const { peerDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { peerDependencies: Record<string, string> }

t.test('install lines: the versions of each line fit the peers, and what a door needs is what it imports', async (t) => {
  for (const [line, major] of [['2.x', 0], ['3.x', 1]] as const) {
    const names = Object.keys(peerDependencies).filter((name) => name.startsWith('@opentelemetry/'))
    for (const item of installLine(line, names).split(' ').slice(2)) {
      const [, name, version] = /^(@[^@]+)@(\d+\.\d+)$/.exec(item)!
      // As in `^2.12.0 || ^3.0.0`: of one major version, or of one minor version below 1.0.0.
      const lowest = peerDependencies[name!]!.split(' || ').at(name === '@opentelemetry/api' ? 0 : major)!.slice(1).split('.').map(Number)
      const [found, minor] = version!.split('.').map(Number) as [number, number]
      t.ok(found === lowest[0] && (found === 0 ? minor === lowest[1] : minor >= lowest[1]!), `${item} fits ${peerDependencies[name!]}`)
    }
  }
  for (const [door, needed] of Object.entries(NEEDED_PACKAGES)) {
    const imported = new Set(['@opentelemetry/api'])
    for (const file of readdirSync(new URL(`../../lib/${door}`, import.meta.url), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
      const code = readFileSync(new URL(`../../lib/${door}/${file}`, import.meta.url), 'utf8')
      for (const [, name] of code.matchAll(/^import (?!type )[^;]*? from '(@opentelemetry\/[^']+)'/gm)) imported.add(name!)
    }
    t.same([...needed].toSorted(), [...imported].toSorted(), door)
  }
  const cases: Array<[name: string, version: string, line: string | undefined]> = [
    ['core', '2.99.0', '2.x'], ['sdk-trace', '3.0.0', '3.x'], ['core', '1.30.1', undefined], ['core', 'none', undefined],
    ['exporter-trace-otlp-http', '0.223.1', '2.x'], ['exporter-trace-otlp-http', '0.301.0', '3.x'],
    ['api', '1.9.1', '2.x'], ['api', '1.10.0', undefined], ['api', '2.0.0', undefined],
  ]
  for (const [name, version, line] of cases) t.equal(lineOf(`@opentelemetry/${name}`, version), line, `${name} ${version}`)
})

t.test('what keeps a door shut: a package that is missing, packages of two lines, or an error that stays what it is', async (t) => {
  /** A folder of packages, and the paths that lead to it after one where there are none. */
  const installed = (versions: Record<string, string>) => {
    const packages = Object.entries(versions).map(([name, version]) => [name, { 'package.json': JSON.stringify({ version }) }])
    const folder = t.testdir({ node_modules: { '@opentelemetry': Object.fromEntries(packages) } })
    return () => [join(folder, 'none'), join(folder, 'node_modules')]
  }
  const notFound = (name: string, code = 'ERR_MODULE_NOT_FOUND') => Object.assign(new Error(`Cannot find package '${name}' imported from /x.js`), { code })
  const all2 = { api: '1.9.1', 'sdk-trace': '2.12.1', core: '2.12.1', 'context-async-hooks': '2.12.0' }
  const all3 = { api: '1.10.0', 'sdk-trace': '3.1.1', core: '3.1.1', 'context-async-hooks': '3.1.1' }
  const without = (versions: Record<string, string>, ...names: string[]) => Object.fromEntries(Object.entries(versions).filter(([name]) => !names.includes(name)))
  const either = 'Install one line: npm i @opentelemetry/api@1.9 @opentelemetry/sdk-trace@2.12 @opentelemetry/core@2.12 @opentelemetry/context-async-hooks@2.12 (2.x), ' +
    'or npm i @opentelemetry/api@1.10 @opentelemetry/sdk-trace@3.1 @opentelemetry/core@3.1 @opentelemetry/context-async-hooks@3.1 (3.x, Node.js 22.15 and later)'
  const cases: Array<[versions: Record<string, string>, missing: string, message: string]> = [
    [without(all2, 'core'), 'core', '@opentelemetry/core, which is not installed. Install it: npm i @opentelemetry/core@2.12'],
    [without(all3, 'core'), 'core', '@opentelemetry/core, which is not installed. Install it: npm i @opentelemetry/core@3.1'],
    [without(all2, 'api'), 'api', '@opentelemetry/api, which is not installed. Install it: npm i @opentelemetry/api@1.9'],
    [without(all3, 'core', 'sdk-trace'), 'core', '@opentelemetry/core and @opentelemetry/sdk-trace, which are not installed. Install them: npm i @opentelemetry/sdk-trace@3.1 @opentelemetry/core@3.1'],
    [{ api: '1.9.1' }, 'sdk-trace', `@opentelemetry/sdk-trace and 2 other packages, which are not installed. ${either}`],
    [{}, 'sdk-trace', `@opentelemetry/sdk-trace and 3 other packages, which are not installed. ${either}`],
    [{ ...without(all2, 'core'), 'context-async-hooks': '1.30.1' }, 'core', '@opentelemetry/core, which is not installed. Install it: npm i @opentelemetry/core@2.12'],
    [{ ...without(all3, 'core'), 'context-async-hooks': '2.12.0' }, 'core', `@opentelemetry/core, which is not installed. ${either}`],
  ]
  for (const [versions, missing, message] of cases) {
    for (const code of ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']) {
      const cause = notFound(`@opentelemetry/${missing}`, code)
      const explained = explainImportError(cause, 'testing', installed(versions)) as TelemetryError
      t.match(explained, { code: 'FST_SCHEMA_TELEMETRY_MISSING_PACKAGE', message: `fastify-schema-telemetry/testing needs ${message}` })
      t.equal(explained.cause, cause)
    }
  }
  t.match(explainImportError(notFound('@opentelemetry/core'), 'testing', () => null), { message: / needs @opentelemetry\/core and 3 other packages/ })

  const syntax = new SyntaxError("The requested module '@opentelemetry/api' does not provide an export named 'SeverityNumber'")
  const mixed = explainImportError(syntax, 'testing', installed({ ...all3, api: '1.9.1' })) as TelemetryError
  t.match(mixed, { code: 'FST_SCHEMA_TELEMETRY_MIXED_LINES', message: 'installed: @opentelemetry/api 1.9.1, @opentelemetry/sdk-trace 3.1.1, ' })
  t.ok(mixed.message.endsWith(either))
  t.equal(mixed.cause, syntax)

  const others: unknown[] = [
    undefined, null, 'text', new Error('x'), syntax, new SyntaxError('Unexpected token'), notFound('left-pad'), notFound('@opentelemetry/not-ours'),
    // Of another door, of a path, and one that says the same for another reason.
    notFound('@opentelemetry/sdk-metrics'), notFound('@opentelemetry/core/build/x.js'), notFound('/node_modules/@opentelemetry/core'), notFound('@opentelemetry/core', 'E_OTHER'),
  ]
  for (const error of others) t.equal(explainImportError(error, 'testing', installed(all2)), error)
})

t.test('console json: a line for each span', async (t) => {
  const said = lines()
  const processor = new ConsoleJsonProcessor(said.write)
  const provider = new TracerProvider({ spanProcessors: [processor as never] })
  const tracer = provider.getTracer('test', '1')
  tracer.startSpan('one\nline', { attributes: { a: ['b'] } }).end()
  await provider.forceFlush()
  await provider.shutdown()
  t.equal(said.all.length, 1)
  t.equal(said.all[0]!.indexOf('\n'), said.all[0]!.length - 1)
  t.match(JSON.parse(said.all[0]!), { name: 'one\nline', kind: 'INTERNAL', attributes: { a: ['b'] }, status: 'UNSET', scope: { name: 'test', version: '1' } })
})

t.test('configure({ console: "json" }) prints on standard output', async (t) => {
  const { write } = process.stdout
  let text = ''
  process.stdout.write = ((chunk: unknown, ...rest: unknown[]) => {
    text += String(chunk)
    return (write as (...args: unknown[]) => boolean).call(process.stdout, chunk, ...rest)
  }) as typeof write
  t.teardown(() => { process.stdout.write = write })
  const telemetry = configure({ serviceName: 'x', exporter: 'none', console: 'json' })
  telemetry.tracerProvider.getTracer('test').startSpan('printed').end()
  await telemetry.shutdown()
  t.match(text, /^\{"name":"printed",.*\}\n/m)
})

t.test('the diagnostics logger: one line each, once a minute; never in place of the application\'s', async (t) => {
  const said = lines()
  let now = 0
  installDiagLogger(said.write, undefined, () => now)
  diag.warn('first line\nsecond line', 5)
  diag.warn('first line\nanother stack')
  diag.info('not shown')
  now = 60_000
  diag.error('first line')
  for (let kind = 0; kind < 150; kind++) diag.warn(`kind ${kind}`)
  t.same(said.all.slice(0, 3), ['first line\n', 'first line\n', 'kind 0\n'])
  t.equal(said.all.length, 152)
  installDiagLogger(() => t.fail('a logger is there'))
  diag.warn('to the first one')
  t.equal(said.all.at(-1), 'to the first one\n')
})

t.test('what the SDK reports is one line a minute, and goes where diagnostics go', async (t) => {
  const said = lines()
  const { write } = process.stderr
  process.stderr.write = ((chunk: unknown) => { said.write(String(chunk)); return true }) as typeof write
  t.teardown(() => { process.stderr.write = write })
  const telemetry = configure({ serviceName: 'x', exporter: 'none' })
  for (let round = 0; round < 3; round++) globalErrorHandler(new Error('metrics export failed\nat somewhere'))
  globalErrorHandler('a text')
  t.same(said.all, ['metrics export failed', 'a text'].map((text) => `fastify-schema-telemetry: OpenTelemetry reports: ${text}\n`))
  await telemetry.shutdown()
})

t.test('another copy of the API, and an SDK that came first, are said in one line each', async (t) => {
  const said = lines()
  const { write } = process.stderr
  process.stderr.write = ((chunk: unknown) => { said.write(String(chunk)); return true }) as typeof write
  t.teardown(() => { process.stderr.write = write })
  const globals = globalThis as unknown as Record<symbol, unknown>
  const key = Symbol.for('opentelemetry.js.api.1')
  const before = globals[key]
  globals[key] = { version: '0.9.9' }
  t.teardown(() => { globals[key] = before })
  const first = configure({ serviceName: 'x', exporter: 'none' })
  t.match(said.all.find((line) => line.includes('another copy')), /^fastify-schema-telemetry: another copy of @opentelemetry\/api \(version 0\.9\.9\) was loaded first.*npm ls @opentelemetry\/api/)
  await first.shutdown()
  said.all.length = 0

  globals[key] = before
  for (const api of [trace, propagation, context, diag]) api.disable()
  trace.setGlobalTracerProvider(new TracerProvider())
  const second = configure({ serviceName: 'x', exporter: 'none' })
  t.match(said.all, [/^fastify-schema-telemetry: an OpenTelemetry SDK has been registered in this process already; it stays in use/])
  await second.shutdown()
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
