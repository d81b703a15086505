import { deepStrictEqual, equal, ok } from 'node:assert/strict'
import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import type { ArgumentPart } from '../../../lib/arguments/argument-part.ts'
import type { CaptureNode } from '../../../lib/arguments/capture-node.ts'
import { compileCapture } from '../../../lib/arguments/compile-capture.ts'
import { captureValues, compileRequestCapture, type RouteArgumentSchemas } from '../../../lib/arguments/request-capture.ts'
import type { FindSchema, JsonSchema } from '../../../lib/arguments/schema-leaves.ts'

interface Given {
  failed?: ArgumentPart
  bodyBytes?: number
  findSchema?: FindSchema
}

function capture (schemas: RouteArgumentSchemas | undefined, parts: Partial<Record<ArgumentPart, unknown>>, given: Given = {}) {
  const node = compileRequestCapture(schemas, given.findSchema ?? (() => undefined))
  const { params, body, querystring, headers } = parts
  return captureValues(node, { params, body, querystring, headers }, given.failed, 'bodyBytes' in given ? given.bodyBytes : 1000)
}

/** The text that is recorded of a body; it is also what `JSON.stringify` would write, so its order is the schema's. */
function captureBody (schema: unknown, body: unknown, given?: Given) {
  return capture({ body: schema }, { body }, given)
}

function textOf (body: unknown, truncated = false) {
  return { json: JSON.stringify({ body }), truncated }
}

const CANARY = 'CANARY'
const byId = (schemas: Record<string, JsonSchema>): FindSchema => (id) => schemas[id]
const name = Type.String()

