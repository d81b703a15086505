import assert from 'node:assert/strict'
import {
  baggageEntryMetadataFromString, createTraceState, defaultTextMapGetter, defaultTextMapSetter, propagation, ROOT_CONTEXT, trace, TraceFlags,
  type BaggageEntry, type Context, type SpanContext, type TraceState,
} from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { BaggagePropagator, TraceContextPropagator } from 'fastify-schema-telemetry/propagator'
import t from 'tap'
import { toAttributeValue } from '../../lib/arguments/attribute-value.ts'
import { DEFAULT_LIMITS } from '../../lib/arguments/limits.ts'
import { createScrubber } from '../../lib/arguments/scrubber.ts'
import { ValueSink } from '../../lib/arguments/value-sink.ts'
import { createPropagator } from '../../lib/configure/propagator.ts'
import { baggageAttributes } from '../../lib/propagation/baggage-attributes.ts'
import { joinLines } from '../../lib/propagation/w3c/header-list.ts'
import { BEYOND, SUITE } from '../w3c/cases.ts'
import { hostileHeaders } from '../w3c/hostile-headers.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`

const VALID_TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-0[0-3]$/
const VALID_STATE_MEMBER = /^[\da-z][\da-z_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/
const TOKEN = '[\\w!#$%&\'*+\\-.^`|~]+'
const OCTETS = '[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]*'
const VALID_BAGGAGE_MEMBER = new RegExp(`^${TOKEN}=${OCTETS}(?:;[ \\t]*${TOKEN}[ \\t]*(?:=[ \\t]*${OCTETS}[ \\t]*)?)*$`)

const traceContext = new TraceContextPropagator()
const baggagePropagator = new BaggagePropagator()

function extract (headers: unknown, from: Context = ROOT_CONTEXT): Context {
  return createPropagator().extract(from, headers, defaultTextMapGetter)
}

function inject (context: Context): Record<string, string> {
  const headers: Record<string, string> = {}
  traceContext.inject(context, headers, defaultTextMapSetter)
  baggagePropagator.inject(context, headers, defaultTextMapSetter)
  return headers
}

const stateOf = (context: Context): TraceState | undefined => trace.getSpanContext(context)?.traceState
const withSpan = (spanContext: Partial<SpanContext>): Context =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: TraceFlags.SAMPLED, ...spanContext })
const withBaggage = (entries: Record<string, BaggageEntry>): Context => propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage(entries))

t.test('a carrier may have lists, and things that are no text', async (t) => {
  t.same(trace.getSpanContext(extract({ traceparent: TRACEPARENT })), { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, isRemote: true })
  t.same(trace.getSpanContext(extract({ traceparent: [TRACEPARENT] })), { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, isRemote: true })
  for (const traceparent of [[], [TRACEPARENT, TRACEPARENT], [TRACEPARENT, ''], [1], 1, null, {}, '\v' + TRACEPARENT, `\n${TRACEPARENT}`]) {
    t.equal(extract({ traceparent, tracestate: 'foo=1' }), ROOT_CONTEXT, JSON.stringify(traceparent))
  }
  const cases: Array<[tracestate: unknown, kept: string | undefined]> = [
    [['foo=1', 'bar=2'], 'foo=1,bar=2'],
    [['foo=1', 2], undefined],
    [['foo=1', null], undefined],
    [{}, undefined],
    [7, undefined],
    [null, undefined],
    ['', undefined],
    [Array(1e6).fill(''), undefined],
    ['f\u0120o=1', undefined],
  ]
  for (const [tracestate, kept] of cases) t.equal(stateOf(extract({ traceparent: TRACEPARENT, tracestate }))?.serialize(), kept)
  const baggageOf = (baggage: unknown) => propagation.getBaggage(extract({ baggage }))?.getAllEntries()
  t.same(baggageOf(['a=1', 2, 'b=3', null]), [['a', { value: '1' }], ['b', { value: '3' }]], 'of baggage only the bad member is dropped')
  for (const baggage of [{}, 7, null, '', [], [{}]]) t.equal(baggageOf(baggage), undefined)
  t.equal(baggageOf(Array(1e6).fill('a=1'))?.length, 1)
  t.equal(extract(null), ROOT_CONTEXT)

  const known = extract({ traceparent: TRACEPARENT })
  t.equal(extract({ traceparent: 'rubbish', baggage: '=' }, known), known, 'what was there stays when nothing good comes')
})

