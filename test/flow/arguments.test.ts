// latest versions only
import { Readable } from 'node:stream'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { diag, DiagLogLevel } from '@opentelemetry/api'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import otelPlugin, {
  asAttribute, omit, redact, routeMapper, standardAttributes, type FastifySchemaTelemetryOptions, type RequestAttributesMapper, type ScrubMatch,
} from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { send, sendRaw } from '../helpers/http.ts'
import { ALL_TIMES, ARGUMENT_TIMES, normalize, requestAttributes } from '../helpers/spans.ts'
import { argumentsOf, probe, setUp, type Probe } from '../helpers/subject.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

const json = { 'content-type': 'application/json' }
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'

const ok = async () => 'ok'

interface Case {
  name: string
  /** Schema of the body, unless `route` has one. */
  body?: object
  route?: Probe['route']
  prepare?: Probe['prepare']
  options?: FastifySchemaTelemetryOptions
  request: Probe['request']
  statusCode?: number
  /** Everything that the span says of its arguments. */
  expected: ReturnType<typeof argumentsOf>
  /** Attributes beside them, as far as they are looked at. */
  attributes?: Record<string, unknown>
}

/** Sends each case with and without the plugin, and compares all that its span says of arguments; a text with `canary` must never be in it. */
async function probeAll (t: Test, cases: Case[]): Promise<void> {
  for (const { name, body, route, prepare, options, request, statusCode = 200, expected, attributes } of cases) {
    const { answer, span } = await probe(t, name, {
      route: { ...(body === undefined ? {} : { schema: { body } }), ...route },
      ...(prepare === undefined ? {} : { prepare }),
      ...(options === undefined ? {} : { options }),
      ...(request === undefined ? {} : { request }),
    })
    t.equal(answer.statusCode, statusCode, name)
    t.same(argumentsOf(span), expected, name)
    if (attributes !== undefined) t.match(span.attributes, attributes, name)
    t.notMatch(JSON.stringify(span), /canary/i, name)
  }
}

/** The lines of the API's diagnostics logger while a test runs. */
function catchDiag (t: Test): string[] {
  const lines: string[] = []
  const log = (...words: unknown[]) => { lines.push(words.join(' ')) }
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel.WARN)
  t.teardown(() => diag.disable())
  return lines
}

const City = Type.Object({ city: Type.String() })
const paris = { city: 'Paris', canary: 'canary' }