t.test('records what the schema declares, and nothing else', async (t) => {
  const user = Type.Object({ name, address: Type.Object({ city: Type.String() }) })
  const self = { name: 'n', address: { city: 'c' } }
  const cases: Array<[string, unknown, unknown, unknown]> = [
    ['nested objects, in the order of the schema', user, { x: CANARY, address: { zip: CANARY, city: 'c' }, name: 'n' }, self],
    ['absent properties are absent, null stays', Type.Object({ a: Type.Null(), b: name }), { a: null, b: undefined }, { a: null }],
    ['arrays of objects', Type.Array(user), [self, { ...self, x: CANARY }], [self, self]],
    ['arrays of primitives', Type.Array(name), ['a', 'b'], ['a', 'b']],
    ['a bare object declares nothing', { type: 'object' }, { x: CANARY }, {}],
    ['a bare array declares nothing of the objects in it', { type: 'array' }, [1, 'a', { x: CANARY }], [1, 'a', {}]],
    ['enum and const declare nothing of objects', { enum: [{ x: 1 }] }, { x: CANARY }, {}],
    ['tuples of draft 7', Type.Tuple([name, Type.Object({ a: name })]), ['t', { a: 'a', x: CANARY }], ['t', { a: 'a' }]],
    ['tuples of draft 7 with additional items', { type: 'array', items: [{ type: 'string' }], additionalItems: user }, ['t', { ...self, x: CANARY }], ['t', self]],
    ['tuples of draft 2020', { prefixItems: [{ type: 'string' }], items: user }, ['t', { ...self, x: CANARY }], ['t', self]],
    ['items after a tuple that says nothing of them', { items: [{ type: 'string' }] }, ['t', 1, { x: CANARY }], ['t', 1, {}]],
    ['items after a tuple that forbids them', { prefixItems: [{ type: 'string' }], items: false }, ['t', CANARY, { x: CANARY }], ['t', null, null]],
    ['unions of objects', Type.Union([user, Type.Object({ id: Type.Integer() })]), { ...self, id: 1, x: CANARY }, { ...self, id: 1 }],
    ['unions with primitives', Type.Union([user, Type.Null(), name]), 'text', 'text'],
    ['oneOf', { oneOf: [{ properties: { a: {} } }, { properties: { b: {} } }] }, { a: 1, b: 2, x: CANARY }, { a: 1, b: 2 }],
    ['unions with something open', Type.Union([user, Type.Any()]), { ...self, x: 'open' }, { ...self, x: 'open' }],
    ['a property that two branches declare', { anyOf: [Type.Object({ p: Type.Object({ a: name }) }), Type.Object({ p: Type.Object({ b: name }) })] },
      { p: { a: 'a', b: 'b', x: CANARY } }, { p: { a: 'a', b: 'b' } }],
    ['intersections', Type.Intersect([user, Type.Object({ id: Type.Integer() })], { unevaluatedProperties: false }), { ...self, id: 1, x: CANARY }, { ...self, id: 1 }],
    ['composites', Type.Composite([user, Type.Object({ id: Type.Integer() })]), { ...self, id: 1, x: CANARY }, { ...self, id: 1 }],
    ['a combinator beside properties', { type: 'object', properties: { a: {} }, allOf: [{ properties: { b: {} } }] }, { a: 1, b: 2, x: CANARY }, { a: 1, b: 2 }],
    ['a branch that only asks something of the whole is not open', { allOf: [user, { minProperties: 1 }, { required: ['name'] }] }, { ...self, x: CANARY }, self],
    ['branches that are no schemas', { allOf: [null, 5, 'x', [], user] }, { ...self, x: CANARY }, self],
    ['if, then and else', { if: { properties: { kind: { const: 'a' } } }, then: { properties: { a: {} } }, else: { properties: { b: {} } } },
      { kind: 'a', a: 1, b: 2, x: CANARY }, { kind: 'a', a: 1, b: 2 }],
    ['if, then and else that are no schemas', { properties: { a: {} }, if: 1, then: null, else: [] }, { a: 1, x: CANARY }, { a: 1 }],
    ['the schema true', true, { x: 'open' }, { x: 'open' }],
    ['the schema false', false, CANARY, null],
    ['a branch that is false', { anyOf: [false, { properties: { a: {} } }] }, { a: 1, x: CANARY }, { a: 1 }],
    ['a property that is true, and one that is false', { properties: { a: true, b: false } }, { a: { x: 1 }, b: CANARY }, { a: { x: 1 }, b: null }],
    ['any', Type.Object({ a: Type.Any(), b: Type.Unknown({ title: 'B' }) }), { a: { x: [1] }, b: { y: 2 }, z: CANARY }, { a: { x: [1] }, b: { y: 2 } }],
    ['an object that takes anything', { type: 'object', additionalProperties: true }, { x: { y: 1 } }, { x: { y: 1 } }],
    ['properties and whatever more there is', Type.Object({ a: user }, { additionalProperties: true }), { a: { ...self, x: CANARY }, y: { z: 1 } }, { a: self, y: { z: 1 } }],
    ['properties and no more', Type.Object({ a: name }, { additionalProperties: false }), { a: 'a', x: CANARY }, { a: 'a' }],
    ['properties and more of one kind', Type.Object({ a: name }, { additionalProperties: Type.Object({ b: name }) }),
      { a: 'a', y: { b: 'b', x: CANARY } }, { a: 'a', y: { b: 'b' } }],
    ['records', Type.Record(name, Type.Object({ a: name })), { k: { a: 'a', x: CANARY }, l: { a: 'b' } }, { k: { a: 'a' }, l: { a: 'b' } }],
    ['records with a pattern', Type.Record(Type.String({ pattern: '^k\\p{Lu}$' }), name), { kÄ: 'a', k: CANARY, x: CANARY }, { kÄ: 'a' }],
    ['records whose pattern does not compile', { patternProperties: { '(': { type: 'string' } } }, { '(': CANARY }, {}],
    ['records skip what is undefined', Type.Record(name, name), { a: undefined, b: 'b' }, { b: 'b' }],
    ['keywords that hold no schemas', { properties: { a: 'no', b: null, c: [], d: {} }, patternProperties: 7, items: 'no', additionalItems: 3 }, { a: CANARY, d: 1 }, { d: 1 }],
    ['tuple positions that are no schemas', { items: [null, {}], additionalItems: {} }, [CANARY, 'b', 'c'], [null, 'b', 'c']],
    ['schemas of values that JSON does not have', Type.Object({ day: Type.Date(), raw: Type.Uint8Array(), id: Type.BigInt() }),
      { day: new Date(0), raw: new Uint8Array(3), id: 2n ** 64n }, { day: '1970-01-01T00:00:00.000Z', raw: { type: 'Uint8Array', bytes: 3 }, id: '18446744073709551616' }],
    ['primitives as a body', name, 'text', 'text'],
    ['null as a body', user, null, null],
    ['an array where an object was declared', user, [1, { x: CANARY }], [1, {}]],
  ]
  for (const [sentence, schema, value, expected] of cases) t.strictSame(captureBody(schema, value), textOf(expected), sentence)
})

