import { deepStrictEqual, equal, ok } from 'node:assert/strict'
import { Type, TypeRegistry, Kind } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import Type1 from 'typebox'
import { asAttribute, omit, redact } from '../../../lib/arguments/annotations.ts'
import { ARGUMENT_PARTS, type ArgumentPart } from '../../../lib/arguments/argument-part.ts'
import type { CaptureNode } from '../../../lib/arguments/capture-node.ts'
import { compileCapture, SchemaError } from '../../../lib/arguments/compile-capture.ts'
import { DEFAULT_LIMITS, type Limits } from '../../../lib/arguments/limits.ts'
import { captureValues, compileRequestCapture, nodeOfPart, SchemaPartError, type RouteSchemas } from '../../../lib/arguments/request-capture.ts'
import type { FindSchema, JsonSchema } from '../../../lib/arguments/schema-leaves.ts'
import { createScrubber, type ScrubbingOptions } from '../../../lib/arguments/scrubber.ts'

interface Given {
  failed?: ArgumentPart
  bodyBytes?: number | undefined
  mediaType?: string
  findSchema?: FindSchema
  limits?: Partial<Limits>
  scrubbing?: boolean | ScrubbingOptions
  captureUnknownSchemas?: boolean
}

function settingsOf ({ limits = {}, scrubbing = true }: Given) {
  return { limits: { ...DEFAULT_LIMITS, ...limits }, scrubber: createScrubber(scrubbing) }
}

function compile (schemas: RouteSchemas | undefined, given: Given = {}) {
  const { findSchema = () => undefined, captureUnknownSchemas = false } = given
  return compileRequestCapture(schemas, { findSchema, settings: settingsOf(given), captureUnknownSchemas })
}

function captureAll (schemas: RouteSchemas | undefined, parts: Partial<Record<ArgumentPart, unknown>>, given: Given = {}) {
  const { params, body, querystring, headers } = parts
  const bodyBytes = 'bodyBytes' in given ? given.bodyBytes : 1000
  return captureValues(compile(schemas, given), { params, body, querystring, headers }, given.failed, settingsOf(given), { mediaType: given.mediaType, bodyBytes })
}