t.test('the schema decides what is recorded, whatever it is made of', async (t) => {
  const added = (...schemas: object[]) => (app: FastifyInstance) => { for (const schema of schemas) app.addSchema(schema) }
  await probeAll(t, [
    {
      name: 'objects and lists inside one another, in the order of the schema',
      body: Type.Object({ list: Type.Array(City), deep: Type.Object({ deeper: Type.Object({ n: Type.Integer() }) }), absent: Type.Optional(Type.String()), none: Type.Null() }),
      request: { body: { canary: 1, none: null, deep: { deeper: { n: 1, canary: 1 }, canary: 1 }, list: [paris, paris] } },
      expected: { values: { body: { list: [{ city: 'Paris' }, { city: 'Paris' }], deep: { deeper: { n: 1 } }, none: null } } },
    },
    {
      name: 'what validation made of it: coerced and defaulted',
      route: {
        method: 'GET',
        url: '/:id',
        schema: { params: Type.Object({ id: Type.Integer() }), querystring: Type.Object({ page: Type.Integer({ default: 1 }), on: Type.Boolean(), ids: Type.Array(Type.Integer()) }) },
      },
      request: { path: '/7?on=true&ids=1&ids=2&canary=1' },
      expected: { values: { params: { id: 7 }, querystring: { page: 1, on: true, ids: [1, 2] } } },
    },
    {
      name: 'tuples',
      body: Type.Tuple([Type.String(), City, Type.Array(Type.Integer())]),
      request: { body: ['a', paris, [1]] },
      expected: { values: { body: ['a', { city: 'Paris' }, [1]] } },
    },
    {
      name: 'unions: what any branch declares',
      body: Type.Object({ either: Type.Union([City, Type.Object({ zip: Type.String() }), Type.Null()]), text: Type.Union([Type.String(), Type.Integer()]) }),
      request: { body: { either: { ...paris, zip: '75000' }, text: 'x' } },
      expected: { values: { body: { either: { city: 'Paris', zip: '75000' }, text: 'x' } } },
    },
    {
      name: 'intersections, and what depends on another property',
      body: Type.Intersect([City, Type.Object({ zip: Type.String() }), Type.Unsafe({ type: 'object', dependencies: { zip: { properties: { area: { type: 'string' } } } } })]),
      request: { body: { ...paris, zip: '75000', area: 'north' } },
      expected: { values: { body: { city: 'Paris', zip: '75000', area: 'north' } } },
    },
    {
      name: 'conditions',
      body: { type: 'object', properties: { kind: { type: 'string' } }, if: { properties: { kind: { const: 'a' } } }, then: { properties: { a: { type: 'integer' } } }, else: { properties: { b: { type: 'integer' } } } },
      request: { body: { kind: 'a', a: 1, canary: 1 } },
      expected: { values: { body: { kind: 'a', a: 1 } } },
    },
    {
      name: 'references to schemas that were added, and from those to others',
      prepare: added({ $id: 'Street', type: 'object', properties: { name: { type: 'string' } } }, {
        $id: 'Address', type: 'object', properties: { street: { $ref: 'Street#' }, zip: { $ref: '#/definitions/Zip' } }, definitions: { Zip: { type: 'string' } },
      }),
      body: { type: 'object', properties: { home: { $ref: 'Address#' }, all: { type: 'array', items: { $ref: 'Address#/definitions/Zip' } } } },
      request: { body: { home: { street: { name: 'Rue', canary: 1 }, zip: '1', canary: 1 }, all: ['2'] } },
      expected: { values: { body: { home: { street: { name: 'Rue' }, zip: '1' }, all: ['2'] } } },
    },
    {
      name: 'a schema of TypeBox that was added, and Type.Ref to it',
      prepare: added(Type.Object({ name: Type.String(), home: City }, { $id: 'User' })),
      body: Type.Object({ user: Type.Ref('User') }),
      request: { body: { user: { name: 'Ada', home: paris, canary: 1 } } },
      expected: { values: { body: { user: { name: 'Ada', home: { city: 'Paris' } } } } },
    },
    {
      name: 'added in a child of the app, where the root does not know it',
      prepare: (app) => app.register(async (child) => {
        child.addSchema({ $id: 'Inner', type: 'object', properties: { a: { type: 'integer' } } })
        child.post('/child', { schema: { body: { $ref: 'Inner#' } } }, async () => 'ok')
      }),
      route: { url: '/other' },
      request: { path: '/child', body: { a: 1, canary: 1 } },
      expected: { values: { body: { a: 1 } } },
    },
    {
      name: 'a schema that refers to itself',
      body: { $id: 'Tree', type: 'object', properties: { id: { type: 'integer' }, kids: { type: 'array', items: { $ref: '#' } } } },
      request: { body: { id: 1, canary: 1, kids: [{ id: 2, canary: 1, kids: [{ id: 3 }] }] } },
      expected: { values: { body: { id: 1, kids: [{ id: 2, kids: [{ id: 3 }] }] } } },
    },
    {
      name: 'recursive types',
      body: Type.Object({ tree: Type.Recursive((This) => Type.Object({ id: Type.Integer(), kids: Type.Array(This) })) }),
      route: { validatorCompiler: TypeBoxValidatorCompiler as never },
      request: { body: { tree: { id: 1, canary: 1, kids: [{ id: 2, canary: 1, kids: [] }] } } },
      expected: { values: { body: { tree: { id: 1, kids: [{ id: 2, kids: [] }] } } } },
    },
    {
      name: 'modules',
      body: Type.Module({ User: Type.Object({ name: Type.String(), friends: Type.Array(Type.Ref('User')) }) }).Import('User'),
      route: { validatorCompiler: TypeBoxValidatorCompiler as never },
      request: { body: { name: 'Ada', canary: 1, friends: [{ name: 'Bob', canary: 1, friends: [] }] } },
      expected: { values: { body: { name: 'Ada', friends: [{ name: 'Bob', friends: [] }] } } },
    },
    {
      name: 'records: their names with them; patterns: the names that match',
      body: Type.Object({ scores: Type.Record(Type.String(), City), flags: Type.Unsafe({ type: 'object', patternProperties: { '^x-': { type: 'boolean' } } }) }),
      request: { body: { scores: { ada: paris, toString: paris, constructor: paris }, flags: { 'x-a': true, canary: true } } },
      expected: { values: { body: { scores: { ada: { city: 'Paris' }, toString: { city: 'Paris' }, constructor: { city: 'Paris' } }, flags: { 'x-a': true } } } },
    },
    {
      name: 'names with signs in them',
      body: Type.Object({ 'a/b~"c': Type.String(), 'é\n': Type.String() }),
      request: { body: { 'a/b~"c': 'x"\\\u0007', 'é\n': '\ud800 😀' } },
      expected: { values: { body: { 'a/b~"c': 'x"\\\u0007', 'é\n': '\ufffd 😀' } } },
    },
    {
      name: 'transforms: as the handler sees them',
      body: Type.Object({ at: Type.Transform(Type.String()).Decode((text) => new Date(text)).Encode((date) => date.toISOString()) }),
      request: { body: { at: '2026-01-01' } },
      expected: { values: { body: { at: '2026-01-01' } } },
    },
    {
      name: 'values that JSON does not have',
      prepare: (app) => app.addHook('preValidation', async (request) => { request.body = { day: new Date(0), bytes: new Uint8Array(3), id: 2n ** 64n, never: Number.NaN } }),
      body: Type.Object({ day: Type.Date(), bytes: Type.Uint8Array(), id: Type.BigInt(), never: Type.Unknown() }),
      route: { validatorCompiler: TypeBoxValidatorCompiler as never },
      request: {},
      expected: { values: { body: { day: '1970-01-01T00:00:00.000Z', bytes: { type: 'Uint8Array', bytes: 3 }, id: '18446744073709551616', never: 'NaN' } } },
    },
    {
      name: 'headers: in whatever letters',
      route: { schema: { headers: { type: 'object', required: ['X-Tenant'], properties: { 'X-Tenant': { type: 'string' }, 'X-COUNT': { type: 'integer' } } } } },
      request: { headers: { 'x-TENANT': 'acme', 'x-count': '7', 'x-canary': 'canary' } },
      expected: { values: { headers: { 'x-tenant': 'acme', 'x-count': 7 } } },
    },
    {
      name: 'Fastify\'s other name of querystring',
      route: { method: 'GET', schema: { query: Type.Object({ n: Type.Integer() }) } },
      request: { path: '/?n=1&canary=1' },
      expected: { values: { querystring: { n: 1 } } },
    },
    {
      name: 'a body by media type',
      body: { content: { 'application/json': { schema: Type.Object({ a: Type.Integer() }) }, 'text/plain': { schema: Type.String() } } },
      request: { body: '{"a":"1","canary":1}', headers: { 'content-type': 'Application/JSON ; charset=utf-8' } },
      expected: { values: { body: { a: 1 } } },
    },
    {
      name: 'a body of another of its media types',
      body: { content: { 'application/json': { schema: Type.Object({ a: Type.Integer() }) }, 'text/plain': { schema: Type.String() } } },
      request: { body: 'text', headers: { 'content-type': 'text/plain' } },
      expected: { values: { body: 'text' } },
    },
    {
      name: 'a body of a media type without a schema: nothing was validated',
      body: { content: { 'application/json': { schema: Type.Object({ a: Type.Integer() }) } } },
      request: { body: 'canary', headers: { 'content-type': 'text/plain' } },
      expected: {},
    },
    {
      name: 'what a schema leaves open: whole, secrets scrubbed',
      body: Type.Object({ any: Type.Any(), more: Type.Object({ a: Type.Integer() }, { additionalProperties: true }) }),
      request: { body: { any: { list: [{ b: 1, password: 'canary' }] }, more: { a: 1, b: { c: 2 } }, canary: 1 } },
      expected: { values: { body: { any: { list: [{ b: 1, password: '[scrubbed]' }] }, more: { a: 1, b: { c: 2 } } } }, scrubbed: ['/body/any/list/0/password'] },
    },
    {
      name: 'what a schema leaves closed, or says nothing of',
      body: Type.Object({ bare: Type.Unsafe({ type: 'object' }), list: Type.Unsafe({ type: 'array' }), short: Type.Unsafe({ minLength: 1 }), nowhere: Type.Unsafe({ enum: [1, { a: 1 }] }) }),
      request: { body: { bare: { canary: 1 }, list: ['canary'], short: { canary: 1 }, nowhere: 1 } },
      expected: { values: { body: { bare: {}, list: '[array of 1]', short: {}, nowhere: 1 } } },
    },
    {
      name: 'a value of another kind than its schema asks something of',
      body: { type: 'object', properties: { short: { minLength: 1 } } },
      request: { body: { short: 12345 } },
      expected: { values: { body: { short: '[number]' } } },
    },
    {
      name: 'the schemas true and false',
      body: { type: 'object', properties: { yes: true, no: false } },
      request: { body: { yes: { a: [1] } } },
      expected: { values: { body: { yes: { a: [1] } } } },
    },
    { name: 'no schema, no values', route: {}, request: { path: '/?canary=1', body: { canary: 1 } }, expected: {} },
    { name: 'a body that is null', body: Type.Union([Type.Null(), City]), request: { body: 'null', headers: json }, expected: { values: { body: null } } },
    { name: 'a body that is a text', body: Type.String(), request: { body: '"text"', headers: json }, expected: { values: { body: 'text' } } },
    {
      name: 'the part that failed, and those after it, are left out',
      route: { url: '/:id', schema: { params: Type.Object({ id: Type.Integer() }), body: City, querystring: Type.Object({ n: Type.Integer() }), headers: Type.Object({ 'user-agent': Type.String() }) } },
      request: { path: '/7?n=x', body: paris },
      statusCode: 400,
      expected: {
        values: { params: { id: 7 }, body: { city: 'Paris' } },
        errors: [{ part: 'querystring', path: '/n', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/n/type', params: { type: 'integer' }, input: 'x' }],
        errorCount: 1,
      },
    },
    {
      name: 'buffers and streams: kind and size',
      prepare (app) {
        app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => ({ body, blob: new Blob(['four']), file: new File(['three'], 'canary.txt') }))
      },
      body: Type.Any(),
      request: { body: Buffer.from('canary'), headers: { 'content-type': 'application/octet-stream' } },
      expected: { values: { body: { body: { type: 'Buffer', bytes: 6 }, blob: { type: 'blob', bytes: 4 }, file: { type: 'file', bytes: 5 } } } },
    },
    {
      name: 'a body that is still to be read',
      prepare (app) {
        app.addContentTypeParser('text/csv', async (_request: FastifyRequest, payload: Readable) => payload)
        app.addHook('onSend', async ({ body }) => { (body as Readable).resume() })
      },
      body: Type.Any(),
      request: { body: 'canary', headers: { 'content-type': 'text/csv' } },
      expected: { values: { body: { type: 'stream' } } },
    },
  ])
})

t.test('bounds: a large body in an open schema, one of unknown size, many errors', async (t) => {
  const text = 'x'.repeat(300_000)
  await probeAll(t, [
    {
      name: 'open parts of a body of more than 256 KiB are not looked into',
      body: Type.Object({ name: Type.String(), any: Type.Any(), more: Type.Object({ a: Type.Integer() }, { additionalProperties: true }) }),
      request: { body: { name: 'Ada', any: { text }, more: { a: 1, b: 2 } } },
      expected: { values: { body: { name: 'Ada', any: { type: 'object', bytes: 300_053 }, more: { a: 1 } } }, truncated: true },
    },
    {
      name: 'nor those of a body whose size is not known before',
      body: Type.Object({ name: Type.String(), any: Type.Any() }),
      request: { body: '{"name":"Ada","any":{"a":1}}', headers: { ...json, 'transfer-encoding': 'chunked', 'content-length': undefined } },
      expected: { values: { body: { name: 'Ada', any: { type: 'object' } } }, truncated: true },
    },
  ])

  const { span, answer } = await probe(t, 'an error for each of 5,000 items', {
    server: { ajv: { customOptions: { allErrors: true } }, bodyLimit: 4 * 1024 * 1024 },
    route: { schema: { body: Type.Array(Type.Object({ n: Type.Integer(), pattern: Type.String({ pattern: `^${'a'.repeat(300)}$` }) })) } },
    request: { body: Array.from({ length: 5000 }, () => ({ n: 'x', pattern: 'y'.repeat(500) })) },
  })
  t.equal(answer.statusCode, 400)
  const { errors, errorCount, truncated } = argumentsOf(span)
  t.same([errorCount, truncated], [10_000, true])
  t.ok(errors.length >= 5 && errors.length <= 10)
  t.ok(Buffer.byteLength(String(span.attributes['fastify.arguments.errors'])) <= 4096)
  for (const { message, input } of errors) t.ok(message.length <= 257 && input.length <= 257)
})

t.test('redact, omit and asAttribute: in values, in errors, as attributes', async (t) => {
  const Login = Type.Object({
    email: redact(Type.String()),
    device: omit(Type.Object({ print: Type.String() })),
    country: asAttribute('app.country', Type.String()),
    items: Type.Array(Type.Object({ sku: asAttribute('app.sku', Type.String()), note: redact(Type.Array(Type.String())) })),
  })
  const login = { email: 'canary', device: { print: 'canary' }, country: 'NO', items: [{ sku: 'lamp', note: ['canary'] }, { sku: 'desk', note: [] }] }
  const recorded = { email: '[redacted string]', country: 'NO', items: [{ sku: 'lamp', note: '[redacted array]' }, { sku: 'desk', note: '[redacted array]' }] }
  const attributes = { 'app.country': 'NO', 'app.sku': ['lamp', 'desk'] }
  const marked = { $id: 'Marked', type: 'object', properties: { email: redact({ type: 'string' }), gone: omit({ type: 'string' }), country: asAttribute('app.country', { type: 'string' }) } }
  await probeAll(t, [
    { name: 'TypeBox', body: Login, request: { body: login }, expected: { values: { body: recorded } }, attributes },
    {
      name: 'behind a reference to an added schema: Fastify clones it and drops symbols',
      prepare: (app) => { app.addSchema({ ...Login, $id: 'Login' }) },
      body: { type: 'object', properties: { login: { $ref: 'Login#' } } },
      request: { body: { login } },
      expected: { values: { body: { login: recorded } } },
      attributes,
    },
    {
      name: 'plain JSON Schema, behind a reference with a pointer',
      prepare: (app) => { app.addSchema(marked) },
      body: { type: 'object', properties: { email: { $ref: 'Marked#/properties/email' }, gone: { $ref: 'Marked#/properties/gone' }, country: { $ref: 'Marked#/properties/country' } } },
      request: { body: { email: 'canary', gone: 'canary', country: 'NO' } },
      expected: { values: { body: { email: '[redacted string]', country: 'NO' } } },
      attributes: { 'app.country': 'NO' },
    },
    {
      name: 'writeOnly and format: password',
      body: Type.Object({ a: Type.String({ writeOnly: true }), b: Type.String({ format: 'password' }), c: Type.Array(Type.Object({ d: Type.Integer({ writeOnly: true }) })) }),
      request: { body: { a: 'canary', b: 'canary', c: [{ d: 5 }] } },
      expected: { values: { body: { a: '[redacted string]', b: '[redacted string]', c: [{ d: '[redacted number]' }] } } },
    },
    {
      name: 'types made of marked ones',
      body: Type.Composite([Type.Partial(Type.Pick(Login, ['email', 'country'])), Type.Omit(Type.Object({ a: redact(Type.Boolean()), b: Type.String() }), ['b'])]),
      request: { body: { email: 'canary', country: 'NO', a: true, b: 'canary' } },
      expected: { values: { body: { email: '[redacted string]', country: 'NO', a: '[redacted boolean]' } } },
      attributes: { 'app.country': 'NO' },
    },
    {
      name: 'one mark in one branch is enough',
      body: Type.Object({ v: Type.Union([redact(Type.String()), Type.Integer()]), w: Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ a: omit(Type.String()) })]) }),
      request: { body: { v: 5, w: { a: 'canary' } } },
      expected: { values: { body: { v: '[redacted string]', w: {} } } },
    },
    {
      name: 'records, tuples and list items',
      body: Type.Object({ rec: Type.Record(Type.String(), redact(Type.String())), tuple: Type.Tuple([redact(Type.String()), omit(Type.String()), Type.String()]), list: Type.Array(omit(Type.String())) }),
      request: { body: { rec: { ada: 'canary' }, tuple: ['canary', 'canary', 'shown'], list: ['canary'] } },
      expected: { values: { body: { rec: { ada: '[redacted string]' }, tuple: ['[redacted string]', null, 'shown'], list: [] } } },
    },
    {
      name: 'whole parts',
      route: { url: '/x/:id', schema: { params: redact(Type.Object({ id: Type.String() })), body: omit(Login), querystring: redact(Type.Object({ q: Type.String() })), headers: omit(Type.Object({ 'x-a': Type.String() })) } },
      request: { path: '/x/canary?q=canary', body: login, headers: { 'x-a': 'canary' } },
      expected: { values: { params: '[redacted object]', querystring: '[redacted object]' } },
      attributes: { 'url.path': '/x/REDACTED', 'app.country': undefined, 'app.sku': undefined },
    },
    {
      name: 'attributes of every kind, and of no secret',
      body: Type.Object({
        n: asAttribute('app.n', Type.Number()),
        on: asAttribute('app.on', Type.Boolean()),
        list: asAttribute('app.list', Type.Array(Type.Integer())),
        none: asAttribute('app.none', Type.Null()),
        token: asAttribute('app.plain', Type.String()),
        plain: asAttribute('app.token', Type.String()),
        hidden: redact(asAttribute('app.hidden', Type.String())),
        url: asAttribute('app.url', Type.String()),
      }),
      request: { body: { n: 1.5, on: false, list: [1, 2], none: null, token: 'canary', plain: 'x', hidden: 'canary', url: 'https://user:canary@example.com/' } },
      expected: {
        values: { body: { n: 1.5, on: false, list: [1, 2], none: null, token: '[scrubbed]', plain: 'x', hidden: '[redacted string]', url: 'https://[scrubbed]@example.com/' } },
        scrubbed: ['/body/token', '/body/url'],
      },
      attributes: { 'app.n': 1.5, 'app.on': false, 'app.list': [1, 2], 'app.none': undefined, 'app.plain': undefined, 'app.token': undefined, 'app.hidden': undefined, 'app.url': 'https://[scrubbed]@example.com/' },
    },
    {
      name: 'errors of what is marked name path and keyword only',
      body: Type.Object({
        email: redact(Type.String({ minLength: 99 })),
        gone: omit(Type.Object({ inner: Type.Integer() })),
        writeOnly: Type.Integer({ writeOnly: true }),
        password: Type.Integer(),
        rec: redact(Type.Record(Type.String(), Type.Integer())),
      }),
      route: { validatorCompiler: TypeBoxValidatorCompiler as never },
      request: { body: { email: 'canary', gone: { inner: 'canary' }, writeOnly: 'canary', password: 'canary', rec: { canary: 'canary' } } },
      statusCode: 400,
      expected: {
        errors: [
          { part: 'body', path: '/email', keyword: 'minLength', message: 'does not satisfy "minLength"', input: '[redacted string]' },
          { part: 'body', path: '/gone/inner', keyword: 'type', message: 'does not satisfy "type"' },
          { part: 'body', path: '/writeOnly', keyword: 'type', message: 'does not satisfy "type"', input: '[redacted string]' },
          { part: 'body', path: '/password', keyword: 'type', message: 'does not satisfy "type"', input: '[scrubbed]' },
          { part: 'body', path: '/rec/*', keyword: 'type', message: 'does not satisfy "type"', input: '[redacted string]' },
        ],
        errorCount: 5,
        scrubbed: ['/body/password'],
      },
    },
  ])
})

