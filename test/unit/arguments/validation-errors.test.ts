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
      { path: '/*/a', keyword: 'type', message: 'must be number', schemaPath: '#/patternProperties/%5E(.*)%24/properties/a/type', params: { type: 'number' }, input: 'x' },
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
  const expected = 'a: shown, secret: [scrubbed], "…" and …, …, …, shown too'
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
    [Type.Object({ a: redact(Type.Integer()) }), { a: CANARY }, [['/a', 'type', 'does not satisfy "type"', '[redacted string]']]],
    [Type.Object({ a: Type.Union([Type.Object({ b: omit(Type.Integer()) }), Type.Null()]) }), { a: { b: CANARY } }, [['/a', 'anyOf', 'Expected union value', '[object]']]],
  ]
  for (const [schema, data, expected] of cases) {
    const records = expected.map(([path, keyword, message, input]) => ({ path, keyword, message, ...(input === undefined ? {} : { input }) }))
    t.strictSame(describe(typeBoxErrors(schema, data), { schema, data, hasFixedMessages: true }), listOf(records), expected.at(-1)![2])
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
  t.strictSame([full.count, full.records.length, full.records[9]], [100, 10, { part: 'body', path: '/p9', keyword: 'required', message: 'Expected required property' }], 'ten of a hundred')
})

t.test('words of TypeBox that say nothing of a keyword', async (t) => {
  for (const [message, keyword] of [['', 'unknown'], ['something else', 'unknown'], ['Expected', 'unknown'], ['Expected anything', 'type'], ['expected string', 'unknown']] as const) t.equal(keywordOf(message), keyword, message)
})

