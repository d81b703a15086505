import { deepStrictEqual, equal, ok } from 'node:assert/strict'
import AjvCompiler from '@fastify/ajv-compiler'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { FormatRegistry, Kind, Type, TypeRegistry, type TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import { validatorCompiler as zodValidatorCompiler } from 'fastify-type-provider-zod'
import Joi from 'joi'
import t from 'tap'
import { TypeBoxValidatorCompiler as TypeBox1ValidatorCompiler } from 'type-provider-typebox-6'
import Type1 from 'typebox'
import * as yup from 'yup'
import { z } from 'zod'
import { omit, redact } from '../../../lib/arguments/annotations.ts'
import type { ArgumentPart, ValidationErrorRecord } from '../../../lib/arguments/argument-part.ts'
import { findPlace, UNDECLARED } from '../../../lib/arguments/error-place.ts'
import { DEFAULT_LIMITS, MAX_ERROR_TEXT_LENGTH, type Limits } from '../../../lib/arguments/limits.ts'
import { compileRequestCapture, nodeOfPart } from '../../../lib/arguments/request-capture.ts'
import { createScrubber, type ScrubbingOptions } from '../../../lib/arguments/scrubber.ts'
import { keywordOf } from '../../../lib/arguments/typebox-messages.ts'
import { describeValidationFailure, errorsToJson } from '../../../lib/arguments/validation-errors.ts'

const CANARY = 'CANARY'
const fail = (): never => { throw new Error('mine') }

interface Given {
  part?: ArgumentPart
  schema?: unknown
  data?: unknown
  /** The error of Fastify, or of the validator. */
  error?: unknown
  limits?: Partial<Limits>
  scrubbing?: boolean | ScrubbingOptions
  captureUnknownSchemas?: boolean
  hasFixedMessages?: boolean
}

function describe (validation: unknown, { part = 'body', schema, data, error, limits = {}, scrubbing = true, captureUnknownSchemas = false, hasFixedMessages = false }: Given = {}) {
  const settings = { limits: { ...DEFAULT_LIMITS, ...limits }, scrubber: createScrubber(scrubbing) }
  const capture = compileRequestCapture({ [part]: schema }, { findSchema: () => undefined, settings, captureUnknownSchemas })
  return describeValidationFailure({ part, validation, error, data, node: nodeOfPart(capture[part], undefined), hasFixedMessages }, settings)
}

/** What Ajv, set up as Fastify does it, says of data. */
function ajvErrors (schema: unknown, data: unknown, options: object = {}): unknown {
  const compile = AjvCompiler()({}, { customOptions: { allErrors: true, removeAdditional: false, coerceTypes: false, ...options } })
  const validate = compile({ schema, method: 'POST', url: '/', httpPart: 'body' } as never)
  validate(data)
  return validate.errors
}

function compilerErrors (compiler: unknown, schema: unknown, data: unknown, httpPart: ArgumentPart = 'body'): unknown {
  const validate = (compiler as (route: object) => (data: unknown) => { error?: unknown })({ schema, method: 'POST', url: '/', httpPart })
  return validate(data).error
}

const typeBoxErrors = (schema: TSchema, data: unknown, httpPart?: ArgumentPart) => compilerErrors(TypeBoxValidatorCompiler, schema, data, httpPart)
const typeBox1Errors = (schema: object, data: unknown) => compilerErrors(TypeBox1ValidatorCompiler, schema, data)

type Expected = Omit<ValidationErrorRecord, 'part'>

function listOf (expected: Expected[], part: ArgumentPart = 'body', count = expected.length) {
  return { records: expected.map((record) => ({ part, ...record })), count }
}

t.test('errors of Ajv', async (t) => {
  const cases: Array<[string, unknown, unknown, Expected[]]> = [
    ['missing properties', Type.Object({ name: Type.String(), password: Type.String() }), {}, [
      { path: '', keyword: 'required', message: "must have required property 'name'", schemaPath: '#/required', params: { missingProperty: 'name' } },
      { path: '', keyword: 'required', message: "must have required property 'password'", schemaPath: '#/required', params: { missingProperty: 'password' } },
    ]],
    ['wrong types, also deep in lists', Type.Object({ n: Type.Integer(), tags: Type.Array(Type.Object({ id: Type.Integer() })) }), { n: 'x', tags: [{ id: 1 }, { id: [] }] }, [
      { path: '/n', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/n/type', params: { type: 'integer' }, input: 'x' },
      { path: '/tags/1/id', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/tags/items/properties/id/type', params: { type: 'integer' }, input: '[array of 0]' },
    ]],
    ['the whole part', Type.Object({}), null, [
      { path: '', keyword: 'type', message: 'must be object', schemaPath: '#/type', params: { type: 'object' }, input: null },
    ]],
    ['a secret: neither its value nor what might quote it', Type.Object({ password: Type.String({ minLength: 8 }), tokens: Type.Array(Type.Integer()) }), { password: CANARY, tokens: [CANARY] }, [
      { path: '/password', keyword: 'minLength', message: 'does not satisfy "minLength"', schemaPath: '#/properties/password/minLength', input: '[scrubbed]' },
      { path: '/tokens/0', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/tokens/items/type', input: '[scrubbed]' },
    ]],
    ['superfluous properties', Type.Object({}, { additionalProperties: false }), { [CANARY]: CANARY }, [
      { path: '', keyword: 'additionalProperties', message: 'must NOT have additional properties', schemaPath: '#/additionalProperties', params: { additionalProperty: '*' } },
    ]],
    ['a property that must not be', { type: 'object', properties: { a: false } }, { a: CANARY }, [
      { path: '/a', keyword: 'false schema', message: 'boolean schema is false', schemaPath: '#/properties/a/false schema' },
    ]],
    ['names of properties', { type: 'object', propertyNames: { pattern: '^a' }, additionalProperties: { type: 'number' } }, { [CANARY]: 1, aCANARY: true }, [
      { path: '', keyword: 'pattern', message: 'must match pattern "^a"', schemaPath: '#/propertyNames/pattern', params: { pattern: '^a' }, input: '[object]' },
      { path: '', keyword: 'propertyNames', message: 'does not satisfy "propertyNames"', schemaPath: '#/propertyNames', params: { propertyName: '*' } },
      { path: '/*', keyword: 'type', message: 'must be number', schemaPath: '#/additionalProperties/type', params: { type: 'number' }, input: true },
    ]],
    ["records: their keys are the client's", Type.Record(Type.String(), Type.Object({ a: Type.Number() })), { 'CANARY/~': { a: 'x' } }, [
      { path: '/*/*', keyword: 'type', message: 'must be number', schemaPath: '#/patternProperties/%5E(.*)%24/properties/a/type', params: { type: 'number' }, input: 'x' },
    ]],
    ['records: their secrets are secrets', Type.Record(Type.String(), Type.Number()), { apiKey: CANARY }, [
      { path: '/*', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/patternProperties/%5E(.*)%24/type', input: '[scrubbed]' },
    ]],
    ['what is redacted: its kind', Type.Object({ a: redact(Type.String({ minLength: 99 })), b: redact(Type.Object({ c: Type.Integer() })) }), { a: CANARY, b: { c: CANARY } }, [
      { path: '/a', keyword: 'minLength', message: 'does not satisfy "minLength"', schemaPath: '#/properties/a/minLength', input: '[redacted string]' },
      { path: '/b/c', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/b/properties/c/type', input: '[redacted string]' },
    ]],
    ['what is omitted: not even its kind', Type.Object({ a: omit(Type.Object({ b: Type.Integer() })), l: Type.Array(omit(Type.Integer())) }), { a: { b: CANARY }, l: [CANARY] }, [
      { path: '/a/b', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/a/properties/b/type' },
      { path: '/l/0', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/l/items/type' },
    ]],
    ['one branch that hides', Type.Object({ a: Type.Union([redact(Type.Integer()), Type.Boolean()]) }), { a: CANARY }, [
      { path: '/a', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/a/anyOf/0/type', input: '[redacted string]' },
      { path: '/a', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/a/anyOf/1/type', input: '[redacted string]' },
    ]],
    ['enums', Type.Object({ k: Type.Unsafe({ enum: ['a', null, 5, true, { x: 1 }, [1]] }) }), { k: { x: CANARY } }, [
      {
        path: '/k',
        keyword: 'enum',
        message: 'must be equal to one of the allowed values',
        schemaPath: '#/properties/k/enum',
        params: { allowedValues: ['a', null, 5, true, '[object]', '[array of 1]'] },
        input: '[object]'
      },
    ]],
    ['unions', Type.Object({ k: Type.Union([Type.Literal('a'), Type.Object({ b: Type.String() })]) }), { k: false }, [
      { path: '/k', keyword: 'type', message: 'must be string', schemaPath: '#/properties/k/anyOf/0/type', params: { type: 'string' }, input: false },
      { path: '/k', keyword: 'const', message: 'must be equal to constant', schemaPath: '#/properties/k/anyOf/0/const', params: { allowedValue: 'a' }, input: false },
      { path: '/k', keyword: 'type', message: 'must be object', schemaPath: '#/properties/k/anyOf/1/type', params: { type: 'object' }, input: false },
    ]],
    ['unions in unions: only what was wrong', Type.Object({ k: Type.Union([Type.Literal('a'), Type.Union([Type.Object({ b: Type.String() }), Type.Null()])]) }), { k: { b: 5 } }, [
      { path: '/k', keyword: 'type', message: 'must be string', schemaPath: '#/properties/k/anyOf/0/type', params: { type: 'string' }, input: '[object]' },
      { path: '/k', keyword: 'const', message: 'must be equal to constant', schemaPath: '#/properties/k/anyOf/0/const', params: { allowedValue: 'a' }, input: '[object]' },
      { path: '/k/b', keyword: 'type', message: 'must be string', schemaPath: '#/properties/k/anyOf/1/anyOf/0/properties/b/type', params: { type: 'string' }, input: 5 },
      { path: '/k', keyword: 'type', message: 'must be null', schemaPath: '#/properties/k/anyOf/1/anyOf/1/type', params: { type: 'null' }, input: '[object]' },
    ]],
    ['a oneOf of which none matched', { oneOf: [{ type: 'string' }, { type: 'boolean' }] }, 5, [
      { path: '', keyword: 'type', message: 'must be string', schemaPath: '#/oneOf/0/type', params: { type: 'string' }, input: 5 },
      { path: '', keyword: 'type', message: 'must be boolean', schemaPath: '#/oneOf/1/type', params: { type: 'boolean' }, input: 5 },
    ]],
    ['a oneOf of which several matched', { type: 'object', properties: { a: { type: 'integer' }, b: { oneOf: [{ type: 'number' }, { type: 'integer' }] } } }, { a: 'x', b: 5 }, [
      { path: '/a', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/a/type', params: { type: 'integer' }, input: 'x' },
      { path: '/b', keyword: 'oneOf', message: 'must match exactly one schema in oneOf', schemaPath: '#/properties/b/oneOf', params: { passingSchemas: [0, 1] }, input: 5 },
    ]],
    ['formats, patterns and limits', Type.Object({ m: Type.String({ format: 'email' }), p: Type.String({ pattern: '^a$' }), u: Type.Array(Type.Any(), { maxItems: 1 }), x: Type.Number({ maximum: 2 }) }),
      { m: 'Bearer abcdefghijkl', p: 'password=hunter2', u: [1, 1], x: 4 }, [
        { path: '/m', keyword: 'format', message: 'must match format "email"', schemaPath: '#/properties/m/format', params: { format: 'email' }, input: 'Bearer [scrubbed]' },
        { path: '/p', keyword: 'pattern', message: 'must match pattern "^a$"', schemaPath: '#/properties/p/pattern', params: { pattern: '^a$' }, input: 'password=[scrubbed]' },
        { path: '/u', keyword: 'maxItems', message: 'must NOT have more than 1 items', schemaPath: '#/properties/u/maxItems', params: { limit: 1 }, input: '[array of 2]' },
        { path: '/x', keyword: 'maximum', message: 'must be <= 2', schemaPath: '#/properties/x/maximum', params: { comparison: '<=', limit: 2 }, input: 4 },
      ]],
    ['conditions and dependencies', { type: 'object', properties: { a: {} }, dependencies: { a: ['b'] }, if: { required: ['a'] }, then: { required: ['c'] } }, { a: 1 }, [
      { path: '', keyword: 'required', message: "must have required property 'c'", schemaPath: '#/then/required', params: { missingProperty: 'c' } },
      { path: '', keyword: 'if', message: 'must match "then" schema', schemaPath: '#/if', params: { failingKeyword: 'then' }, input: '[object]' },
      {
        path: '',
        keyword: 'dependencies',
        message: 'must have property b when property a is present',
        schemaPath: '#/dependencies',
        params: { property: 'a', missingProperty: 'b', depsCount: 1, deps: 'b' },
        input: '[object]'
      },
    ]],
    ['names that are escaped in a pointer', { type: 'object', properties: { 'a/b~c%41': { type: 'integer' } } }, { 'a/b~c%41': 'x' }, [
      { path: '/a~1b~0c%41', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/a~1b~0c%2541/type', params: { type: 'integer' }, input: 'x' },
    ]],
    ['names that every object has', { type: 'object', properties: { constructor: { type: 'integer' } } }, { constructor: 'x' }, [
      { path: '/constructor', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/constructor/type', params: { type: 'integer' }, input: 'x' },
    ]],
  ]
  const wrappers: Record<string, number> = { unions: 1, 'one branch that hides': 1, 'unions in unions: only what was wrong': 2, 'a oneOf of which none matched': 1 }
  for (const [sentence, schema, data, expected] of cases) {
    const errors = ajvErrors(schema, data) as unknown[]
    t.equal(errors.length, expected.length + (wrappers[sentence] ?? 0), `${sentence}: what Ajv says`)
    t.strictSame(describe(errors, { schema, data, hasFixedMessages: true }), listOf(expected), sentence)
    t.strictSame(describe(errors, { schema, data }), listOf(expected), `${sentence}, if it were another validator`)
    t.strictSame(describe(ajvErrors(schema, data, { verbose: true }), { schema, data, hasFixedMessages: true }), listOf(expected), `${sentence}, verbose`)
    t.strictSame(describe(undefined, { schema, data, error: { errors } }), listOf(expected), `${sentence}, of an asynchronous schema`)
  }
  const [, schema, data, expected] = cases[1]!
  t.strictSame(describe(ajvErrors(schema, data, { allErrors: false }), { schema, data }), listOf(expected.slice(0, 1)), 'only the first error, as by default')
  const headers = Type.Object({ Authorization: Type.String({ minLength: 99 }), 'X-Tenant': Type.String({ minLength: 99 }), Cookie2: Type.Integer() })
  const sent = { authorization: CANARY, 'x-tenant': 't', cookie2: CANARY }
  const lowered = Type.Object({ authorization: Type.String({ minLength: 99 }), 'x-tenant': Type.String({ minLength: 99 }), cookie2: Type.Integer() })
  t.strictSame(describe(ajvErrors(lowered, sent), { part: 'headers', schema: headers, data: sent }), listOf([
    { path: '/authorization', keyword: 'minLength', message: 'does not satisfy "minLength"', schemaPath: '#/properties/authorization/minLength', input: '[redacted string]' },
    { path: '/x-tenant', keyword: 'minLength', message: 'must NOT have fewer than 99 characters', schemaPath: '#/properties/x-tenant/minLength', params: { limit: 99 }, input: 't' },
    { path: '/cookie2', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/cookie2/type', input: '[redacted string]' },
  ], 'headers'), 'headers')
  t.strictSame(describe(ajvErrors(lowered, sent), { part: 'headers', schema: headers, data: sent, scrubbing: false }).records.map(({ input }) => input), ['[redacted string]', 't', '[redacted string]'], 'credentials are redacted without scrubbing too')
  const secret = Type.Object({ password: Type.Integer() })
  t.strictSame(describe(ajvErrors(secret, { password: 'x' }), { schema: secret, data: { password: 'x' }, scrubbing: false }).records.map(({ input, message }) => [input, message]), [['x', 'must be integer']], 'without scrubbing no other name is secret')
  const custom = Type.Object({ internal: Type.Integer() })
  t.strictSame(describe(ajvErrors(custom, { internal: CANARY }), { schema: custom, data: { internal: CANARY }, scrubbing: { extraPatterns: ['^intern'] } }).records[0]!.input, '[scrubbed]', 'patterns of the application count')
})

t.test('with $data, what a schema compares with is another value of the request', async (t) => {
  const schema = { type: 'object', properties: { password: { type: 'string' }, again: { const: { $data: '1/password' } }, other: { enum: { $data: '1/list' } }, list: { type: 'array', items: redact({ type: 'string' }) } } }
  const data = { password: `${CANARY}1`, again: 'a', other: 'b', list: [`${CANARY}2`, 'abc'] }
  t.strictSame(describe(ajvErrors(schema, data, { $data: true }), { schema, data, hasFixedMessages: true }), listOf([
    { path: '/again', keyword: 'const', message: 'must be equal to constant', schemaPath: '#/properties/again/const', params: { allowedValue: '…' }, input: 'a' },
    { path: '/other', keyword: 'enum', message: 'must be equal to one of the allowed values', schemaPath: '#/properties/other/enum', params: { allowedValues: ['…', 'abc'] }, input: 'b' },
  ]))
  const tagged = { type: 'object', discriminator: { propertyName: 'kind' }, required: ['kind'], oneOf: [{ properties: { kind: redact({ const: 'a' }) } }, { properties: { kind: { const: 'b' } } }] }
  t.notMatch(describe(ajvErrors(tagged, { kind: CANARY }, { discriminator: true }), { schema: tagged, data: { kind: CANARY }, hasFixedMessages: true }), CANARY, 'nor is the value that chooses a branch')
})

t.test('names in the schema that a redaction covers, and a message that is not one of the standard ones', async (t) => {
  const schema = Type.Object({ a: Type.String(), secret: redact(Type.String()), open: Type.Any() })
  const data = { a: 'shown', secret: `${CANARY} one`, [`${CANARY} key`]: `${CANARY} two`, open: { [`${CANARY} name`]: 1, token: `${CANARY} three`, plain: 'shown too' } }
  const message = `a: shown, secret: ${CANARY} one, "${CANARY} key" and ${CANARY.toLowerCase()} TWO, ${CANARY} name, ${CANARY} three, shown too`
  const expected = 'a: shown, secret: [scrubbed] "…" and …, …, …, shown too'
  t.strictSame(describe([{ keyword: 'x-own', instancePath: '', message, params: { list: [`see ${CANARY} one`, 'shown'] } }], { schema, data, hasFixedMessages: true }).records, listOf([
    { path: '', keyword: 'x-own', message: expected, params: { list: ['see …', 'shown'] }, input: '[object]' },
  ]).records)
  t.match(describe([{ keyword: 'type', instancePath: '/a', message: `quotes ${CANARY} one` }], { schema, data, hasFixedMessages: false }).records[0]!.message, 'quotes …')
})

t.test('errors of the TypeBox compiler, which gives no keyword', async (t) => {
  FormatRegistry.Set('two letters', (text) => text.length === 2)
  TypeRegistry.Set('Never at all', () => false)
  t.teardown(() => {
    FormatRegistry.Delete('two letters')
    TypeRegistry.Delete('Never at all')
  })
  const cases: Array<[TSchema, unknown, Array<[path: string, keyword: string, message: string, input?: unknown]>]> = [
    [Type.Object({ name: Type.String() }), {}, [['/name', 'required', 'Expected required property'], ['/name', 'type', 'Expected string']]],
    [Type.Object({}, { additionalProperties: false }), { [CANARY]: CANARY }, [['/*', 'additionalProperties', 'Unexpected property']]],
    [Type.Object({ a: Type.Array(Type.Object({ 'b/~': Type.Integer() })) }), { a: [{ 'b/~': 'x' }] }, [['/a/0/b~1~0', 'type', 'Expected integer', 'x']]],
    [Type.Union([Type.Literal('a'), Type.Literal('b')]), 'z', [['', 'anyOf', 'Expected union value', 'z']]],
    [Type.Intersect([Type.Object({ a: Type.Null() }), Type.Object({})]), { a: 1 }, [['/a', 'type', 'Expected null', 1], ['', 'allOf', 'Expected all values to match', '[object]']]],
    [Type.Literal('an unknown format'), 'z', [['', 'const', "Expected 'an unknown format'", 'z']]],
    [Type.Literal(-5), 'z', [['', 'const', 'Expected -5', 'z']]],
    [Type.Literal(true), 'z', [['', 'const', 'Expected true', 'z']]],
    [Type.String({ format: 'nowhere' }), 'z', [['', 'format', "Unknown format 'nowhere'", 'z']]],
    [Type.String({ format: 'two letters' }), 'z', [['', 'format', "Expected string to match 'two letters' format", 'z']]],
    [Type.String({ pattern: '^a format$' }), 'z', [['', 'pattern', "Expected string to match '^a format$'", 'z']]],
    [Type.RegExp(/a/), 'z', [['', 'pattern', 'Expected string to match regular expression', 'z']]],
    [Type.String({ minLength: 2 }), 'z', [['', 'minLength', 'Expected string length greater or equal to 2', 'z']]],
    [Type.String({ maxLength: 0 }), 'z', [['', 'maxLength', 'Expected string length less or equal to 0', 'z']]],
    [Type.Array(Type.Any(), { minItems: 2 }), [1], [['', 'minItems', 'Expected array length to be greater or equal to 2', '[array of 1]']]],
    [Type.Array(Type.Any(), { maxItems: 0 }), [1], [['', 'maxItems', 'Expected array length to be less or equal to 0', '[array of 1]']]],
    [Type.Array(Type.Any(), { uniqueItems: true }), [1, 1], [['', 'uniqueItems', 'Expected array elements to be unique', '[array of 2]']]],
    [Type.Array(Type.Any(), { contains: Type.Null() }), [1], [['', 'contains', 'Expected array to contain at least one matching value', '[array of 1]']]],
    [Type.Array(Type.Any(), { contains: Type.Any(), minContains: 2 }), [1], [['', 'minContains', 'Expected array to contain at least 2 matching values', '[array of 1]']]],
    [Type.Array(Type.Any(), { contains: Type.Any(), maxContains: 0 }), [1], [['', 'maxContains', 'Expected array to contain no more than 0 matching values', '[array of 1]']]],
    [Type.Object({}, { minProperties: 1 }), {}, [['', 'minProperties', 'Expected object to have at least 1 properties', '[object]']]],
    [Type.Object({}, { maxProperties: 0 }), { a: 1 }, [['', 'maxProperties', 'Expected object to have no more than 0 properties', '[object]']]],
    [Type.Integer({ multipleOf: 2 }), 3, [['', 'multipleOf', 'Expected integer to be a multiple of 2', 3]]],
    [Type.Number({ minimum: 5 }), 3, [['', 'minimum', 'Expected number to be greater or equal to 5', 3]]],
    [Type.Number({ maximum: 1 }), 3, [['', 'maximum', 'Expected number to be less or equal to 1', 3]]],
    [Type.Number({ exclusiveMinimum: 3 }), 3, [['', 'exclusiveMinimum', 'Expected number to be greater than 3', 3]]],
    [Type.Number({ exclusiveMaximum: 3 }), 3, [['', 'exclusiveMaximum', 'Expected number to be less than 3', 3]]],
    [Type.Tuple([Type.Null()]), [], [['', 'type', 'Expected tuple to have 1 elements', '[array of 0]']]],
    [Type.Not(Type.String()), 'z', [['', 'not', 'Value should not match', 'z']]],
    [Type.Never(), 'z', [['', 'not', 'Never', 'z']]],
    [Type.BigInt(), 1, [['', 'type', 'Expected bigint', 1]]],
    [Type.BigInt({ minimum: 2n }), 1n, [['', 'minimum', 'Expected bigint to be greater or equal to 2', '[bigint]']]],
    [Type.Date(), 'z', [['', 'type', 'Expected Date', 'z']]],
    [Type.Unsafe({ [Kind]: 'Never at all' }), 'z', [['', 'type', "Expected kind 'Never at all'", 'z']]],
    [Type.Number(), NaN, [['', 'type', 'Expected number', 'NaN']]],
    [Type.String(), undefined, [['', 'type', 'Expected string']]],
    [Type.Object({ password: Type.Integer() }), { password: CANARY }, [['/password', 'type', 'does not satisfy "type"', '[scrubbed]']]],
  ]
  for (const [schema, data, expected] of cases) {
    const records = expected.map(([path, keyword, message, input]) => ({ path, keyword, message, ...(input === undefined ? {} : { input }) }))
    t.strictSame(describe(typeBoxErrors(schema, data), { schema, data }), listOf(records), expected.at(-1)![2])
  }
  const query = Type.Object({ page: Type.Integer() })
  t.strictSame(
    describe(typeBoxErrors(query, { page: 'x' }, 'querystring'), { part: 'querystring', schema: query, data: { page: 'x' } }),
    listOf([{ path: '/page', keyword: 'type', message: 'Expected integer', input: 'x' }], 'querystring'),
    'of another part'
  )
  const wide = Type.Object(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`p${index}`, Type.Integer()])))
  const full = describe(typeBoxErrors(wide, {}), { schema: wide, data: {} })
  t.strictSame([full.count, full.records.length, full.records[9]], [100, MAX_ERRORS, { part: 'body', path: '/p9', keyword: 'required', message: 'Expected required property' }], 'ten of a hundred')
})

t.test('errors of the next major version of TypeBox', async (t) => {
  const schema = Type.Object({ name: Type.String() })
  const errors = [
    { keyword: 'boolean', schemaPath: '#/additionalProperties', instancePath: '/extra', params: {}, message: 'schema is false' },
    { keyword: 'additionalProperties', schemaPath: '#', instancePath: '', params: { additionalProperties: [CANARY] }, message: 'must not have additional properties' },
    { keyword: 'required', schemaPath: '#', instancePath: '', params: { requiredProperties: ['name'] }, message: 'must have required properties name' },
  ]
  t.strictSame(describe(errors, { schema, data: { extra: CANARY } }), listOf([
    { path: '/*', keyword: 'boolean', message: 'schema is false', schemaPath: '#/additionalProperties' },
    { path: '', keyword: 'additionalProperties', message: 'must not have additional properties', schemaPath: '#', params: { additionalProperties: '*' } },
    { path: '', keyword: 'required', message: 'must have required properties name', schemaPath: '#', params: { requiredProperties: ['name'] } },
  ]))
})

t.test('errors of other validators', async (t) => {
  const schema = Type.Object({ user: Type.Object({ emails: Type.Array(Type.String()), password: Type.String() }) })
  const data = { user: { emails: ['a', 5], password: CANARY, x: true } }
  const cases: Array<[string, unknown, Expected]> = [
    ['zod: a path as a list', { code: 'invalid_type', path: ['user', 'emails', 1], message: 'Expected string, received number' },
      { path: '/user/emails/1', keyword: 'type', message: 'Expected string, received number', input: 5 }],
    ['zod: the path of a secret', { path: ['user', 'password'], message: `Invalid: ${CANARY}` }, { path: '/user/password', keyword: 'unknown', message: 'does not satisfy "unknown"', input: '[scrubbed]' }],
    ['zod: the empty path', { path: [], message: 'Invalid input' }, { path: '', keyword: 'unknown', message: 'Invalid input', input: '[object]' }],
    ['zod: a symbol in the path', { path: [Symbol('s')], message: 'Invalid' }, { path: '/*', keyword: 'unknown', message: 'Invalid' }],
    ['joi: type and context', { type: 'number.base', path: ['user', 'x'], message: '"user.x" must be a number', context: { value: CANARY } },
      { path: '/user/*', keyword: 'unknown', message: '"user.x" must be a number' }],
    ['a path as text', { path: 'user.emails', message: 'Invalid' }, { path: '', keyword: 'unknown', message: 'Invalid', input: '[object]' }],
    ['no message', { instancePath: '/user' }, { path: '/user', keyword: 'unknown', message: 'is not valid', input: '[object]' }],
    ['no path', { message: 'token=abc is wrong' }, { path: '', keyword: 'unknown', message: 'token=[scrubbed] is wrong', input: '[object]' }],
    ['a relative pointer', { instancePath: 'user/emails/0', keyword: 'x', message: 'm' }, { path: '/user/emails/0', keyword: 'x', message: 'm', input: 'a' }],
    ['a path through what is not there', { instancePath: '/user/emails/7/a', keyword: 'x', message: 'm' }, { path: '/user/emails/7/*', keyword: 'x', message: 'm' }],
    ['a path through a primitive', { instancePath: '/user/password/length', keyword: 'x', message: 'm' }, { path: '/user/password/*', keyword: 'x', message: 'does not satisfy "x"' }],
    ['a path to what every object has', { instancePath: '/toString', keyword: 'x', message: 'm' }, { path: '/*', keyword: 'x', message: 'm' }],
    ['fields of other types', { instancePath: 5, path: null, keyword: {}, message: [], schemaPath: 1, params: 'p' }, { path: '', keyword: 'unknown', message: 'is not valid', input: '[object]' }],
    ['parameters of every kind', { params: JSON.parse('{"__proto__":["x"],"a":null,"b":true,"c":1,"d":{"x":"CANARY"},"keys":["CANARY"],"unevaluatedProperty":"CANARY"}') },
      { path: '', keyword: 'unknown', message: 'is not valid', params: { a: null, b: true, c: 1, d: '[object]', keys: '*', unevaluatedProperty: '*' }, input: '[object]' }],
    ['parameters that are none', { params: { a: undefined } }, { path: '', keyword: 'unknown', message: 'is not valid', input: '[object]' }],
    ['parameters that JSON does not have', { params: { big: 1n, fn: () => CANARY, sym: Symbol('s'), list: [1n, undefined, [1], { x: 1 }], text: 'password: abc' } },
      {
        path: '',
        keyword: 'unknown',
        message: 'is not valid',
        input: '[object]',
        params: { big: '[bigint]', fn: '[function]', sym: '[symbol]', list: ['[bigint]', '[undefined]', '[array of 1]', '[object]'], text: 'password: [scrubbed]' }
      }],
  ]
  for (const [sentence, error, expected] of cases) t.strictSame(describe([error], { schema, data }), listOf([expected]), sentence)
  t.strictSame(
    describe([{ path: ['user', 0], message: 'Invalid' }, { path: [], message: 'Invalid' }], { data: { user: [CANARY] } }),
    listOf([{ path: '/*/0', keyword: 'unknown', message: 'Invalid' }, { path: '', keyword: 'unknown', message: 'Invalid' }]),
    'without JSON Schema no name is known, and no input repeated'
  )
  t.equal(Object.keys(Object.prototype).length, 0, 'Object.prototype is as it was')
})

t.test('what is no list of errors', async (t) => {
  const one = listOf([{ path: '', keyword: 'unknown', message: 'body must be nice, password=[scrubbed]' }])
  for (const errors of [true, undefined, null, [], {}, 'text', 5, { length: 3 }, new Error('no')]) {
    t.strictSame(describe(errors, { message: 'body must be nice, password=hunter2', data: CANARY }), one, `errors: ${String(errors)}`)
  }
  t.strictSame(describe(true, { part: 'params', message: 'm'.repeat(1e6) }), listOf([{ path: '', keyword: 'unknown', message: 'm'.repeat(256) + '…' }], 'params'), 'the message is cut')
  const entries: Array<[unknown, string]> = [
    [null, 'null'], [undefined, 'undefined'], [5, '5'], ['password=hunter2', 'password=[scrubbed]'], [Symbol('s'), 'Symbol(s)'], [1n, '1'], [true, 'true'],
  ]
  for (const [entry, message] of entries) t.strictSame(describe([entry]), listOf([{ path: '', keyword: 'unknown', message }]), `an entry ${String(entry)}`)
  t.strictSame(describe(Array(3)), listOf(Array(3).fill({ path: '', keyword: 'unknown', message: 'undefined' })), 'a list of holes')
})

t.test('what throws inside an error reaches the caller, who guards', async (t) => {
  const mine = new Error('mine')
  const fail = () => { throw mine }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  for (const field of ['instancePath', 'path', 'keyword', 'message', 'schemaPath', 'params']) t.throws(() => describe([Object.defineProperty({}, field, { get: fail })]), mine, field)
  t.throws(() => describe([{ params: { get a () { return fail() } } }]), mine, 'a parameter')
  t.throws(() => describe([{ path: [Object.create(null)] }]), { name: 'TypeError' }, 'a path that is no text')
  t.throws(() => describe([{ path: ['a'] }], { data: { get a () { return fail() } } }), mine, 'the data')
  t.throws(() => describe(new Proxy([1], { get: fail })), mine, 'the list')
  t.throws(() => describe([revoked.proxy]), { name: 'TypeError', message: /revoked/ }, 'a revoked proxy')
})

t.test('errors are bounded', async (t) => {
  t.strictSame([MAX_ERRORS, MAX_ERROR_BYTES, MAX_ERROR_TEXT_LENGTH], [10, 4096, 256])
  const entry = { instancePath: '/a', keyword: 'type', message: 'm', schemaPath: '#', params: { a: 1 } }
  t.strictSame(describe(Array(600_000).fill(entry), { data: {} }),
    { records: Array(10).fill({ part: 'body', path: '/*', keyword: 'type', message: 'm', schemaPath: '#', params: { a: 1 } }), count: 600_000 }, '600,000 entries')

  const long = 'x'.repeat(1e6)
  const cut = 'x'.repeat(256) + '…'
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`p${index}`, index]))
  const huge = { instancePath: `/${long}${'/a'.repeat(1e5)}`, keyword: long, message: long, schemaPath: long, params: { ...many, p0: long, p1: Array(1000).fill(long) } }
  t.strictSame(describe([huge], { data: long }), listOf([{
    path: '/*'.repeat(32),
    keyword: cut,
    message: cut,
    schemaPath: 'x'.repeat(256),
    params: { ...Object.fromEntries(Object.entries(many).slice(0, 10)), p0: cut, p1: Array(10).fill(cut) },
  }]), 'a huge entry')
  const slow = ['at least ', 'no more than 1', ' to match ', ' multiple of', 'Expected ', "' format"].map((piece) => ({ message: piece.repeat(1e5) }))
  t.strictSame(describe(slow).records.map(({ keyword }) => keyword), ['unknown', 'unknown', 'pattern', 'multipleOf', 'type', 'format'], 'messages made to be slow')
  t.strictSame(describe([{ path: Array(1e5).fill(0) }], { data: [] }), listOf([{ path: '/0' + '/*'.repeat(31), keyword: 'unknown', message: 'is not valid' }]), 'a long path as a list')
  const name = 'n'.repeat(200)
  t.strictSame(describe([{ instancePath: `/${name}/${name}` }], { schema: { properties: { [name]: { properties: { [name]: {} } } } }, data: { [name]: { [name]: 1 } } }),
    listOf([{ path: `/${name}/${name}`.slice(0, 256), keyword: 'unknown', message: 'is not valid', input: 1 }]), 'a long path of declared names')
  t.strictSame(describe([{}], { schema: {}, data: 'ü'.repeat(1e6) }), listOf([{ path: '', keyword: 'unknown', message: 'is not valid', input: 'ü'.repeat(256) + '…' }]), 'a long input')
  const tooLarge = [{ part: 'body' as const, path: '', keyword: 'enum', message: '', params: { a: 'ü'.repeat(2048) } }]
  t.strictSame(errorsToJson(tooLarge), { json: '[]', listed: 0 }, 'a record that is too large for the text')

  const record: ValidationErrorRecord = { part: 'body', path: '/a', keyword: 'type', message: 'ü'.repeat(200) }
  t.strictSame(errorsToJson([]), { json: '[]', listed: 0 }, 'no records')
  t.strictSame(errorsToJson([record, record]), { json: JSON.stringify([record, record]), listed: 2 }, 'records that fit')
  t.strictSame(errorsToJson(Array(10).fill(record)), { json: JSON.stringify(Array(8).fill(record)), listed: 8 }, 'as many as fit into 4 KiB')
})

t.test('random errors of random data never reveal more than the schema names', async (t) => {
  const key = fc.constantFrom('a', 'b', 'password', '0', '1', '__proto__', CANARY, `${CANARY}/~`)
  const schema = Type.Object({ a: Type.Object({ b: Type.Array(Type.Any()) }), b: Type.Record(Type.String(), Type.Any()), password: Type.String() })
  const leaf = fc.oneof(fc.anything(), fc.string({ unit: 'binary', maxLength: 400 }))
  const { data } = fc.letrec<{ data: unknown }>((tie) => ({
    data: fc.oneof({ maxDepth: 4 }, leaf, fc.dictionary(key, tie('data')), fc.array(tie('data'), { maxLength: 3 })),
  }))
  const path = fc.array(key, { maxLength: 5 })
  const text = fc.string({ unit: 'binary', maxLength: 400 })
  const error = fc.oneof(
    fc.record({
      instancePath: path.map((keys) => keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')),
      keyword: fc.oneof(text, fc.constantFrom('required', 'additionalProperties')),
      message: text,
      schemaPath: text,
      params: fc.dictionary(fc.oneof(text, fc.constant('additionalProperty')), leaf),
    }, { requiredKeys: [] }),
    fc.record({ path, message: text }),
    fc.record({ instancePath: leaf, path: leaf.filter((value) => !Array.isArray(value)), keyword: leaf, message: leaf, schemaPath: leaf, params: leaf }),
    fc.constantFrom(null, undefined, 5, 'text', true)
  )
  t.equal(fc.defaultReportMessage(fc.check(fc.property(fc.array(error, { maxLength: 15 }), data, (errors, data) => {
    const { records, count } = describe(errors, { schema, data })
    const { json, listed } = errorsToJson(records)
    ok(Buffer.byteLength(json) <= MAX_ERROR_BYTES)
    deepStrictEqual(JSON.parse(json).length, listed)
    deepStrictEqual([count, records.length], [Math.max(errors.length, 1), Math.min(Math.max(errors.length, 1), MAX_ERRORS)])
    for (const record of records) {
      ok(!record.path.includes(CANARY) && record.path.length <= 256)
      ok(record.keyword.length <= 257 && record.message.length <= 257)
      ok(!String(record.params?.additionalProperty ?? '').includes(CANARY))
      if (record.path.includes('password')) ok(record.input === undefined || record.input === '[scrubbed]')
      ok(record.input === null || ['undefined', 'string', 'number', 'boolean'].includes(typeof record.input))
    }
  }), { numRuns: 300 })), undefined)
})

t.test('bodies that did not parse', async (t) => {
  const parse = (error: unknown, contentType?: string, contentLength?: number) => describeParseFailure({ error, contentType, contentLength, bodyLimit: 1024 })
  const record = (message: string, params?: object) => ({ part: 'body', path: '', keyword: 'parse', message, ...(params === undefined ? {} : { params }) })
  const code = (code: unknown, more = {}) => Object.assign(new Error(CANARY), { code, ...more })
  const cases: Array<[unknown, object | undefined, string?, number?]> = [
    [code('FST_ERR_CTP_INVALID_JSON_BODY'), record('is not valid JSON')],
    [code('FST_ERR_CTP_EMPTY_JSON_BODY'), record('is empty though the content type is JSON')],
    [code('FST_ERR_CTP_INVALID_CONTENT_LENGTH'), record('is not as long as the content length says', { contentLength: 7 }), undefined, 7],
    [code('FST_ERR_CTP_BODY_TOO_LARGE'), record('is larger than the limit', { limit: 1024, length: 2048 }), undefined, 2048],
    [code('FST_ERR_CTP_BODY_TOO_LARGE'), record('is larger than the limit', { limit: 1024 })],
    [code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: 'text/x' }), ' text/x ; charset=CANARY'],
    [code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: '' })],
    [code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: 'a?b?' }), 'a\nbü'],
    [code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: 'a'.repeat(128) + '…' }), 'a'.repeat(1e6)],
    [Object.assign(new SyntaxError(CANARY), { statusCode: 400 }), record('could not be parsed')],
    [Object.assign(new SyntaxError(CANARY), { statusCode: 400 }), record('is not valid JSON'), 'application/problem+json; charset=utf-8'],
    [Object.assign(new SyntaxError(CANARY), { statusCode: 500 }), undefined],
    [new SyntaxError('in a hook'), undefined],
    [code('FST_ERR_NOT_FOUND', { statusCode: 404 }), undefined],
    [code(undefined), undefined],
    [null, undefined], [undefined, undefined], ['text', undefined], [5, undefined], [{}, undefined],
  ]
  for (const [error, expected, contentType, contentLength] of cases) t.strictSame(parse(error, contentType, contentLength), expected, `${String((error as { code?: string } | null)?.code)} ${contentType?.slice(0, 20) ?? ''}`)
})