t.test('annotations do not change what a schema validates, nor the schema that was given', async (t) => {
  const schema = Object.freeze({ type: 'integer', minimum: 5 })
  const copies = [redact(schema), omit(schema), asAttribute('app.n', schema), redact(asAttribute('app.n', omit(schema)))]
  t.same(schema, { type: 'integer', minimum: 5 })
  for (const n of copies) {
    const { answer } = await probe(t, 'annotated', { route: { schema: { body: { type: 'object', properties: { n } } } }, request: { body: { n: 3 } } })
    t.match(answer.body, /body\/n must be >= 5/)
  }
})

t.test('path parameters that are hidden stand as REDACTED in url.path', async (t) => {
  const secret = redact(Type.String())
  const cases: Array<[pattern: string, params: Record<string, object>, path: string, recorded: string]> = [
    ['/a/:id', { id: secret }, '/a/canary', '/a/REDACTED'],
    ['/a/:id/b/:n', { id: secret, n: Type.Integer() }, '/a/canary/b/7', '/a/REDACTED/b/7'],
    ['/a/:id', { id: omit(Type.String()) }, '/a/canary', '/a/REDACTED'],
    ['/a/:id', { id: Type.String({ writeOnly: true }) }, '/a/canary', '/a/REDACTED'],
    ['/a/:id', { id: Type.Ref('Secret') }, '/a/canary', '/a/REDACTED'],
    ['/a/:id?', { id: secret }, '/a/canary', '/a/REDACTED'],
    ['/a/:lat-:lng/b', { lat: secret, lng: Type.String() }, '/a/canary-2/b', '/a/REDACTED/b'],
    ['/a/:id(^canary\\d$).json', { id: secret }, '/a/canary1.json', '/a/REDACTED'],
    ['/a/:id$', { id$: secret }, '/a/canary', '/a/REDACTED'],
    ['/a/*', { '*': secret }, '/a/canary', '/a/REDACTED'],
    ['/a/*', { '*': secret }, '/a/canary/canary', '/a/*'],
    ['/a/:token', {}, '/a/canary', '/a/REDACTED'],
    ['/a/::token', {}, '/a/:token', '/a/:token'],
  ]
  for (const [url, properties, path, recorded] of cases) {
    const { span } = await probe(t, url, {
      prepare: (app) => app.addSchema(redact({ $id: 'Secret', type: 'string' })),
      route: { method: 'GET', url, ...(Object.keys(properties).length === 0 ? {} : { schema: { params: { type: 'object', properties } } }) },
      request: { path: `${path}?canary=1` },
    })
    t.same([span.name, span.attributes['url.path']], [`GET ${url}`, recorded], `${url} with ${path}`)
    t.notMatch(JSON.stringify({ ...span, attributes: { ...span.attributes, 'http.route': '' }, name: '' }), /canary(?!\\\\d)/)
  }
})

t.test('a route that was declared before the plugin and cannot be compiled: nothing of its path is recorded', async (t) => {
  const lines = catchDiag(t)
  const telemetry = createTestTelemetry()
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  app.get('/a/:id', { schema: { params: Type.Object({ id: redact(Type.String()) }), querystring: Type.Object({ m: Type.Optional(asAttribute('http.m', Type.String())) }) } }, async () => 'ok')
  await app.register(otelPlugin)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  t.equal((await send(port, 'GET', '/a/canary')).body, 'ok')
  const [span] = await telemetry.waitForSpans(1)
  t.equal(span!.attributes['url.path'], '/a/:id')
  t.notMatch(JSON.stringify(span), /canary/)
  t.match(lines, [/schema failed; .* route GET \/a\/:id: querystring\/m: the attribute name "http\.m" belongs to/])
})

t.test('targets and hosts with userinfo', async (t) => {
  const { app, telemetry, port } = await setUp(t)
  app.get('/a', async () => 'ok')
  const address = await port()
  for (const [target, host] of [
    ['http://user:canary@example.com:8080/a?token=canary', 'example.com:8080'],
    ['HTTP://canary@example.com/a', 'user:canary@example.com:8080'],
    ['/a', 'canary@[::1]:80'],
    ['/a', '@'],
  ]) t.match(await sendRaw(address, `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`), /^HTTP\/1.1 200/)
  const spans = await telemetry.waitForSpans(4)
  t.same(spans.map(({ attributes }) => [attributes['url.path'], attributes['server.address'], attributes['server.port']]),
    [['/a', 'example.com', 8080], ['/a', 'example.com', 8080], ['/a', '::1', 80], ['/a', undefined, undefined]])
  t.notMatch(JSON.stringify(spans), /canary/)
})

