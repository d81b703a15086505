import { ok } from 'node:assert/strict'
import Fastify from 'fastify'
import fc from 'fast-check'
import t from 'tap'
import { Type } from '@sinclair/typebox'
import { omit, redact } from '../../../lib/arguments/annotations.ts'
import { DEFAULT_LIMITS, type Limits } from '../../../lib/arguments/limits.ts'
import { captureResponse, compileResponseCapture, nodeOfResponse } from '../../../lib/arguments/response-capture.ts'
import { createScrubber } from '../../../lib/arguments/scrubber.ts'
import { describeSerializationFailure, isSerializationError, withoutQuotedValue } from '../../../lib/arguments/serialization-errors.ts'

const CANARY = 'CANARY'
const scrubber = createScrubber()
const settingsOf = (limits: Partial<Limits> = {}) => ({ limits: { ...DEFAULT_LIMITS, ...limits }, scrubber })
const options = { findSchema: () => undefined, settings: settingsOf(), captureUnknownSchemas: false }
const compile = (response: unknown) => compileResponseCapture(response, options)
const schemaOf = (name: string) => ({ type: 'object', properties: { [name]: { type: 'string' } } })

t.test('the schema of an answer is the one that Fastify serializes it with', async (t) => {
  const response = {
    200: schemaOf('exact'),
    '2XX': schemaOf('class'),
    '4xx': { content: { 'application/json': { schema: schemaOf('json') }, 'application/problem+json': { schema: schemaOf('problem') } } },
    404: { content: { 'text/plain': { schema: schemaOf('plain') }, '*/*': { schema: schemaOf('any') } } },
    '5xx': { content: {} },
    default: schemaOf('rest'),
    301: null,
  }
  const all = { exact: 'exact', class: 'class', json: 'json', problem: 'problem', plain: 'plain', any: 'any', rest: 'rest' }
  const cases: Array<[number, string | undefined, string | undefined]> = [
    [200, undefined, 'exact'], [200, 'application/json', 'exact'], [201, undefined, 'class'], [299, 'text/plain', 'class'],
    [400, 'application/json', 'json'], [422, 'application/problem+json', 'problem'],
    // A class with schemas for other types only stands for itself: neither `default` nor another class takes its place.
    [400, 'text/html', undefined], [400, undefined, undefined], [500, 'application/json', undefined],
    [404, 'text/plain', 'plain'], [404, 'application/json', 'any'], [404, undefined, 'any'],
    [302, 'application/json', 'rest'], [301, 'application/json', 'rest'], [100, undefined, 'rest'],
  ]
  for (const [status, mediaType, expected] of cases) {
    const node = nodeOfResponse(compile(response), status, mediaType)
    const json = node === undefined ? undefined : captureResponse(node, JSON.stringify(all), settingsOf())?.json
    t.strictSame(json, expected === undefined ? undefined : JSON.stringify({ [expected]: expected }), `${status} ${mediaType ?? ''}`)
  }
  for (const nothing of [undefined, null, {}]) t.equal(nodeOfResponse(compile(nothing), 200, 'application/json'), undefined, 'no schemas')
  t.equal(nodeOfResponse(compile({ 200: schemaOf('a') }), 201, undefined), undefined, 'no schema for this status')
  t.throws(() => compile({ '2xx': { properties: { a: { items: 5 } } } }), { message: 'response 2xx/a: "items" must be a schema, received 5' }, 'what cannot be read is refused with its status')
  t.throws(() => compile({ 200: { content: { 'text/x': { schema: { type: 5 } } } } }), { message: /^response 200 \(text\/x\): / }, 'and its media type')
})

t.test('Fastify chooses in the same way', async (t) => {
  const app = Fastify()
  const content = { content: { 'application/json': { schema: schemaOf('json') }, '*/*': { schema: schemaOf('any') } } }
  const response = { 200: schemaOf('exact'), '2xx': schemaOf('class'), 404: content, '4xx': { content: { 'text/x': { schema: schemaOf('x') }, 'Application/JSON': { schema: schemaOf('json') } } }, default: schemaOf('rest') }
  app.get<{ Querystring: { status: number, type: string } }>('/', { schema: { response } }, async ({ query }, reply) => {
    return reply.code(Number(query.status)).type(query.type).send({ exact: '1', class: '1', json: '1', any: '1', x: '1', rest: '1' })
  })
  const capture = compile(response)
  for (const status of [200, 201, 302, 400, 404, 500]) {
    for (const type of ['application/json', 'text/x', 'application/vnd.x+json']) {
      const { body } = await app.inject(`/?status=${status}&type=${encodeURIComponent(type)}`)
      const node = nodeOfResponse(capture, status, type)
      // Without a schema everything is sent, and nothing recorded.
      if (node === undefined) t.equal(Object.keys(JSON.parse(body)).length, 6, `${status} ${type}`)
      else t.equal(captureResponse(node, body, settingsOf())?.json, body, `${status} ${type}`)
    }
  }
})

