import { deepStrictEqual, ok } from 'node:assert/strict'
import { AlwaysOnSampler } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import type { FastifyInstance, InjectOptions } from 'fastify'
import otelPlugin, { type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry, type TestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { buildOddApp } from '../helpers/odd-app.ts'
import { revokedProxy, throwingProxy, withThrowingGetters } from '../helpers/odd-values.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

/** Requests of this file in all; more of them: `FST_RUNS=1000000 npx tap --disable-coverage test/flow/answers.test.ts`. */
const RUNS = Number(process.env.FST_RUNS ?? 10_000)

t.setTimeout(RUNS * 30)

/** The same application with the plugin and without. */
interface Pair {
  bare: FastifyInstance
  app: FastifyInstance
  telemetry: TestTelemetry
}

async function setUp (t: Test, options: FastifySchemaTelemetryOptions): Promise<Pair> {
  // Whatever a caller's random headers say.
  const telemetry = createTestTelemetry({ sampler: new AlwaysOnSampler() })
  const bare = await buildOddApp(null)
  const app = await buildOddApp(async (app) => { await app.register(otelPlugin, { extraSpans: true, captureResponse: true, ...options }) })
  t.teardown(async () => {
    await Promise.all([bare.close(), app.close()])
    telemetry.release()
  })
  await Promise.all([bare.ready(), app.ready()])
  return { bare, app, telemetry }
}

/** Sends a request to both; throws what differs, and what is wrong with the spans. */
async function compare ({ bare, app, telemetry }: Pair, request: InjectOptions): Promise<void> {
  const [plain, recorded] = await Promise.all([ask(bare, request), ask(app, request)])
  deepStrictEqual(recorded, plain)
  await telemetry.waitForSpans(1)
  checkSpans(telemetry)
  telemetry.reset()
}

async function ask (app: FastifyInstance, request: InjectOptions) {
  const { statusCode, statusMessage, headers, rawPayload } = await app.inject(request)
  const { date, ...rest } = headers
  return { statusCode, statusMessage, headers: rest, body: rawPayload.toString('latin1') }
}

function checkSpans (telemetry: TestTelemetry): void {
  deepStrictEqual([telemetry.openCount, telemetry.spans.filter(({ kind }) => kind === 'SERVER').length], [0, 1])
  for (const { attributes } of telemetry.spans) {
    let bytes = 0
    for (const [name, value] of Object.entries(attributes)) {
      const list = Array.isArray(value) ? value as unknown[] : [value]
      ok(list.every((item) => ['string', 'number', 'boolean'].includes(typeof item)), `${name} is an attribute value`)
      bytes += Buffer.byteLength(String(value))
    }
    ok(bytes <= 128 * 1024, `a span of ${bytes} bytes`)
    for (const name of ['values', 'errors']) {
      const json = attributes[`fastify.arguments.${name}`]
      if (json !== undefined) JSON.parse(String(json))
    }
  }
}

/** Runs a property; a failure names the seed that brings it back. */
async function holds<Values extends [unknown, ...unknown[]]> (t: Test, share: number, arbitraries: { [Index in keyof Values]: fc.Arbitrary<Values[Index]> }, check: (...values: Values) => Promise<void>): Promise<void> {
  const numRuns = Math.ceil(RUNS * share)
  await fc.assert(fc.asyncProperty(...arbitraries, check), { numRuns })
  t.pass(`${numRuns} requests`)
}

/** What fast-check itself would fall over: it is made when it is needed. */
class Hostile {
  readonly make: () => unknown

  constructor (make: () => unknown) {
    this.make = make
  }
}

const unwrap = (value: unknown) => value instanceof Hostile ? value.make() : value

const HOSTILE = [
  throwingProxy, () => throwingProxy([]), revokedProxy, () => revokedProxy([]), () => withThrowingGetters(['a', 'then', 'length'], {}), () => Symbol('s'), () => () => {},
  () => Promise.resolve(1), () => new Promise(() => {}), () => ({ then: 1 }), () => new Map([[{}, new Set()]]),
].map((make) => new Hostile(make))

const isPlain = (value: unknown): value is object => value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype

const mapValues = (holder: object, change: (value: unknown) => unknown) => Object.fromEntries(Object.entries(holder).map(([name, value]) => [name, change(value)]))

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '__proto__', 'constructor', 'toString', 'password', 'Bearer abc', '\u0000', '\ud800'))
const nearUser = fc.record({
  name: fc.oneof(anyText, fc.anything({ withBigInt: false })),
  tags: fc.oneof(fc.array(anyText), fc.jsonValue()),
  choice: fc.oneof(fc.record({ a: fc.oneof(fc.integer(), anyText) }), fc.record({ b: fc.boolean() }), fc.jsonValue()),
  any: fc.jsonValue({ depthSize: 'large' }),
  password: anyText,
}, { requiredKeys: [] })
const anyBody = fc.oneof(nearUser.map((user) => JSON.stringify(user)), fc.json(), fc.json().map((json) => json.slice(0, -1)), fc.string(), fc.uint8Array().map((bytes) => Buffer.from(bytes)))
const anyQuery = fc.oneof(fc.webQueryParameters(), fc.integer().map((n) => `n=${n}&list=a&list=b`), fc.array(fc.tuple(fc.constantFrom('n', 'list', '__proto__', 'x'), fc.string({ unit: 'grapheme' }))).map((pairs) =>
  pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')))
const anyId = fc.oneof(fc.integer().map(String), fc.string().map((text) => encodeURIComponent(text)))

t.test('answers to random bodies, queries and parameters are the same', async (t) => {
  const pair = await setUp(t, { mapper: (_request, args) => ({ ...args }) })
  const place = fc.constantFrom('/users', '/attached', '/child/users', '/open', '/undeclared')
  const type = fc.constantFrom('application/json', 'application/json; charset=utf-8', 'application/json ', 'text/plain', 'application/x-odd', 'application/x-chunks', '')
  await holds(t, 0.5, [fc.oneof({ weight: 4, arbitrary: fc.constant('application/json') }, type), place, anyId, anyQuery, anyBody], async (type, place, id, query, payload) => {
    const path = place === '/open' || place === '/undeclared' ? place : `${place}/${id}`
    await compare(pair, { method: 'POST', url: `${path}?${query}`, payload, headers: { 'content-type': type } })
  })
})

t.test('answers to requests with random headers are the same', async (t) => {
  const pair = await setUp(t, { requestHook: (span, { headers }) => { span.setAttribute('app.headers', Object.keys(headers)) } })
  const name = fc.oneof(
    fc.constantFrom('traceparent', 'tracestate', 'baggage', 'user-agent', 'host', 'x-number', 'x-forwarded-for', 'x-forwarded-host', 'authorization', 'cookie', 'accept', 'expect', 'content-type', 'content-length', '__proto__', 'constructor'),
    fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
  )
  const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
  const traceparent = fc.tuple(fc.constantFrom('00', '01', 'ff'), hex(32), hex(16), fc.constantFrom('00', '01', 'ff', '')).map((parts) => parts.join('-'))
  const value = fc.oneof(fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,50}$/), traceparent, fc.constantFrom('', '1', 'a=b', 'a=b,c=d;e=f', ','.repeat(600), 'text/plain'))
  const method = fc.constantFrom('GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PURGE') as fc.Arbitrary<'GET'>
  await holds(t, 0.2, [method, fc.constantFrom('/echo-headers', '/users/7', '/search?n=1', '/nowhere', '/stream'), fc.array(fc.tuple(name, value), { maxLength: 12 })], async (method, url, headers) => {
    await compare(pair, { method, url, headers: Object.fromEntries(headers) })
  })
})

t.test('answers are the same whatever a mapper and a scrubbing callback return', async (t) => {
  let make: () => unknown
  const give = () => make() as never
  const pair = await setUp(t, { mapper: give, scrubbing: { extraPatterns: [/a/], callback: give } })
  const anything = fc.anything({
    withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true, withObjectString: true, withSparseArray: true, withTypedArray: true, withUnicodeString: true,
  })
  const hostile = fc.constantFrom(...HOSTILE)
  const named = fc.dictionary(fc.oneof(anyText, fc.constantFrom('values', 'errors', 'http.route', 'then', 'app.a')), fc.oneof(anything, hostile))
  const body = fc.constantFrom('{"name":"Ada","password":"abc","any":{"a":"Bearer abc"}}', '{"name":""}', '{"name"')
  await holds(t, 0.3, [body, fc.oneof(named, anything, hostile)], async (payload, returned) => {
    make = () => unwrap(isPlain(returned) ? mapValues(returned, unwrap) : returned)
    await compare(pair, { method: 'POST', url: '/users/7', payload, headers: { 'content-type': 'application/json' } })
  })
})