t.test('errors of the TypeBox compiler of version 1', async (t) => {
  const cases: Array<[string, object, unknown, Expected[]]> = [
    ['missing and superfluous properties', Type1.Object({ a: Type1.Number(), b: Type1.String() }, { additionalProperties: false }), { [CANARY]: CANARY }, [
      { path: '', keyword: 'required', message: 'must have required properties a, b', schemaPath: '#', params: { requiredProperties: ['a', 'b'] } },
      { path: '/*', keyword: 'boolean', message: 'schema is false', schemaPath: '#/additionalProperties' },
      { path: '', keyword: 'additionalProperties', message: 'must not have additional properties', schemaPath: '#', params: { additionalProperties: '*' } },
    ]],
    ['types', Type1.Object({ a: Type1.Array(Type1.Object({ 'b/~': Type1.Integer() })) }), { a: [{ 'b/~': 'x' }] }, [
      { path: '/a/0/b~1~0', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/a/items/properties/b~1~0', params: { type: 'integer' }, input: 'x' },
    ]],
    ['secrets', Type1.Object({ password: Type1.Integer(), a: redact(Type1.Integer()), b: omit(Type1.Integer()) }), { password: CANARY, a: CANARY, b: CANARY }, [
      { path: '/password', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/password', input: '[scrubbed]' },
      { path: '/a', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/a', input: '[redacted string]' },
      { path: '/b', keyword: 'type', message: 'does not satisfy "type"', schemaPath: '#/properties/b' },
    ]],
    ['unions', Type1.Object({ k: Type1.Union([Type1.Literal('a'), Type1.Object({ b: Type1.String() })]) }), { k: { b: 5 } }, [
      { path: '/k', keyword: 'type', message: 'must be string', schemaPath: '#/properties/k/anyOf/0', params: { type: 'string' }, input: '[object]' },
      { path: '/k', keyword: 'const', message: 'must be equal to constant', schemaPath: '#/properties/k/anyOf/0', params: { allowedValue: 'a' }, input: '[object]' },
      { path: '/k/b', keyword: 'type', message: 'must be string', schemaPath: '#/properties/k/anyOf/1/properties/b', params: { type: 'string' }, input: 5 },
    ]],
    ['intersections', Type1.Intersect([Type1.Object({ a: Type1.Null() }), Type1.Object({ b: Type1.String() })], { unevaluatedProperties: false }), { a: 1, b: 'b', [CANARY]: 1 }, [
      { path: '/a', keyword: 'type', message: 'must be null', schemaPath: '#/allOf/0/properties/a', params: { type: 'null' }, input: 1 },
      { path: '', keyword: 'unevaluatedProperties', message: 'must not have unevaluated properties', schemaPath: '#', params: { unevaluatedProperties: '*' } },
    ]],
    ['names of properties', Type1.Object({}, { propertyNames: { pattern: '^a' } }), { [CANARY]: 1, b: 2 }, [
      { path: '/*', keyword: 'pattern', message: 'must match pattern "^a"', schemaPath: '#/propertyNames', params: { pattern: '^a' } },
      { path: '/*', keyword: 'pattern', message: 'must match pattern "^a"', schemaPath: '#/propertyNames', params: { pattern: '^a' } },
      { path: '', keyword: 'propertyNames', message: 'does not satisfy "propertyNames"', schemaPath: '#', params: { propertyNames: '*' } },
    ]],
    ['records', Type1.Record(Type1.String(), Type1.Number()), { [CANARY]: 'x' }, [
      { path: '/*', keyword: 'type', message: 'must be number', schemaPath: '#/patternProperties/^.*$', params: { type: 'number' }, input: 'x' },
    ]],
    ['cyclic types', Type1.Cyclic({ N: Type1.Object({ v: Type1.Number(), n: Type1.Optional(Type1.Ref('N')) }) }, 'N'), { v: 1, n: { v: 'x' } }, [
      { path: '/n/v', keyword: 'type', message: 'must be number', schemaPath: '#/properties/n/properties/v', params: { type: 'number' }, input: 'x' },
    ]],
    ['lists', Type1.Array(redact(Type1.String()), { uniqueItems: true, maxItems: 1 }), [CANARY, CANARY], [
      { path: '', keyword: 'maxItems', message: 'must not have more than 1 items', schemaPath: '#', params: { limit: 1 }, input: '[array of 2]' },
      { path: '', keyword: 'uniqueItems', message: 'must not have duplicate items', schemaPath: '#', params: { duplicateItems: [1] }, input: '[array of 2]' },
    ]],
    ['what a refinement says', Type1.Object({ a: redact(Type1.String()), b: Type1.Refine(Type1.String(), () => false, () => `not ${CANARY}`) }), { a: CANARY, b: 'b' }, [
      { path: '/b', keyword: '~refine', message: 'not …', schemaPath: '#/properties/b', params: { index: 0, message: 'not …' }, input: 'b' },
    ]],
  ]
  for (const [sentence, schema, data, expected] of cases) {
    t.strictSame(describe(typeBox1Errors(schema, data), { schema, data, hasFixedMessages: true }), listOf(expected), sentence)
    t.strictSame(describe(typeBox1Errors(schema, data), { schema, data }), listOf(expected), `${sentence}, if it were another validator`)
  }
})

/** What no error may hold: everything that was sent has it. */
const sent = {
  email: `${CANARY}mail`,
  age: `${CANARY}age`,
  kind: { b: `${CANARY}b`, password: `${CANARY}pw` },
  record: { [`${CANARY}key`]: `${CANARY}value` },
  list: [`${CANARY}item`, `${CANARY}item`],
  long: `${CANARY} ${'x'.repeat(1000)}${CANARY}`,
  name: { deep: { text: `${CANARY}deep "quoted" \n end` } },
  password: `${CANARY}password`,
  [`${CANARY}extra`]: 1,
}

t.test('errors of zod', async (t) => {
  const schema = z.strictObject({
    email: z.email(),
    age: z.number(),
    kind: z.union([z.literal('a'), z.object({ b: z.number() })]),
    record: z.record(z.string(), z.number()),
    list: z.array(z.string().startsWith('q')),
    long: z.string().max(5),
    name: z.string(),
    password: z.string().min(99).refine(() => false, { error: ({ input }) => `what is ${String(input)}?` }),
  })
  const expected: Expected[] = [
    { path: '/email', keyword: 'invalid_format', message: 'Invalid email address' },
    { path: '/age', keyword: 'invalid_type', message: 'Invalid input: expected number, received string' },
    { path: '/kind', keyword: 'invalid_union', message: 'Invalid input' },
    { path: '/record/*', keyword: 'invalid_type', message: 'Invalid input: expected number, received string' },
    { path: '/list/0', keyword: 'invalid_format', message: 'Invalid string: must start with "q"' },
    { path: '/list/1', keyword: 'invalid_format', message: 'Invalid string: must start with "q"' },
    { path: '/long', keyword: 'too_big', message: 'Too big: expected string to have <=5 characters' },
    { path: '/name', keyword: 'invalid_type', message: 'Invalid input: expected string, received object' },
    { path: '/password', keyword: 'too_small', message: 'does not satisfy "too_small"', input: '[scrubbed]' },
    { path: '/password', keyword: 'custom', message: 'does not satisfy "custom"', input: '[scrubbed]' },
    { path: '', keyword: 'unrecognized_keys', message: 'Unrecognized key: "…"' },
  ]
  const own = describe(undefined, { schema, data: sent, error: schema.safeParse(sent).error, limits: { maxErrors: 20 } })
  t.strictSame(own, listOf(expected), 'as zod gives them')
  const provided = describe(compilerErrors(zodValidatorCompiler, schema, sent), { schema, data: sent, limits: { maxErrors: 20 } })
  t.strictSame(provided.records.map(({ path, keyword, message }) => ({ path, keyword, message })), expected.map(({ path, keyword, message }) => ({ path, keyword, message })), 'as fastify-type-provider-zod gives them')
  t.notMatch(JSON.stringify(provided), CANARY)
  t.strictSame(provided.records.filter(({ schemaPath }) => schemaPath !== undefined), [], 'its schema paths are made of what was sent')
  t.strictSame(provided.records.at(-1)!.params, { keys: '*' })
  const recorded = describe(undefined, { schema, data: sent, error: schema.safeParse(sent).error, captureUnknownSchemas: true })
  t.strictSame([recorded.records[0]!.input, recorded.records[8]!.input], [`${CANARY}mail`, '[scrubbed]'], 'where its values are recorded, its errors repeat them')
})

t.test('errors of joi', async (t) => {
  const schema = Joi.object({
    email: Joi.string().email(),
    age: Joi.number(),
    kind: Joi.alternatives(Joi.valid('a'), Joi.object({ b: Joi.string().pattern(/^q/), password: Joi.string().pattern(/^q/) })),
    record: Joi.object().pattern(/^/, Joi.number()),
    list: Joi.array().items(Joi.string()).unique(),
    long: Joi.string().pattern(/^q/),
    name: Joi.object({ deep: Joi.object({ text: Joi.string().valid('a', 'b') }) }),
    password: Joi.string().min(99).pattern(/^q/),
  })
  const { error } = schema.validate(sent, { abortEarly: false })
  t.match(JSON.stringify(error!.details), CANARY, 'joi quotes what was sent')
  const records = describe(undefined, { schema, data: sent, error, limits: { maxErrors: 20 } })
  t.strictSame(records, listOf([
    { path: '/email', keyword: 'string.email', message: '"email" must be a valid email', params: { invalids: ['…'] } },
    { path: '/age', keyword: 'number.base', message: '"age" must be a number' },
    {
      path: '/kind',
      keyword: 'alternatives.match',
      message: '"kind" does not match any of the allowed types',
      params: {
        message: '"kind" must be [a]. "kind.b" with value "…" fails to match the required pattern: /^q/. "kind.password" with value "…" fails to match the required pattern: /^q/',
        details: ['[object]', '[object]', '[object]'],
      },
    },
    { path: '/record/*', keyword: 'number.base', message: '"record.…" must be a number' },
    { path: '/list/1', keyword: 'array.unique', message: '"list[1]" contains a duplicate value', params: { pos: 1, dupePos: 0, dupeValue: '…' } },
    { path: '/long', keyword: 'string.pattern.base', message: '"long" with value "…', params: { regex: '[object]' } },
    { path: '/name/deep/text', keyword: 'any.only', message: '"name.deep.text" must be one of [a, b]', params: { valids: ['a', 'b'] } },
    { path: '/password', keyword: 'string.min', message: 'does not satisfy "string.min"', input: '[scrubbed]' },
    { path: '/password', keyword: 'string.pattern.base', message: 'does not satisfy "string.pattern.base"', input: '[scrubbed]' },
    { path: '/*', keyword: 'object.unknown', message: '"…" is not allowed', params: { child: '*' } },
  ]))
})

t.test('errors of yup', async (t) => {
  const schema = yup.object({
    email: yup.string().email(),
    age: yup.number().required(),
    list: yup.array(yup.number()),
    long: yup.string().oneOf(['a']),
    name: yup.string(),
    password: yup.string().min(99),
  }).noUnknown().strict()
  const { kind, record, ...data } = sent
  const errorOf = (options: object): unknown => {
    try {
      schema.validateSync(data, options)
    } catch (error) {
      return error
    }
  }
  const { records, count } = describe(undefined, { schema, data, error: errorOf({ abortEarly: false }) })
  t.strictSame([count, records.map(({ path, keyword, message }) => [path, keyword, message])], [8, [
    ['/email', 'email', 'email must be a valid email'],
    ['/age', 'typeError', 'age must be a `number` type, but the final value was: `"…"`.'],
    ['/list/0', 'typeError', 'list[0] must be a `number` type, but the final value was: `"…"`.'],
    ['/list/1', 'typeError', 'list[1] must be a `number` type, but the final value was: `"…"`.'],
    ['/long', 'oneOf', 'long must be one of the following values: a'],
    ['/name', 'typeError', 'name must be a `string` type, but the final value was: `{\n  "…": {\n    "…": "\\"…\\""\n  }\n}`.'],
    ['/password', 'min', 'does not satisfy "min"'],
    ['', 'noUnknown', 'this field has unspecified keys: …'],
  ]])
  t.notMatch(JSON.stringify(records), CANARY)
  t.strictSame(records.find(({ path }) => path === '/password')!.input, '[scrubbed]')
  const first = describe(undefined, { schema, data, error: errorOf({ abortEarly: true }) })
  t.strictSame([first.count, first.records.length, first.records[0]!.keyword === 'unknown'], [1, 1, false], 'one error alone is an entry itself')
})

t.test('errors of other validators', async (t) => {
  const schema = Type.Object({ user: Type.Object({ emails: Type.Array(Type.String()), password: Type.String() }) })
  const data = { user: { emails: ['a', 5], password: CANARY, x: true, key9: 1 } }
  const cases: Array<[string, unknown, Expected]> = [
    ['a path as a list', { code: 'invalid_type', path: ['user', 'emails', 1], message: 'Expected string, received number' },
      { path: '/user/emails/1', keyword: 'invalid_type', message: 'Expected string, received number', input: 5 }],
    ['without a word for it: what TypeBox would say', { path: ['user', 'emails', 1], message: 'Expected string' }, { path: '/user/emails/1', keyword: 'type', message: 'Expected string', input: 5 }],
    ['the path of a secret', { path: ['user', 'password'], message: `Invalid: ${CANARY}` }, { path: '/user/password', keyword: 'unknown', message: 'does not satisfy "unknown"', input: '[scrubbed]' }],
    ['a secret in another place', { path: ['user'], message: `Invalid: ${CANARY.toLowerCase()}` }, { path: '/user', keyword: 'unknown', message: 'Invalid: …', input: '[object]' }],
    ['the empty path', { path: [], message: 'Invalid input' }, { path: '', keyword: 'unknown', message: 'Invalid input', input: '[object]' }],
    ['a symbol in the path', { path: [Symbol('s')], message: 'Invalid' }, { path: '/*', keyword: 'unknown', message: 'Invalid' }],
    ['a name that is not declared', { type: 'number.base', path: ['user', 'key9'], message: '"user.key9" must be a number', context: { value: CANARY, key: 'key9', label: 'user.key9' } },
      { path: '/user/*', keyword: 'number.base', message: '"user.…" must be a number' }],
    ['a short one, in quotes', { path: ['user', 'x'], message: '"x" is not an example' }, { path: '/user/*', keyword: 'unknown', message: '"…" is not an example' }],
    ['a path as text', { path: 'user.emails[1]', message: 'Invalid' }, { path: '/user/emails/1', keyword: 'unknown', message: 'Invalid', input: 5 }],
    ['a path as odd text', { path: '..[]user', message: 'Invalid' }, { path: '/user', keyword: 'unknown', message: 'Invalid', input: '[object]' }],
    ['no message', { instancePath: '/user' }, { path: '/user', keyword: 'unknown', message: 'is not valid', input: '[object]' }],
    ['no path', { message: 'token=abc is wrong' }, { path: '', keyword: 'unknown', message: 'token=[scrubbed] is wrong', input: '[object]' }],
    ['a pointer that is only a slash', { instancePath: '/', message: 'm' }, { path: '', keyword: 'unknown', message: 'm', input: '[object]' }],
    ['a relative pointer', { instancePath: 'user/emails/0', keyword: 'x', message: 'm' }, { path: '/user/emails/0', keyword: 'x', message: 'm', input: 'a' }],
    ['a path through what is not there', { instancePath: '/user/emails/7/a', keyword: 'x', message: 'm' }, { path: '/user/emails/7/*', keyword: 'x', message: 'm' }],
    ['a path through a primitive', { instancePath: '/user/password/length', keyword: 'x', message: 'm' }, { path: '/user/password/*', keyword: 'x', message: 'does not satisfy "x"' }],
    ['a path to what every object has', { instancePath: '/toString', keyword: 'x', message: 'm' }, { path: '/*', keyword: 'x', message: 'm' }],
    ['fields of other types', { instancePath: 5, path: null, keyword: {}, message: [], schemaPath: 1, params: 'p' }, { path: '', keyword: 'unknown', message: 'is not valid', input: '[object]' }],
    ['parameters of every kind', { params: JSON.parse('{"__proto__":["x"],"a":null,"b":true,"c":1,"d":{"x":"CANARY"},"keys":["CANARY"],"unevaluatedProperty":"CANARY"}') },
      { path: '', keyword: 'unknown', message: 'is not valid', params: { a: null, b: true, c: 1, d: '[object]', keys: '*', unevaluatedProperty: '*' }, input: '[object]' }],
    ['parameters that are none', { params: { a: undefined } }, { path: '', keyword: 'unknown', message: 'is not valid', input: '[object]' }],
    ['the value, and what stands elsewhere, under any name that validators have for it',
      { context: Object.fromEntries(['value', 'originalValue', 'label', 'key', 'path', 'input', 'received', 'errors', 'issue'].map((name) => [name, CANARY])) }, { path: '', keyword: 'unknown', message: 'is not valid', input: '[object]' }],
    ['parameters that JSON does not have', { params: { big: 1n, fn: () => CANARY, sym: Symbol('s'), list: [1n, undefined, [1], { x: 1 }], text: 'password: abc' } },
      {
        path: '',
        keyword: 'unknown',
        message: 'is not valid',
        input: '[object]',
        params: { big: '[bigint]', fn: '[function]', sym: '[symbol]', list: ['[bigint]', '[undefined]', '[array of 1]', '[object]'], text: 'password: [scrubbed]' }
      }],
    ['parameters that quote a secret', { params: { quoted: `is ${CANARY}`, list: [CANARY, 'b'] } }, { path: '', keyword: 'unknown', message: 'is not valid', params: { quoted: 'is …', list: ['…', 'b'] }, input: '[object]' }],
    ['a wrapper without what it wraps', { instancePath: '/user', keyword: 'anyOf', message: 'm' }, { path: '/user', keyword: 'anyOf', message: 'm', input: '[object]' }],
  ]
  for (const [sentence, error, expected] of cases) {
    t.strictSame(describe([error], { schema, data }), listOf([expected]), sentence)
    t.strictSame(describe(undefined, { schema, data, error: { issues: [error] } }), listOf([expected]), `${sentence}, among issues`)
  }
  t.strictSame(
    describe([{ path: ['user', 0], message: 'Invalid' }, { path: [], message: 'Invalid' }], { data: { user: [CANARY] } }),
    listOf([{ path: '/*/0', keyword: 'unknown', message: 'Invalid' }, { path: '', keyword: 'unknown', message: 'Invalid' }]),
    'without JSON Schema no name is known, and no input repeated'
  )
  const numbers = Type.Object({ pin: Type.Number(), n: Type.Number() })
  t.strictSame(describe([{ params: { limit: 471_147, other: 5 } }], { schema: numbers, data: { pin: 471_147, n: 5 } }).records[0]!.params, { limit: '…', other: 5 }, 'a number that is secret')
  t.equal(Object.keys(Object.prototype).length, 0, 'Object.prototype is as it was')
})

t.test('wrappers are dropped only after what they wrap', async (t) => {
  const entry = (keyword: string, instancePath: string, params: object = {}) => ({ keyword, instancePath, message: 'm', params })
  const keywords = (errors: unknown[]) => { const { records, count } = describe(errors, { schema: {}, data: {} }); return [records.map(({ keyword }) => keyword), count] }
  const cases: Array<[string, unknown[], string[], number]> = [
    ['after its branches', [entry('type', '/a/b'), entry('anyOf', '/a')], ['type'], 1],
    ['after its branches, without parameters', [{ path: ['a', 'b'] }, { path: ['a'], code: 'anyOf' }], ['unknown'], 1],
    ['after another wrapper', [entry('type', '/a/b/c'), entry('oneOf', '/a/b', { passingSchemas: null }), entry('anyOf', '/a')], ['type'], 1],
    ['before them', [entry('anyOf', '/a'), entry('type', '/a/b')], ['anyOf', 'type'], 2],
    ['after something else', [entry('type', '/b'), entry('anyOf', '/a')], ['type', 'anyOf'], 2],
    ['after what stands around it', [entry('type', '/a'), entry('anyOf', '/a/b')], ['type', 'anyOf'], 2],
    ['of a oneOf with several that match', [entry('type', '/a'), entry('oneOf', '/a', { passingSchemas: [0, 1] })], ['type', 'oneOf'], 2],
    ['other keywords', [entry('type', '/a'), entry('allOf', '/a'), entry('if', '/a')], ['type', 'allOf', 'if'], 3],
    ['many of them', [entry('type', '/a'), ...Array(100).fill(entry('anyOf', '/a')), entry('type', '/b')], ['type'], 38],
  ]
  for (const [sentence, errors, expected, count] of cases) t.strictSame(keywords(errors), [expected, count], sentence)
})

t.test('names that a schema of another library mentions are named, others not', async (t) => {
  const path = (schema: unknown, ...names: string[]) => describe([{ path: names, message: 'm' }], { schema, data: {} }).records[0]!.path
  const standard = { '~standard': { version: 1 } }
  const joi = Joi.object({ a: Joi.array().items(Joi.object({ b: Joi.string() })), c: Joi.alternatives(Joi.object({ d: Joi.any() }), Joi.string()) })
  const zod = z.object({ a: z.array(z.object({ b: z.string() })), c: z.union([z.object({ d: z.any() }), z.string()]).optional() })
  const object = yup.object({ a: yup.array(yup.object({ b: yup.string() })), c: yup.object({ d: yup.mixed() }) })
  const valibot = { ...standard, type: 'object', entries: { a: { type: 'array', item: { type: 'object', entries: { b: { type: 'string' } } } }, c: { options: [{ entries: { d: {} } }] } } }
  for (const [library, schema] of [['joi', joi], ['zod', zod], ['yup', object], ['valibot', valibot]] as const) {
    t.strictSame([path(schema, 'a', 'b'), path(schema, 'c', 'd'), path(schema, 'a', CANARY), path(schema, CANARY, 'b')], ['/a/b', '/c/d', '/a/*', '/*/b'], library)
  }
  const maps = { ...standard, fields: new Map<unknown, unknown>([['a', { shape: { b: 1 } }], [Symbol('s'), 1]]) }
  t.strictSame([path(maps, 'a', 'b'), path(maps, 'x')], ['/a/b', '/*'], 'names in a map')
  const cyclic: Record<string, unknown> = { ...standard, shape: { a: null } }
  cyclic.self = [cyclic]
  t.equal(path(cyclic, 'a'), '/a', 'a schema that holds itself')
  let deep: Record<string, unknown> = { shape: { a: 1 } }
  for (let level = 0; level < 10_000; level++) deep = { inner: deep }
  t.equal(path({ ...standard, deep }, 'a'), '/*', 'no more than 2,000 objects are looked through')
  const hostile: Array<[string, unknown]> = [
    ['describe that throws', { ...standard, shape: { a: 1 }, describe: () => fail() }], ['describe that says nothing', { ...standard, shape: { a: 1 }, describe: () => null }],
    ['describe that wants something', { ...standard, shape: { a: 1 }, describe: (text: string) => ({ shape: { [text]: 1 } }) }],
    ['an object that cannot be listed', { ...standard, first: new Proxy({}, { ownKeys: fail }), shape: { a: 1 } }],
  ]
  for (const [sentence, schema] of hostile) t.strictSame([path(schema, 'a'), path(schema, 'x')], ['/a', '/*'], sentence)
  for (const schema of [() => {}, 'zod', 5, [1]]) t.equal(path(schema, 'a'), '/*', String(schema))
})

t.test('a place is found in data and schema together', async (t) => {
  const node = nodeOfPart(compileRequestCapture({ body: Type.Object({ a: redact(Type.Object({ b: Type.String() })), l: Type.Array(omit(Type.String())) }) }, {
    findSchema: () => undefined, settings: { limits: DEFAULT_LIMITS, scrubber: createScrubber() }, captureUnknownSchemas: false,
  }).body, undefined)
  const find = (...segments: string[]) => findPlace('body', segments, { a: { b: 'x' }, l: ['y'], x: 'z', pin: 1 }, node, createScrubber())
  t.strictSame(find('a', 'b'), { path: '/a/b', isHidden: true, mark: '[redacted string]', isDeclared: true, value: 'x' })
  t.strictSame(find('a', 'c'), { path: `/a/${UNDECLARED}`, isHidden: true, mark: undefined, isDeclared: false, value: undefined })
  t.strictSame(find('l', '0'), { path: '/l/0', isHidden: true, mark: undefined, isDeclared: true, value: 'y' })
  t.strictSame(find('l', '5'), { path: '/l/5', isHidden: true, mark: undefined, isDeclared: true, value: undefined })
  t.strictSame(find('x'), { path: '/*', isHidden: false, mark: '[scrubbed]', isDeclared: false, value: 'z' })
  t.strictSame(find('pin'), { path: '/*', isHidden: true, mark: '[scrubbed]', isDeclared: false, value: 1 })
})

t.test('what is no list of errors', async (t) => {
  const one = listOf([{ path: '', keyword: 'unknown', message: 'body must be nice, password=[scrubbed]' }])
  for (const errors of [true, undefined, null, [], {}, 'text', 5, { length: 3 }, new Error('no')]) {
    for (const more of [{}, { errors: [] }, { issues: {} }, { details: 'text', inner: [] }, { path: 'a' }]) {
      t.strictSame(describe(errors, { error: { message: 'body must be nice, password=hunter2', ...more }, data: CANARY }), one, `errors: ${String(errors)} ${JSON.stringify(more)}`)
    }
  }
  for (const error of [undefined, null, 'text', 5, {}, { message: 5 }]) t.strictSame(describe(undefined, { error }), listOf([{ path: '', keyword: 'unknown', message: 'is not valid' }]), 'no message either')
  t.strictSame(describe(true, { part: 'params', error: new Error('m'.repeat(1e6)) }), listOf([{ path: '', keyword: 'unknown', message: 'm'.repeat(256) + '…' }], 'params'), 'the message is cut')
  const entries: Array<[unknown, string]> = [
    [null, 'null'], [undefined, 'undefined'], [5, '5'], ['password=hunter2', 'password=[scrubbed]'], [Symbol('s'), 'Symbol(s)'], [1n, '1'], [true, 'true'],
  ]
  for (const [entry, message] of entries) t.strictSame(describe([entry]), listOf([{ path: '', keyword: 'unknown', message }]), `an entry ${String(entry)}`)
  t.strictSame(describe(Array(3)), listOf(Array(3).fill({ path: '', keyword: 'unknown', message: 'undefined' })), 'a list of holes')
})

t.test('what throws inside an error costs its details only', async (t) => {
  const revoked = Proxy.revocable([], {})
  revoked.revoke()
  const bare = { path: '', keyword: 'unknown', message: 'is not valid' }
  const last = { path: '', keyword: 'unknown', message: 'last' }
  for (const field of ['instancePath', 'path', 'keyword', 'message', 'schemaPath', 'params', 'code', 'type', 'context']) {
    t.strictSame(describe([Object.defineProperty({}, field, { get: fail }), { message: 'last' }]), listOf([bare, last]), `a getter of ${field}`)
  }
  t.strictSame(describe([{ message: 'first', params: { get a () { return fail() } } }, { message: 'last' }]), listOf([{ ...last, message: 'first' }, last]), 'a parameter')
  t.strictSame(describe([{ message: 'first', params: { get passingSchemas () { return fail() } } }, { message: 'last' }]), listOf([bare, last]), 'a parameter that is looked for')
  t.strictSame(describe([{ message: 'first', path: ['a'] }, { message: 'last' }], { schema: Type.Object({ a: Type.String() }), data: { get a () { return fail() } } }),
    listOf([{ path: '/a', keyword: 'unknown', message: 'does not satisfy "unknown"' }, { path: '', keyword: 'unknown', message: 'does not satisfy "unknown"', input: '[object]' }]), 'the data')
  t.strictSame(describe([{ path: [Object.create(null)] }, { message: 'last' }]), listOf([bare, last]), 'a path that is no text')
  t.strictSame(describe([revoked.proxy, { message: 'last' }]), listOf([bare, last]), 'a revoked proxy')
  t.strictSame(describe(new Proxy([1], { get: (target, key) => key === '0' ? fail() : Reflect.get(target, key) })), listOf([bare]), 'the list')
  for (const field of ['errors', 'issues', 'details', 'inner', 'path', 'type']) {
    t.strictSame(describe(undefined, { error: Object.defineProperty({ message: 'text' }, field, { get: fail }) }), listOf([{ ...bare, message: 'text' }]), `a getter of the error: ${field}`)
  }
  t.strictSame(describe(undefined, { error: { get message () { return fail() } } }), listOf([bare]), 'its message')
  for (const list of [revoked.proxy, new Proxy([], { get: fail })]) t.strictSame(describe(list, { error: { message: 'text' } }), listOf([{ ...bare, message: 'text' }]), 'a list that is no list')
  t.strictSame(describe(undefined, { error: revoked.proxy }), listOf([bare]), 'an error that is a revoked proxy')
  t.strictSame(describe([{ message: 'quotes something' }], { schema: {}, data: { get a () { return fail() } } }), listOf([{ ...bare, message: 'does not satisfy "unknown"', input: '[object]' }]), 'data that cannot be read')
})

t.test('errors are bounded', async (t) => {
  const toJson = (records: readonly unknown[]) => errorsToJson(records, DEFAULT_LIMITS.maxErrorBytes)
  t.equal(MAX_ERROR_TEXT_LENGTH, 256)
  const entry = { instancePath: '/a', keyword: 'type', message: 'm', schemaPath: '#', params: { a: 1 } }
  const read: string[] = []
  const entries = new Proxy(Array(600_000).fill(entry), { get: (target, key) => { read.push(String(key)); return Reflect.get(target, key) } })
  t.strictSame(describe(entries, { data: {}, schema: {} }),
    { records: Array(10).fill({ part: 'body', path: '/*', keyword: 'type', message: 'm', schemaPath: '#', params: { a: 1 } }), count: 600_000 }, '600,000 entries')
  t.strictSame(read.filter((key) => /^\d+$/.test(key)), Array.from({ length: 10 }, (_, index) => String(index)), 'of which ten are looked at')
  t.strictSame([describe(Array(20).fill(entry), { limits: { maxErrors: 3 } }), describe(Array(20).fill(entry), { limits: { maxErrors: 100 } })].map(({ records, count }) => [records.length, count]), [[3, 20], [20, 20]], 'or as many as the option says')

  const long = 'x'.repeat(1e6)
  const cut = 'x'.repeat(256) + '…'
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`p${index}`, index]))
  const huge = { instancePath: `/${long}${'/a'.repeat(1e5)}`, keyword: long, message: long, schemaPath: long, params: { ...many, p0: long, p1: Array(1000).fill(long) } }
  t.strictSame(describe([huge], { data: { a: 1 } }), listOf([{ path: '/*'.repeat(32), keyword: cut, message: cut }]), 'a huge entry, of a part whose schema is not known')
  t.strictSame(describe([huge], { schema: Type.Object({}), data: {} }), listOf([{ path: '/*'.repeat(32), keyword: cut, message: cut, schemaPath: cut }]), 'and of one that is known')
  t.strictSame(describe([{ params: many }]).records[0]!.params, Object.fromEntries(Object.entries(many).slice(0, 10)), 'many parameters')
  t.strictSame(describe([{ params: { a: Array(1000).fill('b') } }]).records[0]!.params, { a: Array(10).fill('b') }, 'long lists')
  t.strictSame([describe([{ params: { a: 'x'.repeat(503) } }]), describe([{ params: { a: 'x'.repeat(1e6), b: 'y'.repeat(300) } }])].map(({ records }) => records[0]!.params), [{ a: cut }, undefined], 'parameters of more than 512 bytes are left out')
  const slow = ['at least ', 'no more than 1', ' to match ', ' multiple of', 'Expected ', "' format"].map((piece) => ({ message: piece.repeat(1e5) }))
  t.strictSame(describe(slow).records.map(({ keyword }) => keyword), ['unknown', 'unknown', 'pattern', 'multipleOf', 'type', 'format'], 'messages made to be slow')
  t.strictSame(describe([{ path: Array(1e5).fill(0) }], { data: [] }), listOf([{ path: '/0' + '/*'.repeat(31), keyword: 'unknown', message: 'is not valid' }]), 'a long path as a list')
  const name = 'n'.repeat(200)
  t.strictSame(describe([{ instancePath: `/${name}/${name}` }], { schema: { properties: { [name]: { properties: { [name]: {} } } } }, data: { [name]: { [name]: 1 } } }),
    listOf([{ path: `/${name}/${name}`.slice(0, 256), keyword: 'unknown', message: 'is not valid', input: 1 }]), 'a long path of declared names')
  t.strictSame(describe([{}], { schema: {}, data: 'ü'.repeat(1e6) }), listOf([{ path: '', keyword: 'unknown', message: 'is not valid', input: 'ü'.repeat(256) + '…' }]), 'a long input')
  const tooLarge = [{ part: 'body' as const, path: '', keyword: 'enum', message: '', params: { a: 'ü'.repeat(2048) } }]
  t.strictSame(toJson(tooLarge), { json: '[]', listed: 0 }, 'a record that is too large for the text')

  const record: ValidationErrorRecord = { part: 'body', path: '/a', keyword: 'type', message: 'ü'.repeat(200) }
  t.strictSame(toJson([...tooLarge, record, ...tooLarge, record]), { json: JSON.stringify([record, record]), listed: 2 }, 'those after it have room')
  t.strictSame(errorsToJson(Array(10).fill(record), 1024), { json: JSON.stringify(Array(2).fill(record)), listed: 2 }, 'another bound')
  t.strictSame(toJson([]), { json: '[]', listed: 0 }, 'no records')
  t.strictSame(toJson([record, record]), { json: JSON.stringify([record, record]), listed: 2 }, 'records that fit')
  t.strictSame(toJson(Array(10).fill(record)), { json: JSON.stringify(Array(8).fill(record)), listed: 8 }, 'as many as fit into 4 KiB')
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
    const { json, listed } = errorsToJson(records, 4096)
    ok(Buffer.byteLength(json) <= 4096)
    deepStrictEqual(JSON.parse(json).length, listed)
    deepStrictEqual([count, records.length], [Math.max(errors.length, 1), Math.min(Math.max(errors.length, 1), 10)])
    for (const record of records) {
      ok(!record.path.includes(CANARY) && record.path.length <= 256)
      ok(record.keyword.length <= 257 && record.message.length <= 257)
      ok(!String(record.params?.additionalProperty ?? '').includes(CANARY))
      if (record.path.includes('password')) ok(record.input === undefined || record.input === '[scrubbed]')
      ok(record.input === null || ['undefined', 'string', 'number', 'boolean'].includes(typeof record.input))
    }
  }), { numRuns: 300 })), undefined)
})