t.test('a query that begins with a semicolon, where the router takes it for one', async (t) => {
  for (const useSemicolonDelimiter of [false, true]) {
    const { app, telemetry, port } = await setUp(t, {}, { routerOptions: { useSemicolonDelimiter } as object })
    app.get('/a', ok)
    app.get('/:rest', ok)
    t.equal((await send(await port(), 'GET', '/a;note=1&n=2?x')).body, 'ok')
    const [span] = await telemetry.waitForSpans(1)
    t.equal(span!.attributes['url.path'], useSemicolonDelimiter ? '/a' : '/a;note=1&n=2')
  }
})

t.test('scrubbing: more patterns, a callback, off; credential headers are redacted in any case', async (t) => {
  const lines = catchDiag(t)
  const matches: ScrubMatch[] = []
  const decide = (decision: (match: ScrubMatch) => unknown) => ({
    callback (match: ScrubMatch) {
      matches.push(match)
      return decision(match)
    },
  })
  const Open = Type.Object({ note: Type.String(), session: Type.Any(), list: Type.Array(Type.Object({ pin: Type.Any() })) })
  const sent = { note: 'password=canary, ok', session: { id: 'canary' }, list: [{ pin: 1234 }] }
  const scrubbed = ['/body/note', '/body/session', '/body/list/0/pin']
  const headers = Type.Object({ authorization: Type.String(), Cookie: Type.String(), 'x-api-key': Type.String(), 'x-plain': Type.String() })
  const sentHeaders = { authorization: 'Bearer canary', cookie: 'a=canary', 'x-api-key': 'canary', 'x-plain': 'shown' }
  await probeAll(t, [
    { name: 'by default', body: Open, request: { body: sent }, expected: { values: { body: { note: 'password=[scrubbed], ok', session: '[scrubbed]', list: [{ pin: '[scrubbed]' }] } }, scrubbed } },
    {
      name: 'extra patterns, of names and of texts, as text and as regular expression',
      options: { scrubbing: { extraPatterns: ['internal', /canary-\d+/g] } },
      body: Type.Object({ internalId: Type.Integer(), note: Type.String(), nested: Type.Object({ very_Internal: Type.String(), plain: Type.String() }) }),
      request: { body: { internalId: 5, note: 'see canary-1 and canary-22', nested: { very_Internal: 'canary', plain: 'an INTERNAL matter' } } },
      expected: {
        values: { body: { internalId: '[scrubbed]', note: 'see [scrubbed] and [scrubbed]', nested: { very_Internal: '[scrubbed]', plain: 'an [scrubbed] matter' } } },
        scrubbed: ['/body/internalId', '/body/note', '/body/nested/very_Internal', '/body/nested/plain'],
      },
    },
    { name: 'a callback that leaves it to us', options: { scrubbing: decide(() => undefined) }, body: Open, request: { body: sent }, expected: { values: { body: { note: 'password=[scrubbed], ok', session: '[scrubbed]', list: [{ pin: '[scrubbed]' }] } }, scrubbed } },
    {
      name: 'a callback that decides',
      options: { scrubbing: decide(({ path, value }) => path === '/body/list/0/pin' ? value : path === '/body/session' ? { kept: ['a', { token: 'not scrubbed again' }] } : 'replaced') },
      body: Open,
      request: { body: sent },
      expected: { values: { body: { note: 'replaced', session: { kept: ['a', { token: 'not scrubbed again' }] }, list: [{ pin: 1234 }] } } },
    },
    {
      name: 'a callback that throws: the value is taken out',
      options: { scrubbing: decide(({ value }) => { throw new Error(`no password=${JSON.stringify(value)}`) }) },
      body: Open,
      request: { body: sent },
      expected: { values: { body: { note: '[scrubbing failed]', session: '[scrubbing failed]', list: [{ pin: '[scrubbing failed]' }] } }, scrubbed },
    },
    {
      name: 'a callback that returns a promise: the same',
      options: { scrubbing: decide(() => Promise.reject(new Error('canary'))) },
      body: Open,
      request: { body: sent },
      expected: { values: { body: { note: '[scrubbing failed]', session: '[scrubbing failed]', list: [{ pin: '[scrubbing failed]' }] } }, scrubbed },
    },
    {
      name: 'off',
      options: { scrubbing: false },
      body: Type.Object({ note: Type.String(), session: Type.Any(), hidden: redact(Type.String()) }),
      route: {},
      request: { path: '/?password=canary', body: { note: 'password=shown', session: { id: 'shown' }, hidden: 'canary' } },
      expected: { values: { body: { note: 'password=shown', session: { id: 'shown' }, hidden: '[redacted string]' } } },
    },
    ...[true, false].map((scrubbing): Case => ({
      name: `credential headers with scrubbing: ${scrubbing}`,
      options: { scrubbing },
      route: { schema: { headers } },
      request: { headers: sentHeaders },
      expected: { values: { headers: { authorization: '[redacted string]', cookie: '[redacted string]', 'x-api-key': '[redacted string]', 'x-plain': 'shown' } } },
    })),
    {
      name: 'credential headers in a schema that is open, without scrubbing',
      options: { scrubbing: false },
      route: { schema: { headers: Type.Any() }, method: 'GET' },
      request: { headers: { ...sentHeaders, dpop: 'canary', connection: 'close', host: 'example.com' } },
      expected: { values: { headers: { 'user-agent': 'test', authorization: '[redacted string]', cookie: '[redacted string]', 'x-api-key': '[redacted string]', 'x-plain': 'shown', dpop: '[redacted string]', connection: 'close', host: 'example.com' } } },
    },
    {
      name: 'errors of credential headers, without scrubbing',
      options: { scrubbing: false },
      route: { schema: { headers: Type.Object({ Authorization: Type.String({ pattern: '^Basic' }) }) } },
      request: { headers: { authorization: 'canary' } },
      statusCode: 400,
      expected: { errors: [{ part: 'headers', path: '/authorization', keyword: 'pattern', message: 'does not satisfy "pattern"', schemaPath: '#/properties/authorization/pattern', input: '[redacted string]' }], errorCount: 1 },
    },
    {
      name: 'more paths than are listed',
      body: Type.Array(Type.Object({ pin: Type.Integer() })),
      route: { schema: { body: Type.Array(Type.Object({ pin: Type.Integer() })), response: { 200: Type.Object({ token: Type.String() }) } }, handler: async () => ({ token: 'x' }) },
      options: { captureResponse: true },
      request: { body: Array.from({ length: 40 }, () => ({ pin: 1 })) },
      expected: {
        values: { body: Array.from({ length: 40 }, () => ({ pin: '[scrubbed]' })) },
        response: { token: '[scrubbed]' },
        scrubbed: Array.from({ length: 32 }, (_, index) => `/body/${index}/pin`),
        truncated: true,
      },
    },
  ])
  t.same(matches.slice(0, 3), [
    { path: '/body/note', value: 'password=canary, ok', matched: 'password=canary,' },
    { path: '/body/session', value: { id: 'canary' }, matched: 'session' },
    { path: '/body/list/0/pin', value: 1234, matched: 'pin' },
  ])
  t.match(lines, [/scrubbing callback failed.*no password=\[scrubbed\]/])
})

t.test('limits: each of them holds, and says that it cut', async (t) => {
  const open = Type.Any()
  await probeAll(t, [
    { name: 'maxDepth', options: { limits: { maxDepth: 2 } }, body: open, request: { body: { a: { b: { c: 1 } }, l: [[1]] } }, expected: { values: { body: { a: { b: '{…}' }, l: ['[…]'] } }, truncated: true } },
    { name: 'maxItems', options: { limits: { maxItems: 2 } }, body: Type.Array(Type.Integer()), request: { body: [1, 2, 3, 4] }, expected: { values: { body: [1, 2, '… 2 more'] }, truncated: true } },
    { name: 'maxNodes', options: { limits: { maxNodes: 3 } }, body: open, request: { body: { a: 1, b: 2, c: 3, d: 4 } }, expected: { values: { body: { a: 1, b: 2, c: 3 } }, truncated: true } },
    { name: 'maxStringLength', options: { limits: { maxStringLength: 16 } }, body: open, request: { body: 'a'.repeat(15) + '😀😀', headers: { 'content-type': 'text/plain' } }, expected: { values: { body: 'a'.repeat(15) + '…' }, truncated: true } },
    { name: 'maxKeyLength', options: { limits: { maxKeyLength: 16 } }, body: open, request: { body: { ['k'.repeat(17)]: 1 } }, expected: { values: { body: { ['k'.repeat(16) + '…']: 1 } }, truncated: true } },
    { name: 'maxOpenBytes', options: { limits: { maxOpenBytes: 5 } }, body: open, request: { body: { a: 1 } }, expected: { values: { body: { type: 'object', bytes: 7 } }, truncated: true } },
    { name: 'nothing was cut', options: { limits: { maxDepth: 2, maxItems: 2, maxNodes: 4, maxKeyLength: 16 } }, body: open, request: { body: { a: { b: 1 }, l: [1] } }, expected: { values: { body: { a: { b: 1 }, l: [1] } } } },
  ])

  const { span: many } = await probe(t, 'maxErrors', {
    options: { limits: { maxErrors: 2 } },
    server: { ajv: { customOptions: { allErrors: true } } },
    route: { schema: { body: Type.Object({ a: Type.Integer(), b: Type.Integer(), c: Type.Integer() }), querystring: Type.Object({ d: Type.Integer() }) } },
    request: { body: {} },
  })
  t.match(argumentsOf(many), { errors: { length: 2 }, errorCount: 4, truncated: true })

  const { span: long } = await probe(t, 'maxErrorBytes', {
    options: { limits: { maxErrorBytes: 1024, maxErrors: 100 } },
    server: { ajv: { customOptions: { allErrors: true } } },
    route: { schema: { body: Type.Array(Type.Integer()) } },
    request: { body: Array.from({ length: 50 }, () => 'ä'.repeat(100)) },
  })
  t.ok(Buffer.byteLength(String(long.attributes['fastify.arguments.errors'])) <= 1024)
  t.match(argumentsOf(long), { errorCount: 50, truncated: true })
})

