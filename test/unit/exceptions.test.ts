import { isDeepStrictEqual } from 'node:util'
import { context, diag, DiagLogLevel, INVALID_SPAN_CONTEXT, ROOT_CONTEXT, trace, type Context, type Span } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createScrubber } from '../../lib/arguments/scrubber.ts'
import { exceptionSignalsOf } from '../../lib/exception-signals.ts'
import { createFlush } from '../../lib/fastify/close.ts'
import { asksMixin, createLogMarker } from '../../lib/fastify/request-log.ts'
import type { LoggerProvider } from '../../lib/logger-source.ts'
import type { FastifySchemaTelemetryOptions } from '../../lib/options.ts'
import { codeOf, describeException, exceptionTypeOf, recordException } from '../../lib/server-span/exceptions.ts'
import { NO_FACTS, RequestRecord } from '../../lib/server-span/request-record.ts'
import { toSettings } from '../../lib/settings.ts'
import { kLoggedRequest, kRecord } from '../../lib/symbols.ts'
import { traceMixin } from '../../lib/trace-mixin.ts'

t.jobs = 1

const ROUTE = { route: undefined, operationId: undefined, functionName: undefined, spanNames: new Map(), mapper: null, extraSpans: false, capture: 'all' as const, captureResponse: false, inbound: 'continue' as const }
const TIME = [1_800_000_000, 500_000]
const LOGS_API = Symbol.for('io.opentelemetry.js.api.logs')
const API = Symbol.for('opentelemetry.js.api.1')
const globals = globalThis as { [LOGS_API]?: unknown, [API]?: { logs?: unknown } }

/** A logger provider of the API's interface, which keeps what it gets. */
function createProvider (logs: object[] = []): LoggerProvider & { scopes: unknown[][], logs: object[] } {
  const scopes: unknown[][] = []
  return {
    scopes,
    logs,
    getLogger (...scope) {
      scopes.push(scope)
      return { emit: (log) => { logs.push(log) } }
    },
  }
}

/** What becomes of a thrown value with these options. */
function record (thrown: unknown, options: FastifySchemaTelemetryOptions = {}, words?: string) {
  const provider = createProvider()
  const settings = toSettings({ metrics: false, loggerProvider: provider, ...options })
  const request = new RequestRecord(settings, ROUTE, NO_FACTS, null, ROOT_CONTEXT)
  const events: unknown[][] = []
  request.span = { addEvent: (...args: unknown[]) => { events.push(args) } } as unknown as Span
  request.thrown = thrown
  request.toHrTime = () => TIME as [number, number]
  recordException(request, words)
  return { events, logs: provider.logs, scopes: provider.scopes, context: request.context, guard: settings.guard, request }
}

function listenToDiag (t: Test): string[] {
  const lines: string[] = []
  const log = (...words: unknown[]) => { lines.push(words.join(' ')) }
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  t.teardown(() => diag.disable())
  return lines
}

t.test('whatever is thrown is described, bounded, and never throws again; both signals say the same', async (t) => {
  class DatabaseError extends Error {}
  const throwingGetters = Object.defineProperties({}, {
    message: { get () { throw new Error('message') } },
    stack: { get () { throw new Error('stack') } },
    constructor: { get () { throw new Error('constructor') } },
  })
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  const cases: Array<[thrown: unknown, type: string | undefined, attributes: object]> = [
    [Object.assign(new DatabaseError('at postgres://app:hunter2@db/x'), { stack: 'stack', code: 'E_DB' }), 'DatabaseError', { 'exception.type': 'DatabaseError', 'exception.message': 'at postgres://[scrubbed]@db/x', 'exception.stacktrace': 'stack' }],
    [Object.assign(new Error('m'.repeat(5000)), { stack: 's'.repeat(20_000) }), 'Error', { 'exception.type': 'Error', 'exception.message': `${'m'.repeat(1024)}…`, 'exception.stacktrace': 's'.repeat(8192) }],
    ['text', undefined, { 'exception.type': 'string', 'exception.message': 'text' }],
    [null, undefined, { 'exception.type': 'object' }],
    [undefined, undefined, { 'exception.type': 'undefined' }],
    [Symbol('s'), undefined, { 'exception.type': 'symbol' }],
    [Object.create(null), undefined, { 'exception.type': 'object' }],
    [{ message: 5, stack: '' }, 'Object', { 'exception.type': 'Object' }],
    [throwingGetters, undefined, { 'exception.type': 'object' }],
    [revoked, undefined, { 'exception.type': 'object' }],
    [
      Object.assign(new TypeError('The value "hun"ter2" cannot be converted to an integer.'), { serialization: {}, stack: 'TypeError: The value "hunter2" does not match\n  at f' }), 'TypeError',
      { 'exception.type': 'TypeError', 'exception.message': 'The value "[scrubbed]" cannot be converted to an integer.', 'exception.stacktrace': 'TypeError: The value "[scrubbed]" does not match\n  at f' },
    ],
    [
      Object.assign(new AggregateError([Object.assign(new Error('a'), { stack: 'one' }), 'text'], 'all'), { stack: 'all', cause: Object.assign(new Error('b'), { stack: 'two' }) }), 'AggregateError',
      { 'exception.type': 'AggregateError', 'exception.message': 'all', 'exception.stacktrace': 'all\nCaused by: two\nCaused by: one' },
    ],
    [new (class extends Error {})(''), undefined, { 'exception.type': 'object', 'exception.stacktrace': /^Error/ }],
  ]
  for (const [thrown, type, attributes] of cases) {
    const described = describeException(thrown, createScrubber())
    t.equal(exceptionTypeOf(thrown), type)
    t.match(described, attributes)
    t.same(Object.keys(described), Object.keys(attributes))
    const { events, logs } = record(thrown, { exceptions: 'both' })
    t.same(events, [['exception', described, TIME]])
    t.match(logs, [{ attributes: described, timestamp: TIME }])
    t.same((logs[0] as { attributes: object }).attributes, described, 'both signals say the same')
  }
})