function capture (schemas: RouteSchemas | undefined, parts: Partial<Record<ArgumentPart, unknown>>, given?: Given) {
  const { json, truncated } = captureAll(schemas, parts, given)
  return { json, truncated }
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
const fail = (): never => { throw new Error('mine') }

t.test('records what the schema declares, and nothing else', async (t) => {
  const user = Type.Object({ name, address: Type.Object({ city: Type.String() }) })
  const self = { name: 'n', address: { city: 'c' } }
  const cases: Array<[string, unknown, unknown, unknown]> = [
    ['nested objects, in the order of the schema', user, { x: CANARY, address: { zip: CANARY, city: 'c' }, name: 'n' }, self],
    ['absent properties are absent, null stays', Type.Object({ a: Type.Null(), b: name }), { a: null, b: undefined }, { a: null }],
    ['arrays of objects', Type.Array(user), [self, { ...self, x: CANARY }], [self, self]],
    ['arrays of primitives', Type.Array(name), ['a', 'b'], ['a', 'b']],
    ['a bare object declares nothing', { type: 'object' }, { x: CANARY }, {}],
    ['a bare array declares nothing of what is in it', { type: 'array' }, [CANARY, { x: CANARY }], '[array of 2]'],
    ['enum and const declare nothing of objects', { enum: [{ x: 1 }] }, { x: CANARY }, {}],
    ['tuples of draft 7', Type.Tuple([name, Type.Object({ a: name })]), ['t', { a: 'a', x: CANARY }], ['t', { a: 'a' }]],
    ['tuples of draft 7 with additional items', { type: 'array', items: [{ type: 'string' }], additionalItems: user }, ['t', { ...self, x: CANARY }], ['t', self]],
    ['tuples of draft 2020', { prefixItems: [{ type: 'string' }], items: user }, ['t', { ...self, x: CANARY }], ['t', self]],
    ['items after a tuple that says nothing of them', { items: [{ type: 'string' }] }, ['t', CANARY, { x: CANARY }], ['t', null, null]],
    ['items after a tuple that forbids them', { prefixItems: [{ type: 'string' }], items: false }, ['t', CANARY, { x: CANARY }], ['t', null, null]],
    ['a position that is forbidden', { items: [false, { type: 'string' }], additionalItems: true }, [CANARY, 'a', 'b'], [null, 'a', 'b']],
    ['items that are forbidden', { type: 'array', items: false }, [CANARY], '[array of 1]'],
    ['unions of objects', Type.Union([user, Type.Object({ id: Type.Integer() })]), { ...self, id: 1, x: CANARY }, { ...self, id: 1 }],
    ['unions with primitives', Type.Union([user, Type.Null(), name]), 'text', 'text'],
    ['unions of an object and a record', Type.Union([Type.Object({ a: user }), Type.Record(name, Type.Object({ b: name }))]),
      { a: { ...self, b: 'b', x: CANARY }, c: { b: 'b', name: CANARY } }, { a: { ...self, b: 'b' }, c: { b: 'b' } }],
    ['unions of a tuple and a list', Type.Union([Type.Tuple([name, Type.Object({ a: name })]), Type.Array(Type.Object({ b: name }))]),
      [{ a: CANARY, b: 'b' }, { a: 'a', b: 'b', x: CANARY }, { a: CANARY, b: 'b' }], [{ b: 'b' }, { a: 'a', b: 'b' }, { b: 'b' }]],
    ['unions of a list and an object', Type.Union([Type.Array(Type.Object({ a: name })), Type.Object({ b: name })]), [{ a: 'a', b: CANARY }], [{ a: 'a' }]],
    ['oneOf', { oneOf: [{ properties: { a: {} } }, { properties: { b: {} } }] }, { a: 1, b: 2, x: CANARY }, { a: 1, b: 2 }],
    ['unions with something open', Type.Union([user, Type.Any()]), { ...self, x: 'open' }, { ...self, x: 'open' }],
    ['unions with something open: lists and primitives', Type.Array(Type.Union([Type.Object({ a: name }), Type.Any()])), [[1, { a: 2, b: 3 }], 'text', 5], [[1, { a: 2, b: 3 }], 'text', 5]],
    ['a property that two branches declare', { anyOf: [Type.Object({ p: Type.Object({ a: name }) }), Type.Object({ p: Type.Object({ b: name }) })] },
      { p: { a: 'a', b: 'b', x: CANARY } }, { p: { a: 'a', b: 'b' } }],
    ['intersections', Type.Intersect([user, Type.Object({ id: Type.Integer() })], { unevaluatedProperties: false }), { ...self, id: 1, x: CANARY }, { ...self, id: 1 }],
    ['intersections with more of one kind', Type.Intersect([user], { unevaluatedProperties: Type.Object({ b: name }) }), { ...self, y: { b: 'b', x: CANARY } }, { ...self, y: { b: 'b' } }],
    ['composites', Type.Composite([user, Type.Object({ id: Type.Integer() })]), { ...self, id: 1, x: CANARY }, { ...self, id: 1 }],
    ['a combinator beside properties', { type: 'object', properties: { a: {} }, allOf: [{ properties: { b: {} } }] }, { a: 1, b: 2, x: CANARY }, { a: 1, b: 2 }],
    ['a branch that only asks something of the whole is not open', { allOf: [user, { minProperties: 1 }, { required: ['name'] }] }, { ...self, x: CANARY }, self],
    ['if, then and else', { if: { properties: { kind: { const: 'a' } } }, then: { properties: { a: {} } }, else: { properties: { b: {} } } },
      { kind: 'a', a: 1, b: 2, x: CANARY }, { kind: 'a', a: 1, b: 2 }],
    ['what depends on a property', { properties: { a: {} }, dependentSchemas: { a: { properties: { b: {} } } }, dependencies: { a: { properties: { c: {} } }, b: ['a'] } },
      { a: 1, b: 2, c: 3, x: CANARY }, { a: 1, b: 2, c: 3 }],
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
    ['records whose pattern only TypeBox reads', Type.Record(Type.String({ pattern: '^[\\w-.]+$' }), name), { 'a-b.c': 'a', 'a b': CANARY }, { 'a-b.c': 'a' }],
    ['several patterns that match, and a name that is declared too', { properties: { ab: { properties: { c: {} } } }, patternProperties: { '^a': { properties: { a: {} } }, b$: { properties: { b: {} } }, '^z': false } },
      { ab: { a: 1, b: 2, c: 3, x: CANARY }, a: { a: 1, b: CANARY }, xb: { a: CANARY, b: 2 }, axb: { a: 1, b: 2, c: CANARY }, z: CANARY, x: CANARY },
      { ab: { a: 1, b: 2, c: 3 }, a: { a: 1 }, xb: { b: 2 }, axb: { a: 1, b: 2 } }],
    ['patterns, and more of one kind', { patternProperties: { '^a': { type: 'string' } }, additionalProperties: { properties: { b: {} } } }, { a: 'a', ab: { b: CANARY }, x: { b: 1, c: CANARY } }, { a: 'a', ab: {}, x: { b: 1 } }],
    ['records skip what is undefined', Type.Record(name, name), { a: undefined, b: 'b' }, { b: 'b' }],
    ['schemas of values that JSON does not have', Type.Object({ day: Type.Date(), raw: Type.Uint8Array(), id: Type.BigInt() }),
      { day: new Date(0), raw: new Uint8Array(3), id: 2n ** 64n }, { day: '1970-01-01T00:00:00.000Z', raw: { type: 'Uint8Array', bytes: 3 }, id: '18446744073709551616' }],
    ['types that were transformed', Type.Object({ day: Type.Transform(Type.String()).Decode((text) => new Date(text)).Encode((day) => day.toISOString()) }), { day: new Date(0) }, { day: '1970-01-01T00:00:00.000Z' }],
    ['types that were transformed into another kind', Type.Transform(Type.Object({ n: Type.Number() })).Decode(({ n }) => n).Encode((n) => ({ n })), 5, 5],
    ['template literals', Type.TemplateLiteral('a${string}'), 'ab', 'ab'], // eslint-disable-line no-template-curly-in-string
    ['primitives as a body', name, 'text', 'text'],
    ['null as a body', user, null, null],
    ['an array where an object was declared', user, [1, { x: CANARY }], '[array of 2]'],
  ]
  for (const [sentence, schema, value, expected] of cases) t.strictSame(captureBody(schema, value), textOf(expected), sentence)
})

t.test('the same of TypeBox 1.x, which keeps its own words where nobody looks', async (t) => {
  const node = Type1.Cyclic({ Node: Type1.Object({ id: Type1.Number(), next: Type1.Optional(Type1.Ref('Node')) }) }, 'Node')
  const { User } = Type1.Module({ User: Type1.Object({ name: Type1.String(), address: Type1.Ref('Address') }), Address: Type1.Object({ city: Type1.String(), owner: Type1.Optional(Type1.Ref('User')) }) })
  const cases: Array<[string, unknown, unknown, unknown]> = [
    ['objects', Type1.Object({ a: Type1.Object({ b: Type1.String() }), c: Type1.Optional(Type1.Number()) }), { a: { b: 'b', x: CANARY }, x: CANARY }, { a: { b: 'b' } }],
    ['records', Type1.Record(Type1.String(), Type1.Object({ a: Type1.Number() })), { k: { a: 1, x: CANARY } }, { k: { a: 1 } }],
    ['tuples', Type1.Tuple([Type1.String(), Type1.Object({ a: Type1.Number() })]), ['t', { a: 1, x: CANARY }, CANARY], ['t', { a: 1 }, null]],
    ['unions', Type1.Union([Type1.Object({ a: Type1.Number() }), Type1.Null()]), { a: 1, x: CANARY }, { a: 1 }],
    ['intersections', Type1.Intersect([Type1.Object({ a: Type1.Number() }), Type1.Object({ b: Type1.Number() })], { unevaluatedProperties: false }), { a: 1, b: 2, x: CANARY }, { a: 1, b: 2 }],
    ['what is made of intersections', Type1.Evaluate(Type1.Intersect([Type1.Object({ a: Type1.Number() }), Type1.Object({ b: Type1.Number() })])), { a: 1, b: 2, x: CANARY }, { a: 1, b: 2 }],
    ['enums', Type1.Enum(['a', 'b']), 'a', 'a'],
    ['cyclic types', node, { id: 1, next: { id: 2, next: { id: 3, x: CANARY }, x: CANARY } }, { id: 1, next: { id: 2, next: { id: 3 } } }],
    ['modules', Type1.Object({ u: User }), { u: { name: 'n', address: { city: 'c', owner: { name: 'o', address: { city: 'd', x: CANARY } }, x: CANARY } } }, { u: { name: 'n', address: { city: 'c', owner: { name: 'o', address: { city: 'd' } } } } }],
    ['codecs', Type1.Object({ day: Type1.Codec(Type1.String()).Decode((text) => new Date(text)).Encode((day) => day.toISOString()) }), { day: 5 }, { day: 5 }],
    ['bigints', Type1.Object({ id: Type1.BigInt() }), { id: 5n }, { id: '5' }],
    ['anything', Type1.Object({ a: Type1.Any(), b: Type1.Unknown() }), { a: { x: 1 }, b: [2] }, { a: { x: 1 }, b: [2] }],
    ['nothing', Type1.Object({ a: Type1.Never() }), { a: CANARY }, { a: '[string]' }],
    ['scripts', Type1.Script('{ a: string, b?: { c: number }[] }'), { a: 'a', b: [{ c: 1, x: CANARY }] }, { a: 'a', b: [{ c: 1 }] }],
  ]
  for (const [sentence, schema, value, expected] of cases) t.strictSame(captureBody(schema, value), textOf(expected), sentence)
})

t.test('of a primitive that its schema does not let in, only the kind is told', async (t) => {
  TypeRegistry.Set('Odd', () => true)
  t.teardown(() => { TypeRegistry.Delete('Odd') })
  const [s, n, b] = ['[string]', '[number]', '[boolean]']
  /** What is recorded of `'text'`, `5`, `true` and `null`. */
  const cases: Array<[string, unknown, unknown[]]> = [
    ['string', name, ['text', n, b, null]],
    ['number', Type.Number(), [s, 5, b, null]],
    ['integer', Type.Integer(), [s, 5, b, null]],
    ['boolean', Type.Boolean(), [s, n, true, null]],
    ['null', Type.Null(), [s, n, b, null]],
    ['object', Type.Object({}), [s, n, b, null]],
    ['array', Type.Array(name), [s, n, b, null]],
    ['several', { type: ['string', 'number'] }, ['text', 5, b, null]],
    ['a union', Type.Union([name, Type.Boolean()]), ['text', n, true, null]],
    ['const', { const: 'a' }, ['text', n, b, null]],
    ['const null', { const: null }, [s, n, b, null]],
    ['a literal', Type.Literal(1), [s, 5, b, null]],
    ['enum', { enum: ['a', 1, null] }, ['text', 5, b, null]],
    ['enum of objects', { enum: [{}] }, [s, n, b, null]],
    ['what is asked of strings', { minLength: 1 }, ['text', n, b, null]],
    ['what is asked of numbers', { minimum: 1 }, [s, 5, b, null]],
    ['what is asked of both', { format: 'email', multipleOf: 2 }, ['text', 5, b, null]],
    ['what is asked of objects', { required: ['a'] }, [s, n, b, null]],
    ['not', Type.Not(name), [s, n, b, null]],
    ['a type beside branches that name none', { type: 'string', allOf: [{ not: { const: 'x' } }] }, ['text', n, b, null]],
    ['a list of values beside them', { enum: [1], anyOf: [{ not: {} }] }, [s, 5, b, null]],
    ['a value beside them', { const: true, anyOf: [{ not: {} }] }, [s, n, true, null]],
    ['a type of TypeBox', Type.Date(), ['text', 5, true, null]],
    ['a type of the application', Type.Unsafe({ [Kind]: 'Odd', type: 'odd' }), ['text', 5, true, null]],
    ['names that every object has', { type: 'constructor' }, ['text', 5, true, null]],
    ['anything', {}, ['text', 5, true, null]],
  ]
  for (const [sentence, schema, expected] of cases) t.strictSame(captureBody(Type.Array(schema as never), ['text', 5, true, null]), textOf(expected), sentence)
  t.strictSame(captureBody(Type.Array(Type.Integer()), [5n, undefined, Symbol('s')]), textOf(['5', null, null]), 'bigints are numbers, and what is nothing is null')
  t.strictSame(captureBody(Type.Object({ a: name }), { a: 5n }), textOf({ a: '[bigint]' }))
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
    $dynamicRef: '#node',
    $recursiveRef: '#',
    unevaluatedProperties: false,
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
    t.notMatch(captureBody({ anyOf: [{ [keyword]: value }] }, { x: CANARY }).json, CANARY, `${keyword} closes in a branch`)
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

  const added: Record<string, JsonSchema> = { One: { properties: { two: { $ref: 'Two#' }, v: {} } }, Two: { properties: { one: { $ref: 'One#' }, w: {} } } }
  t.strictSame(
    captureBody({ $ref: 'One' }, { v: 1, x: CANARY, two: { w: 2, x: CANARY, one: { v: 3, x: CANARY } } }, { findSchema: (id) => structuredClone(added[id]) }),
    textOf({ two: { one: { v: 3 }, w: 2 }, v: 1 }), 'also when each time a copy is handed out'
  )
  t.strictSame(
    captureBody(
      { properties: { leak: {}, node: { $id: 'Node', type: 'object', properties: { v: {}, next: { $ref: '#' } } } } },
      { leak: 1, node: { v: 1, next: { v: 2, leak: CANARY, next: { v: 3 } } } }
    ),
    textOf({ leak: 1, node: { v: 1, next: { v: 2, next: { v: 3 } } } }),
    '# inside a schema with an $id is that schema, not the whole body'
  )
})

t.test('references that lead nowhere leave a mark', async (t) => {
  const references = ['Nowhere', '#/definitions/Nowhere', '#/definitions/text', '#/definitions/toString', '#/definitions/City/none/deeper', '#nowhere', 'Nowhere#/a',
    'Known#/none', 'http://[', '%', 'text', 'toString', '#/$id']
  const u = '[unknown schema]'
  for (const $ref of references) {
    const schema = { type: 'object', definitions: { text: 'no schema', City: null }, $defs: true, properties: { a: { $ref }, b: { $ref }, c: { type: 'array', items: { $ref } } } }
    t.strictSame(
      captureBody(schema, { a: CANARY, b: { x: CANARY }, c: [CANARY, { x: CANARY }] }, { findSchema: byId({ Known: { type: 'object' } }) }),
      textOf({ a: u, b: u, c: [u, u] }),
      $ref
    )
  }
  t.strictSame(captureBody({ $ref: 'Nowhere' }, CANARY), textOf(u), 'as the whole schema')
  t.strictSame(captureBody({ $ref: 'Nowhere', properties: { a: {} } }, { a: 1, x: CANARY }), textOf({ a: 1 }), 'beside something that is known')
  t.strictSame(captureBody({ anyOf: [{ $ref: 'Nowhere' }, { type: 'string' }] }, { x: CANARY }), textOf({}), 'in one of several branches')
  t.strictSame(captureBody({ properties: { a: { $ref: 'X' } } }, { a: CANARY }, { findSchema: byId({ X: true }) }), textOf({ a: CANARY }), 'one to the schema true does')
  t.strictSame(captureBody({ $ref: 'X#/a' }, CANARY, { findSchema: byId({ X: true }) }), textOf(u), 'a pointer into the schema true leads nowhere')
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

t.test('two modules in one schema can have members of the same name', async (t) => {
  const modules = (mark: typeof redact) => Type.Module({ User: Type.Object({ note: mark(name), address: Type.Ref('Address') }), Address: Type.Object({ city: mark(name) }) }).Import('User')
  const user = { note: CANARY, address: { city: CANARY } }
  const hidden = { note: '[redacted string]', address: { city: '[redacted string]' } }
  const plain = modules((schema) => schema)
  t.strictSame(captureBody(Type.Object({ a: plain, b: modules(redact) }), { a: user, b: user }), textOf({ a: user, b: hidden }), 'modules')
  t.strictSame(captureBody(Type.Object({ b: modules(redact), a: plain }), { a: user, b: user }), textOf({ b: hidden, a: user }), 'the other way round')
  t.strictSame(captureBody(Type.Union([plain, modules(redact)]), user), textOf(hidden), 'as branches')

  // One object in two places means what is around it.
  const link = Type1.Object({ to: Type1.Ref('Node') })
  const cyclic = (mark: typeof redact) => Type1.Cyclic({ Node: Type1.Object({ v: mark(Type1.String()), next: Type1.Optional(Type1.Ref('Node')), link: Type1.Optional(link) }) }, 'Node')
  const node = { v: CANARY, next: { v: CANARY, link: { to: { v: CANARY } } } }
  const v = '[redacted string]'
  t.strictSame(captureBody(Type1.Object({ a: cyclic((schema) => schema), b: cyclic(redact) }), { a: node, b: node }), textOf({ a: node, b: { v, next: { v, link: { to: { v } } } } }), 'cyclic types of TypeBox 1.x')
  const $ref = { $ref: '#/definitions/T' }
  const holder = ($id: string, T: object) => ({ $id, type: 'object', definitions: { T }, properties: { t: $ref } })
  t.strictSame(
    captureBody({ properties: { a: holder('A', { type: 'string' }), b: holder('B', redact({ type: 'string' })) } }, { a: { t: 'plain' }, b: { t: CANARY } }),
    textOf({ a: { t: 'plain' }, b: { t: v } }), 'one reference in two schemas with an $id'
  )
  const shared = { $ref: '#/properties/t' }
  t.strictSame(
    captureBody({ properties: { a: { $id: 'A', properties: { t: { type: 'string' }, u: shared } }, b: { $id: 'B', properties: { t: redact({ type: 'string' }), u: shared } } } }, { a: { u: 'plain' }, b: { u: CANARY } }),
    textOf({ a: { u: 'plain' }, b: { u: v } }), 'the same without definitions'
  )
  const named = { $ref: 'N' }
  t.strictSame(
    captureBody({ properties: { a: { $defs: { N: { $id: 'N', type: 'string' } }, properties: { u: named } }, b: { $defs: { N: { $id: 'N', ...redact({ type: 'string' }) } }, properties: { u: named } } } }, { a: { u: 'plain' }, b: { u: CANARY } }),
    textOf({ a: { u: 'plain' }, b: { u: v } }), 'the same with definitions only'
  )
  t.strictSame(
    captureBody(Type.Object({ m: modules(redact), city: { $ref: 'Address' } as never }, { definitions: { Other: { $id: 'Other', $ref: 'Address' } } }), { m: user, city: { city: CANARY } }),
    textOf({ m: hidden, city: { city: v } }), 'a member that is meant from outside'
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
    note: name,
    list: Type.Array(name),
    session: omit(name),
    secret: redact(name),
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
    note: `see https://me:${CANARY}@host, ü`,
    list: ['a', `Bearer ${CANARY}12345`],
    session: CANARY,
    secret: CANARY,
  }
  const { json, truncated, scrubbed } = captureAll({ body: schema }, { body: value })
  t.strictSame({ json, truncated }, textOf({
    password: '[scrubbed]',
    accessToken: '[scrubbed]',
    cvv: '[scrubbed]',
    pin: null,
    passwords: '[scrubbed]',
    nested: { api_key: '[scrubbed]' },
    open: { secret: '[scrubbed]', list: [{ jwt: '[scrubbed]' }], otp: null },
    more: { session: '[scrubbed]', csrf: null, author: 'a' },
    note: 'see https://[scrubbed]@host, ü',
    list: ['a', 'Bearer [scrubbed]'],
    secret: '[redacted string]',
  }))
  const paths = ['/password', '/accessToken', '/cvv', '/passwords', '/nested/api_key', '/open/secret', '/open/list/0/jwt', '/more/session', '/note', '/list/1']
  t.strictSame(scrubbed, paths.map((path) => `/body${path}`), 'and says where; what is redacted is not among it')
  const parts = captureAll({ params: schema, body: schema, querystring: schema, headers: schema }, { params: { pin: null, cvv: 1 }, body: { cvv: 1 }, querystring: { cvv: 1 }, headers: { cvv: 1 } })
  t.strictSame(parts.scrubbed, ARGUMENT_PARTS.map((part) => `/${part}/cvv`), 'of every part')
})

t.test('headers are compared in lower case, and credentials among them redacted', async (t) => {
  const headers = { 'x-tenant': 't', accept: 'a', authorization: CANARY, cookie: CANARY, 'x-api-key': CANARY, 'x-user-token': CANARY, host: 'h', 'set-cookie': [CANARY] }
  const properties = { 'X-Tenant': name, ACCEPT: name, Authorization: name, Cookie: name, 'X-API-Key': name, 'X-User-Token': name, 'X-Absent': name }
  const r = '[redacted string]'
  const declared = { 'x-tenant': 't', accept: 'a', authorization: r, cookie: r, 'x-api-key': r, 'x-user-token': '[scrubbed]' }
  const text = (headers: unknown) => ({ json: JSON.stringify({ headers }), truncated: false })
  t.strictSame(capture({ headers: Type.Object(properties) }, { headers }), text(declared), 'declared ones')
  const all = { ...declared, host: 'h', 'set-cookie': '[redacted array]' }
  t.strictSame(capture({ headers: Type.Object({ 'X-Tenant': name }, { additionalProperties: Type.Any() }) }, { headers }), text(all), 'additional ones')
  for (const open of [{}, true, Type.Any(), Type.Record(name, Type.Any()), { additionalProperties: {} }, Type.Union([Type.Any(), Type.Object(properties)])]) {
    t.strictSame(capture({ headers: open }, { headers }), text(all), `an open schema: ${JSON.stringify(open)}`)
  }
  t.strictSame(capture({ headers: { validate () {} } }, { headers }, { captureUnknownSchemas: true }), text(all), 'a schema of another library')
  t.strictSame(capture({ headers: Type.Object(properties) }, { headers }, { scrubbing: false }), text({ ...declared, 'x-user-token': CANARY }), 'also without scrubbing')
  const kept: ScrubbingOptions = { callback: ({ value }) => value }
  t.strictSame(capture({ headers: Type.Object(properties) }, { headers }, { scrubbing: kept }), text({ ...declared, 'x-user-token': CANARY }), 'a callback is not asked about them')
  t.strictSame(
    capture({ headers: { allOf: [{ properties: { 'X-A': {} } }, { properties: { 'x-a': {}, 'X-B': {} } }] } }, { headers: { 'x-a': '1', 'x-b': '2', 'x-c': CANARY } }),
    text({ 'x-a': '1', 'x-b': '2' }), 'of several branches'
  )
  t.strictSame(captureAll({ headers: Type.Object({ Cookie: asAttribute('app.cookie', name), 'X-A': asAttribute('app.a', name) }) }, { headers: { cookie: CANARY, 'x-a': '1' } }).attributes, [['app.a', '1']], 'a credential is no attribute')
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
  const cases: Array<[string, RouteSchemas | undefined, Partial<Record<ArgumentPart, unknown>>, ArgumentPart | undefined, unknown]> = [
    ['all of them, in the order of validation', schemas, parts, undefined, parts],
    ['none without schemas', undefined, parts, undefined, undefined],
    ['only those that have one', { body: a }, parts, undefined, { body: { a: 'b' } }],
    ['null is none', { body: null, params: a }, parts, undefined, { params: { a: 'p' } }],
    ['query is another name of querystring', { query: a }, parts, undefined, { querystring: { a: 'q' } }],
    ['only those that the request has', schemas, { querystring: { a: 'q' } }, undefined, { querystring: { a: 'q' } }],
    ['only those that are not omitted', { ...schemas, body: omit(a), params: omit(a) }, parts, undefined, { querystring: { a: 'q' }, headers: { a: 'h' } }],
    ['those that are redacted, as a mark', { ...schemas, body: redact(a) }, parts, 'querystring', { params: { a: 'p' }, body: '[redacted object]' }],
    ['params failed', schemas, parts, 'params', undefined],
    ['body failed', schemas, parts, 'body', { params: { a: 'p' } }],
    ['querystring failed', schemas, parts, 'querystring', { params: { a: 'p' }, body: { a: 'b' } }],
    ['headers failed', schemas, parts, 'headers', { params: { a: 'p' }, body: { a: 'b' }, querystring: { a: 'q' } }],
  ]
  for (const [sentence, given, values, failed, expected] of cases) {
    t.strictSame(capture(given, values, failed === undefined ? {} : { failed }), { json: expected === undefined ? undefined : JSON.stringify(expected), truncated: false }, sentence)
  }
  t.strictSame(captureAll(schemas, {}), { json: undefined, truncated: false, attributes: [], scrubbed: [] }, 'nothing')
  t.ok(Object.isFrozen(captureAll(schemas, {})), 'nothing is shared, and cannot be changed')
})

t.test('a schema that is not JSON Schema leaves a mark, or lets everything in when that is wanted', async (t) => {
  class Zod { parse () {} }
  class Joi { validate () {} }
  const body = { a: 1, password: 'p', note: 'token=abc', deep: { list: [1, { b: 2 }] } }
  const clean = { a: 1, password: '[scrubbed]', note: 'token=[scrubbed]', deep: { list: [1, { b: 2 }] } }
  const foreign: Array<[string, unknown]> = [
    ['zod', new Zod()], ['joi', new Joi()], ['a Standard Schema', { '~standard': { version: 1 } }], ['a function', () => true], ['a string', 'User'], ['a list', [{ type: 'string' }]],
    ['a number', 5],
  ]
  for (const [sentence, schema] of foreign) {
    t.strictSame(captureBody(schema, body), textOf('[unknown schema]'), sentence)
    t.strictSame(captureBody(schema, body, { captureUnknownSchemas: true }), textOf(clean), `${sentence}, recorded`)
  }
  t.strictSame(captureBody({ properties: { parse: {}, validate: {} } }, { parse: 1, validate: 2 }), textOf({ parse: 1, validate: 2 }), 'properties of these names are properties')
  for (const mark of ['isFluentSchema', 'isFluentJSONSchema']) {
    const fluent = { [mark]: true, prop () {}, validate () {}, valueOf: () => ({ type: 'object', properties: { a: { type: 'number' } } }) }
    t.strictSame(captureBody(fluent, { ...body, x: CANARY }), textOf({ a: 1 }), 'fluent-json-schema builds JSON Schema')
  }
})

t.test('the schema of a body can depend on its media type', async (t) => {
  const content = {
    'application/json': { schema: Type.Object({ a: name }) }, 'application/x-own': { schema: Type.Object({ b: name }) }, 'Application/Other': { schema: Type.Object({ b: name }) }, 'text/plain': { schema: { parse () {} } }, 'text/none': null, 'text/empty': {},
  }
  const both = { a: '1', b: '2', x: CANARY }
  const cases: Array<[string | undefined, unknown]> = [
    ['application/json', { a: '1' }], ['application/x-own', { b: '2' }], ['text/plain', '[unknown schema]'], ['text/none', undefined], ['text/empty', undefined], ['text/other', undefined], ['application/other', undefined], [undefined, undefined],
  ]
  for (const [mediaType, expected] of cases) {
    const given: Given = mediaType === undefined ? {} : { mediaType }
    t.strictSame(captureBody({ content }, both, given), expected === undefined ? { json: undefined, truncated: false } : textOf(expected), String(mediaType))
  }
  t.strictSame(captureBody({ content: {} }, both, { mediaType: 'application/json' }), { json: undefined, truncated: false }, 'an empty map')
  t.strictSame(captureBody({ content: 'text', type: 'string' }, 'b'), textOf('b'), 'content that is no map is not one')
  t.strictSame(capture({ querystring: { content, type: 'object', properties: { q: {} } } }, { querystring: { q: 1 } }), { json: '{"querystring":{"q":1}}', truncated: false }, 'other parts have none')
  const node = compile({ params: name }).params
  t.equal(nodeOfPart(node, 'text/plain'), node)
})

t.test('a schema that cannot be read is refused, with its place', async (t) => {
  const cases: Array<[string, unknown, string]> = [
    ['a property that is no schema', { properties: { a: 'no' } }, ': "properties" must be schemas by name, received an object'],
    ['properties that are a list', { properties: [] }, ': "properties" must be schemas by name, received a list'],
    ['deep inside', { properties: { a: { items: { properties: { b: { items: 'no' } } } } } }, '/a/*/b: "items" must be a schema, received "no"'],
    ['a list of items with something else in it', { items: [null] }, ': "items" must be a list of schemas, received a list'],
    ['in a position', { items: [{}, { type: {} }] }, '/1: "type" must be a type or a list of types, received an object'],
    ['prefixItems', { prefixItems: {} }, ': "prefixItems" must be a list of schemas, received an object'],
    ['additionalItems', { additionalItems: 1 }, ': "additionalItems" must be a schema, received 1'],
    ['additionalProperties', { additionalProperties: null }, ': "additionalProperties" must be a schema, received null'],
    ['unevaluatedProperties', { unevaluatedProperties: () => {} }, ': "unevaluatedProperties" must be a schema, received a function'],
    ['branches that are no schemas', { allOf: [null] }, ': "allOf" must be a list of schemas, received a list'],
    ['branches that are no list', { anyOf: {} }, ': "anyOf" must be a list of schemas, received an object'],
    ['inside a branch', { oneOf: [{ properties: { a: { oneOf: 5n } } }] }, '/a: "oneOf" must be a list of schemas, received a bigint'],
    ['if', { if: 1 }, ': "if" must be a schema, received 1'],
    ['then', { then: 'x' }, ': "then" must be a schema, received "x"'],
    ['else', { else: Symbol('s') }, ': "else" must be a schema, received a symbol'],
    ['a reference', { properties: { a: { $ref: 5 } } }, '/a: "$ref" must be a string, received 5'],
    ['a type', { type: ['string', 5] }, ': "type" must be a type or a list of types, received a list'],
    ['a pattern', { properties: { r: { patternProperties: { '(': {} } } } }, '/r: "patternProperties" must be schemas by regular expression, and "(" is none, received an object'],
    ['what a pattern leads to', { patternProperties: { a: 5 } }, ': "patternProperties" must be schemas by name, received an object'],
    ['inside what a pattern leads to', { patternProperties: { a: { properties: 5 } } }, '/*: "properties" must be schemas by name, received 5'],
    ['inside what else may come', { additionalProperties: { properties: 5 } }, '/*: "properties" must be schemas by name, received 5'],
    ['an attribute of the conventions', { properties: { a: asAttribute('http.route', { type: 'string' }) } },
      '/a: the attribute name "http.route" belongs to the semantic conventions or to this package; choose one of your own, such as "app.http.route"'],
    ['an attribute of an object', { properties: { a: asAttribute('app.a', { properties: { b: {} } }) } },
      '/a: an attribute (app.a) can be a string, a number, a boolean or a list of them, not an object'],
  ]
  for (const [sentence, schema, message] of cases) {
    t.throws(() => compile({ body: schema }), new SchemaPartError('body', { message: message.slice(message.indexOf(': ') + 2), pointer: message.slice(0, message.indexOf(': ')) } as SchemaError), sentence)
    t.throws(() => compile({ body: schema }), { message: `body${message}` }, sentence)
  }
  t.throws(() => compile({ params: { properties: 5 } }), { message: /^params: / }, 'the part is named')
  t.throws(() => compile({ query: { properties: 5 } }), { message: /^querystring: / }, 'also under its other name')
  t.throws(() => compile({ body: { content: { 'text/x': { schema: { properties: 5 } } } } }), { message: /^body \(text\/x\): / }, 'and its media type')
  for (const [thrown, message] of [[new Error('mine'), 'mine'], ['text', 'text']] as const) {
    t.throws(() => compile({ body: { properties: { a: { $ref: 'X' } } } }, { findSchema: () => { throw thrown } }), { message: `body/a: ${message}` }, 'what looking for a schema throws')
  }
  const direct = new SchemaError(new TypeError('wrong'), '/a')
  t.strictSame([direct.message, direct.pointer, direct instanceof TypeError], ['wrong', '/a', true])
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
    ['declared properties of what takes more', Type.Object({ a: Type.Object({ b: name }) }, { additionalProperties: name }), { a: { b: 'b', x: CANARY }, x: CANARY }, { a: { b: 'b' } }, true],
    ['a list of records', Type.Array(Type.Record(name, name)), [{ x: CANARY }], [kind], true],
    ['an open primitive', {}, 'text', 'text', false],
    ['a date and a buffer', Type.Array(Type.Any()), [new Date(0), Buffer.alloc(2)], ['1970-01-01T00:00:00.000Z', { type: 'Buffer', bytes: 2 }], false],
  ]
  for (const [sentence, schema, value, expected, truncated] of rows) {
    t.strictSame(captureBody(schema, value, { bodyBytes: 262145 }), textOf(expected, truncated), sentence)
  }
  t.strictSame(captureBody({}, { x: CANARY }, { bodyBytes: undefined }), textOf({ type: 'object' }, true), 'of unknown size')
  t.strictSame(captureBody({}, { x: 1 }, { bodyBytes: 262144 }), textOf({ x: 1 }), 'at the limit it is walked')
  t.strictSame(captureBody({}, { x: 1 }, { bodyBytes: 0, limits: { maxOpenBytes: 0 } }), textOf({ x: 1 }), 'the limit can be another')
  t.strictSame(captureBody({}, { x: CANARY }, { bodyBytes: 1, limits: { maxOpenBytes: 0 } }), textOf({ type: 'object', bytes: 1 }, true), 'also none')
  t.strictSame(capture({ querystring: {} }, { querystring: { x: 1 } }, { bodyBytes: undefined }), { json: '{"querystring":{"x":1}}', truncated: false }, 'other parts are always small')
})

t.test('all parts together stay within 32 KiB', async (t) => {
  const list = Array.from({ length: 64 }, () => 'ü'.repeat(1000))
  const parts = { params: { list }, body: { list }, querystring: { list }, headers: { list } }
  const { json, truncated } = capture({ params: {}, body: {}, querystring: {}, headers: {} }, parts)
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
  t.strictSame(captureBody(deep, [[[[[[[[[1]]]]]]]]]), textOf('[array of 1]'), 'arrays where none were declared are not entered')
  t.strictSame(captureBody(Type.Recursive((This) => Type.Array(This)), [[[[[[[[[]]]]]]]]]), textOf([[[[[[[['[…]']]]]]]]], true), 'arrays end at depth 8')
})

t.test('what throws inside a value costs its place only', async (t) => {
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const u = '[unreadable]'
  const schema = Type.Object({ a: Type.Object({ b: name }), 'c d': name, list: Type.Array(Type.Object({ b: name })), any: Type.Any() })
  const half = new Proxy({ b: 'b' }, { get: (target, key) => key === 'b' ? fail() : Reflect.get(target, key) })
  const cases: Array<[string, unknown, unknown]> = [
    ['a getter', { get a () { return fail() }, 'c d': 'c' }, { a: u, 'c d': 'c' }],
    ['a getter after another property', { a: { b: 'b' }, get 'c d' () { return fail() }, any: 1 }, { a: { b: 'b' }, 'c d': u, any: 1 }],
    ['inside', { a: half, list: [{ b: 'b' }, half, revoked.proxy], any: [1, half] }, { a: { b: u }, list: [{ b: 'b' }, { b: u }, u], any: [1, { b: u }] }],
    ['everything', revoked.proxy, u],
  ]
  for (const [sentence, value, expected] of cases) t.strictSame(captureBody(schema, value), textOf(expected), sentence)
  t.strictSame(captureBody(Type.Record(name, name), { get a () { return fail() }, b: 'b' }), textOf({ a: u, b: 'b' }), 'in a record')
  t.strictSame(captureBody(Type.Record(name, name), revoked.proxy), textOf(u), 'a record as a whole')
  t.strictSame(
    capture({ params: name, body: Type.Record(name, name), querystring: name }, { params: 'p', body: new Proxy({}, { ownKeys: fail }), querystring: 'q' }),
    { json: '{"params":"p","body":"[unreadable]","querystring":"q"}', truncated: false }, 'a part as a whole'
  )
  const wide = Type.Object(Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`a property ${index}`, name])))
  const hostile = captureBody(wide, new Proxy({}, { get: fail }), { limits: { maxBytes: 2048 } })
  t.ok(Buffer.byteLength(hostile.json!) <= 2048 && hostile.truncated, 'a proxy that always throws runs into the bounds too')
  t.doesNotThrow(() => JSON.parse(hostile.json!))
})

