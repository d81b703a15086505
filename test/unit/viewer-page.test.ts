import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import {
  buildArguments, buildJson, foldedAtFirst, linesOf, previewOf, receivedAt, type ArgumentNode,
} from '../../lib/viewer/page/model/argument-nodes.ts'
import { formatAttribute, groupAttributes } from '../../lib/viewer/page/model/attribute-groups.ts'
import { curlOf } from '../../lib/viewer/page/model/curl.ts'
import { filterQuery, hasFilters, NO_FILTERS, parseFilters, passes, type Filters } from '../../lib/viewer/page/model/filters.ts'
import * as format from '../../lib/viewer/page/model/format.ts'
import { isWholeValue, markOf, PARTLY_SCRUBBED } from '../../lib/viewer/page/model/marks.ts'
import { isFailure, outcomeOf, spanOutcome, statusOutcome } from '../../lib/viewer/page/model/outcome.ts'
import { phasesOf } from '../../lib/viewer/page/model/phases.ts'
import { readErrors } from '../../lib/viewer/page/model/pinned-errors.ts'
import { Pulse, PULSE_SECONDS } from '../../lib/viewer/page/model/pulse.ts'
import { formatPlace, parsePlace } from '../../lib/viewer/page/model/routes.ts'
import { serviceColours } from '../../lib/viewer/page/model/service-colours.ts'
import { TraceStore } from '../../lib/viewer/page/model/trace-store.ts'
import { scrollTopFor, windowOf } from '../../lib/viewer/page/model/virtual-window.ts'
import { barOf, layOut, rangeOf, ticksOf, unfolded } from '../../lib/viewer/page/model/waterfall.ts'
import type { TraceSummary, ViewerSpan } from '../../lib/viewer/wire.ts'

t.jobs = 1

function summary (more: Partial<TraceSummary> = {}): TraceSummary {
  return {
    traceId: 'a',
    revision: 1,
    startMillis: 1000,
    durationMillis: 5,
    name: 'GET /',
    service: 'one',
    services: ['one'],
    spanCount: 1,
    validationErrors: 0,
    isFailed: false,
    isAborted: false,
    statusCode: 200,
    ...more,
  }
}

function span (spanId: string, parentSpanId?: string, more: Partial<ViewerSpan> = {}): ViewerSpan {
  return {
    traceId: 't',
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name: spanId,
    kind: 'INTERNAL',
    startMillis: 0,
    endMillis: 10,
    status: 'UNSET',
    service: 'one',
    scope: { name: 'test' },
    attributes: {},
    resource: {},
    events: [],
    links: [],
    dropped: { attributes: 0, events: 0, links: 0 },
    ...more,
  }
}

t.test('times, durations and counts as they are read', async (t) => {
  const durations: Array<[millis: number, short: string, exact: string]> = [
    [0, '0 µs', '0 µs'],
    [0.4124, '412 µs', '412 µs'],
    [0.9996, '1.00 ms', '1.000 ms'],
    [-0.5, '−500 µs', '−500 µs'],
    [9.994, '9.99 ms', '9.994 ms'],
    [9.996, '10.0 ms', '9.996 ms'],
    [12.345_678, '12.3 ms', '12.346 ms'],
    [99.96, '100 ms', '99.960 ms'],
    [999.4, '999 ms', '999.400 ms'],
    [999.9999, '1.00 s', '1.000000 s'],
    [1234.567, '1.23 s', '1.234567 s'],
    [59_996, '1 m 00 s', '59.996000 s'],
    [125_000, '2 m 05 s', '125.000000 s'],
  ]
  for (const [millis, short, exact] of durations) {
    t.equal(format.formatDuration(millis), short)
    t.equal(format.formatExactDuration(millis), exact)
  }
  const noon = new Date(2026, 10, 21, 12, 3, 4, 56).getTime()
  t.equal(format.formatTime(noon), '12:03:04.056')
  t.equal(format.formatClock(noon), '12:03:04')
  t.equal(format.formatExactTime(noon + 0.789), '2026-11-21 12:03:04.056789')
  t.equal(format.formatExactTime(noon + 0.9999), '2026-11-21 12:03:04.057000')
  t.equal(format.formatTime(Number.NaN), '–')
  t.equal(format.formatExactTime(1e300), '–')
  t.same([1, 1234, 0].map((count) => format.countOf(count, 'trace')), ['1 trace', '1,234 traces', '0 traces'])
  t.same([512, 3200, 20_000, 64e6, 1_500_000].map(format.formatBytes), ['512 B', '3.2 kB', '20 kB', '64 MB', '1.5 MB'])
  t.same([0, 0.001, 0.286, 0.999, 1].map(format.formatShare), ['0 %', '<1 %', '29 %', '99 %', '100 %'])
  t.same([0, 4.24, 1234].map(format.formatRate), ['0.0/s', '4.2/s', '1,234/s'])
  t.same([1000, 0, -12_000, -200_000, -7_200_000, -400_000_000].map((millis) => format.formatAgo(millis, 0)), ['now', 'now', '12 s ago', '3 min ago', '2 h ago', '4 d ago'])
})

