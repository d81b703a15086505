import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { context, diag, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { configure } from 'fastify-schema-telemetry/configure'
import t from 'tap'
import { refusalOf } from '../../lib/viewer/access.ts'
import { BoundedCopy, MAX_ATTRIBUTES, MAX_TEXT_LENGTH, textBytes } from '../../lib/viewer/bounded-copy.ts'
import { reportFailures } from '../../lib/viewer/failures.ts'
import { createTraceStore } from '../../lib/viewer/index.ts'
import { LiveStream, readStart } from '../../lib/viewer/live-stream.ts'
import { pageHtml } from '../../lib/viewer/page.ts'
import { createFilter } from '../../lib/viewer/search.ts'
import { ViewerSpanProcessor } from '../../lib/viewer/span-processor.ts'
import { TraceStore } from '../../lib/viewer/trace-store.ts'
import { spanWatchers, WatchersProcessor } from '../../lib/span-watchers.ts'
import { incoming, incomingRequest } from '../helpers/viewer-spans.ts'
import { spanIdOf, traceIdOf } from '../helpers/viewer.ts'

t.jobs = 1

const MEBIBYTE = 1024 * 1024

t.test('a span is copied within bounds, and what was left out is counted', async (t) => {
  const copy = new BoundedCopy(MEBIBYTE)
  const long = `${'é'.repeat(MAX_TEXT_LENGTH)}tail`
  t.equal(copy.value(long), 'é'.repeat(MAX_TEXT_LENGTH))
  let deep: unknown = 'bottom'
  for (let level = 0; level < 100; level++) deep = [deep]
  t.match(JSON.stringify(copy.value(deep)), /^\[+"…"\]+$/)
  t.same(copy.value([1, 'two', true, null, undefined, 3n, Number.NaN, -Infinity, new Uint8Array([1, 2, 3]), { a: { b: [] } }, () => {}, Symbol('s')]),
    [1, 'two', true, null, null, '3', 'NaN', '-Infinity', 'AQID', { a: { b: [] } }, null, null])
  t.equal((copy.value(Array.from({ length: 5000 }, () => 0)) as unknown[]).length, 1000)
  t.equal(Object.keys(copy.value(Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 0]))) as object).length, 1000)

  const poisoned = copy.value(JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}')) as Record<string, unknown>
  t.equal(JSON.stringify(poisoned), '{"__proto__":{"isAdmin":true},"constructor":1}')
  t.equal(poisoned.isAdmin, undefined)

  const { attributes, dropped } = copy.attributes(Array.from({ length: 100_000 }, (_, index) => [`key ${index}`, index]))
  t.equal(Object.keys(attributes).length, MAX_ATTRIBUTES)
  t.equal(dropped, 100_000 - MAX_ATTRIBUTES)

  const full = new BoundedCopy(1000)
  const kept = full.attributes(Array.from({ length: 10 }, (_, index) => [`key ${index}`, 'x'.repeat(300)]))
  t.equal(Object.keys(kept.attributes).length + kept.dropped, 10)
  t.ok(kept.dropped > 5 && full.isFull)
  t.equal(full.value({ a: 1 }), null)
  t.equal(full.text('more'), '')
  t.same(new BoundedCopy(500).value([['x'.repeat(600), 'left out'], 'left out', { a: 1 }]), [['x'.repeat(404)]])
  t.equal(Object.keys(new BoundedCopy(300).value({ a: 'x'.repeat(300), b: 1, c: 1 }) as object).length, 1)
  t.ok(textBytes('δ'.repeat(100)) > textBytes('e'.repeat(100)), 'wide texts take twice as much')

  fc.assert(fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withTypedArray: true, withMap: true, withNullPrototype: true })), fc.integer({ min: 0, max: 2000 }), (values, maxBytes) => {
    const copy = new BoundedCopy(maxBytes)
    const { attributes } = copy.attributes(Object.entries(values))
    // One text, and the structures around it, may be over.
    return JSON.stringify(JSON.parse(JSON.stringify(attributes))) === JSON.stringify(attributes) && copy.bytes <= maxBytes + 2000
  }))
})

