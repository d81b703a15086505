import { deepStrictEqual, equal, ok } from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { writeKind, writeOpen, writeSafely } from '../../../lib/arguments/bounded-walk.ts'
import { DEFAULT_LIMITS, LIMIT_RANGES, type Limits } from '../../../lib/arguments/limits.ts'
import { createScrubber } from '../../../lib/arguments/scrubber.ts'
import { ValueSink } from '../../../lib/arguments/value-sink.ts'

const scrubber = createScrubber()

function walk (value: unknown, limits: Partial<Limits> = {}) {
  const sink = new ValueSink({ limits: { ...DEFAULT_LIMITS, ...limits }, scrubber })
  writeSafely(writeOpen, value, sink)
  equal(Buffer.byteLength(sink.text), sink.bytes, 'the sink knows its bytes')
  return { text: sink.text, truncated: sink.truncated }
}

function data (value: unknown, limits?: Partial<Limits>) {
  const { text, truncated } = walk(value, limits)
  return { value: JSON.parse(text), truncated }
}

/** An array inside an array, and so on; made without recursion. */
function nest (depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'bottom'
  for (let level = 0; level < depth; level++) value = wrap(value)
  return value
}

function revoked<Target extends object> (target: Target): Target {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const fail = (): never => { throw new Error('mine') }

t.test('the bounds on a span are what its documentation says, cannot be changed, and lie in the range that options may choose from', async (t) => {
  t.strictSame({ ...DEFAULT_LIMITS }, {
    maxBytes: 32768, maxDepth: 8, maxNodes: 1000, maxItems: 64, maxStringLength: 1024, maxKeyLength: 128, maxOpenBytes: 262144, maxErrors: 10, maxErrorBytes: 4096,
  })
  t.throws(() => { (DEFAULT_LIMITS as { maxBytes: number }).maxBytes = 1 }, { name: 'TypeError' })
  for (const [name, limit] of Object.entries(DEFAULT_LIMITS)) {
    const [least, most] = LIMIT_RANGES[name as keyof Limits]
    t.ok(least <= limit && limit <= most, name)
  }
})

t.test('writes any value as JSON', async (t) => {
  class Point { x = 1; get y () { return 2 } }
  class Größe extends Uint8Array {}
  class Quoted extends Uint8Array { static override get name () { return 'a"b\\' } }
  class Sizeless extends Uint8Array { override get byteLength () { return 'CANARY' as never } }
  const cyclic: Record<string, unknown> = { name: 'c' }
  cyclic.self = cyclic
  const file = new File(['abc'], 'a.txt')
  const form: Record<string, Record<string, unknown>> = { one: { fieldname: 'one', value: 1 }, two: { fieldname: 'two', value: 2 } }
  for (const field of Object.values(form)) field.fields = form
  const twice: Record<string, unknown> = { fieldname: 'list', value: 1 }
  twice.fields = { list: [{}, twice] }
  const cases: Array<[string, unknown, unknown]> = [
    ['strings', 'text', 'text'],
    ['strings that need escaping', 'quote " backslash \\ line \n nul \u0000 umlaut ü emoji 😀', 'quote " backslash \\ line \n nul \u0000 umlaut ü emoji 😀'],
    ['surrogates that stand alone, which UTF-8 cannot say', 'a\ud800b\udfffc', 'a\ufffdb\ufffdc'],
    ['the same in names', { 'a\ud800': 1 }, { 'a\ufffd': 1 }],
    ['numbers', [0, -0, 1.5, 1e300, -1], [0, 0, 1.5, 1e300, -1]],
    ['numbers that JSON does not have', [NaN, Infinity, -Infinity], ['NaN', 'Infinity', '-Infinity']],
    ['booleans and null', [true, false, null], [true, false, null]],
    ['bigints, as text', 2n ** 70n, '1180591620717411303424'],
    ['undefined, functions and symbols in lists', [undefined, () => {}, Symbol('s')], [null, null, null]],
    ['undefined and functions in objects', { a: undefined, b () {}, c: Symbol('s'), d: 1 }, { c: null, d: 1 }],
    ['a symbol alone', Symbol('s'), null],
    ['holes', Object.assign(Array(3), { 1: 'a' }), [null, 'a', null]],
    ['symbol keys', { [Symbol('s')]: 1, a: 1 }, { a: 1 }],
    ['what is inherited or not enumerable', Object.defineProperty(Object.assign(Object.create({ a: 1 }), { b: 2 }), 'c', { value: 3 }), { b: 2 }],
    ['objects without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['instances of classes', new Point(), { x: 1 }],
    ['maps and sets, which have no properties', [new Map([['a', 1]]), new Set([1])], [{}, {}]],
    ['what has toJSON, as the object it is', { toJSON: () => 'never called', a: 1 }, { a: 1 }],
    ['dates', [new Date(0), new Date(8.64e15), new Date(NaN)], ['1970-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', null]],
    ['buffers', [Buffer.alloc(3), new Float64Array(2), new DataView(new ArrayBuffer(4)), new ArrayBuffer(5)],
      [{ type: 'Buffer', bytes: 3 }, { type: 'Float64Array', bytes: 16 }, { type: 'DataView', bytes: 4 }, { type: 'ArrayBuffer', bytes: 5 }]],
    ['buffers of classes with unusual names', [new Größe(1), new Quoted(2)], [{ type: 'Größe', bytes: 1 }, { type: 'a"b\\', bytes: 2 }]],
    ['buffers that lie about their size', new Sizeless(1), { type: 'Sizeless' }],
    ['blobs and files', [new Blob(['ab']), file], [{ type: 'blob', bytes: 2 }, { type: 'file', bytes: 3 }]],
    ['streams', [Readable.from([]), new ReadableStream()], [{ type: 'stream' }, { type: 'stream' }]],
    ['files of @fastify/multipart: read, being read, not begun', [
      { toBuffer () {}, _buf: Buffer.alloc(7), file: { bytesRead: 5 } }, { toBuffer () {}, file: { bytesRead: 5 } }, { toBuffer () {} }, { toBuffer () {}, _buf: { byteLength: NaN } },
    ], [{ type: 'file', bytes: 7 }, { type: 'file', bytes: 5 }, { type: 'file' }, { type: 'file' }]],
    ['fields of @fastify/multipart, without the form that each of them holds', form, { one: { fieldname: 'one', value: 1 }, two: { fieldname: 'two', value: 2 } }],
    ['fields that came more than once', twice, { fieldname: 'list', value: 1 }],
    ['what only looks like such a field', [{ fieldname: 'a', fields: { a: 1 } }, { fieldname: 'a', fields: 'text' }, { fieldname: 'a', fields: null }, { fields: [1] }],
      [{ fieldname: 'a', fields: { a: 1 } }, { fieldname: 'a', fields: 'text' }, { fieldname: 'a', fields: null }, { fields: [1] }]],
    ['names that files and streams have', { toBuffer: 'text', pipe: 1, file: null, _buf: 2 }, { toBuffer: 'text', pipe: 1, file: null, _buf: 2 }],
    ['secrets by name', { password: 'p', nested: { token: 't', list: [{ jwt: 1 }] }, otp: null }, { password: '[scrubbed]', nested: { token: '[scrubbed]', list: [{ jwt: '[scrubbed]' }] }, otp: null }],
    ['secrets by form', ['Bearer abcdefgh', 'ü password=ü', 'plain', 'tokens: 5'], ['Bearer [scrubbed]', 'ü password=[scrubbed]', 'plain', 'tokens: 5']],
    ['proxies', new Proxy({ a: 1 }, {}), { a: 1 }],
    ['getters', { get a () { return 1 } }, { a: 1 }],
  ]
  for (const [sentence, value, expected] of cases) t.strictSame(data(value), { value: expected, truncated: false }, sentence)
  t.equal(walk(JSON.parse('{"__proto__":{"a":1},"constructor":2}')).text, '{"__proto__":{"a":1},"constructor":2}', 'names that every object has')
  t.equal(({} as { a?: unknown }).a, undefined, 'Object.prototype is as it was')
  t.strictSame(data(cyclic), { value: nest(7, (self) => ({ name: 'c', self: self === 'bottom' ? { name: 'c', self: '{…}' } : self })), truncated: true }, 'cycles')
})

t.test('marks what a bound has cut', async (t) => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => index)
  const keys = (count: number) => Object.fromEntries(many(count).map((index) => [`k${index}`, index]))
  const cases: Array<[string, unknown, Partial<Limits>, unknown, boolean]> = [
    ['a string at the limit', 'a'.repeat(1024), {}, 'a'.repeat(1024), false],
    ['a string past the limit', 'a'.repeat(1025), {}, 'a'.repeat(1024) + '…', true],
    ['a string of 10 MB', 'ü'.repeat(5e6), {}, 'ü'.repeat(1024) + '…', true],
    ['no surrogate pair is split', '😀'.repeat(4), { maxStringLength: 3 }, '😀…', true],
    ['a long string with a secret at its beginning', `token=abc ${'a'.repeat(5000)}`, {}, `token=[scrubbed] ${'a'.repeat(1007)}…`, true],
    ['a long string whose first part is all secret', `"password":"${'a'.repeat(2000)}" ${'b'.repeat(5000)}`, {}, `"password":[scrubbed] ${'b'.repeat(35)}…`, true],
    ['a long string with a secret past the limit', `${'a'.repeat(1024)} token=abc`, {}, 'a'.repeat(1024) + '…', true],
    ['a name at the limit', { ['k'.repeat(128)]: 1 }, {}, { ['k'.repeat(128)]: 1 }, false],
    ['a name past the limit', { ['k'.repeat(129)]: 1 }, {}, { ['k'.repeat(128) + '…']: 1 }, true],
    ['a name of 1 MB', { ['ü'.repeat(5e5)]: 1 }, {}, { ['ü'.repeat(128) + '…']: 1 }, true],
    ['items at the limit', many(64), {}, many(64), false],
    ['items past the limit', many(100), {}, [...many(64), '… 36 more'], true],
    ['a list whose length is a claim', new Proxy([1], { get: (target, key) => key === 'length' ? 1e9 : Reflect.get(target, key) }), { maxItems: 2 }, [1, null, '… 999999998 more'], true],
    ['no items at all', many(3), { maxItems: 0 }, ['… 3 more'], true],
    ['depth at the limit', nest(8, (inner) => [inner]), {}, nest(8, (inner) => [inner]), false],
    ['arrays past the depth', nest(9, (inner) => [inner]), {}, nest(8, (inner) => [inner === 'bottom' ? '[…]' : inner]), true],
    ['objects past the depth', nest(9, (inner) => ({ a: inner })), {}, nest(8, (inner) => ({ a: inner === 'bottom' ? '{…}' : inner })), true],
    ['arrays 500,000 deep', nest(500_000, (inner) => [inner]), {}, nest(8, (inner) => [inner === 'bottom' ? '[…]' : inner]), true],
    ['objects 500,000 deep', nest(500_000, (inner) => ({ a: inner })), {}, nest(8, (inner) => ({ a: inner === 'bottom' ? '{…}' : inner })), true],
    ['1,000 properties', keys(1000), {}, keys(1000), false],
    ['100,000 properties', keys(100_000), {}, keys(1000), true],
    ['values in all', [many(3), many(3), many(3)], { maxNodes: 6 }, [many(3), [0, '… 2 more'], '… 1 more'], true],
    ['bytes', Array(4).fill('ü'.repeat(100)), { maxBytes: 512 + 500 }, ['ü'.repeat(100), 'ü'.repeat(100), '…', '…'], true],
    ['bytes of plain text', Array(4).fill('u'.repeat(200)), { maxBytes: 512 + 500 }, ['u'.repeat(200), 'u'.repeat(200), '…', '…'], true],
    ['bytes of a name', { ['ü'.repeat(100)]: 1, b: 2 }, { maxBytes: 512 + 100 }, { '…': 1, b: 2 }, true],
    ['bytes, when there are none left', { a: [1], b: 'b' }, { maxBytes: 0 }, {}, true],
    ['bytes of a list, when there are none left', [1, 2], { maxBytes: 0 }, ['…'], true],
    ['bytes of a string, when there are none left', 'text', { maxBytes: -1 }, '…', true],
    ['bytes of a string that needs escaping', 'ü', { maxBytes: 512 }, '…', true],
  ]
  for (const [sentence, value, limits, expected, truncated] of cases) t.strictSame(data(value, limits), { value: expected, truncated }, sentence)
})