t.test('every keyword that asks something of a value closes the schema, an annotation does not', async (t) => {
  const closing = {
    type: 'object',
    properties: {},
    patternProperties: {},
    additionalProperties: false,
    items: {},
    prefixItems: [],
    enum: [],
    const: 1,
    required: [],
    not: {},
    $ref: 'nowhere',
    unevaluatedProperties: {},
    propertyNames: {},
    minProperties: 1,
    maxProperties: 9,
    dependencies: {},
    dependentRequired: {},
    dependentSchemas: {},
    additionalItems: {},
    unevaluatedItems: {},
    contains: {},
    minContains: 1,
    maxContains: 9,
    minItems: 1,
    maxItems: 9,
    uniqueItems: true,
    minLength: 1,
    maxLength: 9,
    pattern: '.',
    format: 'email',
    minimum: 1,
    maximum: 9,
    exclusiveMinimum: 1,
    exclusiveMaximum: 9,
    multipleOf: 1,
  }
  for (const [keyword, value] of Object.entries(closing)) {
    t.notMatch(captureBody({ [keyword]: value }, { x: CANARY }).json, CANARY, `${keyword} closes`)
  }
  const open = { title: 'T', description: 'D', default: {}, examples: [], $comment: 'C', deprecated: true, readOnly: true, $id: 'I', $schema: 'S', 'x-own': 1 }
  for (const [keyword, value] of Object.entries(open)) {
    t.strictSame(captureBody({ [keyword]: value }, { x: 1 }), textOf({ x: 1 }), `${keyword} leaves open`)
  }
})

t.test('follows references', async (t) => {
  const city = { type: 'object', properties: { city: { type: 'string' } } }
  const value = { a: { city: 'c', x: CANARY } }
  const found = textOf({ a: { city: 'c' } })
  const property = (a: JsonSchema, more: object = {}) => ({ type: 'object', properties: { a }, ...more })
  const cases: Array<[string, unknown, FindSchema?]> = [
    ['by $id, to a schema that was added', property({ $ref: 'City' }), byId({ City: city })],
    ['by $id with an empty fragment', property({ $ref: 'City#' }), byId({ City: city })],
    ['by $id and pointer', property({ $ref: 'Lib#/definitions/City' }), byId({ Lib: { definitions: { City: city } } })],
    ['by $id and pointer, and further inside the schema that was found', property({ $ref: 'Lib#/definitions/One' }),
      byId({ Lib: { definitions: { One: { $ref: '#/definitions/Two' }, Two: { $ref: 'Three' } }, $defs: { Three: city } } })],
    ['from one schema that was added to another', property({ $ref: 'One' }), byId({ One: { $id: 'One', $ref: 'Two#' }, Two: { $id: 'Two', ...city } })],
    ['#/definitions', property({ $ref: '#/definitions/City' }, { definitions: { City: city } })],
    ['#/$defs', property({ $ref: '#/$defs/City' }, { $defs: { City: city } })],
    ['pointers with escapes', property({ $ref: '#/definitions/a~1b~0c%20d' }, { definitions: { 'a/b~c d': city } })],
    ['pointers with a per cent sign that escapes nothing', property({ $ref: '#/definitions/100%' }, { definitions: { '100%': city } })],
    ['by $id inside the document', property({ $ref: 'City' }, { definitions: { anything: { $id: 'City', ...city } } })],
    ['by anchor', property({ $ref: '#city' }, { $defs: { anything: { $anchor: 'city', ...city } } })],
    ['by anchor as draft 7 writes it', property({ $ref: '#city' }, { definitions: { anything: { $id: '#city', ...city } } })],
    ['by bare name, beside the definitions', property({ $ref: 'City', $defs: { City: city } })],
    ['by bare name, to definitions of the document', property({ $ref: 'City' }, { definitions: { City: city } })],
    ['through several others', property({ $ref: '#/$defs/One' }, { $defs: { One: { allOf: [{ $ref: '#/$defs/Two' }] }, Two: { $ref: '#/$defs/City' }, City: city } })],
    ['that name themselves', property({ $ref: '#/$defs/Loop', ...city }, { $defs: { Loop: { $ref: '#/$defs/Loop' } } })],
    ['that stand in a cycle of objects', (() => {
      const loop: Record<string, unknown> = { $id: 'Loop', ...city }
      loop.self = loop
      return property({ $ref: 'City' }, { definitions: { loop, City: city } })
    })()],
    ['relative to the nearest $id', property({ $id: 'Near', definitions: { City: city }, $ref: '#/definitions/City' }, { definitions: { City: {} } })],
  ]
  for (const [sentence, schema, findSchema] of cases) t.strictSame(captureBody(schema, value, { findSchema }), found, sentence)

  t.strictSame(
    captureBody(
      { properties: { leak: {}, node: { $id: 'Node', type: 'object', properties: { v: {}, next: { $ref: '#' } } } } },
      { leak: 1, node: { v: 1, next: { v: 2, leak: CANARY, next: { v: 3 } } } }
    ),
    textOf({ leak: 1, node: { v: 1, next: { v: 2, next: { v: 3 } } } }),
    '# inside a schema with an $id is that schema, not the whole body'
  )
})