t.test('an SDK\'s spans are shown when they start, and whole when they have ended', async (t) => {
  const store = createTraceStore()
  const processor: SpanProcessor = store.spanProcessor
  const provider = new TracerProvider({ resource: resourceFromAttributes({ 'service.name': 'users' }), spanProcessors: [processor], spanLimits: { eventCountLimit: 200, linkCountLimit: 200 } })
  const tracer = provider.getTracer('tracer', '1.2.3')
  const link = { context: { traceId: traceIdOf(9), spanId: spanIdOf(9), traceFlags: 1 } }
  const span = tracer.startSpan('work', { kind: SpanKind.SERVER, attributes: { early: 1 }, startTime: [1_795_235_424, 123_456_000], links: [{ ...link, attributes: { why: 'batch' } }, ...Array.from({ length: 149 }, () => link)] })
  const { traceId, spanId } = span.spanContext()
  const [started] = [...store.get(traceId)!.spans.values()]
  t.match(started!.span, { spanId, name: 'work', kind: 'SERVER', startMillis: 1_795_235_424_123.456, endMillis: null, attributes: { early: 1 }, service: 'users', scope: { name: 'tracer', version: '1.2.3' } })
  t.equal(store.get(traceId)!.summary.durationMillis, null)

  for (let index = 0; index < 150; index++) span.addEvent('happened', index === 0 ? { at: 1 } : undefined, [1_795_235_424, 200_000_000])
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'it broke' })
  span.setAttributes({ late: ['a', 'b'], early: 2 })
  span.end([1_795_235_425, 123_456_000])
  const [ended] = [...store.get(traceId)!.spans.values()]
  t.match(ended!.span, { endMillis: 1_795_235_425_123.456, status: 'ERROR', statusMessage: 'it broke', attributes: { early: 2, late: ['a', 'b'] }, resource: { 'service.name': 'users' } })
  t.match(ended!.span.events[0], { name: 'happened', timeMillis: 1_795_235_424_200, attributes: { at: 1 } })
  t.same(ended!.span.links[0], { traceId: traceIdOf(9), spanId: spanIdOf(9), attributes: { why: 'batch' } })
  t.same(ended!.span.dropped, { attributes: 0, events: 22, links: 22 })
  t.match(store.get(traceId)!.summary, { durationMillis: 1000, isFailed: true, spanCount: 1 })

  // A span that is told of its start after its end.
  processor.onStart(span as never, undefined as never)
  t.equal(store.get(traceId)!.summary.durationMillis, 1000)
  await provider.forceFlush()
  await provider.shutdown()

  // Whose resource is still being found out.
  const services: string[] = []
  const attributes: Record<string, string> = {}
  const pending = new ViewerSpanProcessor(({ source }) => { services.push(source.service) })
  const readable = Object.assign(Object.create(span), { resource: { attributes, asyncAttributesPending: true } })
  pending.onEnd(readable)
  attributes['service.name'] = 'found'
  pending.onEnd(readable)
  t.same(services, ['unknown_service', 'found'])
})

t.test('watchers hear of spans through one place of the process', async (t) => {
  const early = new WatchersProcessor()
  const heard: string[] = []
  const watcher = { onStart: () => { heard.push('start') }, onEnd: () => { heard.push('end') } }
  early.onStart({})
  spanWatchers().add(watcher)
  t.teardown(() => spanWatchers().delete(watcher))
  early.onStart({})
  early.onEnd({})
  await early.forceFlush()
  await early.shutdown()
  t.same(heard, ['start', 'end'])

  const telemetry = configure({ exporter: 'none', viewer: true })
  t.teardown(() => { for (const api of [trace, propagation, context, diag]) api.disable() })
  telemetry.tracerProvider.getTracer('test').startSpan('span').end()
  t.same(heard, ['start', 'end', 'start', 'end'])
  watcher.onEnd = () => { throw new Error('a watcher that fails') }
  t.doesNotThrow(() => telemetry.tracerProvider.getTracer('test').startSpan('span').end())
  await telemetry.shutdown()
  t.throws(() => configure({ viewer: 'yes' as never }), { message: /option "viewer" must be a boolean/ })
})

