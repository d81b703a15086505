// repository only
import type { IncomingMessage } from 'node:http'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import otelPlugin, { redact, type ValidationErrorRecord } from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import { validatorCompiler as zodValidatorCompiler } from 'fastify-type-provider-zod'
import joi from 'joi'
import t from 'tap'
import { TypeBoxValidatorCompiler as TypeBox1ValidatorCompiler } from 'type-provider-typebox-6'
import Type1 from 'typebox'
import * as yup from 'yup'
import { z } from 'zod'
import { listen, send } from '../helpers/http.ts'
import { argumentsOf, probe, setUp, type Probe } from '../helpers/subject.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

type Compiler = (route: { schema: any }) => (data: any) => unknown

/** Compilers as their users write them: typed by the library, not by Fastify. */
const as = (compiler: Compiler) => compiler as never
const joiCompiler = as(({ schema }) => (data) => schema.validate(data))
const joiAllCompiler = as(({ schema }) => (data) => schema.validate(data, { abortEarly: false }))
const yupCompiler = as(({ schema }) => (data) => {
  try {
    return { value: schema.validateSync(data, { abortEarly: false }) }
  } catch (error) {
    return { error }
  }
})

const json = { 'content-type': 'application/json' }

/** Every part of this request is wrong. */
const allWrong = {
  path: '/users/seven?notify=perhaps&page=0',
  headers: { 'x-tenant': 'a' },
  body: { name: 5, country: 'England', tags: ['a', 1], extra: 'canary-undeclared' },
}

function wrongParts (Types: typeof Type): object {
  return {
    params: Types.Object({ id: Types.Integer() }),
    body: Types.Object({
      name: Types.String({ minLength: 2 }),
      country: Types.String({ pattern: '^[A-Z]{2}$' }),
      tags: Types.Array(Types.Integer()),
    }, { additionalProperties: false }),
    querystring: Types.Object({ notify: Types.Boolean(), page: Types.Optional(Types.Integer({ minimum: 1 })) }),
    headers: Types.Object({ 'x-tenant': Types.String({ minLength: 2 }) }),
  }
}

type Errors = Array<Partial<ValidationErrorRecord>>

