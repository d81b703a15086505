import { context, diag, metrics, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { configure, type ConfigureOptions, type Telemetry } from 'fastify-schema-telemetry/configure'
import t, { type Test } from 'tap'
import { startOtlpReceiver, type OtlpReceiver, type OtlpSpan } from '../helpers/otlp-receiver.ts'
import { SELF_SIGNED } from '../helpers/tls.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1
t.setTimeout(120_000)

t.beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
})

t.afterEach(disableApi)

function disableApi (): void {
  for (const api of [trace, metrics, propagation, context, diag]) api.disable()
}

interface Run {
  receiver: OtlpReceiver
  spans: OtlpSpan[]
  stdout: string
  stderr: string
  telemetry: Telemetry
}

/** Sets up telemetry with `env` and a collector, records one trace, ends, and tells what came. */
async function run (t: Test, env: NodeJS.ProcessEnv, { options = {}, tls = false, prepare, record = recordTrace }: {
  options?: ConfigureOptions
  tls?: boolean
  prepare?: (receiver: OtlpReceiver) => void
  record?: (telemetry: Telemetry, receiver: OtlpReceiver) => void | Promise<void>
} = {}): Promise<Run> {
  const receiver = await startOtlpReceiver(tls ? { ...SELF_SIGNED, requestCert: true, rejectUnauthorized: false } : undefined)
  prepare?.(receiver)
  const written = { stdout: '', stderr: '' }
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write }
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((chunk: unknown, ...rest: unknown[]) => {
      written[name] += String(chunk)
      // tap reports on standard output.
      return name === 'stderr' || (originals.stdout as (...args: unknown[]) => boolean).call(process.stdout, chunk, ...rest)
    }) as typeof process.stdout.write
  }
  try {
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = receiver.url
    process.env.OTEL_SERVICE_NAME = 'service'
    for (const [name, value] of Object.entries(env)) process.env[name] = value?.replace('RECEIVER', receiver.url)
    const telemetry = configure(options)
    await record(telemetry, receiver)
    await telemetry.shutdown()
    return { receiver, spans: receiver.spans, ...written, telemetry }
  } finally {
    Object.assign(process.stdout, { write: originals.stdout })
    Object.assign(process.stderr, { write: originals.stderr })
    await receiver.close()
    disableApi()
    for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
  }
}

const LONG = 'x'.repeat(50)

/** A root with a child, and as many attributes, events and links as there are limits. */
function recordTrace ({ tracerProvider }: Telemetry): void {
  const tracer = tracerProvider.getTracer('test')
  const links = ['1', '2', '3'].map((digit) => ({ context: { traceId: digit.repeat(32), spanId: digit.repeat(16), traceFlags: 1 }, attributes: { a: 1, b: 2, c: 3 } }))
  const root = tracer.startSpan('root', { attributes: { a: LONG, b: 2, c: 3 }, links }, ROOT_CONTEXT)
  for (const name of ['one', 'two', 'three']) root.addEvent(name, { a: 1, b: 2, c: 3 })
  tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root)).end()
  root.end()
}

const rootOf = ({ spans }: Run) => spans.find(({ name }) => name === 'root') as OtlpSpan & {
  events?: Array<{ attributes: unknown[] }>, links?: Array<{ attributes: unknown[] }>
}

/** As a caller with a decision would: a remote parent. */
function continueTrace (sampled: boolean): (telemetry: Telemetry) => void {
  return ({ tracerProvider }) => {
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: sampled ? 1 : 0, isRemote: true }
    tracerProvider.getTracer('test').startSpan('continued', {}, trace.setSpanContext(ROOT_CONTEXT, parent)).end()
  }
}

interface VariableCase {
  variable: string
  /** Also set. */
  also?: NodeJS.ProcessEnv
  good: string
  bad?: string
  /** What the line about the bad value says; by default the variable's name. */
  complaint?: RegExp
  /** True when the good value works, false when the default does. */
  isInEffect (run: Run, t: Test): boolean
  set?: Parameters<typeof run>[2]
}