t.test('traces and bytes are bounded, and the oldest go', async (t) => {
  const store = new TraceStore({ maxTraces: 3 })
  const removed: string[] = []
  const unwatch = store.watch({ changed () {}, removed: (traceId) => { removed.push(traceId) } })
  for (let number = 1; number <= 5; number++) store.add(incoming({ traceId: traceIdOf(number) }))
  t.same(store.traces().map(({ traceId }) => traceId), [3, 4, 5].map(traceIdOf))
  t.match(store.state(), { traces: 3, droppedTraces: 2, droppedSpans: 0, maxTraces: 3 })
  t.same(removed, [traceIdOf(1), traceIdOf(2)])
  t.same(store.removedSince(0), [traceIdOf(1), traceIdOf(2)])
  store.add(incoming({ traceId: traceIdOf(1) }))
  t.same(store.removedSince(0), [traceIdOf(2), traceIdOf(3)], 'one that came again is there')
  for (let number = 6; number <= 20; number++) store.add(incoming({ traceId: traceIdOf(number) }))
  t.equal(store.removedSince(1), null, 'what went is remembered for a while')
  t.same(store.removedSince(store.state().revision), [])
  unwatch()
  store.countRefused(7)
  t.equal(store.state().droppedSpans, 7)
  store.clear()
  t.match(store.state(), { traces: 0, bytes: 0, droppedTraces: 0, droppedSpans: 0 })
  t.equal(removed.length, 18)

  const small = new TraceStore({ maxBytes: MEBIBYTE })
  for (let number = 1; number <= 100; number++) small.add(incoming({ traceId: traceIdOf(number), attributes: [['text', 'x'.repeat(60_000)]] }))
  const state = small.state()
  t.ok(state.bytes <= MEBIBYTE && state.bytes > MEBIBYTE / 2)
  t.equal(state.traces + state.droppedTraces, 100)
})

t.test('the estimate of the bytes is right, whatever is added, replaced and dropped', async (t) => {
  const draft = fc.record({
    traceId: fc.integer({ min: 1, max: 5 }).map(traceIdOf),
    spanId: fc.integer({ min: 1, max: 4 }).map(spanIdOf),
    endMillis: fc.constantFrom(null, 1002),
    attributes: fc.array(fc.tuple(fc.string(), fc.string({ maxLength: 300 })), { maxLength: 3 }),
  })
  fc.assert(fc.property(fc.array(fc.tuple(draft, fc.integer({ min: 0, max: 3 })), { maxLength: 60 }), (items) => {
    const store = new TraceStore({ maxTraces: 3 })
    for (const [item, service] of items) store.add(incoming(item, { 'service.name': `service ${service}` }))
    const sources = new Map(store.traces().flatMap((trace) => [...trace.spans.values()]).map(({ source }) => [source.key, source.source.bytes]))
    const bytes = store.traces().reduce((sum, trace) => sum + [...trace.spans.values()].reduce((sum, span) => sum + span.bytes, 1200), 0)
    const expected = bytes + [...sources.values()].reduce((sum, bytes) => sum + bytes, 0)
    const actual = store.state().bytes
    store.clear()
    return actual === expected && store.state().bytes === 0
  }))
  const store = new TraceStore()
  for (let number = 1; number <= 1000; number++) store.add(incoming({ traceId: traceIdOf(number) }, { 'service.name': 'one', text: 'x'.repeat(10_000) }))
  t.ok(store.state().bytes < 4 * MEBIBYTE, 'a resource that comes with every span is kept once')
})

t.test('one trace is bounded too', async (t) => {
  const store = new TraceStore()
  for (let number = 1; number <= 10_500; number++) store.add(incoming({ spanId: spanIdOf(number) }))
  const trace = store.get(traceIdOf(1))!
  t.equal(trace.spans.size, 10_000)
  t.match([trace.droppedSpans, store.state().droppedSpans], [500, 500])
  const { revision } = trace
  store.add(incoming({ spanId: spanIdOf(20_000), endMillis: null }))
  t.equal(trace.droppedSpans, 500, 'a span that starts counts when it ends')
  store.add(incoming({ spanId: spanIdOf(20_000) }))
  t.equal(trace.droppedSpans, 501)
  t.ok(trace.summary.revision > revision)

  const small = new TraceStore({ maxBytes: MEBIBYTE })
  const big = (text: string) => [['a', 'b', 'c', 'd', 'e'].map((key) => [key, text.repeat(60_000)] as [string, string])].flat()
  small.add(incoming({ endMillis: null }))
  small.add(incoming({ attributes: big('x'), endMillis: 5000 }))
  t.match(small.get(traceIdOf(1))!.spans.get(spanIdOf(1))!.span, { endMillis: 5000, attributes: {} }, 'too big, but it does not run for ever')
  small.add(incoming({ attributes: big('y'), endMillis: 6000 }))
  t.equal(small.get(traceIdOf(1))!.spans.get(spanIdOf(1))!.span.endMillis, 5000)
  small.add(incoming({ traceId: traceIdOf(2), attributes: big('x') }))
  t.equal(small.get(traceIdOf(2)), undefined)
  t.equal(small.state().droppedSpans, 3)
})