const ajvParams: Errors = [{ part: 'params', path: '/id', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/id/type', params: { type: 'integer' }, input: 'seven' }]
const ajvCountry: Errors[number] = {
  part: 'body',
  path: '/country',
  keyword: 'pattern',
  message: 'must match pattern "^[A-Z]{2}$"',
  schemaPath: '#/properties/country/pattern',
  params: { pattern: '^[A-Z]{2}$' },
  input: 'England',
}
const ajvTag: Errors[number] = { part: 'body', path: '/tags/0', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/tags/items/type', params: { type: 'integer' }, input: 'a' }
const ajvNotify: Errors[number] = { part: 'querystring', path: '/notify', keyword: 'type', message: 'must be boolean', schemaPath: '#/properties/notify/type', params: { type: 'boolean' }, input: 'perhaps' }
const ajvPage: Errors[number] = { part: 'querystring', path: '/page', keyword: 'minimum', message: 'must be >= 1', schemaPath: '#/properties/page/minimum', params: { comparison: '>=', limit: 1 }, input: 0 }
const ajvTenant: Errors[number] = { part: 'headers', path: '/x-tenant', keyword: 'minLength', message: 'must NOT have fewer than 2 characters', schemaPath: '#/properties/x-tenant/minLength', params: { limit: 2 }, input: 'a' }
const ajvName: Errors[number] = { part: 'body', path: '/name', keyword: 'minLength', message: 'must NOT have fewer than 2 characters', schemaPath: '#/properties/name/minLength', params: { limit: 2 }, input: '5' }

t.test('every part that is wrong is told, in one shape for Ajv and both TypeBoxes; without completeErrors only the first', async (t) => {
  const cases: Array<{ name: string, probe: Probe, all: Errors, first: number }> = [
    {
      name: 'Ajv as Fastify sets it up',
      probe: { route: { schema: wrongParts(Type) } },
      all: [...ajvParams, ajvName, ajvNotify, ajvTenant],
      first: 1,
    },
    {
      name: 'Ajv with allErrors',
      probe: { route: { schema: wrongParts(Type) }, server: { ajv: { customOptions: { allErrors: true } } } },
      all: [...ajvParams, ajvName, ajvCountry, ajvTag, ajvNotify, ajvPage, ajvTenant],
      first: 1,
    },
    {
      name: 'TypeBox 0.34',
      probe: { route: { schema: wrongParts(Type), validatorCompiler: TypeBoxValidatorCompiler as never } },
      all: [
        { part: 'params', path: '/id', keyword: 'type', message: 'Expected integer', input: 'seven' },
        { part: 'body', path: '/*', keyword: 'additionalProperties', message: 'Unexpected property' },
        { part: 'body', path: '/name', keyword: 'type', message: 'Expected string', input: 5 },
        { part: 'body', path: '/country', keyword: 'pattern', message: "Expected string to match '^[A-Z]{2}$'", input: 'England' },
        { part: 'body', path: '/tags/0', keyword: 'type', message: 'Expected integer', input: 'a' },
        { part: 'querystring', path: '/notify', keyword: 'type', message: 'Expected boolean', input: 'perhaps' },
        { part: 'querystring', path: '/page', keyword: 'minimum', message: 'Expected integer to be greater or equal to 1', input: '0' },
        { part: 'headers', path: '/x-tenant', keyword: 'minLength', message: 'Expected string length greater or equal to 2', input: 'a' },
      ],
      first: 1,
    },
    {
      name: 'TypeBox 1.x',
      probe: { route: { schema: wrongParts(Type1 as never), validatorCompiler: TypeBox1ValidatorCompiler as never } },
      all: [
        { part: 'params', path: '/id', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/id', params: { type: 'integer' }, input: 'seven' },
        { part: 'body', path: '/*', keyword: 'boolean', message: 'schema is false', schemaPath: '#/additionalProperties' },
        { part: 'body', path: '', keyword: 'additionalProperties', message: 'must not have additional properties', schemaPath: '#', params: { additionalProperties: '*' } },
        { part: 'body', path: '/name', keyword: 'type', message: 'must be string', schemaPath: '#/properties/name', params: { type: 'string' }, input: 5 },
        { part: 'body', path: '/country', keyword: 'pattern', message: 'must match pattern "^[A-Z]{2}$"', schemaPath: '#/properties/country', params: { pattern: '^[A-Z]{2}$' }, input: 'England' },
        { part: 'body', path: '/tags/0', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/tags/items', params: { type: 'integer' }, input: 'a' },
        { part: 'querystring', path: '/notify', keyword: 'type', message: 'must be boolean', schemaPath: '#/properties/notify', params: { type: 'boolean' }, input: 'perhaps' },
        { part: 'querystring', path: '/page', keyword: 'minimum', message: 'must be >= 1', schemaPath: '#/properties/page', params: { comparison: '>=', limit: 1 }, input: '0' },
        { part: 'headers', path: '/x-tenant', keyword: 'minLength', message: 'must not have fewer than 2 characters', schemaPath: '#/properties/x-tenant', params: { limit: 2 }, input: 'a' },
      ],
      first: 1,
    },
  ]
  for (const { name, probe: given, all, first } of cases) {
    const complete = { ...given, route: { url: '/users/:id', ...given.route }, request: allWrong }
    const { span, answer } = await probe(t, name, complete)
    t.equal(answer.statusCode, 400)
    t.same(argumentsOf(span), { errors: all, errorCount: all.length }, name)
    t.notMatch(JSON.stringify(span), /canary/)
    const { span: only } = await probe(t, `${name}, not complete`, { ...complete, options: { completeErrors: false } })
    t.same(argumentsOf(only), { errors: all.slice(0, first), errorCount: first }, `${name}, completeErrors: false`)
  }
})

t.test('a body that does not parse: what else is wrong is told too', async (t) => {
  const { span } = await probe(t, 'bad JSON', { route: { url: '/users/:id', schema: wrongParts(Type) }, request: { ...allWrong, body: '{', headers: { ...json, ...allWrong.headers } } })
  const parse = { part: 'body', path: '', keyword: 'parse', message: 'is not valid JSON', params: { position: 1, line: 1, column: 2 } }
  t.same(argumentsOf(span), { errors: [parse, ...ajvParams, ajvNotify, ajvTenant], errorCount: 4 })
})

t.test('validators of other libraries: one shape, declared names only, and no word that quotes what was sent', async (t) => {
  const cases: Array<{ name: string, probe: Probe, statusCode?: number, errors: Errors, errorCount?: number }> = [
    {
      name: 'zod',
      probe: {
        route: {
          schema: {
            body: z.object({
              name: z.string().min(2),
              kind: z.enum(['a', 'b']),
              nested: z.object({ list: z.array(z.number()) }),
              strict: z.strictObject({ known: z.string().optional() }),
              either: z.union([z.string(), z.object({ b: z.number() })]),
              record: z.record(z.string(), z.number()),
              custom: z.object({ inner: z.string() }).refine(() => false, { error: (issue) => `no ${(issue.input as { inner: string }).inner} here` }),
            }),
          },
          validatorCompiler: zodValidatorCompiler as never,
        },
        request: {
          body: {
            name: 'c',
            kind: 'canary-1',
            nested: { list: [1, 'canary-2'] },
            strict: { 'canary-3': 'canary-4' },
            either: { b: 'canary-5' },
            record: { 'canary-6': 'canary-7' },
            custom: { inner: 'canary-8' },
          },
        },
      },
      errors: [
        { part: 'body', path: '/name', keyword: 'too_small', message: 'Too small: expected string to have >=2 characters', params: { origin: 'string', minimum: 2, inclusive: true } },
        { part: 'body', path: '/kind', keyword: 'invalid_value', message: 'Invalid option: expected one of "a"|"b"', params: { values: ['a', 'b'] } },
        { part: 'body', path: '/nested/list/1', keyword: 'invalid_type', message: 'Invalid input: expected number, received string', params: { expected: 'number' } },
        { part: 'body', path: '/strict', keyword: 'unrecognized_keys', message: 'Unrecognized key: "…"', params: { keys: '*' } },
        { part: 'body', path: '/either', keyword: 'invalid_union', message: 'Invalid input' },
        { part: 'body', path: '/record/*', keyword: 'invalid_type', message: 'Invalid input: expected number, received string', params: { expected: 'number' } },
        { part: 'body', path: '/custom', keyword: 'custom', message: 'no … here' },
      ],
    },
    {
      name: 'zod without a provider: an error with issues',
      probe: {
        route: {
          schema: { querystring: z.object({ n: z.coerce.number() }) },
          validatorCompiler: as(({ schema }) => (data) => {
            const { success, data: value, error } = schema.safeParse(data)
            return success ? { value } : { error }
          }),
        },
        request: { path: '/?n=canary-9' },
      },
      errors: [{ part: 'querystring', path: '/n', keyword: 'invalid_type', message: 'Invalid input: expected number, received NaN' }],
    },
    {
      name: 'joi',
      probe: {
        route: {
          schema: {
            body: joi.object({
              email: joi.string().trim().lowercase().pattern(/^a$/),
              tags: joi.array().items(joi.string()).unique(),
              nested: joi.object({ n: joi.number().messages({ 'number.base': 'no {#value} here' }) }),
              short: joi.string().pattern(/^b/),
            }),
          },
          validatorCompiler: joiAllCompiler,
        },
        request: { body: { email: '  CANARY-10 ', tags: ['canary-11', 'canary-11'], nested: { n: 'canary-12' }, short: 'abc', 'canary-13': 'canary-14' } },
      },
      errors: [
        { part: 'body', path: '/email', keyword: 'string.pattern.base', message: '"email" with value "…" fails to match the required pattern: /^a$/', params: { regex: '[object]' } },
        { part: 'body', path: '/tags/1', keyword: 'array.unique', message: '"tags[1]" contains a duplicate value', params: { pos: 1, dupePos: 0, dupeValue: '…' } },
        { part: 'body', path: '/nested/n', keyword: 'number.base', message: 'no … here' },
        { part: 'body', path: '/short', keyword: 'string.pattern.base', message: '"short" with value "…" fails to match the required pattern: /^b/', params: { regex: '[object]' } },
        { part: 'body', path: '/*', keyword: 'object.unknown', message: '"…" is not allowed', params: { child: '*' } },
      ],
    },
    {
      name: 'joi, first error only, of parameters',
      probe: {
        route: { method: 'GET', url: '/:id', schema: { params: joi.object({ id: joi.number().integer() }) }, validatorCompiler: joiCompiler },
        request: { path: '/seven' },
      },
      errors: [{ part: 'params', path: '/id', keyword: 'number.base', message: '"id" must be a number' }],
    },
    {
      name: 'yup',
      probe: {
        route: {
          schema: { body: yup.object({ age: yup.number().required(), list: yup.array().of(yup.object({ n: yup.number() })), text: yup.string(), name: yup.string().required() }) },
          validatorCompiler: yupCompiler,
        },
        request: { body: { age: 'canary-15', list: [{ n: 1 }, { n: 'canary-16' }], text: { note: 'canary-17', 'canary-18': 'says "canary-19"' } } },
      },
      errors: [
        { part: 'body', path: '/age', keyword: 'typeError', message: 'age must be a `number` type, but the final value was: `NaN` (cast from the value `"…"`).' },
        { part: 'body', path: '/list/1/n', keyword: 'typeError', message: 'list[1].n must be a `number` type, but the final value was: `NaN` (cast from the value `"…"`).' },
        { part: 'body', path: '/text', keyword: 'typeError', message: 'text must be a `string` type, but the final value was: `{\n  "…": "\\"…\\"",\n  "…": "\\"…\\""\n}`.' },
        { part: 'body', path: '/name', keyword: 'optionality', message: 'name is a required field' },
      ].map((error) => ({
        ...error as Errors[number],
        params: { spec: '[object]', disableStackTrace: false, ...(error.keyword === 'typeError' ? { type: error.path === '/text' ? 'string' : 'number' } : {}) },
      })),
    },
    {
      name: 'a compiler that throws',
      probe: {
        route: { schema: { body: Type.Object({ a: redact(Type.String()), b: Type.String() }) }, validatorCompiler: as(() => ({ a, b }) => { throw new RangeError(`neither ${a} nor ${b}`) }) },
        request: { body: { a: 'canary-20', b: 'shown' } },
      },
      statusCode: 500,
      errors: [{ part: 'body', path: '', keyword: 'unknown', message: 'neither … nor shown', input: '[object]' }],
    },
    {
      name: 'a result with an error',
      probe: {
        route: { schema: { body: Type.Object({ a: Type.String({ writeOnly: true }) }) }, validatorCompiler: as(() => ({ a }) => ({ error: new Error(`not ${a}`) })) },
        request: { body: { a: 'canary-21' } },
      },
      errors: [{ part: 'body', path: '', keyword: 'unknown', message: 'not …', input: '[object]' }],
    },
    {
      name: 'a result with a list of its own',
      probe: {
        route: {
          schema: { body: Type.Object({ a: Type.String({ format: 'password' }), b: Type.Integer() }) },
          schemaErrorFormatter: () => new Error('bad'),
          validatorCompiler: as(() => ({ a }) => ({
            error: [
              { path: ['a'], code: 'odd', message: `not ${a}`, params: { got: a } },
              { instancePath: '', type: 'even', message: `nor ${a}`, context: { limit: 3, got: a, list: [a, 1] } },
              `text ${a}`,
              null,
              { instancePath: '/b', get message () { throw new Error('getter') } },
            ],
          })),
        },
        request: { body: { a: 'canary-22', b: 5 } },
      },
      errors: [
        { part: 'body', path: '/a', keyword: 'odd', message: 'does not satisfy "odd"', input: '[redacted string]' },
        { part: 'body', path: '', keyword: 'even', message: 'nor …', params: { limit: 3, got: '…', list: ['…', 1] }, input: '[object]' },
        { part: 'body', path: '', keyword: 'unknown', message: 'text …', input: '[object]' },
        { part: 'body', path: '', keyword: 'unknown', message: 'null', input: '[object]' },
        { part: 'body', path: '', keyword: 'unknown', message: 'is not valid', input: '[object]' },
      ],
    },
    {
      name: 'Ajv, asynchronous',
      probe: { route: { schema: { body: { $async: true, type: 'object', properties: { n: { type: 'integer' } } } } }, request: { body: { n: 'x' } } },
      errors: [{ part: 'body', path: '/n', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/n/type', params: { type: 'integer' }, input: 'x' }],
    },
    {
      name: 'a schemaErrorFormatter that makes an error',
      probe: {
        route: { schema: { body: Type.Object({ n: Type.Integer() }) }, schemaErrorFormatter: (errors, part) => Object.assign(new Error(`${part}: ${errors[0]!.message}`), { statusCode: 422 }) },
        request: { body: { n: 'x' } },
      },
      statusCode: 422,
      errors: [{ part: 'body', path: '/n', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/n/type', params: { type: 'integer' }, input: 'x' }],
    },
    {
      name: 'a schemaErrorFormatter that makes no error: Fastify answers 200 with it',
      probe: {
        route: { schema: { body: Type.Object({ n: Type.Integer() }) }, schemaErrorFormatter: () => ({ sorry: true }) as never },
        request: { body: { n: 'x' } },
      },
      statusCode: 200,
      errors: [{ part: 'body', path: '/n', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/n/type', params: { type: 'integer' }, input: 'x' }],
    },
    {
      name: 'an error handler that makes a 500 of it',
      probe: {
        prepare: (app) => app.setErrorHandler((_error, _request, reply) => reply.code(500).send('sorry')),
        route: { schema: { body: joi.object({ a: joi.string().pattern(/^b$/) }) }, validatorCompiler: joiCompiler },
        request: { body: { a: 'canary-23' } },
      },
      statusCode: 500,
      errors: [{ part: 'body', path: '/a', keyword: 'string.pattern.base', message: '"a" with value "…" fails to match the required pattern: /^b$/', params: { regex: '[object]' } }],
    },
  ]
  for (const { name, probe: given, statusCode = 400, errors, errorCount = errors.length } of cases) {
    const { span, answer } = await probe(t, name, given)
    t.equal(answer.statusCode, statusCode, name)
    t.same(argumentsOf(span), { errors, errorCount }, name)
    t.notMatch(JSON.stringify(span), /canary/i, `${name}: nor does an exception event quote it`)
    if (statusCode >= 500) {
      const { attributes } = span.events[0]!
      t.equal(attributes['exception.message'], errors[0]!.message, name)
      t.match(attributes['exception.stacktrace'], /^\w+: [^\n]*(?:\n +at [^\n]*)*$/, name)
    }
  }
})

t.test('words are only repeated as far as it is known what they may quote', async (t) => {
  const quoting = as(() => (data) => ({ error: new Error(`not ${JSON.stringify(data)}`) }))
  const long = `canary-${'x'.repeat(5000)}`
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`canary-${index}`, index]))
  const schema = Type.Object({ a: redact(Type.String()), b: Type.String(), c: redact(Type.Array(Type.Object({ d: Type.Any() }))), many: redact(Type.Object({})) })
  const cases: Array<[name: string, body: unknown, message: string]> = [
    ['a long value', { a: long }, 'not {"a":"…'],
    ['more values than are looked at', { many, last: 'canary-last' }, 'does not satisfy "unknown"'],
    ['a value of the schema', { b: 'shown' }, 'not {"b":"shown"}'],
    ['no value at all', null, 'not null'],
    ['empty and blank texts', { a: '', c: [' '] }, 'not {"a":"","c":[" "]}'],
    ['values in other parts of the same body', { b: 'shown', c: ['canary-1', { d: 98765 }] }, 'not {"b":"shown","c":["…",{"d":…}]}'],
  ]
  for (const [name, body, message] of cases) {
    const { span } = await probe(t, name, {
      route: { schema: { body: Type.Object({ a: redact(Type.String()), b: Type.String(), c: redact(Type.Array(Type.Object({ d: Type.Any() }))), many: redact(Type.Object({})) }) }, validatorCompiler: quoting },
      request: { body: JSON.stringify(body), headers: json },
    })
    t.equal(argumentsOf(span).errors[0].message, message, name)
    t.notMatch(JSON.stringify(span), /canary/, name)
  }

  const { span: more } = await probe(t, 'more words than are searched', {
    route: { schema: { body: schema }, validatorCompiler: as(() => () => ({ error: new Error('words '.repeat(1000)) })) },
    request: { body: {} },
  })
  t.equal(argumentsOf(more).errors[0].message, `${'words '.repeat(100).slice(0, 256)}…`)

  const headers = Type.Object({ authorization: Type.String(), 'x-a': Type.String(), 'x-count': Type.String() })
  const { span: header } = await probe(t, 'headers, without scrubbing', {
    options: { scrubbing: false },
    route: { schema: { headers }, validatorCompiler: as(() => ({ authorization, 'x-a': a }) => ({ error: new Error(`neither ${authorization} nor ${a}`) })) },
    request: { headers: { authorization: 'Bearer canary', 'x-a': 'shown' } },
  })
  t.equal(argumentsOf(header).errors[0].message, 'neither … nor shown')

  const { span: params } = await probe(t, 'parameters', {
    route: {
      schema: { body: schema },
      validatorCompiler: as(() => ({ a, many }) => ({ error: [{ keyword: 'own', message: 'no', params: { text: `is ${a}`, limit: 5, sent: Number(a), yes: true, none: null, values: [a, { a }] } }, ...(many === undefined ? [] : [null])] })),
      schemaErrorFormatter: () => new Error('no'),
    },
    request: { body: { a: '12345' } },
  })
  t.same(argumentsOf(params).errors[0].params, { text: 'is …', limit: 5, sent: '…', yes: true, none: null, values: ['…', '[object]'] })
  const { span: hidden } = await probe(t, 'parameters of which nothing is known', {
    route: {
      schema: { body: schema },
      validatorCompiler: as(() => () => ({ error: [{ keyword: 'own', message: 'no', params: { text: 'text', limit: 5 } }] })),
    },
    request: { body: { many } },
  })
  t.match(argumentsOf(hidden).errors, [{ message: 'does not satisfy "own"', params: { text: '…', limit: '…' } }])
})

t.test('a part that cannot be read costs the words, not the errors', async (t) => {
  const { span } = await probe(t, 'getter', {
    prepare: (app) => app.addHook('preValidation', async (request) => { request.body = { a: 'canary', get b () { throw new Error('canary') } } }),
    route: { schema: { body: Type.Object({ a: redact(Type.String()) }) }, validatorCompiler: as(() => ({ a }) => ({ error: new Error(`not ${a}`) })) },
    request: { body: {} },
  })
  t.same(argumentsOf(span), { errors: [{ part: 'body', path: '', keyword: 'unknown', message: 'does not satisfy "unknown"', input: '[object]' }], errorCount: 1 })
})

t.test('attachValidation: the handler runs, and sees what the span says', async (t) => {
  const { span, answer } = await probe(t, 'attached', {
    route: {
      url: '/users/:id',
      attachValidation: true,
      schema: wrongParts(Type),
      handler: async (request) => ({ context: request.validationError?.validationContext, id: (request.params as { id: unknown }).id }),
    },
    request: { ...allWrong, path: '/users/7?notify=perhaps' },
  })
  t.equal(answer.body, '{"context":"body","id":7}')
  t.same(argumentsOf(span), { values: { params: { id: 7 } }, errors: [ajvName, ajvNotify, ajvTenant], errorCount: 3 })

  const { span: thrown } = await probe(t, 'attached, and thrown by the handler as a 500', {
    route: {
      attachValidation: true,
      schema: { body: joi.object({ a: joi.string().pattern(/^b$/) }) },
      validatorCompiler: joiCompiler,
      handler: async (request) => { throw Object.assign(request.validationError!, { statusCode: 500 }) },
    },
    request: { body: { a: 'canary' } },
  })
  t.equal(thrown.events[0]!.attributes['exception.message'], '"a" with value "…" fails to match the required pattern: /^b$/')
  t.notMatch(JSON.stringify(thrown), /canary/)
})

/** A parser as applications write them: what it cannot read is the client's fault. */
function parseOr400 (body: string | Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch (error) {
    throw Object.assign(error as Error, { statusCode: 400 })
  }
}

t.test('bodies that do not parse: where, how long, of which type', async (t) => {
  const parse = (message: string, params?: object): Errors => [{ part: 'body', path: '', keyword: 'parse', message, ...(params === undefined ? {} : { params: params as Record<string, unknown> }) }]
  const notJson = (position: number, line: number, column: number) => parse('is not valid JSON', { position, line, column })
  const cases: Array<{ name: string, request: Probe['request'], bodyLimit?: number, statusCode: number, errors: Errors }> = [
    { name: 'on the first line', request: { body: '{"a": canary}', headers: json }, statusCode: 400, errors: notJson(6, 1, 7) },
    { name: 'on the third line', request: { body: '{\n  "a": 1,\n  "ä€😀": [1, 2,, "canary"]\n}', headers: json }, statusCode: 400, errors: notJson(28, 3, 17) },
    { name: 'at the end', request: { body: '{"canary": 1', headers: json }, statusCode: 400, errors: notJson(12, 1, 13) },
    { name: 'after the end', request: { body: '{} canary', headers: json }, statusCode: 400, errors: notJson(3, 1, 4) },
    { name: 'behind a byte order mark', request: { body: '\ufeff{"a": canary}', headers: json }, statusCode: 400, errors: notJson(7, 1, 8) },
    { name: 'in bytes that are no UTF-8', request: { body: Buffer.from([0x7b, 0xff, 0x7d]), headers: json }, statusCode: 400, errors: notJson(1, 1, 2) },
    { name: 'a format made of JSON that no parser is for', request: { body: '{', headers: { 'content-type': 'application/problem+json; charset=utf-8' } }, statusCode: 415, errors: parse('has a content type that is not supported', { contentType: 'application/problem+json' }) },
    { name: 'with a name that must not be', request: { body: '{"__proto__": {"canary": 1}}', headers: json }, statusCode: 400, errors: parse('is not valid JSON') },
    { name: 'farther than is searched', request: { body: `[${' '.repeat(70_000)}canary]`, headers: json }, statusCode: 400, errors: parse('is not valid JSON') },
    { name: 'JSON by a parser of the application\'s own', request: { body: '{"a":\ncanary}', headers: { 'content-type': 'application/vnd.own+json' } }, statusCode: 400, errors: notJson(6, 2, 1) },
    { name: 'something else by a parser of the application\'s own', request: { body: 'canary', headers: { 'content-type': 'text/own' } }, statusCode: 400, errors: parse('could not be parsed') },
    { name: 'compressed, as it says', request: { body: 'canary', headers: { ...json, 'content-encoding': 'gzip' } }, statusCode: 400, errors: parse('is not valid JSON') },
    { name: 'empty', request: { body: '', headers: json }, statusCode: 400, errors: parse('is empty though the content type is JSON') },
    { name: 'too large, as the length says', request: { body: { name: 'canary'.repeat(50) } }, bodyLimit: 100, statusCode: 413, errors: parse('is larger than the limit', { limit: 100, length: 311 }) },
    { name: 'too large, without a length', request: { body: '"' + 'canary'.repeat(50), headers: { ...json, 'transfer-encoding': 'chunked', 'content-length': undefined } }, bodyLimit: 100, statusCode: 413, errors: parse('is larger than the limit', { limit: 100 }) },
    { name: 'a type that no parser is for', request: { body: '<canary/>', headers: { 'content-type': 'Application/XML; canary=1' } }, statusCode: 415, errors: parse('has a content type that is not supported', { contentType: 'Application/XML' }) },
    { name: 'a type that is none', request: { body: 'canary', headers: { 'content-type': 'rubbish' } }, statusCode: 415, errors: parse('has a content type that is not supported', { contentType: 'rubbish' }) },
  ]
  const prepare = (app: FastifyInstance) => {
    app.addContentTypeParser('application/vnd.own+json', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => parseOr400(body))
    app.addContentTypeParser('text/own', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) => parseOr400(body))
  }
  for (const { name, request, bodyLimit, statusCode, errors } of cases) {
    const { span, answer } = await probe(t, name, { prepare, route: { schema: { body: Type.Any() }, ...(bodyLimit === undefined ? {} : { bodyLimit }) }, ...(request === undefined ? {} : { request }) })
    t.equal(answer.statusCode, statusCode, name)
    t.same(argumentsOf(span), { errors, errorCount: 1 }, name)
    t.notMatch(JSON.stringify(span), /canary/, name)
  }
})

t.test('bodies that a hook before the plugin has changed: in texts, or in a stream of another make', async (t) => {
  const telemetry = createTestTelemetry()
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  app.addHook('preParsing', async (request, _reply, payload) => {
    if (request.headers['x-make'] === 'texts') return (payload as IncomingMessage).setEncoding('utf8')
    const on = payload.on.bind(payload)
    return { on, resume: () => payload.resume(), removeListener: payload.removeListener.bind(payload), setEncoding: () => {} } as never
  })
  await app.register(otelPlugin)
  app.post('/', async ({ body }) => body)
  const port = await listen(app)
  for (const [make, params] of [['texts', { position: 6, line: 1, column: 7 }], ['other', undefined]] as const) {
    telemetry.reset()
    t.equal((await send(port, 'POST', '/', { body: { a: 1 }, headers: { 'x-make': make } })).body, '{"a":1}', make)
    t.equal((await send(port, 'POST', '/', { body: '{"a": canary}', headers: { ...json, 'x-make': make } })).statusCode, 400, make)
    const [, span] = await telemetry.waitForSpans(2)
    t.same(argumentsOf(span!).errors, [{ part: 'body', path: '', keyword: 'parse', message: 'is not valid JSON', ...(params === undefined ? {} : { params }) }], make)
  }
})

t.test('a parser of the application\'s own whose error quotes the body', async (t) => {
  const { span, answer } = await probe(t, 'own parser', {
    prepare (app) {
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('application/json', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) => JSON.parse(body))
    },
    route: {},
    request: { body: '{"a": canary}', headers: json },
  })
  t.match(answer.body, /canary/)
  t.equal(span.events[0]!.attributes['exception.message'], 'Unexpected token \'c\', "…" is not valid JSON')
  t.notMatch(JSON.stringify(span), /canary/)
})

t.test('completeErrors works on copies: the request is what it would be without', async (t) => {
  let seen: unknown[] = []
  const schema = {
    params: Type.Object({ id: Type.Integer() }),
    body: Type.Object({ n: Type.Integer(), list: Type.Array(Type.String(), { default: ['default'] }), extra: Type.Optional(Type.Object({}, { additionalProperties: false })) }),
    querystring: Type.Object({ page: Type.Integer({ default: 1 }), all: Type.Boolean() }),
  }
  const views = []
  for (const completeErrors of [false, true]) {
    seen = []
    const { span } = await probe(t, `completeErrors: ${completeErrors}`, {
      options: { completeErrors },
      prepare: (app) => app.setErrorHandler(({ statusCode = 500 }: { statusCode?: number }, { params, body, query, headers: { 'x-n': n } }, reply) => {
        seen.push(structuredClone({ params, body, query: { ...query as object }, n }))
        return reply.code(statusCode).send({ params, body, query })
      }),
      route: { url: '/:id', schema },
      request: { path: '/x?all=true', body: { n: '5', extra: { removed: 1 } } },
    })
    views.push(seen)
    t.equal(argumentsOf(span).errorCount, 1, 'the other parts are right, with their defaults and coerced')
  }
  const raw = { params: { id: 'x' }, body: { n: '5', extra: { removed: 1 } }, query: { all: 'true' }, n: undefined }
  t.same(views, [[raw, raw], [raw, raw]], 'with and without the plugin, with and without completeErrors')
})

t.test('completeErrors runs no validator that it does not know, and none over a large body', async (t) => {
  const calls: string[] = []
  const counted = (name: string, error: unknown) => as(() => () => {
    calls.push(name)
    return error === undefined ? true : { error }
  })
  const { app, telemetry, port } = await setUp(t, {}, {
    bodyLimit: 1024 * 1024,
    ajv: { customOptions: { keywords: [{ keyword: 'counted', validate: () => calls.push('ajv') > 0 }] } },
  })
  app.post('/custom/:id', { schema: { params: {}, body: {}, querystring: {}, headers: {} }, validatorCompiler: (({ httpPart }: { httpPart: string }) => (counted as any)(httpPart, httpPart === 'params' ? new Error('no') : undefined)()) as never }, async () => 'ok')
  app.post('/async/:id', { schema: { params: Type.Object({ id: Type.Integer() }), body: { $async: true, type: 'object', counted: true } } }, async () => 'ok')
  app.post('/ajv/:id', { schema: { params: Type.Object({ id: Type.Integer() }), body: { type: 'object', counted: true, required: ['absent'] } } }, async () => 'ok')
  const address = await port()
  const small = 64 * 1024
  const bodyOf = (bytes: number) => ({ headers: json, body: `{"a":"${'x'.repeat(bytes - 8)}"}` })
  const cases: Array<[name: string, path: string, request: object, calls: string[], parts: string[]]> = [
    ['a custom compiler', '/custom/x', { body: {} }, ['params'], ['params']],
    ['an asynchronous schema', '/async/x', { body: {} }, [], ['params']],
    ['Ajv', '/ajv/x', { body: {} }, ['ajv'], ['params', 'body']],
    ['Ajv, 64 KiB', '/ajv/x', bodyOf(small), ['ajv'], ['params', 'body']],
    ['Ajv, one byte more', '/ajv/x', bodyOf(small + 1), [], ['params']],
    ['Ajv, of unknown length', '/ajv/x', { ...bodyOf(100), headers: { ...json, 'content-length': undefined, 'transfer-encoding': 'chunked' } }, [], ['params']],
  ]
  for (const [name, path, request, expected, parts] of cases) {
    telemetry.reset()
    calls.length = 0
    t.equal((await send(address, 'POST', path, request)).statusCode, 400, name)
    const [span] = await telemetry.waitForSpans(1)
    t.same(calls, expected, name)
    t.same(argumentsOf(span!).errors.map(({ part }: ValidationErrorRecord) => part), parts, name)
  }
})

t.test('completeErrors: a part that cannot be copied costs nothing but itself', async (t) => {
  const { span } = await probe(t, 'a body with a function', {
    prepare: (app) => app.addHook('preValidation', async (request) => { request.body = { n: 'x', toBuffer: () => {} } }),
    route: { url: '/:id', schema: { params: Type.Object({ id: Type.Integer() }), body: Type.Object({ n: Type.Integer() }), querystring: Type.Object({ q: Type.Integer() }) } },
    request: { path: '/x?q=x', body: {} },
  })
  t.same(argumentsOf(span).errors.map(({ part, path }: ValidationErrorRecord) => part + path), ['params/id', 'querystring/q'])
})

t.test('completeErrors: a validator that fails when it is asked once more, and a body of no media type', async (t) => {
  const { span } = await probe(t, 'a keyword that throws', {
    server: { ajv: { customOptions: { keywords: [{ keyword: 'hostile', validate: () => { throw new Error('hostile') } }] } } },
    route: { url: '/:id', schema: { params: Type.Object({ id: Type.Integer() }), body: { type: 'object', hostile: true } } },
    request: { path: '/x', body: {} },
  })
  t.same(argumentsOf(span).errors.map(({ part }: ValidationErrorRecord) => part), ['params'])
  const { span: none } = await probe(t, 'no body', {
    route: { url: '/:id', schema: { params: Type.Object({ id: Type.Integer() }), body: { content: { 'application/json': { schema: Type.Object({ n: Type.Integer() }) } } } } },
    request: { path: '/x' },
  })
  t.same(argumentsOf(none).errors.map(({ part }: ValidationErrorRecord) => part), ['params'])
})

t.test('an exception event of refused arguments quotes nothing, also where the span has no errors', async (t) => {
  const { span } = await probe(t, 'capture: none', {
    options: { capture: 'none' },
    route: { schema: { body: joi.object({ a: joi.string().pattern(/^a$/) }) }, validatorCompiler: joiCompiler, errorHandler: (_error, _request, reply) => { reply.code(500).send('sorry') } },
    request: { body: { a: 'canary' } },
  })
  t.match(span.events, [{ attributes: { 'exception.message': 'the arguments are not valid' } }])
  t.notMatch(JSON.stringify(span), /canary/)
})

t.test('completeErrors costs unsampled requests nothing', async (t) => {
  let calls = 0
  const { app, port } = await setUp(t, {}, { ajv: { customOptions: { keywords: [{ keyword: 'counted', validate: () => ++calls > 0 }] } } }, createTestTelemetry())
  let errors: unknown
  app.setErrorHandler(async (_error, request, reply) => {
    errors = request.telemetry.errors
    return reply.code(400).send('bad')
  })
  app.post('/:id', { schema: { params: Type.Object({ id: Type.Integer() }), body: { type: 'object', counted: true } } }, async () => 'ok')
  await send(await port(), 'POST', '/x', { body: {}, headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' } })
  t.same([calls, errors], [0, ajvParams.map((error) => ({ ...error, input: 'x' }))])
})

t.test('schemas of other libraries leave a mark, or with captureUnknownSchemas their values: whole, bounded, scrubbed', async (t) => {
  const kinds: Array<[name: string, schema: object, validatorCompiler: never]> = [
    ['zod', { body: z.looseObject({ name: z.string() }), headers: z.looseObject({}) }, zodValidatorCompiler as never],
    ['joi', { body: joi.object({ name: joi.string() }).unknown(), headers: joi.object().unknown() }, joiCompiler],
    ['yup', { body: yup.object({ name: yup.string() }), headers: yup.object({}) }, yupCompiler],
  ]
  const odd = { parse () {}, get describe (): never { throw new Error('no') }, shape: new Proxy({}, { ownKeys () { throw new Error('no') } }), keys: new Map([['name', {}]]) }
  kinds.push(['a library that nobody knows', { body: odd, headers: odd }, as(() => (value) => ({ value }))])
  const body = { name: 'Ada', password: 'hunter2', deep: { list: [1, 2, 3], apiKey: 'hunter3' } }
  for (const [name, schema, validatorCompiler] of kinds) {
    const given: Probe = { route: { schema, validatorCompiler }, request: { body, headers: { authorization: 'Bearer hunter4', dpop: 'hunter5' } } }
    const { span } = await probe(t, name, given)
    t.same(argumentsOf(span), { values: { body: '[unknown schema]', headers: '[unknown schema]' } }, name)

    const { span: captured } = await probe(t, name, { ...given, options: { captureUnknownSchemas: true, limits: { maxItems: 2 } } })
    t.match(argumentsOf(captured), {
      values: {
        body: { name: 'Ada', password: '[scrubbed]', deep: { list: [1, 2, '… 1 more'], apiKey: '[scrubbed]' } },
        headers: { authorization: '[redacted string]', dpop: '[redacted string]', 'user-agent': 'test' },
      },
      scrubbed: ['/body/password', '/body/deep/apiKey'],
      truncated: true,
    }, name)

    const { span: unscrubbed } = await probe(t, name, { ...given, options: { captureUnknownSchemas: true, scrubbing: false } })
    const { values, scrubbed } = argumentsOf(unscrubbed)
    t.same([values.body, scrubbed], [body, undefined], name)
    t.match(values.headers, { authorization: '[redacted string]', dpop: '[redacted string]' }, `${name}: credentials are redacted all the same`)
  }
})