t.test('what became of a request, and what counts as a failure', async (t) => {
  const cases: Array<[more: Partial<TraceSummary>, outcome: string]> = [
    [{}, 'fine'],
    [{ statusCode: undefined }, 'fine'],
    [{ statusCode: 404 }, 'refused'],
    [{ validationErrors: 1 }, 'refused'],
    [{ statusCode: 503 }, 'failed'],
    [{ isFailed: true }, 'failed'],
    [{ isFailed: true, isAborted: true }, 'aborted'],
  ]
  for (const [more, outcome] of cases) {
    t.equal(outcomeOf(summary(more)), outcome)
    t.equal(isFailure(summary(more)), outcome !== 'fine')
  }
  t.equal(outcomeOf(summary({ durationMillis: null, isFailed: true })), 'running')
  t.equal(isFailure(summary({ durationMillis: null })), false)
  t.equal(isFailure(summary({ durationMillis: null, isFailed: true })), true, 'a running trace can have failed already')

  t.equal(spanOutcome(span('a', undefined, { endMillis: null }), 0), 'running')
  t.equal(spanOutcome(span('a', undefined, { attributes: { 'error.type': 'client_disconnected' }, status: 'ERROR' }), 0), 'aborted')
  t.equal(spanOutcome(span('a', undefined, { status: 'ERROR' }), 0), 'failed')
  t.equal(spanOutcome(span('a', undefined, { attributes: { 'http.response.status_code': 404 } }), 0), 'refused')
  t.equal(spanOutcome(span('a'), 1), 'refused')
  t.equal(spanOutcome(span('a'), 0), 'fine')
  t.same([undefined, 200, 404, 500].map(statusOutcome), ['fine', 'fine', 'refused', 'failed'])
})

t.test('filters stand in the query, and come back from it', async (t) => {
  const all: Filters = { text: 'a&b=c', service: 'users', statusClasses: ['4xx', '5xx'], onlyInvalid: true, onlyAborted: true, slowerThanMillis: 12.5 }
  t.same(parseFilters(filterQuery(all)), all)
  t.same(parseFilters(new URLSearchParams()), NO_FILTERS)
  t.equal(hasFilters(NO_FILTERS), false)
  t.equal(hasFilters({ ...NO_FILTERS, onlyAborted: true }), true)
  for (const slower of ['', '-1', 'soon', 'Infinity']) t.equal(parseFilters(new URLSearchParams({ slower })).slowerThanMillis, null)
  t.same(parseFilters(new URLSearchParams('status=5xx,9xx,2xx')).statusClasses, ['2xx', '5xx'])

  const cases: Array<[more: Partial<TraceSummary>, filters: Partial<Filters>, isShown: boolean]> = [
    [{}, {}, true],
    [{ services: ['one', 'two'] }, { service: 'two' }, true],
    [{}, { service: 'two' }, false],
    [{ statusCode: 404 }, { statusClasses: ['4xx', '5xx'] }, true],
    [{ statusCode: undefined }, { statusClasses: ['4xx'] }, false],
    [{ validationErrors: 2 }, { onlyInvalid: true }, true],
    [{}, { onlyInvalid: true }, false],
    [{ isAborted: true }, { onlyAborted: true }, true],
    [{}, { onlyAborted: true }, false],
    [{ durationMillis: 10 }, { slowerThanMillis: 10 }, false],
    [{ durationMillis: 10.001 }, { slowerThanMillis: 10 }, true],
    [{ durationMillis: null, startMillis: 1000 }, { slowerThanMillis: 500 }, true],
    [{ durationMillis: null, startMillis: 1900 }, { slowerThanMillis: 500 }, false],
  ]
  for (const [more, filters, isShown] of cases) t.equal(passes(summary(more), { ...NO_FILTERS, ...filters }, 2000), isShown, JSON.stringify([more, filters]))
})

