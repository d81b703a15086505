import { deepStrictEqual, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isListOfOneKind, toAttributeValue } from '../../../lib/arguments/attribute-value.ts'
import { DEFAULT_LIMITS, type Limits } from '../../../lib/arguments/limits.ts'
import { standardAttributes, toAttributes } from '../../../lib/arguments/mapper.ts'
import { createScrubber, type ScrubbingOptions, type ScrubMatch } from '../../../lib/arguments/scrubber.ts'
import { isStandardName } from '../../../lib/arguments/standard-names.ts'
import { ValueSink } from '../../../lib/arguments/value-sink.ts'

const VALUES = 'fastify.arguments.values'
const ERRORS = 'fastify.arguments.errors'
const settings = { limits: DEFAULT_LIMITS, scrubber: createScrubber() }

function map (result: unknown, { limits = {}, scrubbing = true }: { limits?: Partial<Limits>, scrubbing?: boolean | ScrubbingOptions } = {}) {
  return toAttributes(result, { limits: { ...DEFAULT_LIMITS, ...limits }, scrubber: createScrubber(scrubbing) })
}

/** Attributes as an object; the order is compared where it matters. */
function attributesOf (result: unknown, given?: Parameters<typeof map>[1]) {
  const mapped = map(result, given)
  return mapped === null ? null : { attributes: Object.fromEntries(mapped.attributes), truncated: mapped.truncated }
}

const plain = { standard: [], refused: [], truncated: false, scrubbed: [] }
const fail = (): never => { throw new Error('mine') }