t.test('the cases of the W3C, and more, as a server gives their headers', async (t) => {
  for (const { name, requests } of [...SUITE, ...BEYOND]) {
    for (const { headers, trace, flags, state } of requests) {
      const joined: Record<string, string> = {}
      for (const [name, value] of headers.map(([name, value]) => [name.toLowerCase(), value] as const)) {
        joined[name] = Object.hasOwn(joined, name) ? `${joined[name]}, ${value}` : value
      }
      const passedOn = inject(extract(joined))
      t.equal(passedOn.traceparent?.slice(-2), trace === 'same' ? flags : undefined, name)
      t.equal(passedOn.tracestate, state, name)
    }
  }
})

t.test('bad members of baggage are dropped, and no others', async (t) => {
  for (const bad of ['b', '=b', 'b c=1', 'b="1"', 'b=1;', 'b=1;=', 'b=1;;p', 'b=1;p="', 'b=1;p q', 'b=1;p=1 2', 'b=1 2', 'b=%zz', 'b=%a', 'b=%\u0120\u0120', 'b=\xe9', 'b=\u0120', '"b"=1']) {
    t.equal(inject(extract({ baggage: `a=1,${bad},z=` })).baggage, 'a=1,z=', bad)
  }
  for (const good of ['b=', 'b=1;p', 'b=1;p=', 'b=1;p;q=1;r', 'b=1;p = 1 ;\tq', 'b=a=b', 'b=%41', 'b=;p', "!#$%&'*+-.^_`|~=1"]) {
    t.equal(inject(extract({ baggage: `a=1,${good},z=` })).baggage, `a=1,${good.replace('%41', 'A')},z=`, good)
  }
})

t.test('lines are joined as far as they are read', async (t) => {
  t.equal(joinLines('x'.repeat(20), 10), 'x'.repeat(11))
  t.equal(joinLines(['x'.repeat(5), 'y'.repeat(20)], 10), `xxxxx,${'y'.repeat(5)}`)
  t.equal(joinLines(['x'.repeat(20), 'y'], 10), 'x'.repeat(11))
  t.equal(joinLines(Array(1000).fill('a'), 5000), Array(130).fill('a').join())
})

t.test('trace state: set puts first, and keeps to the limits; nothing is changed in place', async (t) => {
  const state = stateOf(extract({ traceparent: TRACEPARENT, tracestate: 'foo=1,bar=2' }))!
  t.equal(state.set('baz', '3').serialize(), 'baz=3,foo=1,bar=2')
  t.equal(state.set('bar', '3').serialize(), 'bar=3,foo=1')
  t.equal(state.unset('foo').serialize(), 'bar=2')
  t.equal(state.unset('none'), state)
  t.same([state.get('foo'), state.get('none'), state.get('toString')], ['1', undefined, undefined])
  t.equal(state.serialize(), 'foo=1,bar=2')
  const bad: Array<[key: string, value: string]> = [
    ['', '1'], ['Foo', '1'], ['@foo', '1'], ['f o', '1'], ['k'.repeat(257), '1'], ['foo', ''], ['foo', '1 '], ['foo', '1,bar=2'], ['foo', 'a=b'], ['foo', '\r\nx'],
    ['foo', 'é'], ['foo', 'v'.repeat(257)], ['k'.repeat(256), 'v'.repeat(256)],
  ]
  for (const [key, value] of bad) t.equal(state.set(key, value), state, `${key}=${value}`)
  t.equal(state.set('k'.repeat(255), 'v'.repeat(256)).serialize().length, 512)
  t.equal(state.set('foo', 'v'.repeat(256)).set('baz', 'v'.repeat(250)).serialize(), `baz=${'v'.repeat(250)},bar=2`, 'long ones make room first')

  let full = state
  for (let index = 0; index < 40; index++) full = full.set(`k${index}`, 'v')
  t.equal(full.serialize().split(',').length, 32)
  t.ok(full.serialize().startsWith('k39=v,k38=v') && full.serialize().endsWith('k8=v'), 'the oldest are gone')
  t.equal(inject(withSpan({ traceState: state.unset('foo').unset('bar') })).tracestate, undefined, 'an empty one is not sent')
})