t.test('a summary is of the root, or of the first request', async (t) => {
  const store = new TraceStore()
  const summaryOf = (...spans: Array<Parameters<typeof store.add>[0]>) => {
    store.clear()
    for (const span of spans) store.add(span)
    return store.get(traceIdOf(1))!.summary
  }
  t.match(summaryOf(
    incomingRequest({ spanId: spanIdOf(2), parentSpanId: spanIdOf(1), startMillis: 1005, endMillis: 1009, statusCode: 503, status: 'ERROR', more: { 'error.type': 'Broken', 'fastify.arguments.error_count': 2 } }),
    incoming({ spanId: spanIdOf(3), parentSpanId: spanIdOf(2), name: 'fastify.arguments', attributes: [['fastify.arguments.error_count', 2]] }),
    incoming({ spanId: spanIdOf(1), name: 'job', startMillis: 1004, endMillis: 1020.0004 }, { 'service.name': 'worker' })
  ), {
    name: 'job',
    method: 'GET',
    route: '/users/:id',
    statusCode: 503,
    errorType: 'Broken',
    service: 'worker',
    services: ['test', 'worker'],
    startMillis: 1000,
    durationMillis: 20,
    spanCount: 3,
    validationErrors: 2,
    isFailed: true,
    isAborted: false,
  })
  t.match(summaryOf(
    incoming({ spanId: spanIdOf(2), parentSpanId: spanIdOf(1), startMillis: 1002 }),
    incomingRequest({ spanId: spanIdOf(3), parentSpanId: spanIdOf(77), startMillis: 1003, more: { 'error.type': 'client_disconnected' } }),
    incomingRequest({ spanId: spanIdOf(4), parentSpanId: spanIdOf(78), startMillis: 1001, route: '/first' })
  ), { name: 'GET /first', route: '/first', isAborted: true, isFailed: false }, 'parents that are elsewhere')
  t.match(summaryOf(
    incoming({ spanId: spanIdOf(1), parentSpanId: spanIdOf(2), name: 'one', startMillis: 1002, status: 'ERROR', attributes: [['error.type', 'Later']] }),
    incoming({ spanId: spanIdOf(2), parentSpanId: spanIdOf(1), name: 'two', status: 'ERROR', attributes: [['error.type', 'Sooner']] }),
    incoming({ spanId: spanIdOf(3), parentSpanId: spanIdOf(3), name: 'itself' })
  ), { name: 'two', errorType: 'Sooner', spanCount: 3 }, 'parents in a circle')
  const many = summaryOf(...Array.from({ length: 50 }, (_, index) => incoming({ spanId: spanIdOf(index + 1) }, { 'service.name': `s${index}` })))
  t.equal(many.services.length, 20)
  t.match(summaryOf(incomingRequest({ route: 'x'.repeat(5000) })), { route: 'x'.repeat(512) })
  const odd = summaryOf(incoming({ attributes: Object.entries({ 'http.request.method': 5, 'http.response.status_code': 'many', 'http.route': ['a'] }) }, {}))
  t.same([odd.method, odd.statusCode, odd.route, odd.service], [undefined, undefined, undefined, 'unknown_service'])
  t.equal(summaryOf(incoming({ startMillis: 5000, endMillis: 1 })).durationMillis, 0, 'an end before its start')
})