function revoked<Target extends object> (target: Target): Target {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

t.test('nothing to record', async (t) => {
  const nothing: Array<[string, unknown]> = [
    ['null', null], ['undefined', undefined], ['false', false], ['{}', {}], ['an object without a prototype', Object.create(null)],
    ['only undefined and null', { a: undefined, b: null, values: null }], ['an empty list of errors', { errors: [] }],
    ['only what is inherited', Object.create({ a: 1 })], ['only symbol keys', { [Symbol('s')]: 1 }], ['only names that cannot be', JSON.parse('{"__proto__":1,"":2}')],
    ['a map', new Map([['a', 1]])], ['a date', new Date()], ['a name that is too long', { ['k'.repeat(129)]: 1 }],
    ['values that are none', { a: Symbol('s'), b: () => 1, c: new Date(NaN) }],
  ]
  for (const [sentence, result] of nothing) t.equal(map(result), null, sentence)
})

t.test('what is no object of attributes is refused', async (t) => {
  const refused: Array<[unknown, string]> = [
    [Promise.resolve({ a: 1 }), 'a promise'], [{ then () {} }, 'a promise'], [[], 'an array'], [[{ a: 1 }], 'an array'], ['text', 'a string'], ['', 'a string'],
    [0, 'a number'], [true, 'a boolean'], [1n, 'a bigint'], [Symbol('s'), 'a symbol'], [() => ({}), 'a function'], [class {}, 'a function'],
  ]
  for (const [result, kind] of refused) {
    t.throws(() => map(result), new TypeError(`a mapper must return an object of attributes or null, received ${kind}`), kind)
  }
})

t.test('values and errors get their names, other keys stand as they are, in the order of the mapper', async (t) => {
  const errors = [{ part: 'body', path: '/a', keyword: 'type', message: 'must be string' }]
  t.strictSame(map({ 'app.tenant': 't', errors, values: { body: { a: 1, password: 'p' } }, count: 1, ok: true }), {
    ...plain,
    attributes: [
      ['app.tenant', 't'], [ERRORS, JSON.stringify(errors)], [VALUES, '{"body":{"a":1,"password":"[scrubbed]"}}'], ['count', 1], ['ok', true],
    ],
    scrubbed: ['/body/password'],
  })
})

t.test('every kind of value becomes an attribute', async (t) => {
  const cases: Array<[string, unknown, unknown]> = [
    ['text', 'a "quoted" \\ ü 😀', 'a "quoted" \\ ü 😀'],
    ['text that looks like JSON', '{"a":1}', '{"a":1}'],
    ['text with surrogates that stand alone', 'a\ud800', 'a\ufffd'],
    ['empty text', '', ''],
    ['numbers', 1.5, 1.5],
    ['zero', 0, 0],
    ['false', false, false],
    ['numbers that are none', NaN, 'NaN'],
    ['infinity', -Infinity, '-Infinity'],
    ['bigints', 12n, '12'],
    ['dates', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['buffers', Buffer.alloc(2), '{"type":"Buffer","bytes":2}'],
    ['maps', new Map([[1, 2]]), '{}'],
    ['objects', { a: [1, { b: 2 }], secret: 's' }, '{"a":[1,{"b":2}],"secret":"[scrubbed]"}'],
    ['names that every object has', JSON.parse('{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}'],
    ['lists of text', ['a', 'ü'], ['a', 'ü']],
    ['lists of numbers', [1, 2.5], [1, 2.5]],
    ['lists of booleans', [true, false], [true, false]],
    ['lists of bigints', [1n, 2n], ['1', '2']],
    ['lists of dates', [new Date(0)], ['1970-01-01T00:00:00.000Z']],
    ['empty lists', [], '[]'],
    ['lists of several kinds', ['a', 1], '["a",1]'],
    ['lists with null', ['a', null], '["a",null]'],
    ['lists with holes', Object.assign(Array(3), ['a', , 'c']), '["a",null,"c"]'], // eslint-disable-line no-sparse-arrays
    ['lists of numbers that are none', [1, NaN], '[1,"NaN"]'],
    ['lists of objects', [{ a: 1 }], '[{"a":1}]'],
    ['lists of lists', [['a']], '[["a"]]'],
    ['lists of 64', Array(64).fill(1), Array(64).fill(1)],
  ]
  for (const [sentence, value, expected] of cases) {
    const { attributes, truncated } = map({ 'app.x': value })!
    t.strictSame({ attributes, truncated }, { attributes: [['app.x', expected]], truncated: false }, sentence)
  }
  for (const name of ['values', 'errors']) {
    const attribute = name === 'values' ? VALUES : ERRORS
    const odd: Array<[unknown, string]> = [['text', '"text"'], [0, '0'], [false, 'false'], [{}, '{}'], [[1], '[1]'], [{ length: 0 }, '{"length":0}'], [Symbol('s'), 'null']]
    for (const [value, text] of odd) t.strictSame(map({ [name]: value }), { ...plain, attributes: [[attribute, text]] }, `${name}: ${text}`)
  }
  t.strictSame(map({ values: [] }), { ...plain, attributes: [[VALUES, '[]']] }, 'an empty list of values is one')
})

t.test('an attribute counts with the bytes that it takes', async (t) => {
  const cases: Array<[unknown, unknown, number]> = [[true, true, 8], [5, 5, 8], ['ü', 'ü', 4], [[1, 2], [1, 2], 5], [{ a: 1 }, '{"a":1}', 7], [null, undefined, 0], [undefined, undefined, 0]]
  for (const [value, attribute, bytes] of cases) {
    const sink = new ValueSink(settings)
    t.strictSame([toAttributeValue(value, sink), sink.bytes], [attribute, bytes], String(value))
  }
  const lists: Array<[unknown, boolean]> = [
    [['a'], true], [[1], true], [[true], true], [[1, 2], true], [[1, NaN], false], [[1n], false], [[1, 2n], false], [['a', 1], false], [[null], false], [[], false], ['a', false], [[1, 2, 3], false],
  ]
  for (const [value, isList] of lists) t.equal(isListOfOneKind(value, 2), isList, String(value))
})

t.test('names of the conventions are left out, unless they are asked for', async (t) => {
  const standard = { 'http.route': '/x', 'url.path': '/y', 'error.type': 'no', 'service.name': 's', 'fastify.arguments.values': 'v', 'telemetry.sdk.name': 't', host: 'h', 'server.address': 'a' }
  const own = { 'user.id': 'u', 'session.count': 1, 'feature_flag.key': 'f', httpx: 1, 'app.http.route': '/z', 'hosting.name': 'n', 'Http.route': 2 }
  t.strictSame(Object.keys(standard).filter((name) => !isStandardName(name)), [])
  t.strictSame(Object.keys(own).filter(isStandardName), [])
  t.strictSame(map({ ...standard, 'app.a': 1 }), { ...plain, attributes: [['app.a', 1]], refused: Object.keys(standard) }, 'refused')
  t.strictSame(map(standard), { ...plain, attributes: [], refused: Object.keys(standard) }, 'refused, when there is nothing else')
  t.strictSame(map({ [standardAttributes]: { 'url.path': '/y/*', 'app.a': 1, values: 'v', 'user.token': 'kept' }, 'app.b': 2 }), {
    ...plain, attributes: [['app.b', 2]], standard: [['url.path', '/y/*'], ['app.a', 1], ['values', 'v'], ['user.token', 'kept']],
  }, 'asked for: they stand as they are')
  t.strictSame(map({ [standardAttributes]: { 'url.path': '/y?token=abc', bad: null, '': 1 } }), {
    ...plain, attributes: [], standard: [['url.path', '/y?token=[scrubbed]']], scrubbed: ['/url.path'],
  }, 'what looks like a secret is taken out of them too')
  for (const odd of [null, undefined, 'text', 5, ['a'], Promise.resolve({ 'url.path': '/' }), {}]) {
    t.strictSame(map({ a: 1, [standardAttributes]: odd }), { ...plain, attributes: [['a', 1]] }, `odd: ${String(odd)}`)
  }
  t.equal(map(Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`http.k${index}`, 1])))!.refused.length, 64, 'not all that are refused are listed')
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k${index}`, index]))
  const both = map({ ...many, [standardAttributes]: many })!
  t.strictSame([both.attributes.length, both.standard.length, both.truncated], [40, 24, true], 'both share one bound')
  t.equal(standardAttributes, Symbol.for('fastify-schema-telemetry.standard-attributes') as never)
})

t.test('a copy is recorded: what the mapper keeps cannot change it', async (t) => {
  const list = ['a']
  const mapped = map({ list })!
  list.push('b')
  t.strictSame(mapped.attributes, [['list', ['a']]])
  const names = new Proxy(['a', 'b'], { get: (target, key) => key === 'length' ? 2 : key === '0' ? 'first' : Reflect.get(target, key) })
  t.strictSame(attributesOf({ names }), { attributes: { names: ['first', 'b'] }, truncated: false }, 'the list behind a proxy')
})

t.test('secrets by name and by form', async (t) => {
  const result = { 'app.token': 't', apiKey: 1, 'user.password': ['a'], author: 'a', 'app.deep': { jwt: 'j' }, note: 'token=abc', 'app.session': null, values: { body: [{ pin: 1 }] }, errors: [{ input: 'pwd=a' }] }
  t.strictSame(map(result), {
    ...plain,
    attributes: [
      ['app.token', '[scrubbed]'], ['apiKey', '[scrubbed]'], ['user.password', '[scrubbed]'], ['author', 'a'], ['app.deep', '{"jwt":"[scrubbed]"}'], ['note', 'token=[scrubbed]'],
      [VALUES, '{"body":[{"pin":"[scrubbed]"}]}'], [ERRORS, '[{"input":"pwd=[scrubbed]"}]'],
    ],
    scrubbed: ['/app.token', '/apiKey', '/user.password', '/app.deep/jwt', '/note', '/body/0/pin', '/errors/0/input'],
  })
  const asked: ScrubMatch[] = []
  const decide = (match: ScrubMatch) => { asked.push(match); return match.path === '/app.token' ? { kept: match.value } : match.path === '/pin' ? match.value : undefined }
  t.strictSame(map({ 'app.token': 't', pin: [1, 2], note: 'token=abc', values: { pin: 3 } }, { scrubbing: { callback: decide } }), {
    ...plain, attributes: [['app.token', '{"kept":"t"}'], ['pin', [1, 2]], ['note', 'token=[scrubbed]'], [VALUES, '{"pin":3}']], scrubbed: ['/note'],
  }, 'a callback is asked')
  t.strictSame(asked.map(({ path, matched }) => [path, matched]), [['/app.token', 'token'], ['/pin', 'pin'], ['/note', 'token=abc'], ['/pin', 'pin']])
  t.strictSame(map({ 'app.token': 't', note: 'token=abc' }, { scrubbing: false }), { ...plain, attributes: [['app.token', 't'], ['note', 'token=abc']] }, 'without scrubbing')
})

t.test('one result is held by the bounds of a span', async (t) => {
  t.strictSame(attributesOf({ text: 'a'.repeat(1e7) }), { attributes: { text: 'a'.repeat(1024) + '…' }, truncated: true }, 'text of 10 MB')
  t.strictSame(attributesOf({ list: Array(65).fill('a') }), { attributes: { list: [...Array(64).fill('a'), '… 1 more'] }, truncated: true }, 'long lists of text')
  t.strictSame(attributesOf({ list: Array(65).fill(1) }), { attributes: { list: JSON.stringify([...Array(64).fill(1), '… 1 more']) }, truncated: true }, 'long lists of numbers')
  t.strictSame(attributesOf({ list: ['a'.repeat(2000), 'b'] }), { attributes: { list: ['a'.repeat(1024) + '…', 'b'] }, truncated: true }, 'long text in lists')
  t.strictSame(attributesOf({ a: 1, ['k'.repeat(129)]: 2 }), { attributes: { a: 1 }, truncated: true }, 'long names')

  const keys = Array.from({ length: 100_000 }, (_, index): [string, number] => [`k${index}`, index])
  t.strictSame(map(Object.fromEntries(keys)), { ...plain, attributes: keys.slice(0, 64), truncated: true }, '100,000 keys')
  t.strictSame(attributesOf({ values: Object.fromEntries(keys) }), { attributes: { [VALUES]: JSON.stringify(Object.fromEntries(keys.slice(0, 1000))) }, truncated: true }, '100,000 keys inside')

  let deep: unknown = []
  for (let level = 0; level < 500_000; level++) deep = [deep]
  t.strictSame(attributesOf({ deep }), { attributes: { deep: '[[[[[[[["[…]"]]]]]]]]' }, truncated: true }, 'arrays 500,000 deep')

  const cyclic: Record<string, unknown> = {}
  cyclic.a = cyclic
  t.strictSame(attributesOf({ cyclic, values: cyclic }), {
    attributes: { cyclic: '{"a":'.repeat(8) + '"{…}"' + '}'.repeat(8), [VALUES]: '{"a":'.repeat(8) + '"{…}"' + '}'.repeat(8) }, truncated: true,
  }, 'cycles')
  t.strictSame(attributesOf(Object.assign(cyclic, { a: 1, self: cyclic })), {
    attributes: { a: 1, self: '{"a":1,"self":'.repeat(8) + '"{…}"' + '}'.repeat(8) }, truncated: true,
  }, 'the result itself in a cycle')

  const text = 'x'.repeat(1000)
  const full = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`t${index}`, text]))
  const kept = attributesOf(full)
  t.strictSame(kept, { attributes: Object.fromEntries(Object.keys(full).map((key, index) => [key, index < 32 ? text : '…'])), truncated: true }, '32 KiB in all')
  const after = attributesOf({ ...Object.fromEntries(Object.entries(full).slice(0, 31)), more: ['a'.repeat(900), 'b'.repeat(900)], numbers: Array(64).fill(1e20), flag: true })
  t.strictSame({ ...after!.attributes, ...Object.fromEntries(Object.keys(full).map((key) => [key, 0])) }, {
    ...Object.fromEntries(Object.keys(full).map((key) => [key, 0])),
    more: ['a'.repeat(900), '…'],
    numbers: `[${'100000000000000000000,'.repeat(13)}"…"]`,
    flag: true,
  }, 'a list of numbers that is cut stays one kind: it becomes text')
  const big = { list: Array(64).fill('ü'.repeat(1000)) }
  const both = map({ a: big, b: big, c: big, ...Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`n${index}`, []])) })!
  t.ok(both.attributes.reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0) <= 32768, 'several texts share the 32 KiB')
  t.strictSame([both.attributes.length, both.truncated], [64, true])
  t.strictSame(attributesOf({ a: 'x'.repeat(50), ab: { b: { c: 1 } }, abc: 1, abcd: [1, 2, 3] }, { limits: { maxStringLength: 16, maxDepth: 1, maxKeyLength: 3, maxItems: 2 } }), {
    attributes: { a: 'x'.repeat(16) + '…', ab: '{"b":"{…}"}', abc: 1 }, truncated: true,
  }, 'other limits')
})

t.test('nothing is recorded any more when the 32 KiB are used up', async (t) => {
  const nearly = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`t${index}`, 'x'.repeat(1000)]))
  const marks = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`m${index}`, { x: 1 }]))
  const mapped = map({ values: { list: Array(64).fill('x'.repeat(1000)) }, ...nearly, ...marks })!
  t.strictSame([mapped.attributes.length, mapped.truncated, mapped.attributes.at(-1)], [64, true, ['m2', '{}']])
  const small = map(Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`k${index}`, index])), { limits: { maxBytes: 100 } })!
  t.strictSame([small.attributes.length, small.truncated], [13, true], 'numbers count too')
})

t.test('what throws inside a result costs its attribute only', async (t) => {
  const u = '[unreadable]'
  const cases: Array<[string, unknown, unknown]> = [
    ['a getter', { get a () { return fail() }, b: 1 }, { a: u, b: 1 }],
    ['a getter inside', { values: { get a () { return fail() } }, b: 1 }, { [VALUES]: '{"a":"[unreadable]"}', b: 1 }],
    ['a proxy that cannot be listed', { a: new Proxy({}, { ownKeys: fail }), b: 1 }, { a: u, b: 1 }],
    ['a revoked proxy', { a: revoked({}), b: 1 }, { a: u, b: 1 }],
    ['revoked proxies instead of values and errors, which stay JSON', { values: revoked({}), errors: revoked([]), b: 1 }, { [VALUES]: '"[unreadable]"', [ERRORS]: '"[unreadable]"', b: 1 }],
    ['a getter of values', { get values () { return fail() }, b: 1 }, { [VALUES]: '"[unreadable]"', b: 1 }],
    ['many of them', Object.defineProperties({}, Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, { get: fail, enumerable: true }]))),
      Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`k${index}`, u]))],
  ]
  for (const [sentence, result, expected] of cases) t.strictSame(attributesOf(result)!.attributes, expected, sentence)
  const whole: Array<[string, unknown, RegExp]> = [
    ['a getter of then', { get then () { return fail() } }, /mine/], ['a proxy that cannot be listed', new Proxy({}, { ownKeys: fail }), /mine/],
    ['a revoked proxy', revoked({}), /revoked/], ['a revoked proxy of an array', revoked([]), /revoked/], ['a getter of the standard ones', { get [standardAttributes] () { return fail() } }, /mine/],
  ]
  for (const [sentence, result, message] of whole) t.throws(() => map(result), { message }, `the result itself reaches the caller, who guards: ${sentence}`)
})

t.test('random results become attributes within the bounds, or are refused', async (t) => {
  const result = fc.dictionary(
    fc.oneof(fc.constantFrom('values', 'errors', '__proto__', 'password', 'http.route', 'k'.repeat(200)), fc.string({ unit: 'binary', maxLength: 130 })),
    fc.anything({ maxDepth: 10, withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true, withBoxedValues: true }),
    { maxKeys: 80 }
  )
  t.equal(fc.defaultReportMessage(fc.check(fc.property(result, result, (given, standard) => {
    if (typeof given.then === 'function') return
    const mapped = map({ ...given, [standardAttributes]: standard })
    if (mapped === null) return
    let bytes = 0
    for (const [name, value] of [...mapped.attributes, ...mapped.standard]) {
      ok(name.length > 0 && name.length <= 128 && name !== '__proto__')
      const kinds = new Set(Array.isArray(value) ? value.map((item) => typeof item) : [typeof value])
      deepStrictEqual([...kinds].filter((kind) => kind !== 'string' && kind !== 'number' && kind !== 'boolean'), [])
      ok(kinds.size === 1)
      for (const text of [value].flat()) ok(typeof text !== 'string' || (text as unknown as { isWellFormed (): boolean }).isWellFormed())
      bytes += typeof value === 'number' || typeof value === 'boolean' ? 0 : Buffer.byteLength(String(value))
    }
    for (const [name, value] of mapped.attributes) {
      ok(name === VALUES || name === ERRORS || !isStandardName(name))
      if (name === VALUES || name === ERRORS) JSON.parse(value as string)
    }
    ok(bytes <= 32768 + 64)
    ok(mapped.attributes.length + mapped.standard.length <= 64)
    ok(mapped.refused.length <= 64)
  }), { numRuns: 300 })), undefined)
})