t.test('places stand in the address, and come back from it', async (t) => {
  for (const prefix of ['', '/telemetry', '/a/b']) {
    for (const place of [
      { page: 'list' as const, filters: { ...NO_FILTERS, text: 'ä/?' } },
      { page: 'failures' as const, filters: NO_FILTERS },
      { page: 'trace' as const, traceId: 'abc', filters: NO_FILTERS },
      { page: 'trace' as const, traceId: 'a/b?c', spanId: 'd&e', filters: { ...NO_FILTERS, onlyInvalid: true } },
    ]) {
      const { pathname, search } = new URL(formatPlace(prefix, place), 'http://localhost')
      t.same(parsePlace(prefix, pathname, search), place)
    }
  }
  for (const path of ['/telemetry', '/telemetry/', '/telemetry/traces', '/telemetry/traces/']) t.equal(parsePlace('/telemetry', path, '').page, 'list')
  for (const path of ['/telemetry/nowhere', '/telemetry/traces/%', '/elsewhere', '/telemetry/traces/a/b']) t.equal(parsePlace('/telemetry', path, '').page, 'unknown')
  t.equal(formatPlace('', { page: 'trace', filters: NO_FILTERS }), '/traces/')
})

t.test('the traces that the page knows: by start, newest first; older news change nothing', async (t) => {
  const store = new TraceStore()
  const changes: Array<[string, number | undefined]> = []
  const onChange = (now: TraceSummary, before: TraceSummary | undefined) => { changes.push([now.traceId, before?.revision]) }
  store.apply([summary({ traceId: 'a', startMillis: 1 }), summary({ traceId: 'b', startMillis: 3 })], onChange)
  store.apply([summary({ traceId: 'c', startMillis: 2 }), summary({ traceId: 'a', startMillis: 1, revision: 2, name: 'new' })], onChange)
  store.apply([summary({ traceId: 'a', startMillis: 1, revision: 1, name: 'old' })], onChange)
  const ids = () => store.select().map(({ traceId }) => traceId).join('')
  t.equal(ids(), 'bca')
  t.equal(store.get('a')?.name, 'new')
  t.same(changes, [['a', undefined], ['b', undefined], ['c', undefined], ['a', 1]])
  store.apply([summary({ traceId: 'a', startMillis: 9, revision: 3, services: ['two', 'one'] })])
  t.equal(ids(), 'abc')
  t.same(store.services(), ['one', 'two'])
  t.same(store.select(({ traceId }) => traceId === 'b').length, 1)
  store.remove(['nobody'])
  store.remove(['b', 'a'])
  t.equal(ids(), 'c')
  t.equal(store.size, 1)
  store.clear()
  t.equal(store.get('c'), undefined)

  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(20), fc.nat(50), fc.nat(9))), async (steps) => {
    const store = new TraceStore()
    const known = new Map<string, TraceSummary>()
    for (const [id, startMillis, revision] of steps) {
      const next = summary({ traceId: String(id), startMillis, revision })
      if (revision < (known.get(next.traceId)?.revision ?? 0)) {
        store.apply([next])
      } else {
        known.set(next.traceId, next)
        store.apply([next])
      }
      if (revision === 9) {
        store.remove([String(id)])
        known.delete(String(id))
      }
    }
    const selected = store.select()
    t.same(new Map(selected.map((one) => [one.traceId, one])), known)
    t.same(selected.map((one) => one.startMillis), [...known.values()].map((one) => one.startMillis).sort((first, second) => second - first))
  }))
})

t.test('the pulse counts each trace in the second in which it began, and each failure once', async (t) => {
  const pulse = new Pulse()
  t.same(pulse.window(100_000).failureShare, null)
  const first = summary({ startMillis: 99_500, durationMillis: null })
  pulse.add(first)
  const failed = { ...first, durationMillis: 3, isFailed: true }
  pulse.add(failed)
  pulse.add({ ...failed, revision: 5, startMillis: 99_400 })
  for (const traceId of ['b', 'c', 'd', 'd']) pulse.add(summary({ traceId, startMillis: 100_000 }))
  pulse.add(summary({ traceId: 'old', startMillis: -50_000 }))
  const { seconds, perSecond, failureShare } = pulse.window(100_900)
  t.equal(seconds.length, PULSE_SECONDS)
  t.same(seconds.slice(-2), [{ total: 1, failed: 1 }, { total: 3, failed: 0 }])
  t.equal(perSecond, 0.1, 'the second that is not over yet does not count')
  t.equal(failureShare, 0.25)
  t.equal(pulse.window(101_000).perSecond, 0.4)
  pulse.clear()
  t.equal(pulse.window(101_000).failureShare, null)
})