t.test('references that lead nowhere declare nothing', async (t) => {
  const references = ['Nowhere', '#/definitions/Nowhere', '#/definitions/text', '#/definitions/toString', '#/definitions/City/none/deeper', '#nowhere', 'Nowhere#/a',
    'Known#/none', 'http://[', '%', 'text', 'toString', '#/$id']
  for (const $ref of references) {
    const schema = { type: 'object', definitions: { text: 'no schema', City: null }, $defs: true, properties: { a: { $ref }, b: { $ref }, c: { type: 'array', items: { $ref } } } }
    t.strictSame(
      captureBody(schema, { a: CANARY, b: { x: CANARY }, c: [CANARY, { x: CANARY }] }, { findSchema: byId({ Known: { type: 'object' } }) }),
      textOf({ a: null, b: null, c: [null, null] }),
      $ref
    )
  }
  t.strictSame(captureBody({ $ref: 'Nowhere' }, CANARY), textOf(null), 'as the whole schema')
  t.strictSame(captureBody({ properties: { a: { $ref: 'X' } } }, { a: CANARY }, { findSchema: byId({ X: true }) }), textOf({ a: CANARY }), 'one to the schema true does')
  t.strictSame(captureBody({ $ref: 'X#/a' }, CANARY, { findSchema: byId({ X: true }) }), textOf(null), 'a pointer into the schema true leads nowhere')
})

t.test('follows recursive types and modules of TypeBox', async (t) => {
  const tree = Type.Recursive((This) => Type.Object({ id: Type.Integer(), kids: Type.Array(This) }))
  const forest = { id: 1, kids: [{ id: 2, kids: [], x: CANARY }, { id: 3, kids: [{ id: 4, kids: [] }] }], x: CANARY }
  const recorded = { id: 1, kids: [{ id: 2, kids: [] }, { id: 3, kids: [{ id: 4, kids: [] }] }] }
  t.strictSame(captureBody(tree, forest), textOf(recorded), 'a recursive type')
  t.strictSame(captureBody(Type.Object({ tree }), { tree: forest }), textOf({ tree: recorded }), 'a recursive type inside another')
  const names = Type.Recursive((This) => Type.Record(Type.String(), This))
  t.strictSame(captureBody(names, { a: { b: { c: {} } } }), textOf({ a: { b: { c: {} } } }), 'a recursive record')

  const module = Type.Module({
    User: Type.Object({ name, address: Type.Ref('Address'), friends: Type.Array(Type.Ref('User')) }),
    Address: Type.Object({ city: Type.String(), owner: Type.Optional(Type.Ref('User')) }),
  })
  const user = (more: object) => ({ name: 'n', address: { city: 'c', owner: { name: 'o', address: { city: 'd', ...more }, friends: [] }, ...more }, friends: [], ...more })
  t.strictSame(captureBody(module.Import('User'), user({ x: CANARY })), textOf(user({})), 'a module')
  t.strictSame(captureBody(Type.Object({ u: module.Import('User') }), { u: user({ x: CANARY }) }), textOf({ u: user({}) }), 'a module inside an object')
  t.strictSame(
    captureBody({ $ref: 'Mod#' }, user({ x: CANARY }), { findSchema: byId({ Mod: { ...module.Import('User'), $id: 'Mod' } }) }), textOf(user({})), 'a module that was added'
  )
})

t.test('names that every object has count only when the value has them itself', async (t) => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
  const value = JSON.parse(`{${names.map((name) => `"${name}":"own"`).join()}}`)
  const empty = { json: '{"body":{}}', truncated: false }
  const full = { json: `{"body":${JSON.stringify(value)}}`, truncated: false }
  t.strictSame(captureBody({ properties }, {}), empty, 'an object that has none of them')
  t.strictSame(captureBody({ properties }, value), full, 'an object that has them all')
  t.strictSame(captureBody({ additionalProperties: { type: 'string' } }, value), full, 'a record')
  t.strictSame(captureBody({}, value), full, 'an open schema')
  t.strictSame(captureBody({ type: 'object', properties: {} }, value), empty, 'a schema that does not declare them')
  const inherited = Object.create({ a: CANARY, b: CANARY })
  t.strictSame(captureBody({ additionalProperties: {} }, inherited), empty, 'a record does not inherit')
  t.strictSame(captureBody({}, inherited), empty, 'nor does an open value')
  t.equal(Object.keys(Object.prototype).length, 0, 'Object.prototype is as it was')
})