const metricsOn = { OTEL_METRICS_EXPORTER: 'otlp' }
const isLimited = (list: unknown[] | undefined) => list?.length === 2

/** Every variable: with the good value it is in effect; empty, and with the bad value, it is not, and the bad value is said in one line. */
const CASES: VariableCase[] = [
  { variable: 'OTEL_SDK_DISABLED', good: 'TRUE', bad: 'yes', isInEffect: ({ spans }) => spans.length === 0 },
  { variable: 'OTEL_SERVICE_NAME', good: 'shop', isInEffect: ({ spans }) => spans[0]!.service === 'shop' },
  {
    variable: 'OTEL_RESOURCE_ATTRIBUTES',
    good: 'service.version=1.2.3,app.team=a%20team',
    bad: 'service.version=1.2.3,app.team',
    isInEffect: ({ spans }) => spans[0]!.resource['service.version'] === '1.2.3' && spans[0]!.resource['app.team'] === 'a team',
  },
  { variable: 'OTEL_TRACES_EXPORTER', good: 'none', bad: 'zipkin', isInEffect: ({ spans }) => spans.length === 0 },
  { variable: 'OTEL_TRACES_EXPORTER', good: 'console', isInEffect: ({ spans, stdout }) => spans.length === 0 && /root .*\n.*└─ child/.test(stdout) },
  { variable: 'OTEL_TRACES_EXPORTER', good: 'otlp', isInEffect: ({ spans }) => spans.length === 2 },
  {
    variable: 'OTEL_TRACES_EXPORTER',
    good: 'otlp, Console',
    bad: 'zipkin,jaeger',
    isInEffect: ({ spans, stdout }) => spans.length === 2 && /root .*\n.*└─ child/.test(stdout),
  },
  { variable: 'OTEL_METRICS_EXPORTER', good: 'otlp', bad: 'prometheus', isInEffect: ({ receiver }) => receiver.requests.some(({ path }) => path === '/v1/metrics') },
  { variable: 'OTEL_METRICS_EXPORTER', good: 'console', isInEffect: ({ stdout, receiver }) => stdout.includes('otel.sdk.') && receiver.metrics.length === 0 },
  {
    variable: 'OTEL_METRICS_EXPORTER',
    good: 'console,otlp',
    bad: 'prometheus,statsd',
    isInEffect: ({ stdout, receiver }) => stdout.includes('otel.sdk.') && receiver.metrics.length > 0,
  },
  { variable: 'OTEL_EXPORTER_OTLP_ENDPOINT', good: 'RECEIVER/base', isInEffect: ({ receiver }) => receiver.requests[0]?.path === '/base/v1/traces' },
  { variable: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', good: 'RECEIVER/here', bad: 'nowhere', complaint: /export URL: 'nowhere'/, isInEffect: ({ receiver }) => receiver.requests[0]?.path === '/here' },
  {
    variable: 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    also: metricsOn,
    good: 'RECEIVER/there',
    bad: 'nowhere',
    complaint: /export URL: 'nowhere'/,
    isInEffect: ({ receiver }) => receiver.requests.some(({ path }) => path === '/there'),
  },
  { variable: 'OTEL_EXPORTER_OTLP_HEADERS', good: 'x-key=a%20b==,x-more=2', bad: 'secret', isInEffect: ({ receiver }) => receiver.requests[0]?.headers['x-key'] === 'a b==' },
  {
    variable: 'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
    also: { OTEL_EXPORTER_OTLP_HEADERS: 'x-key=general' },
    good: 'x-key=traces',
    bad: 'secret',
    isInEffect: ({ receiver }) => receiver.requests[0]?.headers['x-key'] === 'traces',
  },
  {
    variable: 'OTEL_EXPORTER_OTLP_METRICS_HEADERS',
    also: metricsOn,
    good: 'x-key=metrics',
    bad: 'secret',
    isInEffect: ({ receiver }) => receiver.requests.some(({ path, headers }) => path === '/v1/metrics' && headers['x-key'] === 'metrics'),
  },
  { variable: 'OTEL_EXPORTER_OTLP_COMPRESSION', good: 'gzip', bad: 'zstd', isInEffect: ({ receiver }) => receiver.requests[0]?.headers['content-encoding'] === 'gzip' },
  { variable: 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', good: 'gzip', bad: 'zstd', isInEffect: ({ receiver }) => receiver.requests[0]?.headers['content-encoding'] === 'gzip' },
  {
    variable: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    good: 'http/protobuf',
    bad: 'http/xml',
    isInEffect: ({ receiver }) => receiver.requests[0]?.headers['content-type'] === 'application/x-protobuf',
  },
  {
    variable: 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    also: { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
    good: 'http/protobuf',
    bad: 'http/xml',
    isInEffect: ({ receiver }) => receiver.requests[0]?.headers['content-type'] === 'application/x-protobuf',
  },
  {
    variable: 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL',
    also: metricsOn,
    good: 'http/protobuf',
    bad: 'http/xml',
    isInEffect: ({ receiver }) => receiver.requests.find(({ path }) => path === '/v1/metrics')?.headers['content-type'] === 'application/x-protobuf',
  },
  { variable: 'OTEL_TRACES_SAMPLER', good: 'always_off', bad: 'sometimes', isInEffect: ({ spans, telemetry }) => spans.length === 0 && telemetry.stats().sampledOut === 2 },
  { variable: 'OTEL_TRACES_SAMPLER', good: 'parentbased_always_off', isInEffect: ({ spans }) => spans.length === 0 },
  { variable: 'OTEL_TRACES_SAMPLER', good: 'always_on', isInEffect: ({ spans }) => spans.length === 1, set: { record: continueTrace(false) } },
  { variable: 'OTEL_TRACES_SAMPLER_ARG', also: { OTEL_TRACES_SAMPLER: 'traceidratio' }, good: '0', bad: '1.5', isInEffect: ({ spans }) => spans.length === 0 },
  {
    variable: 'OTEL_TRACES_SAMPLER_ARG',
    also: { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' },
    good: '0',
    bad: 'half',
    isInEffect: ({ spans }) => spans.length === 0,
  },
  { variable: 'OTEL_BSP_MAX_QUEUE_SIZE', good: '1', bad: '0', isInEffect: ({ spans, telemetry }) => spans.length === 1 && telemetry.stats().dropped.queue_full === 1 },
  { variable: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', good: '1', bad: '-3', isInEffect: ({ receiver }) => receiver.requests.length === 2 },
  { variable: 'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', good: '2', bad: 'few', isInEffect: (run) => Object.keys(rootOf(run).attributes).length === 2 },
  { variable: 'OTEL_ATTRIBUTE_COUNT_LIMIT', good: '2', bad: '2.5', isInEffect: (run) => Object.keys(rootOf(run).attributes).length === 2 && isLimited(rootOf(run).events![0]!.attributes) },
  { variable: 'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', good: '10', bad: '1e999', isInEffect: (run) => rootOf(run).attributes.a === 'x'.repeat(10) },
  { variable: 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', good: '10', bad: '-1', isInEffect: (run) => rootOf(run).attributes.a === 'x'.repeat(10) },
  { variable: 'OTEL_SPAN_EVENT_COUNT_LIMIT', good: '2', bad: 'x', isInEffect: (run) => isLimited(rootOf(run).events) },
  { variable: 'OTEL_SPAN_LINK_COUNT_LIMIT', good: '2', bad: 'x', isInEffect: (run) => isLimited(rootOf(run).links) },
  { variable: 'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', good: '2', bad: 'x', isInEffect: (run) => isLimited(rootOf(run).events![0]!.attributes) },
  { variable: 'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', good: '2', bad: 'x', isInEffect: (run) => isLimited(rootOf(run).links![0]!.attributes) },
]

for (const { variable, also = {}, good, bad, complaint = new RegExp(variable), isInEffect, set } of CASES) {
  t.test(`${variable}=${good}`, async (t) => {
    const works = await run(t, { ...also, [variable]: good }, set)
    t.ok(isInEffect(works, t), 'in effect')
    t.notMatch(works.stderr, /OTEL_|Configuration/)
    // The endpoint and the name of the service are needed, and set, in the other runs; what works by default works when it is empty.
    if (variable === 'OTEL_EXPORTER_OTLP_ENDPOINT' || variable === 'OTEL_SERVICE_NAME' || (good === 'otlp' && variable === 'OTEL_TRACES_EXPORTER')) return
    const empty = await run(t, { ...also, [variable]: ' ' }, set)
    t.notOk(isInEffect(empty, t), 'empty is unset')
    t.equal(empty.stderr, '')
    if (bad === undefined) return
    const ignored = await run(t, { ...also, [variable]: bad }, set)
    t.notOk(isInEffect(ignored, t), 'a bad value is ignored')
    t.match(ignored.stderr, complaint)
    t.equal(ignored.stderr.split('\n').length, 2, `one line: ${ignored.stderr}`)
    t.notMatch(ignored.stderr, /secret/)
  })
}

t.test('a list of exporters: what is known of it works, what is not, and a "none" beside others, is said in one line', async (t) => {
  const cases: Array<[value: string, effect: { otlp: boolean, console: boolean }, line: RegExp]> = [
    ['otlp,console,otlp', { otlp: true, console: true }, /^$/],
    ['console,', { otlp: false, console: true }, /^$/],
    ['zipkin,console', { otlp: false, console: true }, /must be a list of otlp, console, none, received "zipkin"; it is ignored\.\n$/],
    ['otlp,a"b,statsd', { otlp: true, console: false }, /must be a list of otlp, console, none, received "a\\"b,statsd"; it is ignored\.\n$/],
    ['none,console', { otlp: false, console: true }, /has "none" beside others, where it means nothing; it is ignored\.\n$/],
    ['otlp,none,zipkin', { otlp: true, console: false }, /must be a list of otlp, console, none, received "zipkin"; it is ignored\.\n$/],
    ['none,zipkin', { otlp: false, console: false }, /must be a list of otlp, console, none, received "zipkin"; it is ignored\.\n$/],
  ]
  for (const [value, effect, line] of cases) {
    for (const [name, other, mark] of [['OTEL_TRACES_EXPORTER', 'OTEL_METRICS_EXPORTER', 'child'], ['OTEL_METRICS_EXPORTER', 'OTEL_TRACES_EXPORTER', 'otel.sdk.']] as const) {
      const { receiver, stdout, stderr } = await run(t, { [name]: value, [other]: 'none' })
      t.same({ otlp: receiver.requests.length > 0, console: stdout.includes(mark) }, effect, `${name}=${value}`)
      t.match(stderr, line)
      t.equal(stderr.startsWith(`fastify-schema-telemetry: ${name} `), stderr !== '')
    }
  }
})

t.test('an endpoint that is no URL of HTTP is said in one line, and the default is used', async (t) => {
  const cases: Array<[name: string, value: string, line: RegExp]> = [
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ' ', /^$/],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'nowhere', /export URL: 'nowhere'/],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318', /OTEL_EXPORTER_OTLP_ENDPOINT must be a URL that begins with http:\/\/ or https:\/\/, received "localhost:4318"; it is ignored/],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'localhost:4318', /OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be a URL that begins with http/],
  ]
  for (const [name, value, line] of cases) {
    const { stderr } = await run(t, { [name]: value }, { record () {} })
    t.match(stderr, line)
    t.ok(stderr.split('\n').length <= 2, stderr)
  }
})

/** The first attempt gets no answer: only the bound of the export can bring the second. */
function hangOnce (receiver: OtlpReceiver): void {
  const { answer } = receiver
  receiver.answer = () => { receiver.answer = answer }
}

t.test('OTEL_EXPORTER_OTLP_*TIMEOUT and OTEL_BSP_EXPORT_TIMEOUT bound an export; the signal\'s is the strongest', async (t) => {
  const cases: NodeJS.ProcessEnv[] = [
    { OTEL_EXPORTER_OTLP_TIMEOUT: '100' },
    { OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '100', OTEL_EXPORTER_OTLP_TIMEOUT: '60000' },
    { OTEL_BSP_EXPORT_TIMEOUT: '100' },
    { OTEL_EXPORTER_OTLP_TIMEOUT: '100', OTEL_BSP_EXPORT_TIMEOUT: '60000' },
  ]
  for (const env of cases) {
    const { receiver, telemetry } = await run(t, env, { prepare: hangOnce, options: { flushTimeoutMillis: 20_000 } })
    t.equal(receiver.requests.length, 2)
    t.equal(telemetry.stats().exported, 2)
  }
  for (const name of ['OTEL_EXPORTER_OTLP_TIMEOUT', 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_BSP_EXPORT_TIMEOUT']) {
    const { stderr, spans } = await run(t, { [name]: '-5' })
    t.match(stderr, new RegExp(`${name}\\b`))
    t.equal(stderr.split('\n').length, 2, stderr)
    t.equal(spans.length, 2)
  }
})

t.test('OTEL_BSP_SCHEDULE_DELAY and OTEL_METRIC_EXPORT_INTERVAL: spans and metrics come without a flush', async (t) => {
  const env = { OTEL_BSP_SCHEDULE_DELAY: '10', OTEL_METRICS_EXPORTER: 'otlp', OTEL_METRIC_EXPORT_INTERVAL: '500', OTEL_METRIC_EXPORT_TIMEOUT: '10000' }
  const { stderr } = await run(t, env, {
    async record (telemetry, receiver) {
      recordTrace(telemetry)
      await receiver.waitForSpans(2)
      await receiver.waitForMetrics()
    },
  })
  t.equal(stderr, '')
  for (const name of ['OTEL_BSP_SCHEDULE_DELAY', 'OTEL_METRIC_EXPORT_INTERVAL', 'OTEL_METRIC_EXPORT_TIMEOUT']) {
    const { stderr, spans } = await run(t, { OTEL_METRICS_EXPORTER: 'otlp', [name]: 'soon' })
    t.match(stderr, new RegExp(`^fastify-schema-telemetry: ${name} must be an integer, [01] or more, received "soon"; it is ignored\\.\n$`))
    t.equal(spans.length, 2)
  }
})

t.test('OTEL_PROPAGATORS chooses what is read and written', async (t) => {
  const cases: Array<[value: string, fields: string[], line?: RegExp]> = [
    ['', ['traceparent', 'tracestate', 'baggage']],
    ['tracecontext', ['traceparent', 'tracestate']],
    ['baggage', ['baggage']],
    ['none', []],
    ['b3,baggage', ['baggage'], /OTEL_PROPAGATORS must be a list of tracecontext, baggage, none, received "b3"; it is ignored\.\n$/],
    ['b3', ['traceparent', 'tracestate', 'baggage'], /OTEL_PROPAGATORS must be a list of tracecontext, baggage, none, received "b3"; it is ignored\.\n$/],
  ]
  for (const [value, fields, line = /^$/] of cases) {
    const { stderr } = await run(t, { OTEL_PROPAGATORS: value }, { record: () => { t.same(propagation.fields(), fields) } })
    t.match(stderr, line)
  }
})

t.test('OTEL_LOG_LEVEL chooses what OpenTelemetry may say', async (t) => {
  const words = ['error', 'warn', 'info', 'debug', 'verbose'] as const
  const cases: Array<[value: string, shown: number]> = [['', 2], ['none', 0], ['error', 1], ['WARN', 2], ['info', 3], ['debug', 4], ['verbose', 5], ['all', 5]]
  for (const [value, shown] of cases) {
    const { stderr } = await run(t, { OTEL_LOG_LEVEL: value }, { record () { for (const word of words) diag[word](`this is ${word}`) } })
    t.same(stderr.split('\n').filter((line) => line.startsWith('this is ')), words.slice(0, shown).map((word) => `this is ${word}`))
  }
  const { stderr } = await run(t, { OTEL_LOG_LEVEL: 'loud' })
  t.match(stderr, /^fastify-schema-telemetry: OTEL_LOG_LEVEL must be one of .*, received "loud"; it is ignored\.\n$/)
})

t.test('OTEL_EXPORTER_OTLP_CERTIFICATE, _CLIENT_CERTIFICATE and _CLIENT_KEY, general and of the signal', async (t) => {
  const folder = t.testdir({ 'ca.pem': SELF_SIGNED.cert, 'client.pem': SELF_SIGNED.cert, 'client.key': SELF_SIGNED.key })
  for (const signal of ['', 'TRACES_']) {
    const env = {
      [`OTEL_EXPORTER_OTLP_${signal}CERTIFICATE`]: `${folder}/ca.pem`,
      [`OTEL_EXPORTER_OTLP_${signal}CLIENT_CERTIFICATE`]: `${folder}/client.pem`,
      [`OTEL_EXPORTER_OTLP_${signal}CLIENT_KEY`]: `${folder}/client.key`,
    }
    const { receiver, stderr } = await run(t, env, { tls: true })
    t.equal(receiver.spans.length, 2)
    t.equal(receiver.requests[0]!.hasCertificate, true)
    t.equal(stderr, '')
  }
  const { stderr, spans } = await run(t, { OTEL_EXPORTER_OTLP_CERTIFICATE: `${folder}/none.pem` }, { tls: true, options: { flushTimeoutMillis: 300 } })
  t.match(stderr, /Failed to read root certificate file/)
  t.equal(spans.length, 0)
})

t.test('grpc is refused with the way out', async (t) => {
  for (const env of [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' }, { OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc', OTEL_METRICS_EXPORTER: 'otlp' }]) {
    await t.rejects(run(t, env), { code: 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', message: /_PROTOCOL is "grpc".* set it to "http\/protobuf" or "http\/json"/ })
  }
})

t.test('an argument is stronger than its variable', async (t) => {
  const off = { shouldSample: () => ({ decision: 0 }), toString: () => 'off' }
  const quiet = { onStart () {}, onEnd () {}, async forceFlush () {}, async shutdown () {} }
  const named = await run(t, { OTEL_RESOURCE_ATTRIBUTES: 'service.version=1,app.team=a,deployment.environment.name=dev' }, {
    options: { serviceName: 'argument', serviceVersion: '2', environment: 'production', resourceAttributes: { 'app.team': 'b' }, spanProcessors: [quiet] },
  })
  t.match(named.spans[0]!.resource, { 'service.name': 'argument', 'service.version': '2', 'deployment.environment.name': 'production', 'app.team': 'b' })
  t.equal((await run(t, { OTEL_TRACES_SAMPLER: 'always_on' }, { options: { sampler: off } })).spans.length, 0)
  t.equal((await run(t, { OTEL_TRACES_EXPORTER: 'none' }, { options: { exporter: 'otlp' } })).spans.length, 2)
  t.equal((await run(t, { OTEL_TRACES_EXPORTER: 'console' }, { options: { console: false } })).stdout, '')
  const both = await run(t, { OTEL_TRACES_EXPORTER: 'otlp,console' }, { options: { console: false, exporter: 'none' } })
  t.same([both.stdout, both.spans], ['', []])
  const metrics = await run(t, { OTEL_METRICS_EXPORTER: 'none' }, { options: { metrics: true } })
  t.ok(metrics.receiver.metrics.length > 0)
  t.equal((await run(t, { OTEL_METRICS_EXPORTER: 'otlp' }, { options: { metrics: false } })).receiver.metrics.length, 0)
  const delayed = await run(t, { OTEL_BSP_SCHEDULE_DELAY: '3600000' }, {
    options: { scheduledDelayMillis: 5 },
    async record (telemetry, receiver) {
      recordTrace(telemetry)
      await receiver.waitForSpans(2)
    },
  })
  t.equal(delayed.spans.length, 2)
})

t.test('the resource says which process it was, and not its command line', async (t) => {
  const { spans } = await run(t, {})
  const { resource } = spans[0]!
  t.match(resource, {
    'service.name': 'service',
    'service.instance.id': /^[0-9a-f-]{36}$/,
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'host.name': /./,
    'telemetry.sdk.language': 'nodejs',
  })
  t.same(Object.keys(resource).filter((name) => /command|owner/.test(name)), [])
})