t.test('search finds a text wherever it stands', async (t) => {
  const store = new TraceStore()
  store.add(incomingRequest({
    statusMessage: 'went wrong',
    more: { 'app.tenant': 'Acme (Ltd.)', list: ['inner', 7], nested: { key: { deep: true } }, nothing: undefined },
    events: [{ name: 'exception', timeMillis: 1, attributes: [['exception.message', 'boom']] }],
  }))
  const [trace] = store.traces()
  const finds = (text: string) => createFilter(text)!(trace!)
  for (const text of ['users', 'get /USERS', '200', traceIdOf(1).toUpperCase(), spanIdOf(1), 'GET', 'test', 'went WRONG', 'acme (ltd.)', 'inner', '7', 'deep', 'true', 'exception', 'BOOM', 'tenant',
    'app.tenant=acme', 'http.response.status_code=200', 'http.response.status_code=2', ' 200 ']) t.ok(finds(text), text)
  for (const text of ['4711', 'app.tenant=umbrella', 'tenant=acme', '.*', 'ac.e', '=200', 'undefined']) t.notOk(finds(text), text)
  t.equal(createFilter(undefined), undefined)
  t.equal(createFilter('  '), undefined)
  t.notOk(createFilter('(a+)+$'.repeat(1000))!(trace!))
})

t.test('failures by field and over time, each with its traces; durations by route', async (t) => {
  const empty = await reportFailures(new TraceStore())
  t.match(empty, { fields: [], routes: [], bucketMillis: 1000 })
  t.equal(empty.bucketStarts.length, 1)

  const store = new TraceStore()
  const errors = (...paths: string[]) => ({
    'fastify.arguments.error_count': paths.length,
    'fastify.arguments.errors': JSON.stringify(paths.map((path) => ({ part: 'body', path, keyword: 'type', message: `at ${path}` }))),
  })
  for (let number = 1; number <= 30; number++) store.add(incomingRequest({ traceId: traceIdOf(number), statusCode: 400, endMillis: 1000 + number, more: errors('/name', ...(number > 28 ? ['/age'] : [])) }))
  store.add(incoming({ traceId: traceIdOf(30), spanId: spanIdOf(2), name: 'fastify.arguments', attributes: Object.entries(errors('/name')) }))
  store.add(incomingRequest({ traceId: traceIdOf(31), route: '/odd', endMillis: 1000 + 1e6, status: 'ERROR', more: { ...errors(''), 'fastify.arguments.errors': '[{"part":' } }))
  store.add(incomingRequest({ traceId: traceIdOf(32), route: '/odd', endMillis: null, more: { ...errors(''), 'fastify.arguments.errors': '{}' } }))
  store.add(incomingRequest({ traceId: traceIdOf(33), route: '/odd', more: { 'fastify.arguments.error_count': 1 } }))
  store.add(incomingRequest({ traceId: traceIdOf(34), route: '/null', more: { 'fastify.arguments.error_count': 1, 'fastify.arguments.errors': '[null,{"path":5}]' } }))
  store.add(incoming({ traceId: traceIdOf(35), kind: 'CLIENT', attributes: Object.entries({ 'http.request.method': 'GET' }) }))
  const report = await reportFailures(store)
  t.same(report.fields.map(({ route, path, keyword, count }) => [route, path, keyword, count]).toSorted(),
    [['/null', '', '', 2], ['/odd', '', '', 3], ['/users/:id', '/age', 'type', 2], ['/users/:id', '/name', 'type', 30]])
  const [name] = report.fields
  t.match(name, { method: 'GET', route: '/users/:id', part: 'body', message: 'at /name', lastMillis: store.get(traceIdOf(30))!.receivedMillis })
  t.same(name!.traceIds, Array.from({ length: 20 }, (_, index) => traceIdOf(30 - index)))
  t.equal(name!.series.reduce((sum, count) => sum + count, 0), 30)
  t.equal(name!.series.length, report.bucketStarts.length)
  t.same(report.fields.find(({ path }) => path === '/age')!.traceIds, [traceIdOf(30), traceIdOf(29)])
  t.same(report.fields.find(({ route }) => route === '/null')!.traceIds, [traceIdOf(34)], 'two errors of one request lead to it once')
  const users = report.routes.find(({ route }) => route === '/users/:id')!
  t.match(users, { requests: 30, failures: 30, p50Millis: 15, p95Millis: 29, p99Millis: 30, counts: [1, 1, 3, 5, 15, 5, 0, 0, 0, 0, 0, 0, 0, 0] })
  const odd = report.routes.find(({ route }) => route === '/odd')!
  t.match(odd, { requests: 2, failures: 2 }, 'what is running has no duration yet')
  t.equal(odd.counts.at(-1), 1)
  t.equal(report.durationBounds.length + 1, odd.counts.length)

  for (const [agoMillis, bucketMillis] of [[50_000, 1000], [3_500_000, 60_000], [400 * 86_400_000, 86_400_000], [-5_000_000, 1000]]) {
    const store = new TraceStore()
    store.add(incomingRequest({ more: errors('/name') }))
    Object.assign(store.get(traceIdOf(1))!, { receivedMillis: Date.now() - agoMillis! })
    const report = await reportFailures(store)
    t.equal(report.bucketMillis, bucketMillis)
    t.ok(report.bucketStarts.length <= 60)
    t.equal(report.fields[0]!.series.reduce((sum, count) => sum + count, 0), 1, 'a stretch for every failure')
  }
})