t.test('what is injected is valid, wherever the span context comes from', async (t) => {
  t.same(inject(ROOT_CONTEXT), {})
  t.same(inject(withSpan({ traceId: '0'.repeat(32) })), {})
  t.same(inject(withSpan({ spanId: 'short' })), {})
  t.same(inject(withSpan({ traceId: TRACE_ID.toUpperCase(), spanId: SPAN_ID.toUpperCase() })), { traceparent: TRACEPARENT })
  for (const [traceFlags, written] of [[0xff, '03'], [0x10, '00'], [0x02, '02'], [undefined, '00']] as Array<[number, string]>) {
    t.equal(inject(withSpan({ traceFlags })).traceparent, `00-${TRACE_ID}-${SPAN_ID}-${written}`)
  }
  const lenient = createTraceState('foo=1')
  t.equal(inject(withSpan({ traceState: lenient })).tracestate, 'foo=1')
  t.equal(inject(withSpan({ traceState: lenient.set('bar', '2\r\nx-evil: 1') })).tracestate, undefined)
  t.equal(inject(withSpan({ traceState: createTraceState('') })).tracestate, undefined)

  const context = extract({ traceparent: TRACEPARENT, tracestate: 'foo=1', baggage: 'a=1' })
  t.same(inject(suppressTracing(context)), {}, 'nothing leaves a context of the SDK itself')
  t.same(traceContext.fields(), ['traceparent', 'tracestate'])
  t.same(baggagePropagator.fields(), ['baggage'])
})

t.test('the random flag goes with the trace, through spans of the SDK, and no further', async (t) => {
  const tracer = new TracerProvider().getTracer('test')
  const flagsIn = (context: Context): string => inject(context).traceparent!.slice(-2)
  const random = extract({ traceparent: TRACEPARENT.replace(/01$/, '03') })
  const inSpan = trace.setSpan(random, tracer.startSpan('child', {}, random))
  t.equal(trace.getSpanContext(inSpan)?.traceFlags, TraceFlags.SAMPLED, 'the SDK knows one flag')
  t.equal(flagsIn(inSpan), '03')
  t.equal(flagsIn(extract({ traceparent: TRACEPARENT.replace(/01$/, '02') })), '02')
  t.equal(flagsIn(trace.setSpan(random, tracer.startSpan('root', { root: true }, random))), '01', 'another trace')
  t.equal(flagsIn(extract({ traceparent: TRACEPARENT }, random)), '01', 'the last caller decides')
  t.equal(flagsIn(extract({ traceparent: TRACEPARENT.replace(/01$/, '03') }, random)), '03')
  const unsampled = extract({ traceparent: TRACEPARENT.replace(/01$/, '00') })
  t.equal(flagsIn(trace.setSpan(unsampled, tracer.startSpan('child', {}, unsampled))), '00')
})

t.test('a baggage that came in is as one of the API', async (t) => {
  const headers = { baggage: 'a=%C3%A9%20%2c,b=x=y;p;q = 1 ,c=,d=%ff%41,__proto__=1' }
  const baggage = propagation.getBaggage(extract(headers))!
  const plain = (entries: Array<[string, BaggageEntry]>) => entries.map(([name, { value, metadata }]) => [name, value, ...(metadata === undefined ? [] : [metadata.toString()])])
  const all = [['a', 'é ,'], ['b', 'x=y', 'p;q = 1'], ['c', ''], ['d', '\ufffdA'], ['__proto__', '1']]
  t.same(plain(baggage.getAllEntries()), all)
  t.equal(baggage.getEntry('a')?.value, 'é ,')
  t.equal(baggage.getEntry('none'), undefined)
  t.equal(baggage.getEntry('toString'), undefined)
  t.same(plain(baggage.setEntry('e', { value: '5' }).getAllEntries()), [...all, ['e', '5']])
  t.same(plain(baggage.removeEntry('a').getAllEntries()), all.slice(1))
  t.same(plain(baggage.removeEntries('a', 'b').getAllEntries()), all.slice(2))
  t.same(baggage.clear().getAllEntries(), [])
  t.same(plain(baggage.getAllEntries()), all)
  t.equal(inject(propagation.setBaggage(ROOT_CONTEXT, baggage)).baggage, 'a=%C3%A9%20%2C,b=x=y;p;q = 1,c=,d=%EF%BF%BDA,__proto__=1')
  t.equal(({} as Record<string, unknown>).a, undefined)
})