t.test('random messages never quote what is hidden', async (t) => {
  const schema = Type.Object({
    a: Type.String(), secret: redact(Type.Any()), gone: omit(Type.Any()), password: Type.Any(), list: Type.Array(Type.Object({ b: Type.String() })), record: Type.Record(Type.String(), redact(Type.Any())),
  })
  const hidden = fc.string({ maxLength: 90 }).map((text) => `${CANARY}${text}`)
  const inner = fc.oneof(hidden, fc.array(hidden, { maxLength: 2 }), fc.dictionary(hidden, hidden, { maxKeys: 2 }))
  const data = fc.tuple(
    fc.record({ a: fc.constant('shown'), secret: inner, gone: inner, password: inner, list: fc.array(fc.dictionary(hidden, inner, { maxKeys: 2 }), { maxLength: 2 }), record: fc.dictionary(hidden, inner, { maxKeys: 2 }) }, { requiredKeys: ['a'] }),
    fc.dictionary(hidden, inner, { maxKeys: 2 })
  ).map(([declared, undeclared]) => ({ ...declared, ...undeclared }))
  const textsOf = (value: unknown): string[] => typeof value === 'string' ? [value] : value === null || typeof value !== 'object' ? [] : Object.entries(value).flatMap(([key, item]) => [...(key.startsWith(CANARY) ? [key] : []), ...textsOf(item)])
  const quoting = fc.constantFrom<(text: string) => string>(
    (text) => text, (text) => `"${text}"`, (text) => text.trim(), (text) => text.toLowerCase(), (text) => text.toUpperCase(), (text) => JSON.stringify(text), (text) => JSON.stringify(JSON.stringify(text)), (text) => `${text.slice(0, 64)}…`,
  (text) => `${'x'.repeat(4000)}${text}${'x'.repeat(200)}`
  )
  t.equal(fc.defaultReportMessage(fc.check(fc.property(data, fc.array(fc.tuple(fc.nat(), quoting), { minLength: 1, maxLength: 4 }), fc.constantFrom([], ['a'], ['list', '0'], ['password']), fc.boolean(), (data, quotes, path, isForeign) => {
    const texts = textsOf(data)
    const message = quotes.map(([index, quote]) => texts.length === 0 ? '' : quote(texts[index % texts.length]!)).join(' and ')
    const given = { schema: isForeign ? { validate () {} } : schema, data }
    const list = describe([{ path, message, params: { quoted: message, list: [message] } }, { instancePath: '', keyword: 'x-own', message }], given)
    ok(!JSON.stringify(list).toUpperCase().includes(CANARY), JSON.stringify(list))
    equal(list.count, 2)
  }), { numRuns: 2000 })), undefined)
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`${CANARY}${index}`, index]))
  t.strictSame(describe([{ message: `${CANARY}1 is wrong`, params: { a: 'b', c: 5, d: true } }], { schema, data: many }),
    listOf([{ path: '', keyword: 'unknown', message: 'does not satisfy "unknown"', params: { a: '…', c: '…', d: true }, input: '[object]' }]), 'of a part with too much in it no words are repeated')
  const [whole, half] = [CANARY + 'a'.repeat(54), CANARY + 'b'.repeat(90)]
  // The longer one begins before the place where the search ends, and is cut there.
  const count = Math.floor(960 / (whole.length + 1))
  const long = `${`${whole} `.repeat(count)}${'y'.repeat(960 - count * (whole.length + 1))}${half}`
  const cut = describe([{ message: long }], { schema, data: { [whole]: 1, [half]: 2 } }).records[0]!.message
  t.match(cut, /^(?:… )+y*…?$/, 'nor the first half of what lies where a long message is cut')
  t.strictSame(describe([{ message: 'text is fine' }], { schema, data: { a: 'shown', b: Buffer.from(CANARY), password: 5n, gone: { deep: [null, true, undefined] } } }).records[0]!.message, 'text is fine')
  const cyclic: Record<string, unknown> = { [`${CANARY}1`]: 1 }
  cyclic.self = cyclic
  t.equal(describe([{ message: `${CANARY}1 is wrong` }], { schema, data: cyclic }).records[0]!.message, '… is wrong', 'data that holds itself')
})