t.test('who is answered', async (t) => {
  const facts = { method: 'GET', peerAddress: '127.0.0.1', headers: { host: 'localhost:3000' } }
  const refusal = (more: Record<string, string>, isGuarded = false, changes: object = {}) => refusalOf({ ...facts, ...changes, headers: { ...facts.headers, ...more } }, isGuarded)
  for (const host of ['localhost', 'LOCALHOST:80', 'app.localhost:3000', '127.0.0.1:3000', '127.9.8.7', '[::1]:3000']) t.equal(refusal({ host }), undefined, host)
  for (const host of ['', 'example.com', 'localhost.example.com', '127.0.0.1.example.com', 'localhost:3000@example.com', '10.0.0.1', '[::2]', 'xlocalhost', '127.0.0.1:3000/', 'localhost:123456']) t.match(refusal({ host }), /under names of this machine/, host)
  t.match(refusalOf({ ...facts, headers: {} }, false), /under names/)
  t.equal(refusalOf({ ...facts, headers: { ':authority': 'localhost' } }, false), undefined)
  for (const peerAddress of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) t.equal(refusal({}, false, { peerAddress }), undefined, peerAddress)
  for (const peerAddress of ['10.0.0.1', '::ffff:10.0.0.1', '::2', undefined, '1270.0.0.1']) t.match(refusal({}, false, { peerAddress }), /of this machine only/, String(peerAddress))
  for (const name of ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']) t.match(refusal({ [name]: '127.0.0.1' }), /proxy/, name)
  t.equal(refusal({ 'x-forwarded-for': '10.0.0.1', host: 'traces.example.com' }, true, { peerAddress: '10.0.0.1' }), undefined, 'a guard opens it')

  for (const isGuarded of [false, true]) {
    t.equal(refusal({ origin: 'http://localhost:3000' }, isGuarded), undefined)
    for (const origin of ['http://example.com', 'http://localhost:3001', 'null', 'file://']) t.match(refusal({ origin }, isGuarded), /other origins/, origin)
    for (const site of ['same-origin', 'none']) t.equal(refusal({ 'sec-fetch-site': site }, isGuarded), undefined, site)
    for (const site of ['cross-site', 'same-site']) {
      t.match(refusal({ 'sec-fetch-site': site }, isGuarded), /other sites/)
      const link = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
      t.equal(refusal(link, isGuarded), undefined, 'a link that is followed')
      t.match(refusal(link, isGuarded, { method: 'POST' }), /other sites/)
      t.match(refusal({ ...link, 'sec-fetch-dest': 'iframe' }, isGuarded), /other sites/)
    }
  }
  t.equal(refusal({ host: 'Traces.Example.com', origin: 'https://traces.example.com' }, true), undefined)
})

t.test('the page finds its prefix from wherever it was loaded', async (t) => {
  const cases: Array<[path: string, pattern: string]> = [
    ['/telemetry', '/'], ['/telemetry/', '/'], ['/telemetry/failures', '/failures'], ['/telemetry/failures/', '/failures'], ['/telemetry/traces', '/traces'],
    ['/telemetry/traces/abc', '/traces/:traceId'], ['/telemetry/traces/a%2Fb', '/traces/:traceId'], ['/telemetry/traces/abc/', '/traces/:traceId'],
  ]
  for (const [path, pattern] of cases) {
    const html = pageHtml(path, pattern)
    const [, base] = /<meta name="viewer-base" content="([^"]*)">/.exec(html)!
    t.equal(new URL(base!, `http://localhost${path}`).pathname, '/telemetry/', path)
    t.ok(html.includes(`src="${base}viewer.js"`) && html.includes(`href="${base}viewer.css"`))
  }
  t.match(pageHtml('/', '/'), 'content="./"')
  t.notMatch(pageHtml('/"><script>alert(1)</script>', '/'), '<script>alert')
  t.match(pageHtml('/a&"\'<>', '/'), 'content="./a&#38;&#34;&#39;&#60;&#62;/"')
})

