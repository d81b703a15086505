import { deepStrictEqual, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { toAttributes } from '../../../lib/arguments/mapper.ts'

const VALUES = 'fastify.arguments.values'
const ERRORS = 'fastify.arguments.errors'

/** Attributes as an object; the order is compared where it matters. */
function attributesOf (result: unknown) {
  const mapped = toAttributes(result)
  return mapped === null ? null : { attributes: Object.fromEntries(mapped.attributes), truncated: mapped.truncated }
}

t.test('nothing to record', async (t) => {
  const nothing: Array<[string, unknown]> = [
    ['null', null], ['undefined', undefined], ['false', false], ['{}', {}], ['an object without a prototype', Object.create(null)],
    ['only undefined and null', { a: undefined, b: null, values: null }], ['an empty list of errors', { errors: [] }],
    ['only what is inherited', Object.create({ a: 1 })], ['only symbol keys', { [Symbol('s')]: 1 }], ['only names that cannot be', JSON.parse('{"__proto__":1,"":2}')],
    ['a map', new Map([['a', 1]])], ['a date', new Date()], ['a name that is too long', { ['k'.repeat(129)]: 1 }],
  ]
  for (const [sentence, result] of nothing) t.equal(toAttributes(result), null, sentence)
})

t.test('what is no object of attributes is refused', async (t) => {
  const refused: Array<[unknown, string]> = [
    [Promise.resolve({ a: 1 }), 'a promise'], [{ then () {} }, 'a promise'], [[], 'an array'], [[{ a: 1 }], 'an array'], ['text', 'a string'], ['', 'a string'],
    [0, 'a number'], [true, 'a boolean'], [1n, 'a bigint'], [Symbol('s'), 'a symbol'], [() => ({}), 'a function'], [class {}, 'a function'],
  ]
  for (const [result, kind] of refused) {
    t.throws(() => toAttributes(result), new TypeError(`a mapper must return an object of attributes or null, received ${kind}`), kind)
  }
})

t.test('values and errors get their names, other keys stand as they are, in the order of the mapper', async (t) => {
  const errors = [{ part: 'body', path: '/a', keyword: 'type', message: 'must be string' }]
  t.strictSame(toAttributes({ 'app.tenant': 't', errors, values: { body: { a: 1, password: 'p' } }, count: 1, ok: true }), {
    attributes: [
      ['app.tenant', 't'], [ERRORS, JSON.stringify(errors)], [VALUES, '{"body":{"a":1,"password":"[scrubbed]"}}'], ['count', 1], ['ok', true],
    ],
    truncated: false,
  })
})

t.test('every kind of value becomes an attribute', async (t) => {
  const cases: Array<[string, unknown, unknown]> = [
    ['text', 'a "quoted" \\ ü 😀', 'a "quoted" \\ ü 😀'],
    ['empty text', '', ''],
    ['numbers', 1.5, 1.5],
    ['zero', 0, 0],
    ['false', false, false],
    ['numbers that are none', NaN, '"NaN"'],
    ['infinity', -Infinity, '"-Infinity"'],
    ['bigints', 12n, '"12"'],
    ['dates', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['invalid dates', new Date(NaN), 'null'],
    ['symbols', Symbol('s'), 'null'],
    ['functions', () => 1, 'null'],
    ['buffers', Buffer.alloc(2), '{"type":"Buffer","bytes":2}'],
    ['maps', new Map([[1, 2]]), '{}'],
    ['objects', { a: [1, { b: 2 }], secret: 's' }, '{"a":[1,{"b":2}],"secret":"[scrubbed]"}'],
    ['names that every object has', JSON.parse('{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}'],
    ['lists of text', ['a', 'ü'], ['a', 'ü']],
    ['lists of numbers', [1, 2.5], [1, 2.5]],
    ['lists of booleans', [true, false], [true, false]],
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
    t.strictSame(toAttributes({ 'app.x': value }), { attributes: [['app.x', expected]], truncated: false }, sentence)
  }
  for (const name of ['values', 'errors']) {
    const attribute = name === 'values' ? VALUES : ERRORS
    const odd: Array<[unknown, string]> = [['text', '"text"'], [0, '0'], [false, 'false'], [{}, '{}'], [[1], '[1]'], [{ length: 0 }, '{"length":0}']]
    for (const [value, text] of odd) t.strictSame(toAttributes({ [name]: value }), { attributes: [[attribute, text]], truncated: false }, `${name}: ${text}`)
  }
  t.strictSame(toAttributes({ values: [] }), { attributes: [[VALUES, '[]']], truncated: false }, 'an empty list of values is one')
})

t.test('a copy is recorded: what the mapper keeps cannot change it', async (t) => {
  const list = ['a']
  const mapped = toAttributes({ list })!
  list.push('b')
  t.strictSame(mapped.attributes, [['list', ['a']]])
  const names = new Proxy(['a', 'b'], { get: (target, key) => key === 'length' ? 2 : key === '0' ? 'first' : Reflect.get(target, key) })
  t.strictSame(attributesOf({ names }), { attributes: { names: ['first', 'b'] }, truncated: false }, 'the list behind a proxy')
})

t.test('secrets by name', async (t) => {
  t.strictSame(attributesOf({ 'app.token': 't', apiKey: 1, 'user.password': ['a'], author: 'a', 'app.deep': { jwt: 'j' } }), {
    attributes: { 'app.token': '[scrubbed]', apiKey: '[scrubbed]', 'user.password': '[scrubbed]', author: 'a', 'app.deep': '{"jwt":"[scrubbed]"}' },
    truncated: false,
  })
})

t.test('one result is held by the bounds of a span', async (t) => {
  t.strictSame(attributesOf({ text: 'a'.repeat(1e7) }), { attributes: { text: 'a'.repeat(1024) + '…' }, truncated: true }, 'text of 10 MB')
  t.strictSame(attributesOf({ list: Array(65).fill('a') }), { attributes: { list: JSON.stringify([...Array(64).fill('a'), '… 1 more']) }, truncated: true }, 'long lists')
  t.strictSame(attributesOf({ list: ['a'.repeat(2000), 'b'] }), { attributes: { list: ['a'.repeat(1024) + '…', 'b'] }, truncated: true }, 'long text in lists')
  t.strictSame(attributesOf({ a: 1, ['k'.repeat(129)]: 2 }), { attributes: { a: 1 }, truncated: true }, 'long names')

  const keys = Array.from({ length: 100_000 }, (_, index): [string, number] => [`k${index}`, index])
  t.strictSame(toAttributes(Object.fromEntries(keys)), { attributes: keys.slice(0, 64), truncated: true }, '100,000 keys')
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
  const both = toAttributes({ a: big, b: big, c: big, ...Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`n${index}`, []])) })!
  t.ok(both.attributes.reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0) <= 32768, 'several texts share the 32 KiB')
  t.strictSame([both.attributes.length, both.truncated], [64, true])
})