t.test('baggage goes out within the limits, without what a header cannot say', async (t) => {
  const metadata = baggageEntryMetadataFromString
  const cases: Array<[entries: Record<string, BaggageEntry>, header: string | undefined]> = [
    [{}, undefined],
    [{ a: { value: '' } }, 'a='],
    [{ a: { value: '%, ;"\\é\r\n\ud800' } }, 'a=%25%2C%20%3B%22%5C%C3%A9%0D%0A%EF%BF%BD'],
    [{ '': { value: '1' }, 'b c': { value: '1' }, 'd=': { value: '1' }, é: { value: '1' }, ['k'.repeat(9000)]: { value: '1' }, z: { value: '1' } }, 'z=1'],
    [{ a: { value: '1', metadata: metadata('p;q=2') }, b: { value: '1', metadata: metadata('\r\nx: 1') }, c: { value: '1', metadata: metadata('x,d=2') } }, 'a=1;p;q=2'],
    [{ a: { value: '1', metadata: metadata('p'.repeat(9000)) }, b: { value: '1', metadata: metadata('p q') }, c: { value: '1', metadata: metadata('') }, z: { value: '1' } }, 'z=1'],
    [{ a: { value: 5 as unknown as string }, b: { value: 'v'.repeat(9000) }, c: { value: '€'.repeat(1000) }, z: { value: '1' } }, 'z=1'],
    [{ a: { value: 'v'.repeat(8188) }, b: { value: '1' }, c: { value: '' } }, `a=${'v'.repeat(8188)}`],
    [{ a: { value: 'v'.repeat(8187) }, b: { value: '1' }, c: { value: '' } }, `a=${'v'.repeat(8187)},c=`],
    [Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`k${index}`, { value: 'v' }])), Array.from({ length: 64 }, (_, index) => `k${index}=v`).join()],
  ]
  for (const [entries, header] of cases) t.equal(inject(withBaggage(entries)).baggage, header)
})

t.test('baggage as attributes: the listed names, under their own names, bounded and scrubbed', async (t) => {
  const scrubber = createScrubber()
  const keep = (name: string, text: string) => {
    if (scrubber.findInName(name) !== undefined) return undefined
    const sink = new ValueSink({ limits: DEFAULT_LIMITS, scrubber })
    sink.startPart('', `/${name}`, true, undefined)
    return toAttributeValue(text, sink)
  }
  const header = `tenant=acme,user.id=4711,other=1,session_token=abc,note=password%3Dhunter2,line=a%0d%0A%1b[31mb,long=${'v'.repeat(5000)}`
  const baggage = propagation.getBaggage(extract({ baggage: header }))
  const names = ['tenant', 'user.id', 'session_token', 'note', 'line', 'long', 'none', 'toString']
  const attributes = baggageAttributes(baggage, names, keep)
  t.same({ ...attributes, long: undefined }, { tenant: 'acme', 'user.id': '4711', note: 'password=[scrubbed]', line: 'a [31mb', long: undefined })
  t.equal(String(attributes.long).length, DEFAULT_LIMITS.maxStringLength + 1)
  t.same(baggageAttributes(undefined, names, keep), {})
  const sloppy = propagation.createBaggage({ tenant: { value: 5 as unknown as string }, note: { value: 'x'.repeat(20_000) } })
  t.same(baggageAttributes(sloppy, names, (_name, text) => text.length), { note: 8192 })
})

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'0123abfF-= \t,;@%"\\é\r\n'), maxLength: 600 }), fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')))
const anyValue = fc.oneof(anyText, fc.array(anyText, { maxLength: 5 }), fc.anything())
const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length }).filter((id) => /[^0]/.test(id))
const key = fc.tuple(fc.constantFrom(...'abc019'), fc.string({ unit: fc.constantFrom(...'abc019_-*/@'), maxLength: 20 })).map((parts) => parts.join(''))
const value = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 30 }).filter((text) => /^[\x20-\x7e]*[\x21-\x7e]$/.test(text) && !/[,=]/.test(text))
const space = fc.constantFrom('', ' ', '\t', ' \t')

