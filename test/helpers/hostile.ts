import {
  context, diag, DiagLogLevel, propagation, trace, type Context, type Counter, type Histogram, type Meter, type MeterProvider, type Span, type Tracer, type TracerProvider as ApiTracerProvider,
} from '@opentelemetry/api'
import { MeterProvider as SdkMeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, SimpleSpanProcessor, TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { standardAttributes, type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import { ODD_VALUES, revokedProxy, throwingProxy } from './odd-values.ts'

/** Something around the plugin that must not make a difference to any answer. */
export interface HostilePart {
  name: string
  /** Called for a new application; what it puts on the API's globals, `release` of the test's telemetry takes off. */
  setUp (telemetry: TestTelemetry): FastifySchemaTelemetryOptions
  /** Whether each span that was started has to be ended all the same. */
  isTidy: boolean
  /** All requests are sent, not every third. */
  takesAll?: boolean
  /** How often something hostile was called; `undefined` when nothing is. */
  hits?: () => number
}

type TestTelemetry = ReturnType<typeof createTestTelemetry>

let hits = 0

/** Throws, and counts it. */
export const boom = (): never => {
  hits++
  throw new Error('hostile')
}

const rejecting = () => {
  hits++
  return Promise.reject(new Error('hostile')) as never
}

const hanging = () => {
  hits++
  return new Promise(() => {}) as never
}

/** An object with methods that all throw, but for those given. */
function booby<T> (names: string[], rest: object = {}): T {
  return { ...Object.fromEntries(names.map((name) => [name, boom])), ...rest } as T
}

/** Everything that can be turned on. */
const EVERYTHING: FastifySchemaTelemetryOptions = {
  extraSpans: true,
  captureResponse: true,
  captureUnknownSchemas: true,
  completeErrors: true,
  requestHook: (span, request) => { span.setAttribute('app.url', request.url) },
  responseHook: (span, _request, reply) => { span.setAttribute('app.status', reply.statusCode) },
  scrubbing: { extraPatterns: [/canary/], callback: () => undefined },
}

const withMapper = (mapper: (...args: never[]) => unknown): FastifySchemaTelemetryOptions => ({ ...EVERYTHING, mapper: mapper as never })

function options (name: string, given: FastifySchemaTelemetryOptions, isHostile = false, takesAll = false): HostilePart {
  return { name, setUp: () => given, isTidy: true, takesAll, ...(isHostile ? { hits: () => hits } : {}) }
}

const usual: HostilePart[] = [
  options('no options', {}, false, true),
  options('everything on', { ...EVERYTHING, mapper: (_request, args) => ({ ...args, 'app.seen': true, [standardAttributes]: { 'url.path': '/' } }) }, false, true),
  options('no arguments', { capture: 'none', extraSpans: true }),
  options('arguments of failures', { capture: 'failure' }),
  options('nothing scrubbed', { scrubbing: false }),
  options('ignored', { ignore: () => true }),
  options('ignored by route', { ignore: ['/users/:id', '/text', '/stream', '/later', '/hijack', '/odd/open'] }),
  options('the smallest limits', { ...EVERYTHING, limits: { maxBytes: 1024, maxDepth: 1, maxNodes: 1, maxItems: 1, maxStringLength: 16, maxKeyLength: 16, maxErrors: 1, maxErrorBytes: 1024 } }),
]

const LARGE = new Set(['long text', 'long key', 'many keys'])

const mappers: HostilePart[] = [
  options('a mapper that throws', withMapper(boom), true),
  options('a mapper that throws null', withMapper(() => { throw null })), // eslint-disable-line no-throw-literal
  options('a mapper that throws a revoked Proxy', withMapper(() => { throw revokedProxy() })),
  options('a mapper that rejects', withMapper(rejecting), true),
  options('a mapper with promises in what it returns', withMapper(() => ({ values: rejecting(), 'app.late': rejecting(), 'app.never': hanging(), [standardAttributes]: { 'app.odd': rejecting() } })), true),
  options('a mapper that never resolves', withMapper(hanging), true),
  options('a mapper that changes what it gets', withMapper((_request: unknown, args: { values: Record<string, unknown>, errors: unknown[] }) => {
    for (const part of Object.values(args.values)) if (part !== null && typeof part === 'object') Object.assign(part, { name: 'changed', id: 'changed', n: 'changed' })
    for (const error of args.errors) Object.assign(error as object, { message: 'changed' })
    args.errors.length = 0
    Object.freeze(args.values)
    return args
  })),
  options('a mapper that returns the request', withMapper((request: unknown) => request)),
  options('a mapper that returns all that hangs on the request', withMapper((request: { raw: unknown, server: unknown }) => ({ request, raw: request.raw, server: request.server, process, globalThis }))),
  options('a mapper that returns what is no object', withMapper(rotate([() => Symbol('s'), () => 1n, () => 'text', () => 7, () => () => {}, () => true, () => [1], () => Symbol]))),
  options('a mapper that returns oddities', withMapper(rotate(oddResults((name) => !LARGE.has(name))))),
  // Not each time: they are slow.
  options('a mapper that returns large oddities', withMapper(rotate(oddResults((name) => LARGE.has(name)).flatMap((make) => [make, () => null, () => null])))),
  options('a mapper that returns a Proxy that throws', withMapper(rotate([throwingProxy, () => throwingProxy([]), () => ({ values: throwingProxy(), a: throwingProxy() })]))),
]

/** Each oddity as the result, under a name in it, and in the places where something is expected. */
function oddResults (isChosen: (name: string) => boolean): Array<() => unknown> {
  return Object.entries(ODD_VALUES).filter(([name]) => isChosen(name)).flatMap(([, make]) => [
    make,
    () => ({ 'app.odd': make(), odd: make() }),
    () => ({ values: make(), errors: make(), [standardAttributes]: make() }),
  ])
}

/** One after the other. */
function rotate (makers: Array<() => unknown>): () => unknown {
  let next = 0
  return () => makers[next++ % makers.length]!()
}

const hooks: HostilePart[] = [
  options('a requestHook that throws', { ...EVERYTHING, requestHook: boom }, true),
  options('a responseHook that throws', { ...EVERYTHING, responseHook: boom }, true),
  options('ignore that throws', { ...EVERYTHING, ignore: boom }, true),
  options('a scrubbing callback that throws', { ...EVERYTHING, scrubbing: { extraPatterns: [/./], callback: boom } }, true),
  ...Object.entries({ reject: rejecting, 'never resolve': hanging }).map(([verb, hostile]) => options(`hooks, ignore and a scrubbing callback that ${verb}`, {
    ...EVERYTHING, requestHook: hostile, responseHook: hostile, ignore: hostile, scrubbing: { extraPatterns: [/./], callback: hostile },
  }, true)),
  options('hooks that return what throws', {
    ...EVERYTHING,
    requestHook: throwingProxy,
    responseHook: revokedProxy,
    ignore: throwingProxy as never,
    scrubbing: { extraPatterns: [/./], callback: rotate(Object.values(ODD_VALUES)) },
  }),
  options('a requestHook that ends the span', { ...EVERYTHING, requestHook: (span) => span.end() }),
]

/** A provider of the SDK with a hostile piece in it, and the telemetry's own processor. */
/** What the SDK waits for in vain keeps the process for so long. */
const SDK_WAIT_MILLIS = 1000

function sdk (name: string, piece: (telemetry: TestTelemetry) => ConstructorParameters<typeof TracerProvider>[0], isTidy = true): HostilePart {
  return {
    name,
    setUp: (telemetry) => ({ ...EVERYTHING, tracerProvider: new TracerProvider({ forceFlushTimeoutMillis: SDK_WAIT_MILLIS, ...piece(telemetry) }) }),
    isTidy,
    hits: () => hits,
  }
}

const processor = (names: string[]): SpanProcessor => ({
  onStart () {}, onEnd () {}, forceFlush: async () => {}, shutdown: async () => {}, ...booby<object>(names),
})

const exporter = (names: string[], rest: object = {}) => booby<never>(names, { forceFlush: async () => {}, shutdown: async () => {}, ...rest })

const SPAN_METHODS = ['setAttribute', 'setAttributes', 'addEvent', 'addLink', 'addLinks', 'setStatus', 'updateName', 'end', 'recordException']

const spanContext = () => ({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 })

/** A tracer provider whose spans are what `makeSpan` says. */
function spans (name: string, makeSpan: () => unknown, counts = true): HostilePart {
  const tracer = { startSpan: makeSpan, startActiveSpan: boom } as Tracer
  return { name, setUp: () => ({ ...EVERYTHING, tracerProvider: { getTracer: () => tracer } }), isTidy: true, ...(counts ? { hits: () => hits } : {}) }
}

const tracing: HostilePart[] = [
  sdk('a sampler that throws', () => ({ sampler: booby(['shouldSample', 'toString']) })),
  sdk('an id generator that throws', () => ({ idGenerator: booby(['generateTraceId', 'generateSpanId']) })),
  ...['onStart', 'onEnding', 'onEnd', 'forceFlush'].map((method) => sdk(`a span processor that throws in ${method}`, () => ({ spanProcessors: [processor([method])] }))),
  sdk('a span processor that cannot be flushed', () => ({ spanProcessors: [{ ...processor([]), forceFlush: rejecting, shutdown: rejecting }] })),
  sdk('an exporter that throws, span by span', () => ({ spanProcessors: [new SimpleSpanProcessor({ exporter: exporter(['export', 'forceFlush', 'shutdown']) })] })),
  sdk('an exporter that throws, in batches', () => ({ spanProcessors: [new BatchSpanProcessor({ exporter: exporter(['export', 'forceFlush', 'shutdown']), exportTimeoutMillis: SDK_WAIT_MILLIS })] })),
  sdk('an exporter that cannot be flushed', () => ({ spanProcessors: [new SimpleSpanProcessor({ exporter: exporter([], { export: (_spans: unknown, done: (result: object) => void) => done({ code: 0 }), forceFlush: rejecting }) })] })),
  sdk('an exporter that answers twice', () => ({
    spanProcessors: [new SimpleSpanProcessor({
      exporter: exporter([], {
        export (_spans: unknown, done: (result: object) => void) {
          hits++
          done({ code: 1, error: new Error('hostile') })
          done({ code: 0 })
        },
      }),
    })],
  })),
  spans('a tracer that throws', boom),
  spans('a tracer without spans', rotate([() => undefined, () => null, () => ({}), () => 7, throwingProxy, revokedProxy]), false),
  spans('spans that throw in every method but their context\'s', () => booby<Span>(SPAN_METHODS, { spanContext, isRecording: () => true })),
  spans('spans that throw in every method', () => booby<Span>([...SPAN_METHODS, 'spanContext', 'isRecording'])),
  spans('spans that throw in every method and say that they record', () => booby<Span>([...SPAN_METHODS, 'spanContext'], { isRecording: () => true })),
  spans('spans that never end', () => ({ ...Object.fromEntries(SPAN_METHODS.map((method) => [method, hanging])), spanContext, isRecording: () => true })),
  { name: 'a tracer provider that throws', setUp: () => ({ ...EVERYTHING, tracerProvider: booby<ApiTracerProvider>(['getTracer', 'forceFlush']) }), isTidy: true, hits: () => hits },
  {
    name: 'a global tracer provider that throws',
    setUp: () => {
      trace.disable()
      trace.setGlobalTracerProvider(booby<ApiTracerProvider>(['getTracer', 'forceFlush']))
      return EVERYTHING
    },
    isTidy: true,
    hits: () => hits,
  },
]

const meter = booby<Meter>(['createHistogram', 'createCounter', 'createUpDownCounter', 'createGauge'])
const histogram = booby<Histogram>(['record'])
const counter = booby<Counter>(['add'])

function metrics (name: string, makeProvider: () => MeterProvider): HostilePart {
  return { name, setUp: () => ({ ...EVERYTHING, meterProvider: makeProvider() }), isTidy: true, hits: () => hits }
}

const metering: HostilePart[] = [
  metrics('a meter provider that throws', () => booby(['getMeter', 'forceFlush'])),
  metrics('a meter that throws', () => ({ getMeter: () => meter })),
  metrics('instruments that throw', () => ({ getMeter: () => ({ ...meter, createHistogram: () => histogram, createCounter: () => counter }) }) as never),
  metrics('a metric exporter that throws', () => new SdkMeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: exporter(['export', 'forceFlush', 'shutdown'], { selectAggregationTemporality: () => 0 }) })],
  })),
  { name: 'no instruments', setUp: () => ({ ...EVERYTHING, meterProvider: { getMeter: () => ({ createHistogram () {}, createCounter () {} }) } as never }), isTidy: true },
]