t.test('codes are read without trust', async (t) => {
  t.equal(codeOf({ code: 'E_DB' }), 'E_DB')
  for (const thrown of [undefined, null, 'text', { get code () { throw new Error('code') } }]) t.equal(codeOf(thrown), undefined)
})

t.test('each option has its signals, and each signal says an exception once', async (t) => {
  const cases: Array<[exceptions: 'event' | 'log' | 'both' | 'none' | undefined, events: number, logs: number]> = [
    [undefined, 1, 0], ['event', 1, 0], ['log', 0, 1], ['both', 1, 1], ['none', 0, 0],
  ]
  for (const [exceptions, eventCount, logCount] of cases) {
    const { events, logs, scopes, context } = record(new RangeError('bad'), { exceptions })
    t.same([events.length, logs.length, scopes.length], [eventCount, logCount, logCount], String(exceptions))
    for (const log of logs) {
      t.match(log, { eventName: 'http.server.request.exception', severityNumber: 17, severityText: 'ERROR', timestamp: TIME })
      t.equal((log as { context: unknown }).context, context)
      t.match(scopes, [['fastify-schema-telemetry', /^\d/, { schemaUrl: /^https:/ }]])
    }
  }
})

t.test('words stand for the message in both signals', async (t) => {
  const { events, logs } = record(Object.assign(new Error('quotes hunter2'), { stack: 'Error: quotes hunter2\n    at f' }), { exceptions: 'both' }, 'not valid')
  const attributes = { 'exception.type': 'Error', 'exception.message': 'not valid', 'exception.stacktrace': 'Error: not valid\n    at f' }
  t.same([events[0]![1], (logs[0] as { attributes: object }).attributes], [attributes, attributes])
})

t.test('anything at all can be thrown: the signals agree, and are bounded', async (t) => {
  const isGood = (thrown: unknown): boolean => {
    const { events, logs } = record(thrown, { exceptions: 'both' })
    const attributes = events[0]![1] as Record<string, string>
    return isDeepStrictEqual((logs[0] as { attributes: object }).attributes, attributes) &&
      (attributes['exception.message']?.length ?? 0) <= 1025 && (attributes['exception.stacktrace']?.length ?? 0) <= 8193
  }
  fc.assert(fc.property(fc.anything(), fc.string({ maxLength: 3000 }), (thrown, text) => isGood(thrown) && isGood(Object.assign(new Error(text), { cause: thrown }))), { numRuns: 200 })
})

