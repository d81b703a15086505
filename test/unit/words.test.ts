import { readFileSync } from 'node:fs'
import { diag, DiagLogLevel } from '@opentelemetry/api'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { checkOptions } from '../../lib/check-options.ts'
import { createTimestampFormatter, systemClock } from '../../lib/clock.ts'
import { createGuard, describeThrown } from '../../lib/guard.ts'
import { REQUEST_DURATION_BOUNDARIES_SECONDS, SCOPE_VERSION } from '../../lib/semconv.ts'
import * as semconv from '../../lib/semconv.ts'
import { within } from '../../lib/within.ts'

t.jobs = 1

t.test('clock', async (t) => {
  const format = createTimestampFormatter()
  const cases: Array<[millis: number, text: string]> = [
    [0, '1970-01-01T00:00:00.000000Z'],
    [1_795_235_424_123.456, '2026-11-21T04:30:24.123456Z'],
    [1_795_235_424_999.75 + 0.2499, '2026-11-21T04:30:25.000000Z'],
    [1_795_235_424_000.001, '2026-11-21T04:30:24.000001Z'],
    [951_782_400_000, '2000-02-29T00:00:00.000000Z'],
  ]
  for (const [millis, text] of cases) t.equal(format(millis), text)
  for (let index = 0; index < 2000; index++) {
    const millis = Math.floor(Math.random() * 4e12) + index / 8
    t.ok(format(millis).startsWith(new Date(Math.floor(millis)).toISOString().slice(0, 23)), String(millis))
  }
  t.ok(Math.abs(systemClock.epochMillis() - Date.now()) < 1000)
  const first = systemClock.monotonicMillis()
  t.ok(systemClock.monotonicMillis() >= first)
})

t.test('guard: a line a minute for each kind, with the count since; nothing gets through', async (t) => {
  const lines: string[] = []
  const log = (...words: unknown[]) => { lines.push(words.join(' ')) }
  const logger = { error: log, warn: log, info: log, debug: log, verbose: log }
  diag.setLogger(logger, DiagLogLevel.WARN)
  t.teardown(() => diag.disable())
  let now = 0
  const guard = createGuard((text, maxLength) => text.slice(0, maxLength).replace('hunter2', '[scrubbed]'), () => now)
  for (let index = 0; index < 1000; index++) guard.report('mapper', new Error(`number ${index}`))
  guard.report('ignore', 'text with hunter2')
  now = 60_000
  guard.report('mapper', new RangeError('late'))
  t.same(lines, [
    'fastify-schema-telemetry: mapper failed; the request is not affected: Error: number 0',
    'fastify-schema-telemetry: ignore failed; the request is not affected: text with [scrubbed]',
    'fastify-schema-telemetry: mapper failed (1000 times since the last such line); the request is not affected: RangeError: late',
  ])
  t.same([...guard.counts], [['mapper', 1001], ['ignore', 1]])

  t.equal(guard.run('fine', (a: number, b: number) => a + b, 1, 2), 3)
  t.equal(guard.run('throws', () => { throw new Error('thrown') }), undefined)
  const rejected = guard.run('rejects', () => Promise.reject(new Error('rejected')))
  await (rejected as Promise<unknown>).catch(() => {})
  t.equal(await guard.run('resolves', () => Promise.resolve(1)), 1)
  t.same([...guard.counts.keys()], ['mapper', 'ignore', 'throws', 'rejects'])

  diag.setLogger({ ...logger, warn () { throw new Error('logger') } }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  t.doesNotThrow(() => guard.report('logger', new Error('nobody hears')))
  t.equal(describeThrown({ toString () { throw new Error('no') } }), 'a value that cannot be described')
  t.equal(describeThrown(new RangeError('late')), 'RangeError: late')
})

t.test('checkOptions names the option, what it expects and what it got', async (t) => {
  const schema = Type.Object({ size: Type.Number({ description: 'a number' }) })
  const cases: Array<[options: unknown, message: string]> = [
    [null, 'test options must be an object, received null'],
    [[1], 'test options must be an object, received an array'],
    ['text', 'test options must be an object, received "text"'],
    [{ size: 'x'.repeat(50) }, `test option "size" must be a number, received "${'x'.repeat(40)}…"`],
    [{ size: () => {} }, 'test option "size" must be a number, received a function'],
    [{ size: [] }, 'test option "size" must be a number, received an array'],
    [{ size: ['/a', 5] }, 'test option "size" must be a number, received an array'],
    [{ size: {} }, 'test option "size" must be a number, received an object'],
    [{ size: true }, 'test option "size" must be a number, received true'],
    [{ toString: 1 }, 'test option "toString" is not known; known are: size'],
  ]
  for (const [options, message] of cases) t.throws(() => checkOptions('test option', schema, options), { message })
  const names = Type.Array(Type.String({ pattern: '^/' }), { description: 'names' })
  const lists = Type.Object({ names, either: Type.Union([Type.Boolean(), names], { description: 'names' }) })
  for (const name of ['names', 'either']) {
    t.throws(() => checkOptions('test option', lists, { [name]: ['/a', 'b', 'c'] }), { message: `test option "${name}" must be names, received an array with "b"` })
    t.throws(() => checkOptions('test option', lists, { [name]: ['/a', ['/b']] }), { message: `test option "${name}" must be names, received an array` })
  }
  const inner = Type.Object({ depth: Type.Integer({ minimum: 1, maximum: 32, description: 'an integer from 1 to 32' }) })
  const nested = Type.Object({ limits: Type.Object({}, { description: 'an object of limits', options: inner }) })
  t.throws(() => checkOptions('test option', nested, { limits: { depth: 0 } }), { message: 'test option "limits.depth" must be an integer from 1 to 32, received 0' })
  t.throws(() => checkOptions('test option', nested, { limits: { size: 1 } }), { message: 'test option "limits.size" is not known; known are: limits.depth' })
  t.throws(() => checkOptions('test option', nested, { limits: [] }), { message: 'test option "limits" must be an object of limits, received an array' })
  t.doesNotThrow(() => checkOptions('test option', nested, { limits: { depth: undefined } }))
  t.doesNotThrow(() => checkOptions('test option', schema, { size: 1, other: 2, absent: undefined }, ['other']))
})

t.test('semconv: the version is the package\'s, every name is written once', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.equal(SCOPE_VERSION, version)
  const names = Object.values(semconv).filter((value) => typeof value === 'string')
  t.equal(names.length, new Set(names).size)
  t.equal(REQUEST_DURATION_BOUNDARIES_SECONDS.length, 14)
})

t.test('within waits for work, not longer than its bound, and takes a failure for an end', async (t) => {
  t.equal(await within(10_000, Promise.resolve()), true)
  t.equal(await within(10_000, Promise.reject(new Error('failed'))), true)
  t.equal(await within(-5, new Promise(() => {})), false)
})
