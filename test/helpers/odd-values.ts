import { PassThrough, Readable } from 'node:stream'

const boom = (): never => { throw new Error('hostile') }

/** A Proxy that throws whatever is done with it. */
export function throwingProxy (target: object = {}): object {
  return new Proxy(target, Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, boom])))
}

/** A Proxy that was revoked: every operation on it is a TypeError. */
export function revokedProxy (target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

/** Gives an object getters that throw, under all of these names. */
export function withThrowingGetters<T extends object> (names: readonly string[], target: T): T {
  // With source maps the text of a stack is made when it is first read or redefined, and of the name and the message.
  if (target instanceof Error) Reflect.get(target, 'stack')
  for (const name of names) Object.defineProperty(target, name, { get: boom, enumerable: true, configurable: true })
  return target
}

// Made once: they are large.
const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key${index}`, index]))
const long = 'long '.repeat(2 * 1024 * 1024)
const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`) as object

/** What no JSON parser makes, and what makes of JSON that what is careless falls over it. */
export const ODD_VALUES: Record<string, () => unknown> = {
  cycle: () => {
    const cycle: Record<string, unknown> = { a: 1, list: [] }
    cycle.self = cycle
    ;(cycle.list as unknown[]).push(cycle)
    return cycle
  },
  bigint: () => ({ a: 2n ** 70n }),
  symbol: () => ({ a: Symbol('a'), [Symbol('b')]: 1 }),
  function: () => ({ a: () => {}, b: class {} }),
  'map and set': () => ({ a: new Map([['b', 1]]), b: new Set([1]) }),
  map: () => new Map([['a', 1]]),
  date: () => ({ a: new Date(0), b: new Date(Number.NaN) }),
  buffer: () => ({ a: Buffer.from('a'), b: new Uint8Array(3), c: new ArrayBuffer(2) }),
  'regular expression and error': () => ({ a: /a/g, b: new Error('b') }),
  'long text': () => ({ a: long }),
  'long key': () => ({ a: 1, [long]: 1 }),
  'many keys': () => wide,
  deep: () => deep,
  'sparse array': () => ({ a: Object.assign([], { length: 4_000_000_000 }) }),
  array: () => [1, 'a', null],
  text: () => 'text',
  number: () => Number.NaN,
  proxy: () => new Proxy({ a: 1 }, {}),
  'throwing proxy': () => throwingProxy(),
  'throwing proxy inside': () => ({ a: throwingProxy(), b: throwingProxy([]) }),
  'revoked proxy': () => revokedProxy(),
  'revoked proxy inside': () => ({ a: revokedProxy(), b: revokedProxy([]) }),
  'getter that throws': () => withThrowingGetters(['a', 'n'], { b: 1 } as object),
  'failing toJSON': () => ({ a: { toJSON: boom } }),
  'failing conversions': () => ({ a: { toString: boom, valueOf: boom, [Symbol.toPrimitive]: boom } }),
  'failing then': () => withThrowingGetters(['then'], { a: 1 }),
  'failing iterator': () => ({ a: Object.assign([1], { [Symbol.iterator]: boom }) }),
  'prototype key': () => JSON.parse('{"a":1,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  'without prototype': () => Object.assign(Object.create(null), { a: Object.create(null) }),
  frozen: () => Object.freeze({ a: Object.freeze([1]) }),
  class: () => new (class Body { a = 1; #hidden = 2; get hidden () { return this.#hidden } })(),
  stream: () => new PassThrough(),
  generator: () => ({ a: (function * () { yield 1 })() }),
  never: () => ({ a: new Promise(() => {}) }),
}

export function makeOddValue (name: string): unknown {
  const make = ODD_VALUES[name]
  return make === undefined ? { unknown: name } : make()
}

const ERROR_PROPERTIES = ['name', 'stack', 'cause', 'errors', 'serialization', 'issues', 'details', 'inner']

function errorLike (properties: object, message = 'hostile'): Error {
  return Object.assign(new Error(message), properties)
}

const withCycle = () => {
  const error = new Error('outer')
  error.cause = new Error('inner', { cause: error })
  return error
}

/** What handlers throw. Some of it only a handler of the application's own can answer: Fastify's breaks at it, with the plugin or without. */
export const THROWN: Record<string, { make: () => unknown, isFor: 'every handler' | 'handlers that do not look' }> = {
  'an-error': { make: () => new Error('plain'), isFor: 'every handler' },
  'type-error': { make: () => errorLike(new TypeError('teapot'), 'teapot'), isFor: 'every handler' },
  status: { make: () => errorLike({ statusCode: 418, code: 'E_TEAPOT' }), isFor: 'every handler' },
  'odd-status': { make: () => errorLike({ statusCode: 200 }), isFor: 'every handler' },
  'status-text': { make: () => errorLike({ statusCode: '404' }), isFor: 'every handler' },
  headers: { make: () => errorLike({ statusCode: 429, headers: { 'retry-after': '5' } }), isFor: 'every handler' },
  text: { make: () => 'text', isFor: 'every handler' },
  'empty-text': { make: () => '', isFor: 'every handler' },
  null: { make: () => null, isFor: 'every handler' },
  undefined: { make: () => undefined, isFor: 'every handler' },
  number: { make: () => 42, isFor: 'every handler' },
  symbol: { make: () => Symbol('thrown'), isFor: 'handlers that do not look' },
  function: { make: () => () => {}, isFor: 'every handler' },
  object: { make: () => ({ statusCode: 422, message: 'object', code: 'E' }), isFor: 'every handler' },
  'without-prototype': { make: () => Object.assign(Object.create(null), { message: 'bare' }), isFor: 'every handler' },
  frozen: { make: () => Object.freeze(new Error('frozen')), isFor: 'every handler' },
  aggregate: { make: () => new AggregateError(Array.from({ length: 1000 }, () => new Error('one of many')), 'many'), isFor: 'every handler' },
  cycle: { make: withCycle, isFor: 'every handler' },
  'long-message': { make: () => new Error('long '.repeat(200_000)), isFor: 'every handler' },
  'nameless-class': { make: () => new (class extends Error {})('nameless'), isFor: 'every handler' },
  'false-constructor': { make: () => errorLike({ constructor: { name: Symbol('name') } }), isFor: 'every handler' },
  'false-validation': { make: () => errorLike({ validationContext: 'body', validation: 'not a list' }), isFor: 'every handler' },
  'false-validation-list': { make: () => errorLike({ validationContext: 'params', validation: [null, 1, throwingProxy(), { instancePath: 7 }] }), isFor: 'every handler' },
  'false-parse-error': { make: () => errorLike({ code: 'FST_ERR_CTP_INVALID_JSON_BODY', statusCode: 400 }), isFor: 'every handler' },
  'false-serialization': { make: () => errorLike({ serialization: {} }), isFor: 'every handler' },
  'validation-getter': { make: () => withThrowingGetters(['validation', 'validationContext'], new Error('hostile')), isFor: 'every handler' },
  getters: { make: () => withThrowingGetters(ERROR_PROPERTIES, new Error('hostile')), isFor: 'every handler' },
  'all-getters': { make: () => withThrowingGetters([...ERROR_PROPERTIES, 'message', 'code', 'constructor'], new Error('hostile')), isFor: 'handlers that do not look' },
  proxy: { make: () => new Proxy(new Error('behind a proxy'), {}), isFor: 'every handler' },
  'throwing-proxy': { make: () => throwingProxy(), isFor: 'handlers that do not look' },
  'revoked-proxy': { make: () => revokedProxy(), isFor: 'handlers that do not look' },
  stream: { make: () => Readable.from(['a']), isFor: 'every handler' },
}