t.test('a window of rows, and the way to a row', async (t) => {
  t.same(windowOf(10_000, 30, 0, 300), { first: 0, end: 16 })
  t.same(windowOf(10_000, 30, 3000, 300), { first: 94, end: 116 })
  t.same(windowOf(3, 30, 3000, 300), { first: 3, end: 3 })
  t.same(windowOf(0, 30, 0, 0), { first: 0, end: 0 })
  t.equal(scrollTopFor(5, 30, 0, 300), 0)
  t.equal(scrollTopFor(10, 30, 0, 300), 30)
  t.equal(scrollTopFor(1, 30, 90, 300), 30)
})

t.test('waterfall: every span once, children below parents, siblings by start; circles, orphans and doubles are told apart', async (t) => {
  const shape = (spans: ViewerSpan[]) => layOut(spans).map(({ key, depth, parent, descendants, hasChildren, isOrphan }) =>
    `${'  '.repeat(depth)}${key} ${parent} ${descendants}${hasChildren ? ' parent' : ''}${isOrphan ? ' orphan' : ''}`)
  t.same(shape([
    span('root'), span('late', 'root', { startMillis: 5 }), span('early', 'root', { startMillis: 1 }), span('leaf', 'early'), span('lost', 'elsewhere', { startMillis: 9 }),
  ]), ['root -1 3 parent', '  early 0 1 parent', '    leaf 1 0', '  late 0 0', 'lost -1 0 orphan'])
  t.same(shape([span('a', 'b', { startMillis: 2 }), span('b', 'a', { startMillis: 1 }), span('self', 'self')]), ['self -1 0 orphan', 'b -1 1 parent orphan', '  a 1 0'])
  t.same(shape([span('same'), span('same'), span('child', 'same')]), ['same -1 1 parent', '  child 0 0', 'same~1 -1 0'])
  t.same(layOut([]), [])
  const chain = Array.from({ length: 20_000 }, (_, index) => span(String(index), String(index - 1)))
  t.equal(layOut(chain).at(-1)?.depth, 19_999)

  const rows = layOut([span('root'), span('a', 'root'), span('a1', 'a'), span('a2', 'a'), span('b', 'root')])
  t.same(unfolded(rows, new Set()).map(({ key }) => key), ['root', 'a', 'a1', 'a2', 'b'])
  t.same(unfolded(rows, new Set(['a', 'b'])).map(({ key }) => key), ['root', 'a', 'b'])
  t.same(unfolded(rows, new Set(['root'])).map(({ key }) => key), ['root'])

  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(12), fc.option(fc.nat(12)), fc.nat(9)), { maxLength: 30 }), (drafts) => {
    const spans = drafts.map(([id, parent, startMillis]) => span(String(id), parent === null ? undefined : String(parent), { startMillis }))
    const rows = layOut(spans)
    t.same(new Set(rows.map((row) => row.span)), new Set(spans))
    t.equal(new Set(rows.map(({ key }) => key)).size, spans.length)
    rows.forEach((row, index) => {
      t.ok(row.parent < index)
      t.equal(row.depth, row.parent === -1 ? 0 : rows[row.parent]!.depth + 1)
    })
  }))
})

t.test('bars are shares of the range, children inside parents; running spans reach to now', async (t) => {
  const spans = [span('root', undefined, { startMillis: 100, endMillis: 200 }), span('running', 'root', { startMillis: 150, endMillis: null })]
  const range = rangeOf(spans, 300)
  t.same(range, { startMillis: 100, endMillis: 300 })
  t.same(barOf(spans[0]!, range), { left: 0, width: 0.5 })
  t.same(barOf(spans[1]!, range), { left: 0.25, width: 0.75 })
  t.same(rangeOf(spans, 0), { startMillis: 100, endMillis: 200 }, 'the clock of this machine may be behind')
  t.same(rangeOf([], 7), { startMillis: 7, endMillis: 7 })
  t.same(barOf(spans[0]!, { startMillis: 5, endMillis: 5 }), { left: 0, width: 1 })
  t.equal(barOf({ startMillis: 20, endMillis: 10 }, { startMillis: 0, endMillis: 100 }).width, 0)
  const time = fc.integer({ min: 0, max: 1e6 })
  fc.assert(fc.property(time, time, time, time, (a, b, c, d) => {
    const [first, second, third, fourth] = [a, b, c, d].sort((one, other) => one - other) as [number, number, number, number]
    const range = { startMillis: 0, endMillis: 1e6 }
    const parent = barOf({ startMillis: first, endMillis: fourth }, range)
    const child = barOf({ startMillis: second, endMillis: third }, range)
    t.ok(child.left >= parent.left && child.left + child.width <= parent.left + parent.width + 1e-12)
  }))

  t.same(ticksOf(10, 5), [0, 2, 4, 6, 8, 10])
  t.same(ticksOf(43, 5), [0, 10, 20, 30, 40])
  t.same(ticksOf(0, 5), [0])
  t.same(ticksOf(Number.NaN, 5), [0])
  fc.assert(fc.property(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (length) => {
    const ticks = ticksOf(length, 5)
    t.ok(ticks.length >= 2 && ticks.length <= 6 && ticks.at(-1)! <= length * (1 + 1e-9))
  }))
  t.same([...serviceColours(['b', 'a', 'b', 'c', 'd', 'e', 'f', 'g'])], [['b', 0], ['a', 1], ['c', 2], ['d', 3], ['e', 4], ['f', 5], ['g', 0]])
})