t.test('a node knows the nodes inside it by name', async (t) => {
  const leaf = (node: CaptureNode | undefined, segment: string) => node?.child(segment) !== undefined
  const compileNode = (schema: unknown, isHeaders = false) => compileCapture(schema as JsonSchema, { findSchema: () => undefined, isHeaders, settings: settingsOf({}) })
  const body = compileNode(Type.Object({ a: Type.Object({ b: name }), list: Type.Array(Type.Object({ c: name })), pair: Type.Tuple([name, Type.Object({ d: name })]), any: Type.Any(), r: redact(Type.Object({ s: omit(name) })) }))
  const none = compileNode(false)
  t.strictSame([
    leaf(body, 'a'), leaf(body.child('a'), 'b'), leaf(body.child('list')?.child('7'), 'c'), leaf(body.child('pair')?.child('1'), 'd'),
    leaf(body.child('pair'), '0'), leaf(compileNode(Type.Object({ 'X-A': name }), true), 'X-a'), leaf(body.child('r'), 's'),
  ], Array(7).fill(true), 'declared ones')
  t.strictSame([
    leaf(body, 'x'), leaf(body, 'A'), leaf(body, 'toString'), leaf(body, '0'), leaf(body.child('list'), '-1'), leaf(body.child('list'), 'length'), leaf(body.child('pair'), '2'),
    leaf(body.child('any'), 'x'), leaf(none, 'x'), leaf(compileNode(Type.Record(name, name)), 'x'),
  ], Array(10).fill(false), 'others')
  const unnamed = (schema: unknown, segment: string) => compileNode(schema).unnamedChild(segment) !== undefined
  t.strictSame([
    unnamed({}, 'x'), unnamed(Type.Record(name, name), 'x'), unnamed({ patternProperties: { '^a': {} } }, 'ab'), unnamed({ patternProperties: { '^a': {} }, additionalProperties: {} }, 'x'),
  ], [true, true, true, true], 'names that the client chooses')
  t.strictSame([unnamed(Type.Object({}), 'x'), unnamed({ patternProperties: { '^a': {} } }, 'x'), unnamed({ patternProperties: { '^a': false } }, 'a'), unnamed(false, 'x')], [false, false, false, false], 'or not')
  t.ok(compileNode({}).unnamedChild('a')!.unnamedChild('b') !== undefined, 'all the way down')
  const facts = ({ isRedacted, isOmitted, isUnknown }: CaptureNode) => [isRedacted, isOmitted, isUnknown]
  t.strictSame([body, body.child('r')!, body.child('r')!.child('s')!, compileNode({ $ref: 'X' })].map(facts), [[false, false, false], [true, false, false], [true, true, false], [false, false, true]])
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
    fc.array(tie('sample'), { minLength: 1, maxLength: 4 }).chain((samples) => fc.constantFrom('items', 'prefixItems').map((keyword) => ({
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

/** A schema with a value of it. Each string of the value is another one, so that it can be found in what is recorded. */
interface Marked {
  schema: Record<string, unknown>
  value: unknown
  /** What the schema declares, and nothing hides. */
  shown: string[]
  /** What it does not declare, or hides. */
  hidden: string[]
}

type Build = (next: () => string) => Marked

/** Hides a schema, in one of the ways there are. */
const HIDINGS: Array<(schema: Record<string, unknown>) => Record<string, unknown>> = [
  redact, omit, (schema) => ({ ...schema, writeOnly: true }), (schema) => ({ ...schema, format: 'password' }), (schema) => ({ allOf: [schema, redact({})] }),
  (schema) => ({ anyOf: [schema, omit({ type: 'null' })] }), (schema) => JSON.parse(JSON.stringify(redact(schema))), (schema) => ({ $defs: { hidden: redact(schema) }, allOf: [{ $id: 'x', $ref: 'hidden', $defs: { hidden: redact(schema) } }] }),
]

const leafOf = (next: () => string): Marked => {
  const text = next()
  return { schema: { type: 'string' }, value: text, shown: [text], hidden: [] }
}

/** @param isClosed - nothing in it takes names that it does not list: only then is it known what branches of a union hide */
const shapes = (isClosed: boolean) => fc.letrec<{ shape: Build }>((tie) => {
  const hidden = fc.tuple(tie('shape'), fc.constantFrom(...HIDINGS)).map(([build, hide]): Build => (next) => {
    const { schema, value, shown, hidden } = build(next)
    return { schema: hide(schema), value, shown: [], hidden: [...shown, ...hidden] }
  })
  const object = fc.tuple(fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'x y', '__proto__', 'password', 'api-key'), tie('shape')), { selector: ([key]) => key, maxLength: 4 }), fc.boolean())
    .map(([entries, isStrict]): Build => (next) => {
      const built = entries.map(([key, build]) => ({ key, isSecret: key === 'password' || key === 'api-key', ...build(next) }))
      const junk = next()
      return {
        schema: { type: 'object', properties: withOwn(built.map(({ key, schema }) => [key, schema])), ...(isStrict ? { additionalProperties: false } : {}) },
        value: withOwn([[`junk ${junk}`, junk], ...built.map(({ key, value }): [string, unknown] => [key, value]), ['more', { [junk]: [junk] }]]),
        shown: built.flatMap(({ isSecret, shown }) => isSecret ? [] : shown),
        hidden: [junk, ...built.flatMap(({ isSecret, shown, hidden }) => isSecret ? [...shown, ...hidden] : hidden)],
      }
    })
  const list = fc.tuple(tie('shape'), fc.integer({ min: 0, max: 3 })).map(([build, count]): Build => (next) => {
    const items = Array.from({ length: count }, () => build(next))
    return { schema: { type: 'array', items: build(next).schema }, value: items.map(({ value }) => value), shown: items.flatMap(({ shown }) => shown), hidden: items.flatMap(({ hidden }) => hidden) }
  })
  const tuple = fc.tuple(fc.array(tie('shape'), { minLength: 1, maxLength: 3 }), fc.constantFrom('items', 'prefixItems')).map(([builds, keyword]): Build => (next) => {
    const items = builds.map((build) => build(next))
    // What follows a tuple in one branch may be an item of a list in another.
    const junk = isClosed ? [] : [next()]
    return {
      schema: { type: 'array', [keyword]: items.map(({ schema }) => schema) },
      value: [...items.map(({ value }) => value), ...junk, { a: junk }],
      shown: items.flatMap(({ shown }) => shown),
      hidden: [...junk, ...items.flatMap(({ hidden }) => hidden)],
    }
  })
  const record = fc.tuple(tie('shape'), fc.constantFrom('additionalProperties', 'unevaluatedProperties', 'patternProperties')).map(([build, keyword]): Build => (next) => {
    const { schema, value, shown, hidden } = build(next)
    const junk = next()
    const isPattern = keyword === 'patternProperties'
    return {
      schema: { type: 'object', [keyword]: isPattern ? { '^k': schema } : schema },
      value: { key: value, ...(isPattern ? { [`junk ${junk}`]: junk } : {}), token: build(next).value },
      shown,
      hidden: [...hidden, ...(isPattern ? [junk] : [])],
    }
  })
  const reference = fc.tuple(tie('shape'), fc.uuid()).map(([build, id]): Build => (next) => {
    const built = build(next)
    return { ...built, schema: { definitions: { [id]: { $id: id, ...built.schema } }, $ref: id } }
  })
  return { shape: fc.oneof({ maxDepth: 4 }, fc.constant(leafOf), hidden, object, object, list, tuple, reference, ...(isClosed ? [] : [record])) }
}).shape

function counter (): () => string {
  let count = 0
  return () => `<${CANARY} ${count++}>`
}

const limitsOf = fc.record<Partial<Limits>>({
  maxBytes: fc.integer({ min: 1024, max: 4096 }),
  maxDepth: fc.integer({ min: 1, max: 32 }),
  maxNodes: fc.integer({ min: 1, max: 1000 }),
  maxItems: fc.integer({ min: 1, max: 64 }),
  maxStringLength: fc.integer({ min: 16, max: 1024 }),
  maxKeyLength: fc.integer({ min: 16, max: 1024 }),
}, { requiredKeys: [] })

t.test('random bodies of random schemas: all that is declared is recorded, and nothing that is not, or that is hidden', async (t) => {
  t.equal(fc.defaultReportMessage(fc.check(fc.property(shapes(false), (build) => {
    const { schema, value, shown, hidden } = build(counter())
    const { json, truncated } = captureBody(schema, value)
    const text = json ?? ''
    deepStrictEqual(hidden.filter((canary) => text.includes(canary)), [], `${JSON.stringify(schema)} records ${JSON.stringify(value)} as ${text}`)
    if (!truncated) deepStrictEqual(shown.filter((canary) => !text.includes(canary)), [], `${JSON.stringify(schema)} records ${JSON.stringify(value)} as ${text}`)
    if (json !== undefined) JSON.parse(json)
  }), { numRuns: 1000 })), undefined)
})

t.test('random unions: what one branch hides is hidden, whichever the value is of', async (t) => {
  const union = fc.tuple(fc.array(shapes(true), { minLength: 1, maxLength: 4 }), fc.constantFrom('anyOf', 'oneOf', 'allOf', 'if'), limitsOf)
  t.equal(fc.defaultReportMessage(fc.check(fc.property(union, ([builds, keyword, limits]) => {
    const next = counter()
    const branches = builds.map((build) => build(next))
    const schemas = branches.map(({ schema }) => schema)
    const schema = keyword === 'if' ? { if: {}, then: schemas[0], else: { anyOf: schemas } } : { [keyword]: schemas }
    for (const { value, hidden } of branches) {
      for (const given of [{}, { limits }]) {
        // An open `if` lets in everything.
        const { json } = captureBody(keyword === 'if' ? { ...schema, if: { type: 'object' } } : schema, value, given)
        const text = json ?? ''
        deepStrictEqual(hidden.filter((canary) => text.includes(canary)), [], `${JSON.stringify(schema)} records ${JSON.stringify(value)} as ${text}`)
        ok(Buffer.byteLength(text) <= (given.limits?.maxBytes ?? 32768), `${Buffer.byteLength(text)} of ${given.limits?.maxBytes}`)
        if (json !== undefined) JSON.parse(json)
      }
    }
  }), { numRuns: 1000 })), undefined)
})

t.test('random values keep within limits that are set to other figures', async (t) => {
  const long = fc.constantFrom('k'.repeat(1000), 'ü'.repeat(1000), 'k'.repeat(500), 'a')
  const wide = fc.uniqueArray(fc.oneof(long, fc.string({ maxLength: 8 }), fc.integer().map(String)), { maxLength: 40 })
  const { nested } = fc.letrec<{ nested: unknown }>((tie) => ({
    nested: fc.oneof({ maxDepth: 40, depthSize: 0.01 }, fc.oneof(long, fc.integer(), fc.double(), fc.boolean(), fc.constant(null)), fc.array(tie('nested'), { maxLength: 4 }), fc.dictionary(long, tie('nested'), { maxKeys: 3 })),
  }))
  t.equal(fc.defaultReportMessage(fc.check(fc.property(wide, nested, limitsOf, (names, inner, limits) => {
    const properties = withOwn(names.map((key) => [key, {}]))
    const value = withOwn(names.map((key) => [key, inner]))
    for (const schema of [{ type: 'object', properties }, {}, { additionalProperties: asAttribute('app.a', {}) }]) {
      const { json, attributes } = captureAll({ params: schema, body: schema, querystring: schema, headers: schema }, { params: value, body: value, querystring: value, headers: value }, { limits })
      const maxBytes = limits.maxBytes ?? 32768
      ok(Buffer.byteLength(json!) <= maxBytes, `${Buffer.byteLength(json!)} of ${maxBytes}`)
      ok(attributes.length <= 1)
      JSON.parse(json!)
    }
  }), { numRuns: 500 })), undefined)
})

const KEYWORDS = ['type', 'properties', 'patternProperties', 'additionalProperties', 'items', 'prefixItems', 'additionalItems', 'allOf', 'anyOf', 'oneOf', 'if', 'then', 'else',
  'not', '$ref', '$id', '$anchor', '$defs', 'definitions', 'content', 'schema', 'a', 'b', '__proto__']

t.test('random schemas are refused with their place, or compiled; what they record keeps the bounds', async (t) => {
  const leaf = fc.oneof(fc.constantFrom('a', 'object', '#', '#a', '#/definitions/a', '#/$defs', 'b#/a', '(', '^a', true, false, null, 5), fc.string())
  const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
    schema: fc.oneof({ maxDepth: 6 }, leaf, fc.dictionary(fc.constantFrom(...KEYWORDS), tie('schema'), { maxKeys: 6 }), fc.array(tie('schema'), { maxLength: 3 })),
  }))
  const value = fc.jsonValue({ maxDepth: 12 })
  t.equal(fc.defaultReportMessage(fc.check(fc.property(schema, schema, value, (given, other, body) => {
    let json: string | undefined
    try {
      json = capture({ params: given, body: given, querystring: other, headers: given }, { params: body, body, querystring: body, headers: body }, { findSchema: () => other as JsonSchema | undefined }).json
    } catch (error) {
      ok(error instanceof SchemaPartError && /^(?:params|body|querystring|headers).*: /s.test(error.message), String(error))
    }
    if (json === undefined) return
    ok(Buffer.byteLength(json) <= 32768)
    equal(typeof JSON.parse(json), 'object')
  }), { numRuns: 500 })), undefined)
})