t.test('nothing is recorded any more when the 32 KiB are used up', async (t) => {
  const nearly = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`t${index}`, 'x'.repeat(1000)]))
  const marks = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`m${index}`, { x: 1 }]))
  const mapped = toAttributes({ values: { list: Array(64).fill('x'.repeat(1000)) }, ...nearly, ...marks })!
  t.strictSame([mapped.attributes.length, mapped.truncated, mapped.attributes.at(-1)], [64, true, ['m2', '{}']])
})

t.test('what throws inside a result reaches the caller, who guards', async (t) => {
  const mine = new Error('mine')
  const fail = () => { throw mine }
  const revoked = (target: object) => {
    const { proxy, revoke } = Proxy.revocable(target, {})
    revoke()
    return proxy
  }
  const isRevoked = { name: 'TypeError', message: /revoked/ }
  const cases: Array<[string, unknown, Error | { name: string, message?: RegExp }]> = [
    ['a getter', { get a () { return fail() } }, mine],
    ['a getter inside', { values: { get a () { return fail() } } }, mine],
    ['a getter of then', { get then () { return fail() } }, mine],
    ['a proxy that cannot be listed', new Proxy({}, { ownKeys: fail }), mine],
    ['a revoked proxy', revoked({}), isRevoked],
    ['a revoked proxy of an array', revoked([]), isRevoked],
    ['a revoked proxy inside', { values: revoked({}) }, isRevoked],
    ['a revoked proxy among errors', { errors: revoked([]) }, isRevoked],
  ]
  for (const [sentence, result, error] of cases) t.throws(() => toAttributes(result), error, sentence)
})

t.test('random results become attributes within the bounds, or are refused', async (t) => {
  const result = fc.dictionary(
    fc.oneof(fc.constantFrom('values', 'errors', '__proto__', 'password', 'k'.repeat(200)), fc.string({ unit: 'binary', maxLength: 130 })),
    fc.anything({ maxDepth: 10, withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true, withBoxedValues: true }),
    { maxKeys: 80 }
  )
  t.equal(fc.defaultReportMessage(fc.check(fc.property(result, (given) => {
    if (typeof given.then === 'function') return
    const mapped = toAttributes(given)
    if (mapped === null) return
    let bytes = 0
    for (const [name, value] of mapped.attributes) {
      ok(name.length > 0 && name.length <= 128 && name !== '__proto__')
      const kinds = new Set(Array.isArray(value) ? value.map((item) => typeof item) : [typeof value])
      deepStrictEqual([...kinds].filter((kind) => kind !== 'string' && kind !== 'number' && kind !== 'boolean'), [])
      ok(kinds.size === 1)
      bytes += typeof value === 'number' || typeof value === 'boolean' ? 0 : Buffer.byteLength(String(value))
      if (name === VALUES || name === ERRORS) JSON.parse(value as string)
    }
    ok(bytes <= 32768 + 64)
    ok(mapped.attributes.length <= 64)
  }), { numRuns: 300 })), undefined)
})