t.test('the phases of a request, from its time stamps', async (t) => {
  const at = (micros: number) => `2026-11-21T10:00:00.${String(micros).padStart(6, '0')}Z`
  const startMillis = Date.parse('2026-11-21T10:00:00.000Z')
  const attributes = {
    'fastify.arguments.start_timestamp': at(1000),
    'fastify.arguments.end_timestamp': at(2500),
    'fastify.handler.start_timestamp': at(5000),
    'fastify.handler.end_timestamp': at(12_000),
  }
  const [first, second] = phasesOf({ startMillis, endMillis: startMillis + 10, attributes })
  t.match(first, { name: 'arguments', bar: { left: 0.1 } })
  t.ok(Math.abs(first!.bar.width - 0.15) < 1e-6 && Math.abs(first!.millis - 1.5) < 1e-3)
  t.match(second, { name: 'handler', bar: { left: 0.5, width: 0.5 } }, 'not beyond the span')
  t.same(phasesOf({ startMillis, endMillis: null, attributes }), [])
  t.same(phasesOf({ startMillis, endMillis: startMillis, attributes }), [])
  t.same(phasesOf({ startMillis, endMillis: startMillis + 1, attributes: { ...attributes, 'fastify.arguments.end_timestamp': 'soon', 'fastify.handler.end_timestamp': at(4000) } }), [])
  t.same(phasesOf({ startMillis, endMillis: startMillis + 1, attributes: { 'fastify.arguments.start_timestamp': '2026-13-01T00:00:00.000000Z', 'fastify.arguments.end_timestamp': at(1) } }), [])
})

t.test('marks that stand in the place of values', async (t) => {
  const cases: Array<[value: unknown, kind: string | undefined, text?: string]> = [
    ['[redacted string]', 'redacted', 'redacted string'],
    ['[redacted]', 'redacted', 'redacted'],
    ['[scrubbed]', 'scrubbed', 'scrubbed'],
    ['[scrubbing failed]', 'scrubbed', 'scrubbing failed'],
    ["[Scrubbed due to 'password']", 'scrubbed', "Scrubbed due to 'password'"],
    ['[unknown schema]', 'unknown', 'unknown schema'],
    ['[array of 2]', 'unknown', 'array of 2'],
    ['[string]', 'unknown', 'string'],
    ['… 2 more', 'truncated', '… 2 more'],
    ['{…}', 'truncated', '{…}'],
    ['a text…', 'truncated', 'cut'],
    ['a text', undefined],
    [7, undefined],
    [null, undefined],
  ]
  for (const [value, kind, text] of cases) {
    const mark = markOf(value, true)
    t.equal(mark?.kind, kind, String(value))
    t.equal(mark?.text, text, String(value))
  }
  t.equal(markOf('and so on…', false), undefined, 'what the client sent itself')
  t.equal(markOf('{…}', false), undefined)
  t.equal(isWholeValue(markOf('a text…', true)!), false)
  t.equal(isWholeValue(markOf('[scrubbed]', false)!), true)
})