t.test('whatever comes and whatever the limits are, the texts are JSON and within their bound', async (t) => {
  const telemetry = createTestTelemetry()
  t.teardown(() => telemetry.release())
  const anyLimits = fc.record({
    maxBytes: fc.integer({ min: 1024, max: 4096 }),
    maxDepth: fc.integer({ min: 1, max: 32 }),
    maxNodes: fc.integer({ min: 1, max: 200 }),
    maxItems: fc.integer({ min: 1, max: 20 }),
    maxStringLength: fc.integer({ min: 16, max: 2000 }),
    maxKeyLength: fc.integer({ min: 16, max: 1024 }),
    maxOpenBytes: fc.integer({ min: 0, max: 5000 }),
    maxErrors: fc.integer({ min: 1, max: 100 }),
    maxErrorBytes: fc.integer({ min: 1024, max: 2048 }),
  }, { requiredKeys: [] })
  const anyBody = fc.record({ open: fc.jsonValue(), text: fc.string({ unit: 'binary', maxLength: 3000 }), list: fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 200 }), rec: fc.dictionary(fc.string({ unit: 'binary', maxLength: 300 }), fc.anything()) }, { requiredKeys: [] })
  await fc.assert(fc.asyncProperty(anyLimits, anyBody, async (limits, body) => {
    telemetry.reset()
    const app = Fastify({ ajv: { customOptions: { allErrors: true } } })
    await app.register(otelPlugin, { limits, mapper: (_request, { values, errors }) => ({ values, errors, 'app.text': values.body }) })
    const schema = { body: Type.Object({ open: Type.Optional(Type.Any()), text: Type.Optional(asAttribute('app.own', Type.String())), list: Type.Optional(Type.Array(Type.Integer())), rec: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }) }
    app.post('/', { schema }, async () => 'ok')
    let payload: string
    try {
      payload = JSON.stringify(body)
    } catch {
      return app.close()
    }
    await app.inject({ method: 'POST', url: '/', headers: json, payload })
    await app.close()
    const { maxBytes = 32 * 1024, maxErrors = 10 } = limits
    const { attributes } = telemetry.spans[0]!
    for (const name of ['fastify.arguments.values', 'fastify.arguments.errors']) {
      const text = attributes[name] as string | undefined
      if (text === undefined) continue
      const parsed: unknown = JSON.parse(text)
      if (Buffer.byteLength(text) > maxBytes) throw new Error(`${name} has ${Buffer.byteLength(text)} bytes, ${maxBytes} are allowed`)
      if (Array.isArray(parsed) && parsed.length > maxErrors + 1) throw new Error(`${parsed.length} errors, ${maxErrors} are allowed`)
    }
  }), { numRuns: 150 })
})

t.test('the mapper: of the plugin and of the route, with copies, once, for every outcome', async (t) => {
  const calls: unknown[] = []
  const mapper: RequestAttributesMapper = (request, args) => {
    calls.push(structuredClone({ url: request.url, ...args }))
    Object.assign(args.values, { added: 1 })
    args.errors.length = 0
    return { 'app.seen': true }
  }
  const { app, telemetry, port } = await setUp(t, { mapper })
  const schema = { querystring: Type.Object({ n: Type.Integer() }) }
  app.addHook('preValidation', async (request, reply) => request.url === '/?early' ? reply.code(401).send('early') : undefined)
  app.setErrorHandler(async (_error, { telemetry: { values, errors } }, reply) => reply.code(400).send({ values, errors: errors.length }))
  app.get('/', { schema }, async ({ telemetry: { values, errors } }) => ({ values, errors }))
  app.post('/', { schema: { body: Type.Any() } }, async () => 'ok')
  app.get('/own', {
    schema,
    config: { telemetry: { mapper: routeMapper(schema, (_request, { values }) => ({ 'app.twice': (values.querystring?.n ?? 0) * 2 })) } },
  }, async () => 'ok')
  const address = await port()
  t.equal((await send(address, 'GET', '/?n=1')).body, '{"values":{"querystring":{"n":1}},"errors":[]}')
  t.equal((await send(address, 'GET', '/?n=x')).body, '{"values":{},"errors":1}')
  t.equal((await send(address, 'GET', '/?early')).statusCode, 401)
  t.equal((await send(address, 'POST', '/', { body: '{', headers: json })).statusCode, 400)
  await send(address, 'GET', '/own?n=4')
  const spans = await telemetry.waitForSpans(5)
  t.match(calls, [
    { url: '/?n=1', values: { querystring: { n: 1 } }, errors: [] },
    { url: '/?n=x', values: {}, errors: [{ part: 'querystring', path: '/n' }] },
    { url: '/?early', values: {}, errors: [] },
    { url: '/', values: {}, errors: [{ part: 'body', keyword: 'parse' }] },
  ])
  t.equal(calls.length, 4)
  const common = { ...requestAttributes('GET', '/', '/'), 'app.seen': true }
  t.same(normalize(spans).map(({ attributes }) => attributes), [
    { ...common, 'url.query': 'n=1', 'http.response.status_code': 200, ...ALL_TIMES },
    { ...common, 'url.query': 'n=x', 'http.response.status_code': 400, 'fastify.arguments.error_count': 1, ...ARGUMENT_TIMES },
    { ...common, 'url.query': '*', 'http.response.status_code': 401, 'fastify.arguments.start_timestamp': 'TIME' },
    { ...common, 'http.request.method': 'POST', 'http.response.status_code': 400, 'fastify.arguments.error_count': 1, ...ARGUMENT_TIMES },
    { ...requestAttributes('GET', '/own?n=4', '/own'), 'app.twice': 8, 'http.response.status_code': 200, ...ALL_TIMES },
  ])
})

t.test('the mapper cannot change by accident what a span says of its request; on purpose it can, to the end', async (t) => {
  const lines = catchDiag(t)
  const { app, telemetry, port } = await setUp(t, {
    extraSpans: true,
    mapper: (request) => ({
      'http.route': '/wrong',
      'url.path': 'wrong',
      'fastify.arguments.values': 'wrong',
      'error.type': 'wrong',
      'user.id': 7,
      ...(request.url === '/plain'
        ? {}
        : {
            [standardAttributes]: {
              'url.path': '/users/…',
              'http.response.status_code': 299,
              'url.query': 'token=canary',
              'client.address': { odd: [1n, undefined] },
              none: null,
            },
          }),
    }),
  })
  app.get('/plain', async () => 'ok')
  app.get('/users/:id', async () => 'ok')
  const address = await port()
  await send(address, 'GET', '/plain')
  await send(address, 'GET', '/users/7')
  const spans = await telemetry.waitForSpans(6)
  const plain: Record<string, unknown> = { ...requestAttributes('GET', '/plain', '/plain'), 'user.id': 7, 'http.response.status_code': 200, ...ALL_TIMES }
  const requests = normalize(spans).filter(({ kind }) => kind === 'SERVER').map(({ attributes }) => attributes)
  t.same(requests, [
    plain,
    {
      ...plain,
      ...requestAttributes('GET', '/users/…', '/users/:id'),
      'http.response.status_code': 299,
      'url.query': 'token=[scrubbed]',
      'client.address': '{"odd":["1",null]}',
      'fastify.arguments.scrubbed': ['/url.query'],
    },
  ])
  t.same(lines, ['fastify-schema-telemetry: mapper attribute failed; the request is not affected: TypeError: http.route, url.path, fastify.arguments.values, error.type can only be set under the key standardAttributes'])
})

t.test('what a mapper returns is bounded and scrubbed like the rest', async (t) => {
  const wild: Record<string, unknown> = {
    'app.text': 'x'.repeat(5000),
    'app.date': new Date(0),
    'app.bigint': 2n ** 70n,
    'app.list': ['a', 'b'],
    'app.mixed': ['a', 1],
    'app.password': 'canary',
    'app.nested': { apiKey: 'canary', fine: 1 },
    'app.url': 'https://user:canary@example.com/',
    'app.none': undefined,
    'app.null': null,
    'app.function': () => 'canary',
    'app.getter': { get a () { throw new Error('canary') } },
    values: { list: Array.from({ length: 100 }, (_, index) => index), token: 'canary' },
  }
  const { span } = await probe(t, 'wild', { options: { mapper: () => wild, limits: { maxItems: 3 } }, route: {} })
  const { 'fastify.arguments.scrubbed': scrubbed, ...attributes } = span.attributes
  t.match(attributes, {
    'app.text': 'x'.repeat(1024) + '…',
    'app.date': '1970-01-01T00:00:00.000Z',
    'app.bigint': '1180591620717411303424',
    'app.list': ['a', 'b'],
    'app.mixed': '["a",1]',
    'app.password': '[scrubbed]',
    'app.nested': '{"apiKey":"[scrubbed]","fine":1}',
    'app.url': 'https://[scrubbed]@example.com/',
    'app.none': undefined,
    'app.null': undefined,
    'app.getter': '{"a":"[unreadable]"}',
    'fastify.arguments.values': '{"list":[0,1,2,"… 97 more"],"token":"[scrubbed]"}',
    'fastify.arguments.truncated': true,
  })
  t.same(scrubbed, ['/app.password', '/app.nested/apiKey', '/app.url', '/token'])
  t.notMatch(JSON.stringify(span), /canary/)
})