t.test('writes property names that need escaping, and counts their bytes', async (t) => {
  const names = ['größe', '名前', 'a"b', 'a\\b', 'line\nbreak', '\u0000', '😀', 'plain name', '']
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
  const value = Object.fromEntries(names.map((name) => [name, name]))
  t.strictSame(captureBody({ properties }, value), textOf(value), 'as JSON.stringify does')

  const many = Object.fromEntries(Array.from({ length: 900 }, (_, index) => ['名'.repeat(60) + index, 'x']))
  const { json, truncated } = captureBody({ properties: Object.fromEntries(Object.keys(many).map((name) => [name, {}])) }, many)
  t.ok(Buffer.byteLength(json!) <= 32768, 'within 32 KiB')
  const kept = Object.entries(JSON.parse(json!).body)
  const [cutName] = kept.at(-1)!
  t.strictSame({ kept: kept.slice(0, -1), cutName, truncated }, { kept: Object.entries(many).slice(0, kept.length - 1), cutName: '…', truncated: true }, 'the first ones are kept whole')

  const long = 'n'.repeat(200)
  t.strictSame(captureBody({ properties: { [long]: {} } }, { [long]: 1 }), textOf({ ['n'.repeat(128) + '…']: 1 }, true), 'a long name is cut')
})

t.test('keeps secrets back, whatever the schema says of them', async (t) => {
  const schema = Type.Object({
    password: name,
    accessToken: Type.Any(),
    cvv: Type.Integer(),
    pin: Type.Null(),
    passwords: Type.Array(name),
    nested: Type.Object({ api_key: name }),
    open: Type.Any(),
    more: Type.Record(name, Type.Any()),
  })
  const value = {
    password: CANARY,
    accessToken: { value: CANARY },
    cvv: 123,
    pin: null,
    passwords: [CANARY],
    nested: { api_key: CANARY },
    open: { secret: CANARY, list: [{ jwt: CANARY }], otp: null },
    more: { session: CANARY, csrf: null, author: 'a' },
  }
  t.strictSame(captureBody(schema, value), textOf({
    password: '[scrubbed]',
    accessToken: '[scrubbed]',
    cvv: '[scrubbed]',
    pin: null,
    passwords: '[scrubbed]',
    nested: { api_key: '[scrubbed]' },
    open: { secret: '[scrubbed]', list: [{ jwt: '[scrubbed]' }], otp: null },
    more: { session: '[scrubbed]', csrf: null, author: 'a' },
  }))
})

t.test('headers are compared in lower case, and credentials among them redacted', async (t) => {
  const headers = { 'x-tenant': 't', accept: 'a', authorization: CANARY, cookie: CANARY, 'x-api-key': CANARY, 'x-user-token': CANARY, host: 'h' }
  const properties = { 'X-Tenant': name, ACCEPT: name, Authorization: name, Cookie: name, 'X-API-Key': name, 'X-User-Token': name, 'X-Absent': name }
  const declared = {
    'x-tenant': 't', accept: 'a', authorization: '[redacted]', cookie: '[redacted]', 'x-api-key': '[redacted]', 'x-user-token': '[scrubbed]',
  }
  t.strictSame(capture({ headers: Type.Object(properties) }, { headers }), { json: JSON.stringify({ headers: declared }), truncated: false }, 'declared ones')
  t.strictSame(
    capture({ headers: Type.Object({ 'X-Tenant': name }, { additionalProperties: Type.String() }) }, { headers }),
    { json: JSON.stringify({ headers: { ...declared, host: 'h' } }), truncated: false },
    'additional ones'
  )
  t.strictSame(
    capture({ headers: { allOf: [{ properties: { 'X-A': {} } }, { properties: { 'x-a': {}, 'X-B': {} } }] } }, { headers: { 'x-a': '1', 'x-b': '2', 'x-c': CANARY } }),
    { json: '{"headers":{"x-a":"1","x-b":"2"}}', truncated: false },
    'of several branches'
  )
  t.strictSame(
    captureBody(Type.Object({ Accept: name, cookie: name, proxy: Type.Object({ Accept: name }) }), { accept: CANARY, Accept: 'a', cookie: 'b', proxy: { Accept: 'c' } }),
    textOf({ Accept: 'a', cookie: '[scrubbed]', proxy: { Accept: 'c' } }),
    'a body is no set of headers'
  )
})