t.test('errors of every shape: what was expected, what came, where it belongs', async (t) => {
  const read = (error: object) => readErrors(JSON.stringify([{ part: 'body', path: '/a', message: 'm', ...error }]))
  const expected: Array<[error: object, expected: string | undefined]> = [
    [{ keyword: 'type', params: { type: 'integer' } }, 'integer'],
    [{ keyword: 'type', params: { type: ['string', 'null'] } }, 'string or null'],
    [{ keyword: 'enum', params: { allowedValues: ['NO', 7] } }, 'one of "NO", 7'],
    [{ keyword: 'const', params: { allowedValue: 'NO' } }, '"NO"'],
    [{ keyword: 'minimum', params: { comparison: '>=', limit: 1 } }, '≥ 1'],
    [{ keyword: 'multipleOf', params: { multipleOf: 5 } }, 'a multiple of 5'],
    [{ keyword: 'minLength', params: { limit: 12 } }, '≥ 12 characters'],
    [{ keyword: 'maxItems', params: { limit: 1 } }, '≤ 1 item'],
    [{ keyword: 'minProperties', params: { limit: 2 } }, '≥ 2 properties'],
    [{ keyword: 'custom', params: { limit: 2 } }, undefined],
    [{ keyword: 'format', params: { format: 'email' } }, 'email'],
    [{ keyword: 'pattern', params: { pattern: '^[A-Z]{2}$' } }, '/^[A-Z]{2}$/'],
    [{ keyword: 'required' }, 'a value'],
    [{ keyword: 'minLength', params: null }, undefined],
    [{}, undefined],
  ]
  for (const [error, text] of expected) t.equal(read(error)[0]?.expected, text, JSON.stringify(error))

  t.match(read({ keyword: 'required', params: { missingProperty: 'b/c' } }), [{ segments: ['a', 'b/c'], isMissing: true }])
  t.match(read({ keyword: 'required', params: { requiredProperties: ['b', 3, 'c'] } }), [{ segments: ['a', 'b'] }, { segments: ['a', 'c'], isMissing: true }])
  t.match(read({ keyword: 'required', input: 7 }), [{ segments: ['a'], isMissing: false, received: 7 }])
  t.match(read({ path: '/a~1b/~01', keyword: 'type', schemaPath: '#/x' }), [{ segments: ['a/b', '~1'], schemaPath: '#/x' }])
  t.match(read({ path: '', keyword: 'parse', params: { position: 3, line: 2, column: 5 } }), [{ segments: [], position: 'line 2, column 5' }])
  t.match(read({ path: 7, keyword: undefined, message: undefined }), [{ segments: [], keyword: 'unknown', message: 'is not valid' }])
  t.equal(read({ path: '/x'.repeat(5000) })[0]?.segments.length, 64)
  for (const rubbish of [undefined, 7, 'not JSON', '{}', '[null, 1, {"path":"/a"}]']) t.same(readErrors(rubbish), [])
  fc.assert(fc.property(fc.json(), (json) => { readErrors(json) }))
})

/** Key and kind of every node, with what was pinned to it. */
function outline (nodes: readonly ArgumentNode[]): unknown[] {
  return nodes.map((node) => [
    `${node.key} ${node.kind}${node.errors.map(({ keyword }) => ` !${keyword}`).join('')}${node.mark === undefined ? '' : ` [${node.mark.kind}]`}`,
    ...(node.children.length === 0 ? [] : [outline(node.children)]),
  ])
}

t.test('the tree of the arguments has every error at its field, also where nothing came', async (t) => {
  const errors = readErrors(JSON.stringify([
    { part: 'body', path: '/items/0/count', keyword: 'minimum', message: 'must be >= 1', input: 0 },
    { part: 'body', path: '/customer', keyword: 'required', message: 'must have', params: { missingProperty: 'name' } },
    { part: 'params', path: '/id', keyword: 'maximum', message: 'must be <= 5' },
    { part: 'params', path: '', keyword: 'custom', message: 'is odd' },
    { part: 'response', path: '/x', keyword: 'serialization', message: 'm' },
  ]))
  const values = { headers: { 'x-a': '[scrubbed]' }, params: { id: 7, 'a/b': 'see […]' } }
  const nodes = buildArguments({ values: JSON.stringify(values), errors, scrubbed: ['/params/a~1b'], isTruncated: false })!
  t.same(outline(nodes), [
    ['params object !custom', [['id value !maximum'], ['a/b value [scrubbed]']]],
    ['body unrecorded', [
      ['items unrecorded', [['0 unrecorded', [['count unrecorded !minimum']]]]],
      ['customer unrecorded', [['name missing !required']]],
    ]],
    ['headers object', [['x-a value [scrubbed]']]],
    ['response unrecorded', [['x unrecorded !serialization']]],
  ])
  const find = (pointer: string) => linesOf(nodes, new Set()).find(({ node }) => node.pointer === pointer)!.node
  t.equal(receivedAt(find('/body/items/0/count'), find('/body/items/0/count').errors[0]!), '0')
  t.equal(receivedAt(find('/params/id'), find('/params/id').errors[0]!), '7', 'the value that is recorded there')
  t.equal(receivedAt(find('/body/customer/name'), find('/body/customer/name').errors[0]!), undefined)
  t.equal(receivedAt(find('/params'), find('/params').errors[0]!), undefined)
  t.equal(previewOf(find('/params/a~1b')), '"see […]"', 'partly scrubbed: the rest is shown')
  t.equal(find('/params/a~1b').mark, PARTLY_SCRUBBED)
  t.equal(previewOf(find('/headers/x-a')), '')
  t.equal(previewOf(find('/params')), '{ 2 }')
  t.equal(previewOf(find('/body')), '')

  t.same(buildArguments({ values: undefined, errors: [], scrubbed: undefined, isTruncated: false }), [])
  for (const values of ['not JSON', '7', '[]', 'null', 7]) t.equal(buildArguments({ values, errors, scrubbed: undefined, isTruncated: false }), undefined)
  const hostile = buildArguments({ values: '{"__proto__":{"constructor":[[],{}]}}', errors: readErrors('[{"part":"__proto__","path":"/toString/x"}]'), scrubbed: 7, isTruncated: true })!
  t.same(outline(hostile), [['__proto__ object', [['constructor array', [['0 array'], ['1 object']]], ['toString unrecorded', [['x unrecorded !unknown']]]]]])
  t.same(linesOf(hostile, new Set()).filter(({ node }) => node.kind === 'array').map(({ node }) => previewOf(node)), ['[ 2 ]', '[]'])
  t.equal(previewOf(linesOf(hostile, new Set()).find(({ node }) => node.key === '1')!.node), '{}')
})