t.test('captureResponse: what the schema of the answer declares, chosen as Fastify chooses it', async (t) => {
  const response = {
    200: Type.Object({ id: Type.Integer(), secret: redact(Type.String()), gone: omit(Type.String()), token: Type.String() }),
    '4xx': Type.Object({ message: Type.String() }),
    default: Type.Object({ oops: Type.String() }),
  }
  const byType = {
    200: {
      description: 'by type',
      content: {
        'application/json': { schema: Type.Object({ a: Type.String() }) },
        'application/vnd.v2+json': { schema: Type.Object({ b: Type.String() }) },
        '*/*': { schema: Type.Object({ c: Type.String() }) },
      },
    },
  }
  const all = { id: 1, secret: 'canary', gone: 'canary', token: 'canary', message: 'm', oops: 'o', a: 'a', b: 'b', c: 'c', undeclared: 'canary' }
  const on = { captureResponse: true }
  const answering = (schema: object, statusCode: number, type?: string, payload: () => unknown = () => all) => ({
    schema: { response: schema },
    handler: async (_request: FastifyRequest, reply: { code: (code: number) => any, type: (type: string) => any }) => {
      if (type !== undefined) reply.type(type)
      return reply.code(statusCode).send(payload())
    },
  }) as Probe['route']
  await probeAll(t, [
    {
      name: 'by status code',
      options: on,
      route: answering(response, 200),
      request: {},
      expected: { response: { id: 1, secret: '[redacted string]', token: '[scrubbed]' }, scrubbed: ['/response/token'] },
    },
    { name: 'by class', options: on, route: answering(response, 404), request: {}, statusCode: 404, expected: { response: { message: 'm' } } },
    { name: 'the rest', options: on, route: answering(response, 503), request: {}, statusCode: 503, expected: { response: { oops: 'o' } } },
    { name: 'by content type', options: on, route: answering(byType, 200, 'application/vnd.v2+json; charset=utf-8'), request: {}, expected: { response: { b: 'b' } } },
    { name: 'by the content type that Fastify adds', options: on, route: answering(byType, 200), request: {}, expected: { response: { a: 'a' } } },
    { name: 'of any other content type', options: on, route: answering(byType, 200, 'application/hal+json'), request: {}, expected: { response: { c: 'c' } } },
    { name: 'a code without a schema', options: on, route: answering({ 200: response[200] }, 201), request: {}, statusCode: 201, expected: {} },
    { name: 'a text that was made by the handler', options: on, route: answering(response, 404, 'application/json', () => '{"message":"m","canary":1}'), request: {}, statusCode: 404, expected: { response: { message: 'm' } } },
    { name: 'a text that is no JSON', options: on, route: answering({ '4xx': Type.String() }, 404, 'text/plain', () => 'canary'), request: {}, statusCode: 404, expected: {} },
    { name: 'a stream', options: on, route: answering({ '4xx': Type.String() }, 404, 'text/plain', () => Readable.from(['canary'])), request: {}, statusCode: 404, expected: {} },
    { name: 'off by default', route: answering(response, 200), request: {}, expected: {} },
    { name: 'on for the route only', route: { ...answering(response, 404), config: { telemetry: on } }, request: {}, statusCode: 404, expected: { response: { message: 'm' } } },
    { name: 'off for the route', options: on, route: { ...answering(response, 404), config: { telemetry: { captureResponse: false } } }, request: {}, statusCode: 404, expected: {} },
    { name: 'with no arguments', options: { ...on, capture: 'none' }, route: answering(response, 404), request: {}, statusCode: 404, expected: { response: { message: 'm' } } },
    { name: 'the answer of a refused request', options: on, route: { schema: { body: City, response: { '4xx': Type.Object({ code: Type.String() }) } } }, request: { body: '{', headers: json }, statusCode: 400, expected: { response: { code: 'FST_ERR_CTP_INVALID_JSON_BODY' }, errors: [{ part: 'body', path: '', keyword: 'parse', message: 'is not valid JSON', params: { position: 1, line: 1, column: 2 } }], errorCount: 1 } },
    { name: 'larger than is read', options: { ...on, limits: { maxOpenBytes: 10 } }, route: answering(response, 404), request: {}, statusCode: 404, expected: { response: { type: 'json', bytes: 15 }, truncated: true } },
    { name: 'a reference', options: on, prepare: (app: FastifyInstance) => { app.addSchema({ $id: 'Out', type: 'object', properties: { a: { type: 'string' }, b: redact({ type: 'string' }) } }) }, route: answering({ 200: { $ref: 'Out#' } }, 200), request: {}, expected: { response: { a: 'a', b: '[redacted string]' } } },
  ] as Case[])
})

t.test('an answer that cannot be serialized: a 500, its value quoted nowhere', async (t) => {
  const { app, telemetry, port } = await setUp(t, { captureResponse: true })
  const response = { 200: Type.Object({ n: Type.Integer() }) }
  app.post('/', { schema: { body: City, response } }, async function unserializable () { return { n: 'canary "quoted" cannot be \n canary' } })
  const answer = await send(await port(), 'POST', '/', { body: paris })
  t.equal(answer.statusCode, 500)
  const message = 'The value "[scrubbed]" cannot be converted to an integer.'
  const spans = await telemetry.waitForSpans(1)
  t.same(normalize(spans), [{
    name: 'POST /',
    kind: 'SERVER',
    attributes: {
      ...requestAttributes('POST', '/', '/'),
      'code.function.name': 'unserializable',
      'fastify.arguments.values': { body: { city: 'Paris' } },
      'fastify.arguments.errors': [{ part: 'response', path: '', keyword: 'serialization', message }],
      'fastify.arguments.error_count': 1,
      'http.response.status_code': 500,
      'error.type': 'Error',
      ...ALL_TIMES,
    },
    status: 'ERROR',
    events: [{ name: 'exception', attributes: { 'exception.type': 'Error', 'exception.message': message, 'exception.stacktrace': 'string' } }],
  }])
  t.notMatch(JSON.stringify(spans), /canary/)
})

t.test('a failed serialization adds to the errors that the mapper kept, and brings none back', async (t) => {
  const kept: Array<[name: string, mapper: RequestAttributesMapper | undefined, parts: string[] | undefined]> = [
    ['no mapper', undefined, ['body', 'response']],
    ['all', (_request, args) => ({ ...args }), ['body', 'response']],
    ['other attributes', () => ({ 'app.a': 1 }), ['response']],
    ['nothing', () => null, undefined],
    ['something else', () => ({ errors: 'mine' as never }), undefined],
  ]
  for (const [name, mapper, parts] of kept) {
    const { span } = await probe(t, name, {
      options: { ...(mapper === undefined ? {} : { mapper }), limits: { maxErrors: 2 } },
      route: { attachValidation: true, schema: { body: Type.Object({ n: Type.Integer() }), response: { 200: Type.Object({ n: Type.Integer() }) } }, handler: async () => ({ n: 'x' }) },
      request: { body: { n: 'x' } },
    })
    const { errors, errorCount } = argumentsOf(span)
    t.equal(errorCount, 2, name)
    t.same(Array.isArray(errors) ? errors.map(({ part }) => part) : undefined, parts, name)
  }
  const { span } = await probe(t, 'no room', {
    options: { limits: { maxErrors: 1 } },
    route: { attachValidation: true, schema: { body: Type.Object({ n: Type.Integer() }), response: { 200: Type.Object({ n: Type.Integer() }) } }, handler: async () => ({ n: 'x' }) },
    request: { body: { n: 'x' } },
  })
  t.match(argumentsOf(span), { errors: [{ part: 'response' }], errorCount: 2, truncated: true })
})

function setUpMetrics (t: Test) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] })
  t.teardown(() => meterProvider.shutdown())
  return {
    meterProvider,
    /** Attributes and value of each series of the counter. */
    async failures () {
      await meterProvider.forceFlush()
      const metrics = exporter.getMetrics().at(-1)?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
      const counter = metrics.find(({ descriptor }) => descriptor.name === 'fastify.validation.failures')
      return {
        unit: counter?.descriptor.unit,
        points: (counter?.dataPoints ?? []).map(({ attributes, value }) => {
          const { 'http.request.method': method, 'http.route': route, 'fastify.validation.part': part, 'fastify.validation.keyword': keyword, 'fastify.validation.schema_path': schemaPath, ...more } = attributes
          return [method, route, part, keyword, schemaPath, ...Object.keys(more), value]
        }),
      }
    },
  }
}