t.test('where a live stream goes on', async (t) => {
  const store = new TraceStore()
  const cases: Array<[lastEventId: string | undefined, since: string | undefined, start: object]> = [
    [undefined, undefined, { since: 0, isLost: false }], [undefined, '17', { since: 17, isLost: false }], [undefined, '-1', { since: 0, isLost: false }], [undefined, '1e9', { since: 0, isLost: false }],
    ['', '5', { since: 5, isLost: false }], [`${store.storeId}:12`, '5', { since: 12, isLost: false }], ['another:12', '5', { since: 0, isLost: true }], [`${store.storeId}`, undefined, { since: 0, isLost: false }],
  ]
  for (const [lastEventId, since, start] of cases) t.same(readStart(lastEventId, since, store), start)
})

const BEGINNING = { since: 0, isLost: false }

t.test('a page that is quiet hears a heartbeat; one that has gone deaf is cut off after two', async (t) => {
  const store = new TraceStore()
  const quiet = new PassThrough()
  const options = { filter: undefined, start: BEGINNING, onClose: () => {}, heartbeatMillis: 5 }
  const stream = new LiveStream(quiet, store, options)
  // The stream keeps no process alive, and there is no socket here that does.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  let text = ''
  for await (const chunk of quiet) {
    text += String(chunk)
    if (text.endsWith(': \n\n: \n\n')) break
  }
  stream.close()

  const deaf = new PassThrough({ highWaterMark: 10 })
  const closed = once(deaf, 'close')
  t.ok(new LiveStream(deaf, store, options))
  await closed
  t.ok(deaf.destroyed)

  // All was read but the end.
  const slow = new PassThrough()
  const ending = new LiveStream(slow, store, options)
  slow.read()
  const ended = once(slow, 'close')
  ending.close()
  await ended
  t.ok(slow.destroyed)
})

t.test('a page that does not read costs no memory, and is given up', async (t) => {
  const store = new TraceStore({ maxTraces: 50 })
  const page = new PassThrough({ highWaterMark: 1000 })
  let closed = 0
  const stream = new LiveStream(page, store, { filter: undefined, start: BEGINNING, onClose: () => { closed++ } })
  const add = (number: number) => store.add(incoming({ traceId: traceIdOf(number), name: 'x'.repeat(1000) }))
  for (let number = 1; number <= 60; number++) add(number)
  await nextTurn()
  for (let number = 61; number <= 100; number++) add(number)
  t.ok(page.writableLength < 200_000)
  t.notOk(page.destroyed)
  for (let number = 101; number <= 300; number++) add(number)
  t.ok(page.destroyed, 'nothing that it knows is there any more')
  await once(page, 'close')
  await nextTurn()
  stream.close()
  stream.close()
  t.equal(closed, 1)
  store.add(incoming())
})

t.test('a page that is slow gets what came in the meantime', async (t) => {
  const store = new TraceStore()
  const slow = new PassThrough({ highWaterMark: 100 })
  store.add(incoming({ traceId: traceIdOf(1) }))
  const stream = new LiveStream(slow, store, { filter: undefined, start: BEGINNING, onClose: () => {} })
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => {
    clearInterval(alive)
    stream.close()
  })
  const before = slow.writableLength
  // The first event, after which it waits for the page.
  while (slow.writableLength === before) await nextTurn()
  for (let number = 2; number <= 4; number++) store.add(incoming({ traceId: traceIdOf(number) }))
  let text = ''
  for await (const chunk of slow) {
    text += String(chunk)
    if (text.includes(traceIdOf(4))) break
  }
  t.equal(text.match(/event: traces/g)?.length, 2)
})