t.test('records the parts that have a schema, until the one that failed', async (t) => {
  const a = Type.Object({ a: name })
  const schemas = { headers: a, querystring: a, body: a, params: a }
  const parts = { params: { a: 'p' }, body: { a: 'b' }, querystring: { a: 'q' }, headers: { a: 'h' } }
  const cases: Array<[string, RouteArgumentSchemas | undefined, Partial<Record<ArgumentPart, unknown>>, ArgumentPart | undefined, unknown]> = [
    ['all of them, in the order of validation', schemas, parts, undefined, parts],
    ['none without schemas', undefined, parts, undefined, undefined],
    ['only those that have one', { body: a }, parts, undefined, { body: { a: 'b' } }],
    ['query is another name of querystring', { query: a }, parts, undefined, { querystring: { a: 'q' } }],
    ['only those that the request has', schemas, { querystring: { a: 'q' } }, undefined, { querystring: { a: 'q' } }],
    ['params failed', schemas, parts, 'params', undefined],
    ['body failed', schemas, parts, 'body', { params: { a: 'p' } }],
    ['querystring failed', schemas, parts, 'querystring', { params: { a: 'p' }, body: { a: 'b' } }],
    ['headers failed', schemas, parts, 'headers', { params: { a: 'p' }, body: { a: 'b' }, querystring: { a: 'q' } }],
  ]
  for (const [sentence, given, values, failed, expected] of cases) {
    t.strictSame(capture(given, values, { failed }), { json: expected === undefined ? undefined : JSON.stringify(expected), truncated: false }, sentence)
  }
})

t.test('records nothing of parts whose schema is not JSON Schema', async (t) => {
  class Zod { parse () {} }
  class Joi { validate () {} }
  const foreign: Array<[string, unknown]> = [
    ['zod', new Zod()], ['joi', new Joi()], ['a Standard Schema', { '~standard': { version: 1 } }], ['a function', () => true], ['a string', 'User'], ['null', null],
    ['a list', [{ type: 'string' }]], ['a map of zod by media type', { content: { 'text/plain': { schema: new Zod() }, 'text/x': null, 'text/y': {} } }], ['an empty map', { content: {} }],
  ]
  for (const [sentence, schema] of foreign) {
    t.strictSame(capture({ params: schema, body: schema, querystring: schema, headers: schema }, { body: CANARY }), { json: undefined, truncated: false }, sentence)
  }
  const content = { 'application/json': { schema: Type.Object({ a: name }) }, 'application/x': { schema: Type.Object({ b: name }) }, 'text/plain': { schema: new Zod() } }
  t.strictSame(captureBody({ content }, { a: '1', b: '2', x: CANARY }), textOf({ a: '1', b: '2' }), 'schemas by media type are alternatives')
  t.strictSame(captureBody({ content: 'text', type: 'string' }, 'b'), textOf('b'), 'content that is no map is not one')
  t.strictSame(captureBody({ properties: { parse: {}, validate: {} } }, { parse: 1, validate: 2 }), textOf({ parse: 1, validate: 2 }), 'properties of these names are properties')
})

t.test('does not walk what the schema leaves open in a body that is large, or of unknown size', async (t) => {
  const kind = { type: 'object', bytes: 262145 }
  const rows: Array<[string, unknown, unknown, unknown, boolean]> = [
    ['an open body', {}, { x: CANARY }, kind, true],
    ['an open list', {}, [1, { x: CANARY }], [1, kind], true],
    ['a record', Type.Record(name, name), { x: CANARY }, kind, true],
    ['an open property', Type.Object({ a: name, b: Type.Any() }), { a: 'a', b: { x: CANARY } }, { a: 'a', b: kind }, true],
    ['additional properties', Type.Object({ a: name }, { additionalProperties: true }), { a: 'a', x: CANARY }, { a: 'a' }, true],
    ['declared properties', Type.Object({ a: name }), { a: 'a', x: CANARY }, { a: 'a' }, false],
    ['an open primitive', {}, 'text', 'text', false],
  ]
  for (const [sentence, schema, value, expected, truncated] of rows) {
    t.strictSame(captureBody(schema, value, { bodyBytes: 262145 }), textOf(expected, truncated), sentence)
  }
  t.strictSame(captureBody({}, { x: CANARY }, { bodyBytes: undefined }), textOf({ type: 'object' }, true), 'of unknown size')
  t.strictSame(captureBody({}, { x: 1 }, { bodyBytes: 262144 }), textOf({ x: 1 }), 'at the limit it is walked')
  t.strictSame(capture({ querystring: {} }, { querystring: { x: 1 } }, { bodyBytes: undefined }), { json: '{"querystring":{"x":1}}', truncated: false }, 'other parts are always small')
})