t.test('the metric of failures: each part and keyword, sampled or not, without names that a client chose', async (t) => {
  const { meterProvider, failures } = setUpMetrics(t)
  const { app, port } = await setUp(t, { meterProvider }, { ajv: { customOptions: { allErrors: true } }, bodyLimit: 20_000 })
  const body = Type.Object({ n: Type.Integer(), rec: Type.Optional(Type.Record(Type.String(), Type.Integer())) }, { additionalProperties: Type.Boolean() })
  app.post('/ajv/:id', { schema: { params: Type.Object({ id: Type.Integer() }), body } }, async () => 'ok')
  app.post('/typebox', { schema: { body }, validatorCompiler: TypeBoxValidatorCompiler as never }, async () => 'ok')
  app.post('/attached', { schema: { body }, attachValidation: true }, async () => 'ok')
  app.post('/custom', { schema: { body }, validatorCompiler: () => (data) => ({ error: [{ keyword: 'odd', instancePath: `/${Object.keys(data).join('/')}`, schemaPath: `#/${Object.keys(data).join('/')}`, message: 'no' }] as never }) }, async () => 'ok')
  app.post('/response', { schema: { response: { 200: Type.Object({ n: Type.Integer() }) } } }, async () => ({ n: 'x' }))
  app.post('/silent', { schema: { body }, config: { telemetry: false } }, async () => 'ok')
  app.post('/leanest', { schema: { body }, config: { telemetry: { capture: 'none' } } }, async () => 'ok')
  const address = await port()
  for (let index = 0; index < 20; index++) {
    await send(address, 'POST', '/ajv/7', { body: { n: 1, rec: { [`client-${index}`]: 'x' }, [`more-${index}`]: 'x' } })
    await send(address, 'POST', '/custom', { body: { [`client-${index}`]: 1 } })
  }
  await send(address, 'POST', '/ajv/x', { body: { n: 'x' }, headers: { traceparent: UNSAMPLED } })
  await send(address, 'POST', '/ajv/x', { body: { n: 'x' } })
  await send(address, 'POST', '/ajv/7', { body: { n: 1, rec: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 'x'])) } })
  await send(address, 'POST', '/ajv/7', { body: '{', headers: json })
  await send(address, 'POST', '/ajv/7', { body: 'x'.repeat(30_000), headers: json })
  await send(address, 'POST', '/typebox', { body: { n: 'x' } })
  await send(address, 'POST', '/attached', { body: {} })
  await send(address, 'POST', '/response', { body: {} })
  await send(address, 'POST', '/silent', { body: {} })
  await send(address, 'POST', '/leanest', { body: {} })
  await send(address, 'POST', '/ajv/7', { body: { n: 1 } })
  const { unit, points } = await failures()
  t.equal(unit, '{failure}')
  t.same(points, [
    ['POST', '/ajv/:id', 'body', 'type', '#/additionalProperties/type', 20],
    ['POST', '/ajv/:id', 'body', 'type', '#/properties/rec/patternProperties/%5E(.*)%24/type', 20 + 10],
    ['POST', '/custom', 'body', 'odd', undefined, 20],
    // Counted are the errors that Fastify answered with, also where the span tells of more parts.
    ['POST', '/ajv/:id', 'params', 'type', '#/properties/id/type', 2],
    ['POST', '/ajv/:id', 'body', 'parse', undefined, 2],
    ['POST', '/typebox', 'body', 'type', undefined, 1],
    ['POST', '/attached', 'body', 'required', '#/required', 1],
    ['POST', '/response', 'response', 'serialization', undefined, 1],
    ['POST', '/leanest', 'body', 'required', '#/required', 1],
  ])
})

t.test('the metric of failures without traces, and without metrics', async (t) => {
  for (const metrics of [true, false]) {
    const { meterProvider, failures } = setUpMetrics(t)
    const app = Fastify()
    await app.register(otelPlugin, { meterProvider, metrics })
    app.get('/', { schema: { querystring: Type.Object({ n: Type.Integer() }) } }, async () => 'ok')
    await app.inject('/?n=x')
    await app.close()
    t.same((await failures()).points, metrics ? [['GET', '/', 'querystring', 'type', '#/properties/n/type', 1]] : [])
  }
})

t.test('request.telemetry.values and .errors: there when they are looked at, in hooks, handlers and error handlers', async (t) => {
  const schema = {
    params: Type.Object({ id: Type.Integer() }),
    body: Type.Object({ name: Type.String(), password: Type.Optional(Type.String()), hidden: Type.Optional(redact(Type.String())) }),
  }
  const good = { name: 'Ada', password: 'canary', hidden: 'canary', undeclared: 'canary' }
  const values = { params: { id: 7 }, body: { name: 'Ada', password: '[scrubbed]', hidden: '[redacted string]' } }
  const error = { part: 'body', path: '', keyword: 'required', message: "must have required property 'name'", schemaPath: '#/required', params: { missingProperty: 'name' } }
  const variants: Array<[name: string, options: FastifySchemaTelemetryOptions, headers: object]> = [
    ['recorded', {}, {}],
    ['unsampled', {}, { traceparent: UNSAMPLED }],
    ['capture: none', { capture: 'none' }, {}],
    ['capture: failure', { capture: 'failure' }, {}],
    ['a mapper that wants nothing', { mapper: () => null }, {}],
  ]
  for (const [name, options, headers] of variants) {
    const { app, port } = await setUp(t, options)
    const seen: unknown[] = []
    const look = (place: string) => async ({ telemetry }: FastifyRequest) => { seen.push([place, telemetry.values, telemetry.errors]) }
    for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) app.addHook(hook, look(hook))
    app.addHook('onError', look('onError'))
    app.addHook('onSend', look('onSend'))
    app.setErrorHandler(async (_error, request, reply) => {
      await look('errorHandler')(request)
      return reply.code(400).send('bad')
    })
    app.post('/:id', { schema }, async (request) => {
      const { values: first } = request.telemetry
      ;(first.body as { name: string }).name = 'changed'
      await look('handler')(request)
      return (request.body as { name: string }).name
    })
    app.post('/attached/:id', { schema, attachValidation: true }, look('attached'))
    const address = await port()

    t.equal((await send(address, 'POST', '/7', { body: good, headers: { ...headers } })).body, 'Ada')
    const before = ['onRequest', 'preParsing', 'preValidation'].map((hook) => [hook, {}, []])
    t.same(seen.splice(0), [...before, ['preHandler', values, []], ['handler', values, []], ['onSend', values, []]], name)

    await send(address, 'POST', '/7', { body: {}, headers: { ...headers } })
    const refused = { params: { id: 7 } }
    t.same(seen.splice(0), [...before, ['onError', refused, [error]], ['errorHandler', refused, [error]], ['onSend', refused, [error]]], name)

    await send(address, 'POST', '/7', { body: '[', headers: { ...json, ...headers } })
    const parse = { part: 'body', path: '', keyword: 'parse', message: 'is not valid JSON' }
    t.match(seen.splice(0), [before[0], before[1], ['onError', {}, [parse]], ['errorHandler', {}, [parse]], ['onSend', {}, [parse]]], name)

    await send(address, 'POST', '/attached/7', { body: {}, headers: { ...headers } })
    t.same(seen.splice(0)[4], ['attached', refused, [error]], name)
    await app.close()
  }
})

t.test('an ignored request has no values, and is not counted', async (t) => {
  const { meterProvider, failures } = setUpMetrics(t)
  const { app, telemetry, port } = await setUp(t, { meterProvider, ignore: ({ url }) => url.startsWith('/a'), captureResponse: true })
  const schema = { querystring: Type.Object({ n: Type.Integer() }), response: { 200: Type.Object({ n: Type.Integer() }) } }
  for (const [url, config] of [['/a', {}], ['/b', { telemetry: false }]] as const) {
    app.get(url, { schema, config }, async ({ telemetry: { values, errors } }, reply) => reply.header('x-seen', JSON.stringify({ values, errors })).send({ n: 'x' }))
  }
  const address = await port()
  for (const url of ['/a', '/b']) {
    const { headers, statusCode } = await send(address, 'GET', `${url}?n=1`)
    t.same([headers['x-seen'], statusCode], ['{"values":{},"errors":[]}', 500])
    t.equal((await send(address, 'GET', `${url}?n=x`)).statusCode, 400)
  }
  t.same([(await failures()).points, telemetry.spans], [[], []])
})

t.test('schemas that cannot be compiled: refused before the first request, with route, part and path', async (t) => {
  const anything = () => () => true
  const object = (a: unknown) => ({ type: 'object', properties: { list: { type: 'array', items: { type: 'object', properties: { a } } } } })
  const cases: Array<[route: object, message: string]> = [
    [{ schema: { body: object({ type: 5 }) } }, 'route POST /r/:id: body/list/*/a: "type" must be a type or a list of types, received 5'],
    [{ schema: { body: object('text') } }, 'route POST /r/:id: body/list/*: "properties" must be schemas by name, received an object'],
    [{ schema: { params: object({ $ref: 5 }) } }, 'route POST /r/:id: params/list/*/a: "$ref" must be a string, received 5'],
    [{ schema: { querystring: object({ anyOf: {} }) } }, 'route POST /r/:id: querystring/list/*/a: "anyOf" must be a list of schemas, received an object'],
    [{ schema: { headers: object({ items: null }) } }, 'route POST /r/:id: headers/list/*/a: "items" must be a schema, received null'],
    [{ schema: { body: { content: { 'text/plain': { schema: { allOf: [5] } } } } } }, 'route POST /r/:id: body (text/plain): "allOf" must be a list of schemas, received a list'],
    [{ schema: { response: { '2xx': object({ patternProperties: { '(': {} } }) } }, config: { telemetry: { captureResponse: true } } },
      'route POST /r/:id: response 2xx/list/*/a: "patternProperties" must be schemas by regular expression, and "(" is none, received an object'],
    [{ schema: { body: object(asAttribute('http.request.method', { type: 'string' })) } },
      'route POST /r/:id: body/list/*/a: the attribute name "http.request.method" belongs to the semantic conventions or to this package; choose one of your own, such as "app.http.request.method"'],
    [{ schema: { body: object(asAttribute('app.a', { type: 'object', properties: { b: {} } })) } },
      'route POST /r/:id: body/list/*/a: an attribute (app.a) can be a string, a number, a boolean or a list of them, not an object'],
    [{ schema: { body: object(asAttribute('app.a', Type.Record(Type.String(), Type.String()))) } },
      'route POST /r/:id: body/list/*/a: an attribute (app.a) can be a string, a number, a boolean or a list of them, not an object'],
  ]
  for (const [route, message] of cases) {
    const app = Fastify()
    await app.register(otelPlugin)
    app.route({ method: 'POST', url: '/r/:id', handler: async () => 'ok', validatorCompiler: anything, serializerCompiler: () => () => '', ...route })
    await t.rejects(async () => { await app.listen({ port: 0, host: '127.0.0.1' }) }, { code: 'FST_SCHEMA_TELEMETRY_INVALID_SCHEMA', name: 'TelemetryError', message })
    await app.close()
  }
})

