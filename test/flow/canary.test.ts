// repository only
import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import multipart from '@fastify/multipart'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { context, diag, DiagLogLevel, metrics, propagation, trace } from '@opentelemetry/api'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import otelPlugin, { asAttribute, omit, redact, type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { configure } from 'fastify-schema-telemetry/configure'
import { validatorCompiler as zodValidatorCompiler } from 'fastify-type-provider-zod'
import joi from 'joi'
import t, { type Test } from 'tap'
import { TypeBoxValidatorCompiler as TypeBox1ValidatorCompiler } from 'type-provider-typebox-6'
import Type1 from 'typebox'
import * as yup from 'yup'
import { z } from 'zod'
import { listen, send, sendRaw, type Answer } from '../helpers/http.ts'
import { startOtlpReceiver } from '../helpers/otlp-receiver.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

t.afterEach(() => {
  for (const api of [trace, metrics, propagation, context, diag]) api.disable()
})

/** What a door is opened and knocked at with. */
interface Visit {
  /** A new secret, remembered with the door. */
  secret (): string
  call (method: string, path: string, request?: Parameters<typeof send>[3]): Promise<Answer>
  /** Writes a whole request, from its first line on. */
  raw (text: string): Promise<string>
}

/** A way on which a secret comes into an application. */
interface Door {
  name: string
  /** Declares the routes; they stand under a prefix of the door's own. */
  open? (app: FastifyInstance, visit: Pick<Visit, 'secret'>): unknown
  knock (visit: Visit, prefix: string): Promise<unknown>
  /** Only the second net holds here: the name, or the form, of the secret. */
  needsScrubbing?: true
}

const json = { 'content-type': 'application/json' }
const ok = async () => 'ok'

/** A route with one schema, and one request for each body. */
function bodyDoor (name: string, schema: object, bodies: Array<(secret: () => string) => unknown>, more: Partial<Door> & { route?: object } = {}): Door {
  const { route, ...door } = more
  return {
    name,
    open: (app) => app.post('/', { schema: { body: schema }, ...route }, ok),
    async knock ({ call, secret }, prefix) {
      for (const body of bodies) await call('POST', prefix, { body: body(secret) })
    },
    ...door,
  }
}

/** The same schema and bodies before each validator that knows JSON Schema. */
function bodyDoors (name: string, schemaOf: (Types: typeof Type) => object, bodies: Array<(secret: () => string) => unknown>, more: Partial<Door> = {}): Door[] {
  return [
    bodyDoor(`${name}, Ajv`, schemaOf(Type), bodies, more),
    bodyDoor(`${name}, TypeBox 0.34`, schemaOf(Type), bodies, { ...more, route: { validatorCompiler: TypeBoxValidatorCompiler } }),
    bodyDoor(`${name}, TypeBox 1.x`, schemaOf(Type1 as never), bodies, { ...more, route: { validatorCompiler: TypeBox1ValidatorCompiler } }),
  ]
}

const CREDENTIAL_HEADERS = [
  'authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'api-key', 'x-auth-token', 'x-access-token', 'x-session-token', 'x-csrf-token', 'x-xsrf-token', 'dpop',
  'x-amz-security-token', 'x-goog-api-key', 'x-functions-key', 'x-vault-token', 'private-token', 'x-hub-signature-256', 'stripe-signature', 'x-honeycomb-team', 'dd-api-key',
]
const SECRET_HEADERS = ['x-user-token', 'x-my-secret', 'x-session', 'x-password', 'x-jwt']
const SECRET_NAMES = [
  'password', 'newPassword', 'passphrase', 'secret', 'clientSecret', 'token', 'accessToken', 'refresh_token', 'apiKey', 'api_key', 'authorization', 'session', 'sessionId', 'cookie',
  'csrf_token', 'jwt', 'credentials', 'privateKey', 'signature', 'otp', 'pin', 'cvv', 'ssn', 'iban', 'cardNumber', 'connectionString',
]

const strings = (names: string[], schema: object = Type.String()) => Type.Object(Object.fromEntries(names.map((name) => [name, schema])) as never)
const valuesOf = (names: string[], secret: () => string) => Object.fromEntries(names.map((name) => [name, secret()]))

const form = (boundary: string, fields: Array<[name: string, value: string, filename?: string]>) => fields.map(([name, value, filename]) =>
  `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"\r\ncontent-type: text/plain`}\r\n\r\n${value}\r\n`).join('') + `--${boundary}--\r\n`

const doors: Door[] = [
  // ---- headers
  {
    name: 'credential headers that a schema declares',
    open: (app) => app.get('/', { schema: { headers: strings(CREDENTIAL_HEADERS) } }, ok),
    knock: ({ call, secret }, prefix) => call('GET', prefix, { headers: valuesOf(CREDENTIAL_HEADERS, secret) }),
  },
  {
    name: 'credential headers that are not valid',
    open: (app) => CREDENTIAL_HEADERS.map((name) => app.get(`/${name}`, { schema: { headers: Type.Object({ [name]: Type.Integer() }) } }, ok)),
    async knock ({ call, secret }, prefix) {
      for (const name of CREDENTIAL_HEADERS) await call('GET', `${prefix}/${name}`, { headers: { [name]: secret() } })
    },
  },
  {
    name: 'credential headers in an open schema',
    open: (app) => app.get('/', { schema: { headers: Type.Any() } }, ok),
    knock: ({ call, secret }, prefix) => call('GET', prefix, { headers: valuesOf(CREDENTIAL_HEADERS, secret) }),
  },
  {
    name: 'headers with secret names, as values and in errors',
    needsScrubbing: true,
    open (app) {
      app.get('/', { schema: { headers: strings(SECRET_HEADERS) } }, ok)
      for (const name of SECRET_HEADERS) app.get(`/${name}`, { schema: { headers: Type.Object({ [name]: Type.Integer() }) } }, ok)
    },
    async knock ({ call, secret }, prefix) {
      await call('GET', prefix, { headers: valuesOf(SECRET_HEADERS, secret) })
      for (const name of SECRET_HEADERS) await call('GET', `${prefix}/${name}`, { headers: { [name]: secret() } })
    },
  },
  {
    name: 'headers that no schema declares',
    open (app) {
      app.get('/', { schema: { headers: Type.Object({ 'x-known': Type.Optional(Type.String()) }) } }, ok)
      app.get('/none', ok)
    },
    async knock ({ call, secret }, prefix) {
      for (const path of ['', '/none']) {
        await call('GET', prefix + path, { headers: { ...valuesOf(CREDENTIAL_HEADERS, secret), 'x-note': secret(), referer: `https://example.com/?q=${secret()}`, 'x-forwarded-for': secret(), forwarded: `for=${secret()}`, baggage: `note=${secret()}` } })
      }
    },
  },
  {
    name: 'a user agent with a credential in it',
    needsScrubbing: true,
    open: (app) => app.get('/', ok),
    async knock ({ call, secret }, prefix) {
      for (const agent of [`curl token=${secret()}`, `Bearer ${secret()}`, `app (https://user:${secret()}@example.com)`]) await call('GET', prefix, { headers: { 'user-agent': agent } })
    },
  },

  // ---- query and path
  {
    name: 'query parameters: undeclared, redacted, omitted',
    open (app) {
      app.get('/', { schema: { querystring: Type.Object({ a: redact(Type.String()), b: omit(Type.Array(Type.String())), c: Type.String({ writeOnly: true }) }) } }, ok)
      app.get('/none', ok)
      app.get('/wrong', { schema: { querystring: Type.Object({ a: redact(Type.Integer()), n: Type.Optional(Type.Integer()) }) } }, ok)
    },
    async knock ({ call, secret }, prefix) {
      await call('GET', `${prefix}?a=${secret()}&b=${secret()}&b=${secret()}&c=${secret()}&d=${secret()}&${secret()}=1#${secret()}`)
      await call('GET', `${prefix}/none?note=${secret()}&password=${secret()}`)
      await call('GET', `${prefix}/wrong?a=${secret()}&note=${secret()}`)
      await call('GET', `${prefix}/nowhere?note=${secret()}`)
    },
  },
  {
    name: 'query parameters with secret names, as values and in errors',
    needsScrubbing: true,
    open (app) {
      app.get('/', { schema: { querystring: strings(SECRET_NAMES) } }, ok)
      app.get('/wrong', { schema: { querystring: strings(SECRET_NAMES, Type.Integer()) }, validatorCompiler: TypeBoxValidatorCompiler as never }, ok)
    },
    async knock ({ call, secret }, prefix) {
      for (const path of ['', '/wrong']) await call('GET', `${prefix}${path}?${new URLSearchParams(valuesOf(SECRET_NAMES, secret))}`)
    },
  },
  {
    name: 'path parameters that are hidden',
    open (app) {
      app.get('/redacted/:id', { schema: { params: Type.Object({ id: redact(Type.String()) }) } }, ok)
      app.get('/omitted/:id/x', { schema: { params: Type.Object({ id: omit(Type.String()) }) } }, ok)
      app.get('/wrong/:id', { schema: { params: Type.Object({ id: redact(Type.Integer()) }) } }, ok)
      app.get('/joined/:a-:b', { schema: { params: Type.Object({ a: Type.String(), b: Type.String({ format: 'password' }) }) } }, ok)
      app.get('/referred/:id', { schema: { params: { type: 'object', properties: { id: { $ref: 'hidden#/properties/redacted' } } } } }, ok)
      app.get('/rest/*', { schema: { params: Type.Object({ '*': redact(Type.String()) }) } }, ok)
      app.get('/record/:id', { schema: { params: Type.Record(Type.String(), redact(Type.String())) } }, ok)
    },
    async knock ({ call, secret }, prefix) {
      for (const path of ['redacted/S', 'omitted/S/x', 'wrong/S', 'joined/1-S', 'referred/S', 'rest/S', 'rest/a/S', 'record/S']) await call('GET', `${prefix}/${path.replace('S', secret())}`)
    },
  },
  {
    name: 'path parameters with secret names, and credentials in paths',
    needsScrubbing: true,
    open (app) {
      app.get('/reset/:token', ok)
      app.get('/key/:apiKey/:session', { schema: { params: Type.Object({ apiKey: Type.String(), session: Type.Integer() }) } }, ok)
      app.get('/to/*', { schema: { params: Type.Object({ '*': Type.String() }) } }, ok)
    },
    async knock ({ call, secret }, prefix) {
      for (const path of ['reset/S', 'key/S/S', 'to/https://user:S@example.com/x', 'to/password=S', 'nowhere/token=S', `to/eyJhbGciOiJIUzI1NiJ9.eyJ${secret()}.S`]) {
        await call('GET', `${prefix}/${path.replaceAll('S', () => secret())}`)
      }
    },
  },
  {
    name: 'userinfo in targets and hosts',
    open: (app) => app.get('/', ok),
    async knock ({ raw, secret }, prefix) {
      for (const [target, host] of [
        [`http://user:${secret()}@example.com${prefix}?note=${secret()}`, 'example.com'],
        [`HTTP://${secret()}@example.com:8080${prefix}`, 'example.com'],
        [`http://user:${secret()}@example.com/nowhere/at/all`, 'example.com'],
        [prefix, `user:${secret()}@example.com:80`],
        [prefix, `${secret()}@example.com`],
      ]) await raw(`GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
    },
  },

  // ---- bodies
  ...bodyDoors('marked properties', (Types) => Types.Object({
    redacted: redact(Types.String()),
    omitted: omit(Types.String()),
    writeOnly: Types.String({ writeOnly: true }),
    list: Types.Array(Types.Object({ deep: redact(Types.Object({ er: Types.String() })) })),
    either: Types.Union([Types.Object({ a: Types.String({ writeOnly: true }) }), Types.Object({ a: Types.String(), b: omit(Types.String()) })]),
    both: Types.Intersect([Types.Object({ a: Types.String() }), Types.Object({ a: redact(Types.String()) })]),
    tuple: Types.Tuple([redact(Types.String()), Types.Integer()]),
    record: Types.Record(Types.String(), redact(Types.String())),
    whole: redact(Types.Object({ a: Types.String(), b: Types.Array(Types.String()) })),
    attribute: redact(asAttribute('app.attribute', Types.String())),
  }), [
    // Valid, then wrong in each place, then with all of it undeclared.
    (secret) => ({
      redacted: secret(),
      omitted: secret(),
      writeOnly: secret(),
      list: [{ deep: { er: secret() } }],
      either: { a: secret(), b: secret() },
      both: { a: secret() },
      tuple: [secret(), 1],
      record: { a: secret() },
      whole: { a: secret(), b: [secret()] },
      attribute: secret(),
      undeclared: secret(),
      [secret()]: secret(),
    }),
    (secret) => ({
      redacted: [secret()],
      omitted: { a: secret() },
      writeOnly: [secret(), secret()],
      list: [{ deep: { er: [secret(), secret()] } }],
      either: { a: [secret(), secret()] },
      both: { a: [secret(), secret()] },
      tuple: [[secret(), secret()], 1],
      record: { [secret()]: [secret(), secret()] },
      whole: { a: [secret(), secret()], b: secret() },
      attribute: { a: secret() },
      undeclared: secret(),
    }),
    (secret) => ({ list: [{ undeclared: secret(), deep: {} }], undeclared: { a: [secret()] } }),
  ]),
  ...bodyDoors('properties with secret names', (Types) => Types.Object(Object.fromEntries(SECRET_NAMES.map((name) => [name, Types.String()]))), [
    (secret) => valuesOf(SECRET_NAMES, secret),
  ], { needsScrubbing: true }),
  bodyDoor('properties with secret names, each of them wrong', strings(SECRET_NAMES, Type.Integer({ maximum: 5 })), SECRET_NAMES.map((_, index) => (secret) =>
    Object.fromEntries(SECRET_NAMES.slice(0, index + 1).map((name, place) => [name, place === index ? secret() : 1]))), { needsScrubbing: true }),
  bodyDoor('marked properties behind a reference to an added schema', { type: 'object', properties: { all: { type: 'array', items: { $ref: 'hidden#' } }, one: { $ref: 'hidden#/properties/redacted' } } }, [
    (secret) => ({ all: [{ redacted: secret(), omitted: secret(), writeOnly: secret(), undeclared: secret() }], one: secret() }),
    (secret) => ({ all: [{ redacted: { a: secret() } }] }),
    (secret) => ({ all: [{ omitted: { a: secret() } }] }),
    (secret) => ({ one: [secret(), secret()] }),
  ]),
  bodyDoor('names and values that the schema forbids', Type.Object({
    closed: Type.Optional(Type.Object({}, { additionalProperties: Type.Integer() })),
    record: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z]{1,3}$' }), Type.Integer(), { additionalProperties: false })),
    named: Type.Optional(Type.Unsafe({ type: 'object', propertyNames: { maxLength: 3 } })),
    forbidden: Type.Optional(Type.Unsafe(false as never)),
  }), [
    (secret) => ({ closed: { [secret()]: 'x' } }),
    (secret) => ({ record: { [secret()]: 1 } }),
    (secret) => ({ named: { [secret()]: secret() } }),
  ]),
  bodyDoor('names that a closed schema does not know, TypeBox', Type.Object({ a: Type.Optional(Type.Integer()) }, { additionalProperties: false }), [
    (secret) => ({ [secret()]: secret(), [`${secret()}/~`]: { [secret()]: secret() } }),
  ], { route: { validatorCompiler: TypeBoxValidatorCompiler } }),
  bodyDoor('credentials in harmless texts, also where a text is cut', Type.Object({ note: Type.String(), n: Type.Optional(Type.Integer()) }), [
    (secret) => ({ note: `password=${secret()} and "api_key": "${secret()}"` }),
    (secret) => ({ note: `see https://user:${secret()}@example.com/ or Authorization: Basic ${secret()}` }),
    (secret) => ({ note: `Bearer ${secret()}, eyJhbGciOiJIUzI1NiJ9.eyJ${secret()}.${secret()}` }),
    (secret) => ({ note: `${'x'.repeat(1000)} password=${secret()} token=${secret()}` }),
    (secret) => ({ note: 'x'.repeat(1010) + ` password=${'y'.repeat(500)}${secret()}` }),
    (secret) => ({ note: `cookie: a=${secret()}; b=${secret()}`, n: 'wrong' }),
    (secret) => ({ note: [`token=${secret()}`, 'not a text'] }),
  ], { needsScrubbing: true }),
  bodyDoor('secret names inside what a schema leaves open', Type.Any(), [
    (secret) => ({ a: [{ password: secret(), deep: { token: { a: secret() }, list: [{ apiKey: [secret()] }] } }], session: secret() }),
  ], { needsScrubbing: true }),
  bodyDoor('names that hold credentials, in what a schema leaves open', Type.Object({ any: Type.Optional(Type.Any()), record: Type.Optional(Type.Record(Type.String(), Type.Object({ pin: Type.Integer() }))) }), [
    (secret) => ({ any: { [`https://user:${secret()}@example.com/`]: 1, [`token=${secret()}`]: { password: secret() } } }),
    (secret) => ({ record: { [`https://user:${secret()}@example.com/`]: { pin: 1 } } }),
    (secret) => ({ record: { [`password=${secret()}`]: { pin: 'wrong' } } }),
    (secret) => ({ any: { [`${'x'.repeat(120)} password=${secret()}`]: { token: secret() } } }),
  ], { needsScrubbing: true }),
  bodyDoor('a value that is also an attribute, by a name that is secret', Type.Object({ password: asAttribute('app.plain', Type.String()), plain: Type.Array(Type.Object({ token: asAttribute('app.list', Type.String()) })) }), [
    (secret) => ({ password: secret(), plain: [{ token: secret() }, { token: secret() }] }),
  ], { needsScrubbing: true }),
  {
    name: 'a body by media type',
    open: (app) => app.post('/', { schema: { body: { content: { 'application/json': { schema: Type.Object({ a: redact(Type.Integer()) }) } } } } }, ok),
    async knock ({ call, secret }, prefix) {
      await call('POST', prefix, { body: `{"a":"${secret()}","b":"${secret()}"}`, headers: { 'content-type': 'application/json; charset=utf-8' } })
      await call('POST', prefix, { body: `note ${secret()}`, headers: { 'content-type': 'text/plain' } })
    },
  },
  {
    name: 'bodies that do not parse',
    open (app) {
      app.post('/', { schema: { body: Type.Object({ a: Type.String() }) }, bodyLimit: 500 }, ok)
      app.register(async (child) => {
        child.removeAllContentTypeParsers()
        child.addContentTypeParser('application/json', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) => JSON.parse(body))
        child.post('/own-parser', ok)
      })
      app.register(async (child) => {
        child.setErrorHandler((_error, _request, reply) => reply.code(500).send('sorry'))
        child.post('/made-500', ok)
      })
    },
    async knock ({ call, secret }, prefix) {
      for (const path of ['', '/own-parser', '/made-500']) {
        for (const body of [secret(), `{"a":${secret()}}`, `{"a":"${secret()}`, `["${secret()}",]`, `{"a":1} ${secret()}`, `{"__proto__":{"a":"${secret()}"}}`, `{${'"x":1,'.repeat(20)}"${secret()}":"${secret()}" "`]) {
          await call('POST', prefix + path, { body, headers: json })
        }
      }
      await call('POST', prefix, { body: { a: secret().repeat(30) } })
      await call('POST', prefix, { body: secret(), headers: { 'content-type': `application/xml; note=${secret()}` } })
      await call('POST', prefix, { body: `a=${secret()}&password=${secret()}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
    },
  },

  // ---- validators of other libraries
  bodyDoor('joi, which quotes values', joi.object({
    email: joi.string().trim().lowercase().pattern(/^a$/),
    tags: joi.array().items(joi.string()).unique(),
    own: joi.string().messages({ 'string.base': 'no {#value} here' }),
    nested: joi.object({ n: joi.number(), password: joi.string().min(99) }),
    when: joi.date().less('1970-01-01'),
  }), [
    (secret) => ({ email: `  ${secret().toUpperCase()} `, own: { a: secret() }, [secret()]: secret() }),
    (secret) => {
      const tag = secret()
      return { tags: [tag, tag], nested: { n: secret(), password: secret() } }
    },
    (secret) => ({ nested: secret(), when: secret() }),
    (secret) => ({ email: `x${secret().repeat(100)}` }),
  ], { route: { validatorCompiler: ({ schema }: { schema: joi.Schema }) => (data: unknown) => schema.validate(data, { abortEarly: false }) } }),
  bodyDoor('yup, which quotes values', yup.object({ age: yup.number().required(), text: yup.string(), list: yup.array().of(yup.object({ n: yup.number() })) }), [
    (secret) => ({ age: secret(), text: { note: secret(), [secret()]: [secret(), `"${secret()}"\n`] }, list: [{ n: { a: secret() } }] }),
  ], {
    route: {
      validatorCompiler: ({ schema }: { schema: yup.Schema }) => (data: unknown) => {
        try {
          return { value: schema.validateSync(data, { abortEarly: false }) }
        } catch (error) {
          return { error }
        }
      },
    },
  }),
  bodyDoor('yup, which throws', yup.object({ age: yup.number().required() }), [(secret) => ({ age: secret() })],
    { route: { validatorCompiler: ({ schema }: { schema: yup.Schema }) => (data: unknown) => ({ value: schema.validateSync(data) }) } }),
  bodyDoor('zod, with messages that quote', z.object({
    kind: z.enum(['a', 'b']),
    strict: z.strictObject({}),
    record: z.record(z.string().max(3), z.number()),
    custom: z.object({ inner: z.string() }).refine(() => false, { error: ({ input }) => `not ${JSON.stringify(input)}` }),
    union: z.union([z.string(), z.object({ b: z.number() })]),
  }), [
    (secret) => ({ kind: secret(), strict: { [secret()]: secret() }, record: { [secret()]: secret() }, custom: { inner: secret() }, union: { b: secret(), c: secret() } }),
  ], { route: { validatorCompiler: zodValidatorCompiler } }),
  ...['throws', 'returns'].map((how) => bodyDoor(`a compiler of its own that quotes what it got, and ${how}`, Type.Object({ hidden: redact(Type.String()), undeclared: Type.Optional(Type.Never()) }), [
    (secret) => ({ hidden: secret(), other: { [secret()]: [secret()] } }),
  ], {
    route: {
      validatorCompiler: () => (data: unknown) => {
        const error = new RangeError(`not ${JSON.stringify(data)}`)
        if (how === 'throws') throw error
        return { error }
      },
    },
  })),
  {
    name: 'validation errors that are answered with 500, or thrown by the handler',
    open (app) {
      const route = { schema: { body: joi.object({ a: joi.string().pattern(/^a$/) }) }, validatorCompiler: (({ schema }: { schema: joi.Schema }) => (data: unknown) => schema.validate(data)) as never }
      app.register(async (child) => {
        child.setErrorHandler((_error, _request, reply) => reply.code(500).send('sorry'))
        child.post('/handled', route, ok)
      })
      app.post('/thrown', { ...route, attachValidation: true }, async ({ validationError }) => { throw Object.assign(validationError!, { statusCode: 503 }) })
      app.post('/formatted', { schema: { body: Type.Object({ a: redact(Type.Integer()) }) }, schemaErrorFormatter: (errors, part) => Object.assign(new Error(`${part} ${errors[0]!.message}`), { statusCode: 500 }) }, ok)
      app.post('/plain', { schema: { body: Type.Object({ a: redact(Type.Integer()) }) }, schemaErrorFormatter: (errors) => ({ errors }) as never }, ok)
    },
    async knock ({ call, secret }, prefix) {
      for (const path of ['handled', 'thrown', 'formatted', 'plain']) await call('POST', `${prefix}/${path}`, { body: { a: secret(), [secret()]: secret() } })
    },
  },

  // ---- uploads
  ...([true, 'keyValues'] as const).flatMap((attachFieldsToBody) => [true, false].map((isOpen): Door => ({
    name: `multipart, attachFieldsToBody: ${attachFieldsToBody}, ${isOpen ? 'one field in an open schema' : 'every field wrong'}`,
    async open (app) {
      await app.register(multipart, { attachFieldsToBody })
      const marked = attachFieldsToBody === true ? Type.Object({ value: redact(Type.Integer()) }) : redact(Type.Integer())
      app.post('/', { schema: { body: isOpen ? Type.Object({ name: Type.Any(), file: Type.Any(), hidden: redact(Type.Any()), gone: omit(Type.Any()) }) : Type.Object({ hidden: marked }) } }, ok)
    },
    async knock ({ call, secret }, prefix) {
      const fields: Array<[string, string, string?]> = [
        ['undeclared', secret()], ['name', 'Ada'], ['hidden', secret()], ['gone', secret()], ['file', secret(), `${secret()}.txt`], ['undeclaredFile', secret(), `${secret()}.txt`], ['password', secret()], ['undeclared', secret()],
      ]
      const headers = { 'content-type': 'multipart/form-data; boundary=limit' }
      await call('POST', prefix, { body: form('limit', fields), headers })
      await call('POST', prefix, { body: form('limit', fields).slice(0, -20), headers })
    },
  }))),

  // ---- answers
  {
    name: 'answers: undeclared, marked, not serializable',
    open (app, { secret }) {
      const Hidden = Type.Object({ redacted: redact(Type.String()), omitted: omit(Type.String()), list: Type.Array(Type.Object({ inner: Type.String({ writeOnly: true }) })) })
      const hidden = () => ({ redacted: secret(), omitted: secret(), list: [{ inner: secret(), undeclared: secret() }], undeclared: secret() })
      app.get('/ok', { schema: { response: { '2xx': Hidden } } }, async () => hidden())
      app.get('/wrong', { schema: { response: { default: Hidden } } }, async (_request, reply) => reply.code(409).send(hidden()))
      app.get('/none', async () => hidden())
      for (const [path, schema] of Object.entries({ integer: Type.Integer(), date: Type.String({ format: 'date-time' }), number: Type.Number(), time: Type.String({ format: 'time' }) })) {
        app.get(`/${path}`, { schema: { response: { 200: Type.Object({ n: schema }) } } }, async () => ({ n: path === 'integer' ? `${secret()}" cannot be\n"${secret()}` : { toString: () => secret() } }))
      }
      app.get('/union', { schema: { response: { 200: Type.Object({ n: Type.Union([Type.Integer(), Type.Boolean()]) }) } } }, async () => ({ n: { a: secret() } }))
    },
    async knock ({ call }, prefix) {
      for (const path of ['ok', 'wrong', 'none', 'integer', 'date', 'number', 'time', 'union']) await call('GET', `${prefix}/${path}`)
    },
  },
  {
    name: 'answers with secret names',
    needsScrubbing: true,
    open: (app, { secret }) => app.get('/', { schema: { response: { 200: strings(SECRET_NAMES) } } }, async () => valuesOf(SECRET_NAMES, secret)),
    knock: ({ call }, prefix) => call('GET', prefix),
  },

  // ---- what goes wrong
  {
    name: 'exceptions that quote JSON',
    open: (app) => app.post('/', async ({ body }) => JSON.parse(String(body))),
    async knock ({ call, secret }, prefix) {
      for (const body of [secret(), `{"a":"${secret()}",}`, `${'x'.repeat(100)}${secret()}`, `["${secret()}" ${'x'.repeat(100)}`]) await call('POST', prefix, { body, headers: { 'content-type': 'text/plain' } })
    },
  },
  {
    name: 'exceptions that quote credentials',
    needsScrubbing: true,
    open (app, { secret }) {
      const messages = [
        () => `connect https://user:${secret()}@db.example.com/ failed`,
        () => `postgres://${secret()}:${secret()}@localhost:5432/db?sslmode=off`,
        () => `GET https://api.example.com/v1?access_token=${secret()}&api_key=${secret()} answered 500`,
        () => `login with {"user":"a","password":"${secret()}"} failed`,
        () => `Authorization: Bearer ${secret()} was refused; cookie: sid=${secret()}`,
        () => `bad token eyJhbGciOiJIUzI1NiJ9.eyJ${secret()}.${secret()}`,
        () => `-----BEGIN PRIVATE KEY-----\n${secret()}\n-----END PRIVATE KEY-----`,
        () => `${'x'.repeat(1000)} password=${secret()}`,
      ]
      messages.forEach((message, index) => app.get(`/${index}`, async () => { throw Object.assign(new Error(message(), { cause: secret() }), { config: { headers: secret() } }) }))
      app.get('/text', async () => { throw `password=${secret()}` }) // eslint-disable-line no-throw-literal
    },
    async knock ({ call }, prefix) {
      for (const path of [0, 1, 2, 3, 4, 5, 6, 7, 'text']) await call('GET', `${prefix}/${path}`)
    },
  },
  {
    name: 'hooks and mappers that throw, with a secret in their words',
    needsScrubbing: true,
    open: (app, { secret }) => app.get('/', { config: { telemetry: { mapper: () => { throw new Error(`mapper: password=${secret()}`) } } } }, ok),
    // The hooks of the plugin throw when they see this header: see `hostileHooks`.
    knock: ({ call, secret }, prefix) => call('GET', prefix, { headers: { 'x-hook-secret': secret() } }),
  },
  {
    name: 'a mapper that fails on what it parses',
    open: (app, { secret }) => app.get('/', { config: { telemetry: { mapper: () => JSON.parse(secret()) } } }, ok),
    knock: ({ call }, prefix) => call('GET', prefix),
  },
  {
    name: 'a mapper that returns secrets under their names',
    needsScrubbing: true,
    open: (app, { secret }) => app.get('/', { config: { telemetry: { mapper: () => ({ 'app.password': secret(), 'app.deep': { list: [{ token: secret() }] }, values: { apiKey: secret() }, 'app.text': `token=${secret()}` }) } } }, ok),
    knock: ({ call }, prefix) => call('GET', prefix),
  },
]

const HOSTILE = 'x-hook-secret'

/** Hooks that throw what a request brings, with the word that tells that it is secret. */
const hostileHooks: FastifySchemaTelemetryOptions = {
  ignore ({ headers }) {
    if (headers[HOSTILE] !== undefined) throw new Error(`ignore: {"password": "${String(headers[HOSTILE])}"}`)
    return false
  },
  requestHook (_span, { headers }) {
    if (headers[HOSTILE] !== undefined) throw new Error(`requestHook: https://user:${String(headers[HOSTILE])}@example.com`)
  },
  responseHook (_span, { headers }) {
    if (headers[HOSTILE] !== undefined) throw new Error(`responseHook: token=${String(headers[HOSTILE])}`)
  },
}

/** Everything that left the process while a test ran. */
async function watch (t: Test) {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const lines: string[] = []
  const log = (...words: unknown[]) => { lines.push(words.map((word) => typeof word === 'string' ? word : inspect(word, { depth: 12 })).join(' ')) }
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel.ALL)
  const written: string[] = []
  for (const name of ['stderr', 'stdout'] as const) {
    const { write } = process[name]
    process[name].write = ((...args: Parameters<typeof write>) => {
      written.push(String(args[0]))
      // The test's own report goes on; the trees that are printed do not belong into it.
      return String(args[0]).includes('trace ') ? true : write.apply(process[name], args)
    }) as typeof write
    t.teardown(() => { process[name].write = write })
  }
  return {
    url: receiver.url,
    sinks: () => ({
      traces: receiver.posts.filter(({ path }) => path === '/v1/traces').map(({ bytes }) => bytes.toString()).join('\n').toLowerCase(),
      metrics: receiver.posts.filter(({ path }) => path === '/v1/metrics').map(({ bytes }) => bytes.toString()).join('\n').toLowerCase(),
      diagnostics: lines.join('\n').toLowerCase(),
      console: written.join('').toLowerCase(),
    }),
  }
}