t.test('all parts together stay within 32 KiB', async (t) => {
  const list = Array.from({ length: 64 }, () => 'ü'.repeat(1000))
  const parts = { params: { list }, body: { list }, querystring: { list }, headers: { list } }
  const open = { params: {}, body: {}, querystring: {}, headers: {} }
  const { json, truncated } = capture(open, parts)
  t.ok(Buffer.byteLength(json!) <= 32768, `${Buffer.byteLength(json!)} bytes`)
  const first = JSON.parse(json!).params.list.filter((item: string) => item.length === 1000)
  t.strictSame({ truncated, first: first.length, rest: { ...JSON.parse(json!), params: undefined } },
    { truncated: true, first: 16, rest: { params: undefined, body: {}, querystring: {}, headers: {} } })
  const declared = Type.Object({ list: Type.Array(name) })
  t.strictSame(
    { ...JSON.parse(capture({ params: declared, body: declared, headers: name }, { ...parts, headers: 'text' }).json!), params: undefined },
    { params: undefined, body: {}, headers: '…' },
    'the same with declared properties'
  )
  t.strictSame(
    captureBody(Type.Record(name, name), Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`k${index}`, 'v']))),
    textOf(Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, 'v'])), true),
    'a record ends at 1,000 values'
  )
  const deep = Type.Recursive((This) => Type.Object({ a: Type.Optional(Type.Union([This, Type.Array(This)])) }))
  t.strictSame(
    captureBody(deep, { a: { a: { a: { a: { a: { a: { a: { a: { a: {} } } } } } } } } }),
    textOf({ a: { a: { a: { a: { a: { a: { a: { a: '{…}' } } } } } } } }, true),
    'objects end at depth 8'
  )
  t.strictSame(captureBody(deep, { a: [{ a: [{ a: [{ a: [{ a: 1 }] }] }] }] }), textOf({ a: [{ a: [{ a: [{ a: ['{…}'] }] }] }] }, true), 'objects in arrays too')
  t.strictSame(captureBody(deep, [[[[[[[[[1]]]]]]]]]), textOf([{}]), 'arrays where none were declared are not entered')
  t.strictSame(captureBody(Type.Recursive((This) => Type.Array(This)), [[[[[[[[[]]]]]]]]]), textOf([[[[[[[['[…]']]]]]]]], true), 'arrays end at depth 8')
})

t.test('a node knows the nodes inside it by name', async (t) => {
  const leaf = (node: CaptureNode | undefined, segment: string) => node?.child(segment) !== undefined
  const compile = (schema: unknown, isHeaders = false) => compileCapture(schema as JsonSchema, { findSchema: () => undefined, isHeaders })
  const body = compile(Type.Object({ a: Type.Object({ b: name }), list: Type.Array(Type.Object({ c: name })), pair: Type.Tuple([name, Type.Object({ d: name })]), any: Type.Any() }))
  const none = compile(false)
  t.strictSame([
    leaf(body, 'a'), leaf(body.child('a'), 'b'), leaf(body.child('list')?.child('7'), 'c'), leaf(body.child('pair')?.child('1'), 'd'),
    leaf(body.child('pair'), '0'), leaf(compile(Type.Object({ 'X-A': name }), true), 'X-a'),
  ], [true, true, true, true, true, true], 'declared ones')
  t.strictSame([
    leaf(body, 'x'), leaf(body, 'A'), leaf(body, 'toString'), leaf(body, '0'), leaf(body.child('list'), '-1'), leaf(body.child('list'), 'length'),
    leaf(body.child('any'), 'x'), leaf(none, 'x'), leaf(compile(Type.Record(name, name)), 'x'),
  ], Array(9).fill(false), 'others')
})

/** A schema, a value that it declares completely, and the same value with undeclared things in every object of it. */
interface Sample {
  schema: Record<string, unknown>
  clean: unknown
  dirty: unknown
}

const withOwn = (entries: Array<[string, unknown]>): Record<string, unknown> => {
  const object = {}
  for (const [key, value] of entries) Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  return object
}