t.test('names the kind of what may not be walked', async (t) => {
  for (const [bytes, text] of [[undefined, '{"type":"object"}'], [5, '{"type":"object","bytes":5}']] as const) {
    const settings = { limits: DEFAULT_LIMITS, scrubber }
    const sink = new ValueSink(settings, undefined, false, bytes)
    writeKind('object', sink)
    t.strictSame({ text: sink.text, bytes: sink.bytes, truncated: sink.truncated }, { text, bytes: text.length, truncated: true })
    const open = new ValueSink(settings, undefined, false, bytes)
    writeOpen([{ a: 1 }, ['text']], open, 0)
    t.strictSame({ text: open.text, truncated: open.truncated }, { text: `[${text},["text"]]`, truncated: true })
  }
})

t.test('what throws inside a value costs its place only', async (t) => {
  const u = '[unreadable]'
  const cases: Array<[string, unknown, unknown]> = [
    ['a getter', { a: 1, get b () { return fail() }, c: 3 }, { a: 1, b: u, c: 3 }],
    ['a getter that comes first', { get a () { return fail() }, b: 2 }, { a: u, b: 2 }],
    ['a getter in a list', [0, Object.defineProperty([1, 2], '0', { get: fail }), 3], [0, [u, 2], 3]],
    ['a getter deep inside, after something was written', { a: { b: 1, c: [1, { d: 'd', get e () { return fail() } }] } }, { a: { b: 1, c: [1, { d: 'd', e: u }] } }],
    ['a getter of pipe', { a: Object.create({ get pipe () { return fail() } }) }, { a: u }],
    ['a getter of what multipart calls a field', { get fieldname () { return fail() }, fields: {} }, { fieldname: u, fields: u }],
    ['a proxy that cannot be listed', { a: new Proxy({}, { ownKeys: fail }), b: 2 }, { a: u, b: 2 }],
    ['a proxy that stops half-way', { a: new Proxy({ x: 1, y: 2 }, { getOwnPropertyDescriptor: (target, key) => key === 'y' ? fail() : Reflect.getOwnPropertyDescriptor(target, key) }) }, { a: u }],
    ['a proxy that cannot be read', [new Proxy([1], { get: fail })], [u]],
    ['a proxy alone', new Proxy({}, { ownKeys: fail }), u],
    ['a revoked proxy of an object', { a: revoked({}), b: 2 }, { a: u, b: 2 }],
    ['a revoked proxy of an array', [revoked([]), 1], [u, 1]],
    ['a revoked proxy alone', revoked([]), u],
    ['what only pretends to be a date', [Object.create(Date.prototype)], [u]],
    ['a date that tells no time', [Object.assign(new Date(0), { getTime: () => 'never' })], [u]],
    ['a buffer without a constructor', [Object.setPrototypeOf(new Uint8Array(1), null)], [u]],
  ]
  for (const [sentence, value, expected] of cases) t.strictSame(data(value), { value: expected, truncated: false }, sentence)
})