function propagator (name: string, extract: (parent: Context) => unknown, counts = true): HostilePart {
  return {
    name,
    setUp () {
      propagation.disable()
      propagation.setGlobalPropagator({ inject: boom, fields: boom, extract: extract as never })
      return EVERYTHING
    },
    isTidy: true,
    ...(counts ? { hits: () => hits } : {}),
  }
}

/** The API itself says something when a logger is set or taken off: it is hostile only in between. */
let isLoggerHostile = false

function setHostileLogger (logLevel: DiagLogLevel): void {
  const log = () => { if (isLoggerHostile) boom() }
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, { logLevel, suppressOverrideMessage: true })
  isLoggerHostile = true
}

/** Takes a hostile logger off again, if there is one. */
export function takeLoggerOff (): void {
  isLoggerHostile = false
  diag.disable()
}

function logger (name: string, level: DiagLogLevel, more: FastifySchemaTelemetryOptions): HostilePart {
  return {
    name,
    setUp () {
      setHostileLogger(level)
      return { ...EVERYTHING, ...more }
    },
    isTidy: true,
    hits: () => hits,
  }
}

const globals: HostilePart[] = [
  propagator('a propagator that throws', boom),
  propagator('a propagator without contexts', rotate([() => undefined, () => null, () => ({}), () => 7, throwingProxy])),
  propagator('a propagator whose contexts throw', () => booby(['getValue', 'setValue', 'deleteValue'])),
  logger('a diagnostics logger that throws', DiagLogLevel.ALL, { mapper: boom }),
  { name: 'no context manager', setUp: () => { context.disable(); return EVERYTHING }, isTidy: true },
  { name: 'no OpenTelemetry at all', setUp: () => { trace.disable(); context.disable(); propagation.disable(); return EVERYTHING }, isTidy: true },
]

const all: HostilePart = {
  name: 'all of it at once',
  setUp () {
    propagation.disable()
    propagation.setGlobalPropagator(booby(['inject', 'extract', 'fields']))
    setHostileLogger(DiagLogLevel.ALL)
    const span = booby<Span>([...SPAN_METHODS, 'spanContext'], { isRecording: () => true })
    return {
      ...EVERYTHING,
      mapper: boom,
      requestHook: boom,
      responseHook: boom,
      ignore: boom,
      scrubbing: { extraPatterns: [/./], callback: boom },
      tracerProvider: { getTracer: () => ({ startSpan: () => span, startActiveSpan: boom }) as never, forceFlush: boom } as never,
      meterProvider: { getMeter: () => ({ ...meter, createHistogram: () => histogram, createCounter: () => counter }), forceFlush: boom } as never,
    }
  },
  isTidy: true,
  takesAll: true,
  hits: () => hits,
}

export const hostileParts: HostilePart[] = [...usual, ...mappers, ...hooks, ...tracing, ...metering, ...globals, all]