t.test('long and deep values are folded or cut, but never the way to an error', async (t) => {
  const long = Array.from({ length: 30 }, (_, index) => index)
  const deep = { a: { b: { c: { d: { e: 1 } } } } }
  const values = JSON.stringify({ body: { long, deep, both: { list: long } } })
  const errors = readErrors(JSON.stringify([{ part: 'body', path: '/both/list/29', keyword: 'type', message: 'm' }]))
  const nodes = buildArguments({ values, errors, scrubbed: undefined, isTruncated: false })!
  const folded = foldedAtFirst(nodes)
  t.same([...folded].sort(), ['/body/deep/a/b/c', '/body/deep/a/b/c/d', '/body/long'])
  t.match(linesOf(nodes, folded).find(({ node }) => node.pointer === '/body/long'), { depth: 1, isFolded: true })
  t.ok(linesOf(nodes, folded).some(({ node }) => node.pointer === '/body/both/list/29'))

  const many = buildArguments({ values: JSON.stringify({ body: Array.from({ length: 30_000 }, () => 0) }), errors: [], scrubbed: undefined, isTruncated: false })!
  t.equal(many[0]!.mark?.text, 'more')
  t.ok(many[0]!.children.length < 30_000)
  const bottomless = buildArguments({ values: `{"body":${'['.repeat(5000)}${']'.repeat(5000)}}`, errors: [], scrubbed: undefined, isTruncated: false })!
  t.equal(linesOf(bottomless, new Set()).length, 101)

  t.match(buildJson('{"id":7}'), { kind: 'object', children: [{ key: 'id', value: 7 }] })
  t.equal(buildJson('not JSON'), undefined)
  t.equal(buildJson(undefined), undefined)
})

t.test('attributes by what they are about; the application\'s own come first', async (t) => {
  const names = [
    'http.response.status_code', 'error.type', 'fastify.arguments.error_count', 'http.route', 'http.request.method', 'server.port', 'fastify.handler.end_timestamp',
    'db.system.name', 'messaging.system', 'rpc.method', 'app.country', 'fastify.arguments.values', 'fastify.arguments.errors',
  ]
  t.same(groupAttributes(Object.fromEntries(names.map((name) => [name, 1]))).map(({ title, attributes }) => [title, ...attributes.map(([name]) => name)]), [
    ['Application', 'app.country'],
    ['Outcome', 'error.type', 'http.response.status_code'],
    ['Validation', 'fastify.arguments.error_count'],
    ['Route', 'http.route'],
    ['Request', 'http.request.method'],
    ['Network', 'server.port'],
    ['Timing', 'fastify.handler.end_timestamp'],
    ['Database', 'db.system.name'],
    ['Messaging', 'messaging.system'],
    ['Remote call', 'rpc.method'],
  ])
  t.same(groupAttributes({}), [])
  t.same(['text', 7, ['a'], null].map(formatAttribute), ['text', '7', '["a"]', 'null'])
})