const declaredKey = fc.constantFrom('a', 'b', 'name', 'x y', '名前', 'constructor', '__proto__', 'toString', 'q"\\', 'k'.repeat(128), '0')
const junk = fc.array(fc.tuple(
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => CANARY + text),
  fc.oneof(fc.constant(CANARY), fc.object({ key: fc.constant(CANARY), values: [fc.constant(CANARY)], maxDepth: 3 }))
), { maxLength: 3 })

const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 1024 }).map((value) => ({ schema: { type: 'string' }, clean: value, dirty: value })),
      fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.double({ noNaN: true, noDefaultInfinity: true }))
        .map((value) => ({ schema: { type: ['number', 'boolean', 'null'] }, clean: value, dirty: value }))
    ),
    fc.tuple(fc.uniqueArray(fc.tuple(declaredKey, tie('sample')), { selector: ([key]) => key, maxLength: 6 }), junk, fc.constantFrom({}, { additionalProperties: false }, { minProperties: 0 }))
      .map(([entries, extra, more]) => ({
        schema: { type: 'object', properties: withOwn(entries.map(([key, { schema }]) => [key, schema])), ...more },
        clean: withOwn(entries.map(([key, { clean }]) => [key, clean])),
        dirty: withOwn([...extra, ...entries.map(([key, { dirty }]): [string, unknown] => [key, dirty])]),
      })),
    fc.array(tie('sample'), { maxLength: 4 }).chain((samples) => fc.constantFrom('items', 'prefixItems').map((keyword) => ({
      schema: { type: 'array', [keyword]: samples.map(({ schema }) => schema) },
      clean: samples.map(({ clean }) => clean),
      dirty: samples.map(({ dirty }) => dirty),
    }))),
    fc.tuple(tie('sample'), fc.integer({ min: 0, max: 70 }))
      .map(([{ schema, clean, dirty }, count]) => ({ schema: { type: 'array', items: schema }, clean: Array(count).fill(clean), dirty: Array(count).fill(dirty) })),
    fc.tuple(tie('sample'), fc.constantFrom('anyOf', 'oneOf', 'allOf')).map(([{ schema, clean, dirty }, keyword]) => ({
      schema: { [keyword]: [{ type: 'object', properties: { other: { type: 'string' } } }, schema, { minProperties: 0 }] }, clean, dirty,
    })),
    fc.tuple(tie('sample'), fc.uuid()).map(([{ schema, clean, dirty }, id]) => ({ schema: { definitions: { [id]: { $id: id, ...schema } }, $ref: id }, clean, dirty }))
  ),
}))

t.test('random values with undeclared things in them are recorded as if those were not there', async (t) => {
  t.equal(fc.defaultReportMessage(fc.check(fc.property(sample, ({ schema, clean, dirty }) => {
    const recorded = captureBody(schema, dirty)
    deepStrictEqual(recorded, captureBody(schema, clean))
    ok(Buffer.byteLength(recorded.json!) <= 32768)
    ok(!recorded.json!.includes(CANARY))
    const body = JSON.parse(recorded.json!)
    if (!recorded.truncated) deepStrictEqual(body, JSON.parse(JSON.stringify({ body: clean })))
  }), { numRuns: 300 })), undefined)
})

const KEYWORDS = ['type', 'properties', 'patternProperties', 'additionalProperties', 'items', 'prefixItems', 'additionalItems', 'allOf', 'anyOf', 'oneOf', 'if', 'then', 'else',
  'not', '$ref', '$id', '$anchor', '$defs', 'definitions', 'content', 'schema', 'a', 'b', '__proto__']

t.test('random schemas, right or wrong, never throw and keep the bounds', async (t) => {
  const leaf = fc.oneof(fc.constantFrom('a', 'object', '#', '#a', '#/definitions/a', '#/$defs', 'b#/a', '(', '^a', true, false, null, 5), fc.string())
  const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
    schema: fc.oneof({ maxDepth: 6 }, leaf, fc.dictionary(fc.constantFrom(...KEYWORDS), tie('schema'), { maxKeys: 6 }), fc.array(tie('schema'), { maxLength: 3 })),
  }))
  const value = fc.jsonValue({ maxDepth: 12 })
  t.equal(fc.defaultReportMessage(fc.check(fc.property(schema, schema, value, (given, other, body) => {
    const { json } = capture({ params: given, body: given, querystring: other, headers: given } as RouteArgumentSchemas, { params: body, body, querystring: body, headers: body },
      { findSchema: () => other as JsonSchema | undefined })
    if (json === undefined) return
    ok(Buffer.byteLength(json) <= 32768)
    equal(typeof JSON.parse(json), 'object')
  }), { numRuns: 500 })), undefined)
})