function checkHeaders ({ traceparent, tracestate, baggage, ...others }: Record<string, string>): void {
  const fail = (what: string) => { throw new Error(`bad ${what}`) }
  if (Object.keys(others).length > 0) fail('names')
  if (traceparent === undefined ? tracestate !== undefined : !VALID_TRACEPARENT.test(traceparent)) fail(`traceparent ${traceparent}`)
  if (tracestate !== undefined) {
    const members = tracestate.split(',')
    if (tracestate.length > 512 || members.length > 32 || members.some((member) => !VALID_STATE_MEMBER.test(member))) fail(`tracestate ${tracestate}`)
    if (new Set(members.map((member) => member.split('=', 1)[0])).size < members.length) fail('tracestate: a key twice')
  }
  if (baggage !== undefined) {
    const members = baggage.split(',')
    if (baggage.length > 8192 || members.length > 64 || members.some((member) => !VALID_BAGGAGE_MEMBER.test(member))) fail(`baggage ${baggage}`)
  }
}

t.test('whatever headers hold, nothing is thrown, and what goes on is valid and stays as it is', async (t) => {
  const anyParent = fc.oneof(anyValue, fc.constant(TRACEPARENT), fc.constant(TRACEPARENT).chain((text) => fc.tuple(fc.nat(54), fc.string({ unit: 'binary', maxLength: 2 })).map(([at, other]) => text.slice(0, at) + other + text.slice(at + 1))))
  fc.assert(fc.property(anyParent, anyValue, anyValue, (traceparent, tracestate, baggage) => {
    const headers = inject(extract({ traceparent, tracestate, baggage }))
    checkHeaders(headers)
    assert.deepEqual(inject(extract(headers)), headers)
  }), { numRuns: 3000 })
  for (const [name, headers] of hostileHeaders()) {
    t.doesNotThrow(() => checkHeaders(inject(extract(headers))), name)
  }
})

t.test('valid headers come out as they came in', async (t) => {
  fc.assert(fc.property(
    hex(32), hex(16), fc.nat(3), fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 9 }), fc.array(space, { minLength: 20, maxLength: 20 }),
    (traceId, spanId, flags, pairs, spaces) => {
      const traceparent = `00-${traceId}-${spanId}-0${flags}`
      const members = pairs.map(([name, text]) => `${name}=${text}`)
      const tracestate = members.map((member, index) => `${spaces[index]}${member}${spaces[index + 10]}`).join()
      assert.deepEqual(inject(extract({ traceparent, tracestate })), { traceparent, ...(members.length === 0 ? {} : { tracestate: members.join() }) })
    }))
  const name = fc.string({ unit: fc.constantFrom(...'abcXYZ09_-!#$%&\'*+.^`|~'), minLength: 1, maxLength: 10 })
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(name, fc.string({ unit: 'binary', maxLength: 20 })), { selector: ([name]) => name, maxLength: 20 }), (pairs) => {
    const sent = inject(withBaggage(Object.fromEntries(pairs.map(([name, value]) => [name, { value }]))))
    const received = propagation.getBaggage(extract(sent))?.getAllEntries() ?? []
    const wellFormed = (text: string): string => Buffer.from(text).toString()
    assert.deepEqual(new Map(received.map(([name, { value }]) => [name, value])), new Map(pairs.map(([name, value]) => [name, wellFormed(value)])))
    assert.deepEqual(inject(extract(sent)), sent)
  }))
})