const variants: Array<{ name: string, options: FastifySchemaTelemetryOptions, doors: Door[] }> = [
  { name: 'as it is by default', options: {}, doors },
  { name: 'with everything that records more', options: { captureResponse: true, extraSpans: true, mapper: (_request, args) => ({ ...args, 'app.values': args.values }) }, doors },
  { name: 'with larger limits and a callback that leaves it to us', options: { captureResponse: true, limits: { maxStringLength: 65536, maxErrors: 100, maxErrorBytes: 65536, maxBytes: 1024 * 1024 }, scrubbing: { callback: () => undefined } }, doors },
  { name: 'without scrubbing: the schema alone', options: { captureResponse: true, extraSpans: true, scrubbing: false }, doors: doors.filter(({ needsScrubbing }) => needsScrubbing !== true) },
]

for (const { name, options, doors } of variants) {
  t.test(`no secret leaves the process: ${name}`, async (t) => {
    const watched = await watch(t)
    const places = new Map<string, string>()
    let doorName = ''
    const secret = () => {
      const text = `canary-${places.size}-${randomBytes(6).toString('hex')}`
      places.set(text, doorName)
      return text
    }
    class ControlError extends Error {}
    const control = { traces: `control-${randomBytes(6).toString('hex')}`, metrics: 'controlerror', diagnostics: `control-${randomBytes(6).toString('hex')}` }

    const telemetry = configure({ serviceName: 'canary', endpoint: watched.url, metrics: true, console: true, exporter: 'otlp' })
    const app = Fastify({ bodyLimit: 1024 * 1024 })
    await app.register(otelPlugin, { ...(options.scrubbing === false ? {} : hostileHooks), ...options })
    app.addSchema({ $id: 'hidden', type: 'object', properties: { redacted: redact({ type: 'string' }), omitted: omit({ type: 'string' }), writeOnly: { type: 'string', writeOnly: true } } })
    app.post('/control', { schema: { body: Type.Object({ harmless: Type.String() }) } }, async () => { throw new ControlError('control') })
    for (const [index, door] of doors.entries()) {
      await app.register(async (child) => { await door.open?.(child, { secret }) }, { prefix: `/door-${index}` })
    }
    const port = await listen(app)

    const answers = new Map<string, Set<number>>()
    await send(port, 'POST', '/control', { body: { harmless: control.traces } })
    diag.warn(`a line with ${control.diagnostics}`)
    for (const [index, door] of doors.entries()) {
      doorName = door.name
      const statusCodes = new Set<number>()
      answers.set(door.name, statusCodes)
      const before = places.size
      await door.knock({
        secret,
        async call (method, path, request) {
          const answer = await send(port, method, path, request)
          statusCodes.add(answer.statusCode)
          return answer
        },
        raw: (text) => sendRaw(port, text),
      }, `/door-${index}`)
      t.ok(places.size > before, `secrets came: ${door.name}`)
    }
    await app.close()
    await telemetry.forceFlush()
    await telemetry.shutdown()

    const sinks = watched.sinks()
    t.ok(places.size >= 100, `${places.size} secrets`)
    const statusCodes = new Set([...answers.values()].flatMap((codes) => [...codes]))
    t.same([200, 400, 404, 409, 413, 415, 500].filter((code) => !statusCodes.has(code)), [], 'the requests end in many ways')
    for (const sink of ['traces', 'diagnostics'] as const) t.ok(sinks[sink].includes(control[sink]), `what is no secret is found in ${sink}`)
    t.ok(sinks.metrics.includes(control.metrics), 'what is no secret is found in metrics')
    t.ok(sinks.console.includes(control.traces), 'what is no secret is found on the console')
    t.ok(sinks.traces.split('"spanid"').length > doors.length, 'each door left spans')
    const found = Object.entries(sinks).flatMap(([sink, text]) => [...places].filter(([secret]) => text.includes(secret)).map(([secret, place]) => {
      const at = text.indexOf(secret)
      return `${sink}: ${place}: ${text.slice(Math.max(0, at - 120), at + 20)}`
    }))
    t.same(found, [])
  })
}