t.test('the environment: logs, logs/dup, nothing; what is not known is said and ignored; the option is stronger', async (t) => {
  const lines = listenToDiag(t)
  const name = 'OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN'
  const cases: Array<[value: string | undefined, signals: string]> = [
    [undefined, 'event'], ['', 'event'], ['  ', 'event'], ['logs', 'log'], [' Logs ', 'log'], ['logs/dup', 'both'], ['LOGS/DUP', 'both'],
  ]
  for (const [value, signals] of cases) t.equal(exceptionSignalsOf({ [name]: value }), signals, String(value))
  t.same(lines, [])
  t.equal(exceptionSignalsOf({ [name]: 'spans' }), 'event')
  t.equal(exceptionSignalsOf({ [name]: `logs,logs/dup${'x'.repeat(100)}` }), 'event')
  t.same(lines, [
    `fastify-schema-telemetry: ${name} must be one of logs, logs/dup, received "spans"; it is ignored`,
    `fastify-schema-telemetry: ${name} must be one of logs, logs/dup, received "logs,logs/dup${'x'.repeat(27)}"; it is ignored`,
  ])

  t.teardown(() => { delete process.env[name] })
  process.env[name] = 'logs'
  t.equal(toSettings({}).exceptions, 'log')
  t.equal(toSettings({ exceptions: 'event' }).exceptions, 'event')
  process.env[name] = 'nonsense'
  diag.setLogger({ error () {}, warn () { throw new Error('logger') }, info () {}, debug () {}, verbose () {} }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  t.equal(toSettings({}).exceptions, 'event', 'a diagnostics logger that throws is nobody\'s error')
})

t.test('without a provider a log record becomes an event, which is said once; one that registers later is found', async (t) => {
  t.teardown(() => {
    delete globals[LOGS_API]
    delete globals[API]?.logs
  })
  // The API's globals are there as soon as anything of it is registered.
  const lines = listenToDiag(t)
  const { request } = record(new Error('first'), { exceptions: 'log', loggerProvider: undefined })
  const events: unknown[] = []
  request.span = { addEvent: (name: string) => { events.push(name) } } as unknown as Span
  recordException(request)
  recordException(request)
  t.equal(events.length, 2)
  t.same(lines, ['fastify-schema-telemetry: exceptions are to be log records, and no logger provider is registered; until one is, they are span events'])

  const provider = createProvider()
  globals[LOGS_API] = (version: number) => version === 1 ? provider : undefined
  recordException(request)
  recordException(request)
  t.same([events.length, provider.logs.length, provider.scopes.length], [2, 2, 1], 'asked for its logger once')

  delete globals[LOGS_API]
  const ofLine3 = createProvider()
  globals[API]!.logs = ofLine3
  record(new Error('api 1.10'), { exceptions: 'log', loggerProvider: undefined })
  t.equal(ofLine3.logs.length, 1, 'the API itself has the global from 1.10 on')
  t.equal(lines.length, 1)
})

t.test('a provider or a logger that fails costs a line, and the exception is an event', async (t) => {
  const lines = listenToDiag(t)
  const failing = {
    'getLogger throws': { getLogger () { throw new Error('no logger') } },
    'emit throws': { getLogger: () => ({ emit () { throw new Error('no emit') } }) },
    'no emit': { getLogger: () => ({}) },
    'no logger': { getLogger: () => undefined },
  }
  for (const [name, loggerProvider] of Object.entries(failing)) {
    const { events, guard, request } = record(new Error('x'), { exceptions: 'log', loggerProvider: loggerProvider as never })
    t.equal(events.length, 1, name)
    recordException(request)
    t.equal(events.length, 2, name)
    t.ok(guard.counts.size === 1, name)
  }
  t.ok(lines.every((line) => line.includes('the request is not affected')), lines.join('\n'))
  const rejecting = record(new Error('x'), { exceptions: 'both', loggerProvider: { getLogger: () => ({ emit: () => Promise.reject(new Error('later')) as never }) } })
  await new Promise(setImmediate)
  t.equal(rejecting.events.length, 1)
  t.same([...rejecting.guard.counts], [['exception log', 1]], 'no unhandled rejection')
})

t.test('the provider that took an exception is known, and flushed', async (t) => {
  let flushes = 0
  const provider = Object.assign(createProvider(), { async forceFlush () { flushes++ } })
  const { request: { settings } } = record(new Error('x'), { exceptions: 'log', loggerProvider: provider })
  t.equal(settings.logs.provider, provider)
  await createFlush({}, settings.guard, settings.logs)()
  t.equal(flushes, 1)
  const failing = record(new Error('x'), { exceptions: 'log', loggerProvider: Object.assign(createProvider(), { forceFlush: () => Promise.reject(new Error('no flush')) }) })
  await createFlush({}, failing.guard, failing.request.settings.logs)()
  t.same([...failing.guard.counts], [['flush', 1]])
  const unused = toSettings({ loggerProvider: provider })
  t.equal(unused.logs.provider, null)
  await createFlush({}, unused.guard, unused.logs)()
  t.equal(flushes, 1)
})

t.test('the mixin reads what it can, makes a new object each time, and never throws', async (t) => {
  const contexts = { a: trace.setSpanContext(ROOT_CONTEXT, { traceId: 'a'.repeat(32), spanId: 'a'.repeat(16), traceFlags: 1 }) }
  const requestWith = (slot: unknown) => ({ [kRecord]: slot })
  const request = requestWith({ context: contexts.a })
  const fields = { trace_id: 'a'.repeat(32), span_id: 'a'.repeat(16), trace_flags: '01' }
  t.same(traceMixin(), {})
  t.same(traceMixin({ msg: 'text' }, 30, {}), {})
  t.same(traceMixin({}, 30, { [kLoggedRequest]: request }), fields)
  t.same(traceMixin({}, 30, Object.create({ [kLoggedRequest]: request })), fields, 'children of the logger inherit')
  t.same(traceMixin({ req: request }), fields)
  t.same(traceMixin({ res: { request } }), fields)
  t.same(traceMixin({ res: { request } }, 30, { [kLoggedRequest]: request }), fields)
  t.same(traceMixin({ req: request }, 30, { [kLoggedRequest]: null }), fields, 'a logger that several requests share tells none')
  for (const odd of [{ req: null, res: null }, { req: 'text', res: 5 }, { req: {}, res: {} }, { req: requestWith(null) }, { req: requestWith(undefined) }]) t.same(traceMixin(odd), {})
  t.not(traceMixin({ req: request }), traceMixin({ req: request }))
  for (const [traceFlags, hex] of [[0, '00'], [2, '02'], [3, '03'], [255, 'ff'], [0x101, '01']] as const) {
    const slot = { context: trace.setSpanContext(ROOT_CONTEXT, { traceId: 'a'.repeat(32), spanId: 'a'.repeat(16), traceFlags }) }
    t.equal(traceMixin({ req: requestWith(slot) }).trace_flags, hex)
  }
  t.same(traceMixin({ req: requestWith({ context: trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT) }) }), {})
  t.same(traceMixin({ req: requestWith({ context: ROOT_CONTEXT }) }), {}, 'in no trace')
  t.same(traceMixin({ get req () { throw new Error('getter') } }), {})
  t.same(traceMixin({ req: requestWith({ context: { getValue () { throw new Error('context') } } }) }), {})
  t.equal(context.active(), ROOT_CONTEXT)

  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  t.teardown(() => context.disable())
  const own = { context: contexts.a }
  const activeIn = (traceId: string, more = {}) => trace.setSpan(ROOT_CONTEXT, Object.assign(trace.wrapSpanContext({ traceId: traceId.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0 }), more))
  const cases: Array<[name: string, active: Context, line: object | undefined, logger: object | undefined, ids: string]> = [
    ['outside of requests', activeIn('b'), {}, {}, 'bb'],
    ['a child of the request\'s span', activeIn('a'), {}, { [kLoggedRequest]: requestWith(own) }, 'ab'],
    ['another trace', activeIn('b'), {}, { [kLoggedRequest]: requestWith(own) }, 'aa'],
    ['a line of Fastify in a child', activeIn('a'), { res: { request } }, { [kLoggedRequest]: request }, 'aa'],
    ['about a request, by the logger of another', activeIn('b'), { req: request }, { [kLoggedRequest]: requestWith({ context: activeIn('b') }) }, 'aa'],
    ['before the first hook, in a span', activeIn('b'), { req: requestWith(null) }, {}, 'bb'],
    ['before the first hook, in a span that has ended', activeIn('b', { ended: true }), { req: requestWith(null) }, {}, ''],
    ['a request in no trace, in one', activeIn('b'), {}, { [kLoggedRequest]: requestWith({ context: ROOT_CONTEXT }) }, ''],
  ]
  for (const [name, active, line, logger, ids] of cases) {
    const { trace_id: traceId = '', span_id: spanId = '' } = context.with(active, traceMixin, undefined, line, 30, logger)
    t.equal(`${traceId.slice(0, 1)}${spanId.slice(0, 1)}`, ids, name)
  }
})

t.test('loggers that ask a mixin are told their requests; shared and frozen ones are not', async (t) => {
  const mixin = Symbol('pino.mixin')
  t.equal(asksMixin({}), false)
  t.equal(asksMixin({ [mixin]: undefined }), false)
  t.equal(asksMixin({ [mixin]: () => ({}) }), true)
  t.equal(asksMixin(Object.create({ [Symbol('other')]: 1, [mixin]: () => ({}) })), true)

  const applicationLog = {}
  const mark = createLogMarker(applicationLog)
  let calls = 0
  const told = (request: object) => {
    mark(request as never, {} as never, () => { calls++ })
    return (request as { log: { [kLoggedRequest]?: unknown } }).log[kLoggedRequest]
  }
  const request = { log: {} }
  t.equal(told(request), request)
  t.equal(told(request), request, 'by two registrations')
  t.equal(told({ log: applicationLog }), undefined)
  t.equal(told({ log: Object.freeze({}) }), undefined)
  const other = { log: Object.create(request.log) }
  t.equal(told(other), other)
  t.equal(told({ log: request.log }), null)
  t.equal(told(request), null)
  t.equal(calls, 7)
})