t.test('a request as curl: what the trace knows of it, and what it does not', async (t) => {
  const attributes = {
    'http.request.method': 'POST',
    'url.scheme': 'http',
    'server.address': 'localhost',
    'server.port': 3000,
    'url.path': '/users/7',
    'fastify.arguments.values': JSON.stringify({
      params: { id: 7 },
      body: { name: "O'Hara", password: '[redacted string]', list: ['[array of 2]'] },
      querystring: { tag: ['a', 'b c'], token: '[scrubbed]', deep: { a: 1 } },
      headers: { 'x-tenant': 'acme', authorization: '[redacted string]' },
    }),
  }
  t.equal(curlOf({ kind: 'SERVER', attributes })?.text, String.raw`curl -X 'POST' 'http://localhost:3000/users/7?tag=a&tag=b+c&deep=%7B%22a%22%3A1%7D' \
  -H 'x-tenant: acme' \
  -H 'content-type: application/json' \
  --data-raw '{"name":"O'\''Hara","password":"[redacted string]","list":["[array of 2]"]}'
# left out - querystring: scrubbed values
# left out - headers: redacted values
# left out - body: redacted values
# left out - body: values of which only the kind is known
# left out - everything that no schema declares: other headers, query parameters and fields
`)
  const failed = {
    'http.request.method': '_OTHER',
    'http.request.method_original': 'PURGE',
    'url.scheme': 'https',
    'server.address': '::1',
    'url.path': '/reset/REDACTED',
    'fastify.arguments.errors': JSON.stringify([{ part: 'body', path: '' }, { part: 'body', path: '/a' }, { part: 'response', path: '' }]),
    'fastify.arguments.truncated': true,
  }
  t.match(curlOf({ kind: 'SERVER', attributes: failed }), {
    text: /^curl -X 'PURGE' 'https:\/\/\[::1\]\/reset\/REDACTED'\n/,
    leftOut: ['path: secret parameters stand as REDACTED', 'body: did not pass validation, its values are not in the trace', 'values that were cut by a limit', /no schema/],
  })
  t.match(curlOf({ kind: 'SERVER', attributes: { 'url.path': 'x', 'fastify.arguments.values': 'not JSON', 'http.request.method': 'rm -rf' } })?.text, /^curl 'http:\/\/localhost\/x'\n/)
  t.match(curlOf({ kind: 'SERVER', attributes: { 'url.path': '/', 'server.address': '[::1]', 'fastify.arguments.values': '{"headers":{"content-type":"a/b"},"body":1}' } })?.text, /'http:\/\/\[::1\]\/' \\\n {2}-H 'content-type: a\/b' \\\n {2}--data-raw '1'/)
  t.match(curlOf({ kind: 'SERVER', attributes: { 'url.path': '/', 'fastify.arguments.truncated': true, 'fastify.arguments.values': '{"body":["… 2 more"]}' } })?.leftOut, ['values that were cut by a limit', /no schema/])
  t.equal(curlOf({ kind: 'CLIENT', attributes }), undefined)
  t.equal(curlOf({ kind: 'SERVER', attributes: {} }), undefined)
})

t.test('whatever a request carries, the shell gets it as text and the terminal no control character', { skip: process.platform === 'win32' && 'needs a POSIX shell' }, async (t) => {
  const text = fc.string({ unit: fc.oneof(fc.constantFrom("'", '"', '`', '$', '\\', '\n', '\r', '\u001b', '\u0007', '!', ';', '\u009b', '\u202e', '\ud800', '%', '#', ' '), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })) })
  const printf = "curl () { for word in \"$@\"; do printf '%s\\0' \"$word\"; done; }\n"
  fc.assert(fc.property(text, text, text, text, (path, host, name, value) => {
    const values = { body: { [name]: value }, querystring: { [name]: value }, headers: { [name]: value, 'x-a': value } }
    const curl = curlOf({ kind: 'SERVER', attributes: { 'http.request.method': 'POST', 'url.path': `/${path}`, 'server.address': host, 'fastify.arguments.values': JSON.stringify(values) } })!
    // eslint-disable-next-line no-control-regex
    t.notMatch(curl.text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
    const { stdout, stderr, status } = spawnSync('sh', ['-c', printf + curl.text], { encoding: 'utf8', env: { PATH: process.env.PATH } })
    t.equal(status, 0, stderr)
    const words = stdout.split('\0')
    t.same(words.slice(0, 2), ['-X', 'POST'])
    t.match(words[2], /^http:\/\//)
    t.ok(URL.canParse(words[2]!.replace(/^http:\/\/[^/]*/, 'http://h')))
    t.same(JSON.parse(words[words.indexOf('--data-raw') + 1]!), JSON.parse(JSON.stringify({ [name]: value })))
  }), { numRuns: 60 })
})