t.test('of an answer is recorded what its schema declares', async (t) => {
  const schema = Type.Object({ name: Type.String(), token: Type.String(), secret: redact(Type.String()), internal: omit(Type.String()), list: Type.Array(Type.Object({ id: Type.Integer() })) })
  const node = nodeOfResponse(compile({ 200: schema }), 200, undefined)!
  const body = { x: CANARY, name: 'n', token: CANARY, secret: CANARY, internal: CANARY, list: [{ id: 1, x: CANARY }] }
  t.strictSame(captureResponse(node, JSON.stringify(body), settingsOf()), {
    json: '{"name":"n","token":"[scrubbed]","secret":"[redacted string]","list":[{"id":1}]}', truncated: false, scrubbed: ['/response/token'],
  })
  t.strictSame(captureResponse(node, '{"name":"n"}', settingsOf()), { json: '{"name":"n"}', truncated: false, scrubbed: [] }, 'nothing is scrubbed')
  for (const text of ['', 'plain text', '{"a":', '<html>']) t.equal(captureResponse(node, text, settingsOf()), undefined, `no JSON: ${text}`)
  const open = nodeOfResponse(compile({ default: {} }), 200, undefined)!
  const long = JSON.stringify({ a: 'ü'.repeat(200_000) })
  t.strictSame(captureResponse(open, long, settingsOf()), { json: '{"type":"json","bytes":400008}', truncated: true, scrubbed: [] }, 'a large answer is not even parsed')
  t.strictSame(captureResponse(open, '{"a":1}', settingsOf({ maxOpenBytes: 7 })), { json: '{"a":1}', truncated: false, scrubbed: [] }, 'one at the bound is')
  t.strictSame(captureResponse(open, JSON.stringify({ a: 'a'.repeat(2000) }), settingsOf()), { json: JSON.stringify({ a: 'a'.repeat(1024) + '…' }), truncated: true, scrubbed: [] }, 'text is cut')
})

t.test('random answers stay within the bound', async (t) => {
  const node = nodeOfResponse(compile({ default: Type.Object({ a: Type.Any(), b: Type.Record(Type.String(), Type.Any()) }) }), 200, undefined)!
  const body = fc.record({ a: fc.jsonValue({ maxDepth: 12 }), b: fc.dictionary(fc.string(), fc.jsonValue()), c: fc.constant(CANARY) }, { requiredKeys: [] })
  t.equal(fc.defaultReportMessage(fc.check(fc.property(body, fc.integer({ min: 1024, max: 8192 }), (body, maxBytes) => {
    const { json } = captureResponse(node, JSON.stringify(body), settingsOf({ maxBytes }))!
    ok(Buffer.byteLength(json) <= maxBytes)
    ok(!('c' in JSON.parse(json)))
  }), { numRuns: 300 })), undefined)
})

t.test('an answer that could not be serialized is an error, without the value that was refused', async (t) => {
  const app = Fastify()
  const schema = {
    response: {
      200: {
        type: 'object', required: ['id'], properties: { id: { type: 'integer' }, day: { type: 'string', format: 'date-time' }, union: { oneOf: [{ type: 'object', properties: { a: { type: 'integer' } } }, { type: 'boolean' }] } },
      },
    },
  }
  const bodies: unknown[] = [{ id: CANARY }, { id: `${CANARY}" cannot be ${CANARY}` }, {}, { id: 1, day: [CANARY] }, { id: 1, union: CANARY }]
  const seen: unknown[] = []
  app.addHook('onError', async (_request, _reply, error) => { seen.push(error) })
  app.get<{ Querystring: { index: string } }>('/', { schema }, async ({ query }) => bodies[Number(query.index)])
  for (let index = 0; index < bodies.length; index++) await app.inject(`/?index=${index}`)
  const records = seen.filter(isSerializationError).map((error) => describeSerializationFailure(error, scrubber))
  const messages = [
    'The value "[scrubbed]" cannot be converted to an integer.', 'The value "[scrubbed]" cannot be converted to an integer.', '"id" is required!',
    'The value "[scrubbed]" cannot be converted to a date-time.', "The value of '#/properties/union' does not match schema definition.",
  ]
  t.strictSame(records, messages.map((message) => ({ part: 'response', path: '', keyword: 'serialization', message })))
  for (const error of seen as Error[]) t.notMatch(withoutQuotedValue(error.stack!), CANARY, error.name)
})

t.test('errors of serializers, whatever they are', async (t) => {
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const cases: Array<[unknown, boolean]> = [
    [Object.assign(new Error('x'), { serialization: { statusCode: 200 } }), true], [{ serialization: undefined }, true], [Object.create({ serialization: 1 }), true],
    [new Error('x'), false], [{}, false], [null, false], [undefined, false], ['serialization', false], [5, false], [revoked.proxy, false],
    [new Proxy({}, { has: () => { throw new Error('mine') } }), false],
  ]
  for (const [error, expected] of cases) t.equal(isSerializationError(error), expected)
  const described: Array<[unknown, string]> = [
    ['The value "a "quoted" one" does not match schema definition.', 'The value "[scrubbed]" does not match schema definition.'],
    ['The value "line\nbreak" cannot be converted to a number.', 'The value "[scrubbed]" cannot be converted to a number.'],
    ['The value "never ends', 'The value "never ends'],
    ['token=abc', 'token=[scrubbed]'],
    ['x'.repeat(1e6), 'x'.repeat(256) + '…'],
    [undefined, 'could not be serialized'], [5, 'could not be serialized'], [{ toString: () => CANARY }, 'could not be serialized'],
  ]
  for (const [message, expected] of described) t.equal(describeSerializationFailure({ message }, scrubber).message, expected, String(message).slice(0, 40))
  const secret = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => `${text}${CANARY}"${text}`)
  const ending = fc.constantFrom('cannot be converted to an integer.', 'does not match schema definition.')
  t.equal(fc.defaultReportMessage(fc.check(fc.property(secret, ending, (value, ending) => ok(!withoutQuotedValue(`The value "${value}" ${ending}`).includes(CANARY))))), undefined, 'random values')
})