t.test('annotations that are wrong by themselves are refused where they are written', async (t) => {
  const cases: Array<[annotate: () => unknown, message: string]> = [
    [() => redact(null as never), 'redact() takes a TypeBox schema or a JSON Schema object, received null'],
    [() => omit('text' as never), 'omit() takes a TypeBox schema or a JSON Schema object, received "text"'],
    [() => redact([] as never), 'redact() takes a TypeBox schema or a JSON Schema object, received an array'],
    [() => redact({ parse () {} }), 'redact() takes a TypeBox schema or a JSON Schema object, received the schema object of another library'],
    [() => asAttribute('', Type.String()), 'asAttribute() takes an attribute name of letters, digits, "_", "." and "-", received ""'],
    [() => asAttribute('a b', Type.String()), 'asAttribute() takes an attribute name of letters, digits, "_", "." and "-", received "a b"'],
    [() => asAttribute(Type.String() as never, 'app.a' as never), 'asAttribute() takes an attribute name of letters, digits, "_", "." and "-", received an object'],
  ]
  for (const [annotate, message] of cases) t.throws(annotate, { code: 'FST_SCHEMA_TELEMETRY_INVALID_ANNOTATION', message })
})

t.test('options that are wrong are refused at register: which, what was expected, what came', async (t) => {
  const cases: Array<[options: object, message: string]> = [
    [{ limits: { maxDepth: 0 } }, 'option "limits.maxDepth" must be an integer from 1 to 32, received 0'],
    [{ limits: { maxBytes: '1024' } }, 'option "limits.maxBytes" must be an integer from 1024 to 1048576, received "1024"'],
    [{ limits: { maxNodes: 1.5 } }, 'option "limits.maxNodes" must be an integer from 1 to 100000, received 1.5'],
    [{ limits: 5 }, 'option "limits" must be an object of limits, received 5'],
    [{ limits: [] }, 'option "limits" must be an object of limits, received an array'],
    [{ scrubbing: 'yes' }, 'option "scrubbing" must be a boolean or an object of extraPatterns and callback, received "yes"'],
    [{ scrubbing: { callback: 5 } }, 'option "scrubbing.callback" must be a function ({ path, value, matched }) => value | undefined, received 5'],
    [{ scrubbing: { extraPatterns: 'x' } }, 'option "scrubbing.extraPatterns" must be a list of regular expressions or of their sources, received "x"'],
    [{ scrubbing: { extraPatterns: ['fine', '('] } }, 'option "scrubbing.extraPatterns[1]" must be a regular expression that does not match the empty text, received "("'],
    [{ scrubbing: { extraPatterns: [/x*/] } }, 'option "scrubbing.extraPatterns[0]" must be a regular expression that does not match the empty text, received /x*/'],
    [{ scrubbing: { extraPatterns: [5] } }, 'option "scrubbing.extraPatterns[0]" must be a regular expression that does not match the empty text, received 5'],
    [{ captureResponse: 1 }, 'option "captureResponse" must be a boolean, received 1'],
    [{ captureUnknownSchemas: 'x' }, 'option "captureUnknownSchemas" must be a boolean, received "x"'],
    [{ completeErrors: null }, 'option "completeErrors" must be a boolean, received null'],
  ]
  for (const [options, message] of cases) {
    const app = Fastify()
    await t.rejects(async () => { await app.register(otelPlugin, options) }, { code: 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', message: `fastify-schema-telemetry: ${message}` })
  }
  for (const [options, name] of [[{ limits: { maxdepth: 1 } }, 'limits.maxdepth'], [{ scrubbing: { patterns: [] } }, 'scrubbing.patterns']] as const) {
    const app = Fastify()
    await t.rejects(async () => { await app.register(otelPlugin, options as never) }, { code: 'FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION', message: new RegExp(`option "${name}" is not known; known are: ${name.split('.')[0]}\\.`) })
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(otelPlugin, { limits: { maxDepth: undefined }, scrubbing: {} })
  t.throws(() => app.get('/', { config: { telemetry: { limits: {} } as never } }, async () => 'ok'), {
    code: 'FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION',
    message: 'route GET /: config.telemetry option "limits" is not known; known are: mapper, extraSpans, capture, captureResponse',
  })
})

t.test('a handler that changes its arguments, and a body that fights back', async (t) => {
  await probeAll(t, [
    {
      name: 'what the handler changes later is not recorded',
      body: City,
      route: { handler: async ({ body }) => Object.assign(body as object, { city: 'canary' }) && 'ok' },
      request: { body: { city: 'Paris' } },
      expected: { values: { body: { city: 'Paris' } } },
    },
    {
      name: 'getters and proxies that throw',
      prepare: (app) => app.addHook('preValidation', async (request) => {
        request.body = { get bad () { throw new Error('canary') }, fine: 1, proxy: new Proxy({}, { ownKeys () { throw new Error('canary') }, getPrototypeOf () { throw new Error('canary') } }) }
      }),
      body: Type.Any(),
      route: { validatorCompiler: () => () => true },
      request: {},
      expected: { values: { body: { bad: '[unreadable]', fine: 1, proxy: '[unreadable]' } } },
    },
    {
      name: 'a body that contains itself',
      prepare: (app) => app.addHook('preValidation', async (request) => {
        const body: Record<string, unknown> = { a: 1 }
        body.self = body
        request.body = body
      }),
      body: Type.Object({ a: Type.Integer(), self: Type.Any() }),
      route: { validatorCompiler: () => () => true },
      options: { limits: { maxDepth: 3 } },
      request: { body: {} },
      expected: { values: { body: { a: 1, self: { a: 1, self: { a: 1, self: '{…}' } } } }, truncated: true },
    },
  ])
})

t.test('errors, payloads, spans and meters that throw when they are touched cost telemetry, never an answer', async (t) => {
  const lines = catchDiag(t)
  const touchy = () => new Proxy({}, { has () { throw new Error('has') } })
  const schema = { body: Type.Object({ n: Type.Integer() }) }
  const cases: Array<[name: string, probe: Probe, expected: object]> = [
    ['an answer instead of the handler\'s', { prepare: (app) => app.addHook('preValidation', async (_request, reply) => reply.send(touchy())), route: { schema } }, {}],
    ['an error of a hook', { prepare: (app) => app.addHook('preValidation', async () => { throw touchy() }), route: { schema } }, {}],
    ['an error of the handler', { route: { handler: async () => { throw touchy() } } }, {}],
    ['an error of validation', {
      route: { schema, schemaErrorFormatter: () => Object.defineProperty(new Error('bad'), 'validationContext', { get () { throw new Error('get') }, set () {} }) },
      request: { body: { n: 'x' } },
    }, {}],
    ['an error of validation that the handler sees', {
      options: { capture: 'none' },
      route: {
        schema,
        attachValidation: true,
        schemaErrorFormatter: () => Object.defineProperty(new Error('bad'), 'validationContext', { get () { throw new Error('get') }, set () {} }),
        // Without the plugin there is no telemetry to look at.
        handler: async (request) => JSON.stringify([request.telemetry?.values ?? {}, request.telemetry?.errors ?? []]),
      },
      request: { body: { n: 'x' } },
    }, {}],
    ['an answer without a content type', {
      options: { captureResponse: true },
      route: { schema: { response: { 200: Type.String() } }, handler: async (_request, reply) => reply.type('').send('{}') },
    }, { response: {} }],
    ['an answer without a schema', { options: { captureResponse: true }, route: { handler: async () => ({ a: 1 }) } }, {}],
  ]
  for (const [name, given, expected] of cases) {
    const { span } = await probe(t, name, given)
    t.same(argumentsOf(span), expected, name)
  }

  const { span: untyped } = await probe(t, 'an answer whose content type was taken away', {
    options: { captureResponse: true },
    prepare: (app) => app.addHook('preSerialization', async (_request, reply, payload) => {
      // What removes it is a serializer, which runs before the plugin looks.
      reply.serializer((value) => {
        reply.removeHeader('content-type')
        return JSON.stringify(value)
      })
      return payload
    }),
    route: { schema: { response: { 200: Type.Object({ a: Type.Integer() }) } }, handler: async () => ({ a: 1, canary: 1 }) },
  })
  t.same(argumentsOf(untyped), { response: { a: 1 } })

  const hostileSpan = new Proxy({}, {
    get (_target, name) {
      if (name === 'isRecording') return () => true
      if (name === 'spanContext') return () => ({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 })
      return () => { throw new Error(`hostile ${String(name)}`) }
    },
  })
  const hostileMeter = (method: string) => ({ getMeter: () => ({ createHistogram: () => ({ record () { if (method === 'record') throw new Error('record') } }), createCounter () { throw new Error('counter') } }) })
  const providers: FastifySchemaTelemetryOptions[] = [
    { tracerProvider: { getTracer: () => ({ startSpan: () => hostileSpan }) } as never },
    { meterProvider: { getMeter () { throw new Error('no meter') } } as never },
    { meterProvider: hostileMeter('createCounter') as never },
  ]
  for (const provider of providers) {
    const { app, port } = await setUp(t, { captureResponse: true, extraSpans: true, mapper: (_request, args) => ({ ...args }), ...provider })
    app.post('/', { schema: { ...schema, response: { 200: Type.Object({ n: Type.Integer() }) } } }, async ({ body }) => (body as { n: number }).n === 1 ? { n: 1 } : { n: 'x' })
    const address = await port()
    const answers = []
    for (const body of [{ n: 1 }, { n: 2 }, { n: 'x' }]) answers.push((await send(address, 'POST', '/', { body })).statusCode)
    t.same(answers, [200, 500, 400])
  }
  const own = lines.filter((line) => line.startsWith('fastify-schema-telemetry: '))
  t.ok(own.length > 0)
  t.ok(own.every((line) => line.includes('the request is not affected')))
})