t.test('what throws counts towards the bounds', async (t) => {
  const hostile: Record<string, unknown> = {}
  for (let index = 0; index < 100_000; index++) Object.defineProperty(hostile, `k${index}`, { get: fail, enumerable: true })
  const { value, truncated } = data(hostile)
  t.strictSame([Object.keys(value).length, new Set(Object.values(value)), truncated], [1000, new Set(['[unreadable]']), true], 'in number')
  const few = walk(hostile, { maxBytes: 1024 })
  t.ok(Buffer.byteLength(few.text) <= 1024, 'in bytes')
  t.ok(few.truncated)
})

/** Whether every part of recorded data is within the bounds; returns what is not. */
function excess (value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return value.length > 1025 ? ['string'] : []
  if (value === null || typeof value !== 'object') return []
  if (depth >= 8) return ['depth']
  if (Array.isArray(value)) return [...(value.length > 65 ? ['items'] : []), ...value.flatMap((item) => excess(item, depth + 1))]
  return Object.entries(value).flatMap(([key, item]) => [...(key.length > 129 ? ['key'] : []), ...excess(item, depth + 1)])
}

t.test('random values of every type become well-formed JSON within the bounds', async (t) => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 2000, size: 'max' }), fc.constantFrom('ü'.repeat(1500), '\u0000'.repeat(1500), '\ud800'.repeat(1500)))
  const anything = fc.anything({
    key: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', 'password', 'fieldname', 'fields', '\u0000'.repeat(200), '名'.repeat(200))),
    values: [text, fc.double(), fc.bigInt(), fc.boolean(), fc.constantFrom(null, undefined, Symbol('s'), () => 1)],
    maxDepth: 12,
    maxKeys: 40,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  t.equal(fc.defaultReportMessage(fc.check(fc.property(anything, fc.integer({ min: 0, max: 4000 }), (value, maxBytes) => {
    for (const limit of [DEFAULT_LIMITS.maxBytes, maxBytes]) {
      const { text } = walk(value, { maxBytes: limit })
      ok(Buffer.byteLength(text) <= Math.max(limit, 512))
      ok((text as unknown as { isWellFormed (): boolean }).isWellFormed())
      deepStrictEqual(excess(JSON.parse(text)), [])
    }
  }), { numRuns: 300 })), undefined)
})

t.test('random values of JSON that are within the bounds are recorded as they are', async (t) => {
  const key = fc.string({ maxLength: 20 }).map((name) => `k ${name.replace(/[a-z\d]/gi, 'x')}`)
  const plain = (text: string) => text.replace(/[:=@]/g, ' ')
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ maxDepth: 6 },
      fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }).map((text) => plain(text).replace(/\p{Cs}/gu, ' ')), fc.integer(), fc.boolean(), fc.constant(null),
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0))),
      fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true })),
  }))
  t.equal(fc.defaultReportMessage(fc.check(fc.property(value, (given) => {
    const { text, truncated } = walk(given)
    if (!truncated) equal(text, JSON.stringify(given))
    else ok(text.length > 30_000 || JSON.stringify(given).length > 1000)
  }), { numRuns: 300 })), undefined)
})
