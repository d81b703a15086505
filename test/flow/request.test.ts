import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import otelPlugin, { type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry, type TestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { listen, send, sendRaw } from '../helpers/http.ts'
import { ALL_TIMES, ARGUMENT_TIMES, normalize, requestAttributes } from '../helpers/spans.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

interface Subject {
  app: FastifyInstance
  telemetry: TestTelemetry
  port: () => Promise<number>
}

async function setUp (t: Test, options: FastifySchemaTelemetryOptions = {}, serverOptions: FastifyServerOptions = {}): Promise<Subject> {
  const telemetry = createTestTelemetry()
  const app = Fastify(serverOptions)
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  await app.register(otelPlugin, { tracerProvider: telemetry.tracerProvider, ...options })
  return { app, telemetry, port: () => listen(app) }
}

const UserSchema = {
  operationId: 'updateUser',
  params: Type.Object({ id: Type.Integer() }),
  body: Type.Object({
    name: Type.String(),
    country_code: Type.String({ pattern: '^[A-Z]{2}$' }),
    address: Type.Optional(Type.Object({ city: Type.String() })),
    contact: Type.Optional(Type.Union([Type.Object({ email: Type.String() }), Type.Object({ phone: Type.String() })])),
    tags: Type.Array(Type.String(), { default: [] }),
    password: Type.Optional(Type.String({ minLength: 12 })),
  }),
  querystring: Type.Object({ notify: Type.Boolean({ default: true }), dry: Type.Optional(Type.Boolean()) }),
  headers: Type.Object({ 'X-Tenant': Type.String(), authorization: Type.Optional(Type.String()) }),
}

function addUserRoute (app: FastifyInstance): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post('/users/:id', { schema: UserSchema }, async function updateUser (request) {
    return { id: request.params.id }
  })
}

t.test('a valid request records what validation let through: coerced, defaulted, declared, and no secret', async (t) => {
  const { app, telemetry, port } = await setUp(t, { extraSpans: true })
  addUserRoute(app)

  const answer = await send(await port(), 'POST', '/users/7?dry=true&undeclared=1', {
    headers: { 'x-tenant': 'acme', authorization: 'Bearer canary-credential', 'x-undeclared': 'canary-header' },
    body: {
      name: 'Ada',
      country_code: 'GB',
      address: { city: 'London', undeclared: 'canary-nested' },
      contact: { phone: '555', email: 'a@b.c' },
      password: 'canary-password',
      undeclared: 'canary-body',
    },
  })
  t.same([answer.statusCode, answer.body], [200, '{"id":7}'])

  const values = {
    params: { id: 7 },
    body: {
      name: 'Ada',
      country_code: 'GB',
      address: { city: 'London' },
      contact: { email: 'a@b.c', phone: '555' },
      tags: [],
      password: '[scrubbed]',
    },
    querystring: { notify: true, dry: true },
    headers: { 'x-tenant': 'acme', authorization: '[redacted string]' },
  }
  const scrubbed = { 'fastify.arguments.scrubbed': ['/body/password'] }
  const spans = await telemetry.waitForSpans(3)
  t.same(normalize(spans), [
    {
      name: 'fastify.arguments',
      kind: 'INTERNAL',
      parent: 'POST /users/:id',
      attributes: { 'http.route': '/users/:id', 'fastify.arguments.values': values, ...scrubbed },
    },
    {
      name: 'fastify.handler',
      kind: 'INTERNAL',
      parent: 'POST /users/:id',
      attributes: { 'http.route': '/users/:id', 'code.function.name': 'updateUser' },
    },
    {
      name: 'POST /users/:id',
      kind: 'SERVER',
      attributes: {
        ...requestAttributes('POST', '/users/7?dry=true&*=REDACTED', '/users/:id'),
        'fastify.route.operation_id': 'updateUser',
        'code.function.name': 'updateUser',
        'fastify.arguments.values': values,
        ...scrubbed,
        'http.response.status_code': 200,
        ...ALL_TIMES,
      },
    },
  ])
  t.equal(telemetry.openCount, 0)
  t.notMatch(JSON.stringify(spans), /canary/)
  t.same(new Set(spans.map(({ scope }) => scope.name)), new Set(['fastify-schema-telemetry']))
  t.equal(telemetry.tree(), [
    'POST /users/:id  200',
    `│ arguments ${JSON.stringify(values).slice(0, 240)}…`,
    '├─ fastify.arguments',
    '└─ fastify.handler',
  ].join('\n'))
})

t.test('time stamps and child spans lie inside the request, in order', async (t) => {
  const { app, telemetry, port } = await setUp(t, { extraSpans: true })
  addUserRoute(app)
  await send(await port(), 'POST', '/users/7', { headers: { 'x-tenant': 'acme' }, body: { name: 'Ada', country_code: 'GB' } })

  const [args, handler, request] = await telemetry.waitForSpans(3)
  const stamps = ['fastify.arguments.start', 'fastify.arguments.end', 'fastify.handler.start', 'fastify.handler.end']
    .map((name) => Date.parse(String(request!.attributes[`${name}_timestamp`])))
  const times = [request!.startMillis, ...stamps, request!.endMillis]
  t.same(times, times.toSorted((first, second) => first - second))
  t.same([args!.startMillis, args!.endMillis, handler!.startMillis, handler!.endMillis], stamps)
})

t.test('validation errors of each part name the field, and the parts that passed are recorded', async (t) => {
  const { app, telemetry, port } = await setUp(t)
  addUserRoute(app)
  const address = await port()
  const good = { name: 'Ada', country_code: 'GB' }
  const tenant = { 'x-tenant': 'acme' }
  const cases = [
    {
      path: '/users/seven',
      request: { headers: tenant, body: good },
      values: undefined,
      error: { part: 'params', path: '/id', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/id/type', params: { type: 'integer' }, input: 'seven' },
    },
    {
      path: '/users/7',
      request: { headers: tenant, body: { ...good, country_code: 'England' } },
      values: { params: { id: 7 } },
      error: { part: 'body', path: '/country_code', keyword: 'pattern', message: 'must match pattern "^[A-Z]{2}$"', schemaPath: '#/properties/country_code/pattern', params: { pattern: '^[A-Z]{2}$' }, input: 'England' },
    },
    {
      path: '/users/7',
      request: { headers: tenant, body: { country_code: 'GB' } },
      values: { params: { id: 7 } },
      error: { part: 'body', path: '', keyword: 'required', message: "must have required property 'name'", schemaPath: '#/required', params: { missingProperty: 'name' } },
    },
    {
      path: '/users/7',
      request: { headers: tenant, body: { ...good, password: 'hunter2' } },
      values: { params: { id: 7 } },
      error: { part: 'body', path: '/password', keyword: 'minLength', message: 'does not satisfy "minLength"', schemaPath: '#/properties/password/minLength', input: '[scrubbed]' },
      scrubbed: ['/body/password'],
    },
    {
      path: '/users/7?notify=perhaps',
      request: { headers: tenant, body: good },
      values: { params: { id: 7 }, body: { ...good, tags: [] } },
      error: { part: 'querystring', path: '/notify', keyword: 'type', message: 'must be boolean', schemaPath: '#/properties/notify/type', params: { type: 'boolean' }, input: 'perhaps' },
    },
    {
      path: '/users/7',
      request: { body: good },
      values: { params: { id: 7 }, body: { ...good, tags: [] }, querystring: { notify: true } },
      error: { part: 'headers', path: '', keyword: 'required', message: "must have required property 'x-tenant'", schemaPath: '#/required', params: { missingProperty: 'x-tenant' } },
    },
  ]
  for (const { path, request, values, error, scrubbed } of cases) {
    telemetry.reset()
    t.equal((await send(address, 'POST', path, request)).statusCode, 400)
    t.same(normalize(await telemetry.waitForSpans(1)), [{
      name: 'POST /users/:id',
      kind: 'SERVER',
      attributes: {
        ...requestAttributes('POST', path, '/users/:id'),
        'fastify.route.operation_id': 'updateUser',
        'code.function.name': 'updateUser',
        ...(values === undefined ? {} : { 'fastify.arguments.values': values }),
        'fastify.arguments.errors': [error],
        'fastify.arguments.error_count': 1,
        ...(scrubbed === undefined ? {} : { 'fastify.arguments.scrubbed': scrubbed }),
        'http.response.status_code': 400,
        ...ARGUMENT_TIMES,
      },
    }], `${error.part}${error.path} ${error.keyword}`)
  }
})

t.test('bodies that do not parse are errors of the same list', async (t) => {
  const { app, telemetry, port } = await setUp(t)
  app.post('/', { schema: { body: Type.Object({ name: Type.String() }) }, bodyLimit: 100 }, async () => 'ok')
  const address = await port()
  const json = { 'content-type': 'application/json' }
  const cases = [
    { request: { body: '{"name": "canary', headers: json }, statusCode: 400, error: { message: 'is not valid JSON', params: { position: 16, line: 1, column: 17 } } },
    { request: { body: '', headers: json }, statusCode: 400, error: { message: 'is empty though the content type is JSON' } },
    { request: { body: { name: 'x'.repeat(200) } }, statusCode: 413, error: { message: 'is larger than the limit', params: { limit: 100, length: 211 } } },
    { request: { body: '<name/>', headers: { 'content-type': 'application/xml; charset=utf-8' } }, statusCode: 415, error: { message: 'has a content type that is not supported', params: { contentType: 'application/xml' } } },
    { request: { body: '{"__proto__": {"a": 1}}', headers: json }, statusCode: 400, error: { message: 'is not valid JSON' } },
  ]
  for (const { request, statusCode, error } of cases) {
    telemetry.reset()
    t.equal((await send(address, 'POST', '/', request)).statusCode, statusCode)
    t.same(normalize(await telemetry.waitForSpans(1)), [{
      name: 'POST /',
      kind: 'SERVER',
      attributes: {
        ...requestAttributes('POST', '/', '/'),
        'fastify.arguments.errors': [{ part: 'body', path: '', keyword: 'parse', ...error }],
        'fastify.arguments.error_count': 1,
        'http.response.status_code': statusCode,
        ...ARGUMENT_TIMES,
      },
    }], error.message)
    t.notMatch(JSON.stringify(telemetry.spans), /canary/)
  }
})

t.test('attachValidation: the handler runs and the errors are recorded', async (t) => {
  const { app, telemetry, port } = await setUp(t)
  app.get('/', { attachValidation: true, schema: { querystring: Type.Object({ n: Type.Integer() }) } }, async function lenient (request) {
    return { failed: request.validationError?.validationContext, seen: request.telemetry.errors.length }
  })
  t.equal((await send(await port(), 'GET', '/?n=x')).body, '{"failed":"querystring","seen":1}')
  t.match(normalize(await telemetry.waitForSpans(1)), [{
    attributes: {
      'fastify.arguments.errors': [{ part: 'querystring', path: '/n', keyword: 'type', message: 'must be integer', input: 'x' }],
      'fastify.arguments.error_count': 1,
      'http.response.status_code': 200,
      ...ALL_TIMES,
    },
  }])
})

t.test('how requests end: status codes, error types, exceptions', async (t) => {
  const { app, telemetry, port } = await setUp(t)
  app.get('/sync', () => 'text')
  app.get('/callback', function callback (_request, reply) { setImmediate(() => { reply.send({ ok: true }) }) })
  app.get('/empty', (_request, reply) => { reply.code(204).send() })
  app.get('/throws', async function failing () { throw new RangeError('no password=canary here') })
  app.get('/throws-sync', function failing () { throw new TypeError('at once') })
  app.get('/throws-null', async function failing () { throw null }) // eslint-disable-line no-throw-literal
  app.get('/unavailable', async (_request, reply) => reply.code(503).send({ error: 'later' }))
  app.get('/handled', { errorHandler: (_error, _request, reply) => { reply.code(409).send('conflict') } }, async () => { throw new Error('handled') })
  app.get('/refused', { onRequest: async (_request, reply) => reply.code(401).send('who?') }, async () => 'never')
  app.get('/forbidden', { preParsing: async () => { throw Object.assign(new Error('no'), { statusCode: 403 }) } }, async () => 'never')
  app.get('/lazy', function lazy () {
    // A query builder: each `then` does the work once more.
    return { then (resolve: (value: unknown) => void) { lazyRuns++; resolve({ lazyRuns }) } }
  })
  let lazyRuns = 0
  const address = await port()

  const cases: Array<{ path: string, route?: string, statusCode: number, body?: string, attributes?: object, status?: 'ERROR', events?: object[] }> = [
    { path: '/sync', statusCode: 200, body: 'text', attributes: ALL_TIMES },
    { path: '/callback', statusCode: 200, attributes: { 'code.function.name': 'callback', ...ALL_TIMES } },
    { path: '/empty', statusCode: 204, attributes: ALL_TIMES },
    { path: '/lazy', statusCode: 200, body: '{"lazyRuns":1}', attributes: { 'code.function.name': 'lazy', ...ALL_TIMES } },
    { path: '/nowhere', route: '', statusCode: 404, attributes: ARGUMENT_TIMES },
    { path: '/refused', statusCode: 401 },
    { path: '/forbidden', statusCode: 403, attributes: { 'fastify.arguments.start_timestamp': 'TIME' } },
    { path: '/handled', statusCode: 409, attributes: ALL_TIMES },
    { path: '/unavailable', statusCode: 503, attributes: { 'error.type': '503', ...ALL_TIMES }, status: 'ERROR' },
    {
      path: '/throws',
      statusCode: 500,
      attributes: { 'code.function.name': 'failing', 'error.type': 'RangeError', ...ALL_TIMES },
      status: 'ERROR',
      events: [{ name: 'exception', attributes: { 'exception.type': 'RangeError', 'exception.message': 'no password=[scrubbed] here', 'exception.stacktrace': 'string' } }],
    },
    {
      path: '/throws-sync',
      statusCode: 500,
      attributes: { 'code.function.name': 'failing', 'error.type': 'TypeError', ...ALL_TIMES },
      status: 'ERROR',
      events: [{ name: 'exception', attributes: { 'exception.type': 'TypeError', 'exception.message': 'at once', 'exception.stacktrace': 'string' } }],
    },
    {
      path: '/throws-null',
      statusCode: 500,
      attributes: { 'code.function.name': 'failing', 'error.type': '500', ...ALL_TIMES },
      status: 'ERROR',
      events: [{ name: 'exception', attributes: { 'exception.type': 'object' } }],
    },
  ]
  for (const { path, route = path, statusCode, body, attributes, status, events } of cases) {
    telemetry.reset()
    const answer = await send(address, 'GET', path)
    t.equal(answer.statusCode, statusCode, path)
    if (body !== undefined) t.equal(answer.body, body)
    t.same(normalize(await telemetry.waitForSpans(1)), [{
      name: route === '' ? 'GET' : `GET ${route}`,
      kind: 'SERVER',
      attributes: {
        ...requestAttributes('GET', path, route === '' ? undefined : route),
        'http.response.status_code': statusCode,
        ...attributes,
      },
      ...(status === undefined ? {} : { status }),
      ...(events === undefined ? {} : { events }),
    }], path)
    t.equal(telemetry.openCount, 0)
  }
})

t.test('a client that leaves ends the span, without a status code when none was sent', async (t) => {
  const { app, telemetry, port } = await setUp(t, { extraSpans: true })
  app.get('/hangs', function hangs () { return new Promise(() => {}) })
  app.get('/streams', function streams (_request, reply) {
    reply.hijack()
    reply.raw.writeHead(200)
    reply.raw.write('first')
  })
  const address = await port()

  for (const [path, answered] of [['/hangs', false], ['/streams', true]] as const) {
    telemetry.reset()
    const socket = connect(address, '127.0.0.1')
    const started = once(app.server, 'request')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: test\r\n\r\n`)
    await started
    if (answered) await once(socket, 'data')
    socket.destroy()
    const spans = await telemetry.waitForSpans(3)
    t.match(normalize(spans).at(-1), {
      name: `GET ${path}`,
      attributes: { 'error.type': 'client_disconnected', 'http.response.status_code': answered ? 200 : undefined },
      status: 'ERROR',
    })
    t.same(spans.map(({ name }) => name), ['fastify.arguments', 'fastify.handler', `GET ${path}`])
    t.equal(telemetry.openCount, 0)
  }
})

t.test('a client that has left before the plugin sees the request', async (t) => {
  const telemetry = createTestTelemetry()
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  app.addHook('onRequest', async (_request, reply) => { await once(reply.raw, 'close') })
  await app.register(otelPlugin, { tracerProvider: telemetry.tracerProvider })
  app.get('/', async () => 'nobody hears')
  const address = await listen(app)
  const socket = connect(address, '127.0.0.1')
  const started = once(app.server, 'request')
  socket.write('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
  await started
  socket.destroy()
  t.match(normalize(await telemetry.waitForSpans(1)), [{ name: 'GET /', attributes: { 'error.type': 'client_disconnected', 'http.response.status_code': undefined } }])
  t.equal(telemetry.openCount, 0)
})

t.test('a handler that writes the answer itself ends with the request', async (t) => {
  const { app, telemetry, port } = await setUp(t, { extraSpans: true })
  app.get('/', async function writes (_request, reply) {
    reply.hijack()
    reply.raw.end('raw')
  })
  t.equal((await send(await port(), 'GET', '/')).body, 'raw')
  t.same(normalize(await telemetry.waitForSpans(3)).at(-1), {
    name: 'GET /',
    kind: 'SERVER',
    attributes: { ...requestAttributes('GET', '/', '/'), 'code.function.name': 'writes', 'http.response.status_code': 200, ...ALL_TIMES },
  })
})

t.test('capture decides which requests carry arguments, for the plugin and for a route', async (t) => {
  const schema = { querystring: Type.Object({ n: Type.Integer() }) }
  for (const capture of ['failure', 'none'] as const) {
    const { app, telemetry, port } = await setUp(t, { capture })
    app.get('/', { schema }, async () => 'ok')
    app.get('/all', { schema, config: { telemetry: { capture: 'all', extraSpans: true } } }, async () => 'ok')
    app.get('/off', { schema, config: { telemetry: false } }, async (request) => request.telemetry.traceId)
    const address = await port()
    await send(address, 'GET', '/?n=1')
    await send(address, 'GET', '/?n=x')
    await send(address, 'GET', '/all?n=1')
    const off = await send(address, 'GET', '/off?n=1')
    t.match(off.body, /^[0-9a-f]{32}$/)
    await app.close()
    const error = { part: 'querystring', path: '/n', keyword: 'type', message: 'must be integer', schemaPath: '#/properties/n/type', params: { type: 'integer' }, input: 'x' }
    const isNone = capture === 'none'
    t.same(normalize(telemetry.spans), [
      { name: 'GET /', kind: 'SERVER', attributes: { ...requestAttributes('GET', '/?n=REDACTED', '/'), 'http.response.status_code': 200, ...(isNone ? {} : ALL_TIMES) } },
      {
        name: 'GET /',
        kind: 'SERVER',
        attributes: {
          ...requestAttributes('GET', '/?n=REDACTED', '/'),
          'http.response.status_code': 400,
          ...(isNone ? {} : { 'fastify.arguments.errors': [error], 'fastify.arguments.error_count': 1, ...ARGUMENT_TIMES }),
        },
      },
      { name: 'fastify.arguments', kind: 'INTERNAL', parent: 'GET /all', attributes: { 'http.route': '/all', 'fastify.arguments.values': { querystring: { n: 1 } } } },
      { name: 'fastify.handler', kind: 'INTERNAL', parent: 'GET /all', attributes: { 'http.route': '/all' } },
      {
        name: 'GET /all',
        kind: 'SERVER',
        attributes: { ...requestAttributes('GET', '/all?n=1', '/all'), 'fastify.arguments.values': { querystring: { n: 1 } }, 'http.response.status_code': 200, ...ALL_TIMES },
      },
    ])
    telemetry.release()
  }
})

t.test('the mapper decides what is kept, gets copies, is called once, and cannot harm a request', async (t) => {
  const calls: unknown[] = []
  const results: Record<string, unknown> = {
    keep: undefined,
    nothing: null,
    empty: {},
    no: false,
    custom: { 'app.tenant': 'acme', 'app.size': 3, 'app.flags': [true, false], 'app.detail': { a: [1] }, values: { n: 1 }, errors: [] },
    primitive: 'text',
    list: [1],
  }
  const { app, telemetry, port } = await setUp(t, {
    mapper (request, args) {
      const { mode } = request.query as { mode: string }
      calls.push(structuredClone(args))
      if (mode === 'keep') return { ...args }
      if (mode === 'promise') return Promise.reject(new Error('async mapper')) as never
      if (mode === 'throws') throw new Error('mapper')
      if (mode === 'mutates') Object.assign(args.values.querystring as object, { mode: 'changed' })
      return (mode === 'mutates' ? null : results[mode]) as null
    },
  })
  const schema = { querystring: Type.Object({ mode: Type.String() }) }
  app.get('/', { schema }, async (request) => request.query)
  app.get('/own', { schema, config: { telemetry: { mapper: () => ({ 'app.own': true }) } } }, async (request) => request.query)
  const address = await port()

  const expected: Array<[mode: string, attributes: object]> = [
    ['keep', { 'fastify.arguments.values': { querystring: { mode: 'keep' } } }],
    ['nothing', {}],
    ['empty', {}],
    ['no', {}],
    ['custom', { 'app.tenant': 'acme', 'app.size': 3, 'app.flags': [true, false], 'app.detail': '{"a":[1]}', 'fastify.arguments.values': { n: 1 } }],
    ['primitive', { 'fastify.telemetry.mapper_failed': true }],
    ['list', { 'fastify.telemetry.mapper_failed': true }],
    ['promise', { 'fastify.telemetry.mapper_failed': true }],
    ['throws', { 'fastify.telemetry.mapper_failed': true }],
    ['mutates', {}],
  ]
  for (const [mode, attributes] of expected) {
    telemetry.reset()
    calls.length = 0
    const answer = await send(address, 'GET', `/?mode=${mode}`)
    t.same([answer.statusCode, answer.body], [200, JSON.stringify({ mode })], mode)
    t.same(normalize(await telemetry.waitForSpans(1)), [{
      name: 'GET /',
      kind: 'SERVER',
      attributes: { ...requestAttributes('GET', `/?mode=${mode}`, '/'), 'http.response.status_code': 200, ...attributes, ...ALL_TIMES },
    }], mode)
    t.same(calls, [{ values: { querystring: { mode } }, errors: [] }])
  }

  telemetry.reset()
  calls.length = 0
  await send(address, 'GET', '/own?mode=x')
  await send(address, 'GET', '/')
  await send(address, 'GET', '/nowhere?mode=nothing')
  t.match(normalize(await telemetry.waitForSpans(3)), [
    { name: 'GET /own', attributes: { 'app.own': true, 'fastify.arguments.values': undefined } },
    { name: 'GET /', attributes: { 'fastify.arguments.error_count': 1, 'http.response.status_code': 400 } },
    { name: 'GET', attributes: { 'http.response.status_code': 404 } },
  ])
  t.match(calls, [{ values: {}, errors: [{ part: 'querystring', keyword: 'required' }] }, { values: {}, errors: [] }])
})

t.test('hooks and ignore: what they throw is nobody else\'s', async (t) => {
  const ended: Array<[path: string, sent: boolean]> = []
  const { app, telemetry, port } = await setUp(t, {
    ignore: (request) => {
      if (request.url === '/ignore-throws') throw new Error('ignore')
      return request.url === '/ignored'
    },
    requestHook (span, request) {
      span.setAttribute('app.hook', request.url)
      if (request.url === '/hook-throws') throw new Error('requestHook')
      if (request.url === '/hook-rejects') return Promise.reject(new Error('async requestHook')) as unknown as undefined
    },
    responseHook (span, request, reply) {
      span.setAttribute('app.ended', true)
      ended.push([request.url, reply.sent])
      if (request.url === '/hook-throws') throw new Error('responseHook')
    },
  })
  const outgoing: string[] = []
  // A callback hook that resumes outside of every context, as a connection pool does.
  app.addHook('preHandler', (_request, _reply, done) => { context.with(ROOT_CONTEXT, () => done()) })
  app.get('/:name', { preHandler: (_request, _reply, done) => done() }, async (request) => {
    trace.getTracer('app').startSpan('work').end()
    outgoing.push((request.telemetry.inject({}) as { traceparent: string }).traceparent)
    return 'ok'
  })
  const address = await port()
  for (const path of ['/ignored', '/ignore-throws', '/hook-throws', '/hook-rejects']) t.equal((await send(address, 'GET', path)).body, 'ok', path)
  const caller = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await send(address, 'GET', '/ignored', { headers: { traceparent: caller } })
  await app.close()
  t.same(normalize(telemetry.spans).filter(({ name }) => name !== 'work').map(({ attributes }) => [attributes['app.hook'], attributes['app.ended']]),
    [['/ignore-throws', true], ['/hook-throws', true], ['/hook-rejects', true]])
  t.equal(telemetry.spans.filter(({ name }) => name === 'work').length, 3, 'an ignored request makes no spans at all')
  t.same(ended, [['/ignore-throws', true], ['/hook-throws', true], ['/hook-rejects', true]])
  t.match(outgoing[0], /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/, 'services called from an ignored request are told not to record')
  t.match(outgoing.at(-1), /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-00$/)
})

t.test('a list of ignored routes compares patterns with their prefixes', async (t) => {
  const { app, telemetry, port } = await setUp(t, { ignore: ['/api/health'] })
  await app.register(async (child) => {
    child.get('/health', async () => 'fine')
    child.get('/health/:id', async () => 'fine')
  }, { prefix: '/api' })
  const address = await port()
  await send(address, 'GET', '/api/health?x=1')
  await send(address, 'GET', '/api/health/1')
  await app.close()
  t.same(telemetry.spans.map(({ name }) => name), ['GET /api/health/:id'])
})

t.test('the caller\'s trace goes on: parent, sampling, baggage, and the context inside the handler', async (t) => {
  const { app, telemetry, port } = await setUp(t, { extraSpans: true })
  // A callback hook that resumes outside of every context, as a connection pool does.
  app.addHook('preValidation', (_request, _reply, done) => { context.with(trace.deleteSpan(context.active()), () => done()) })
  app.get('/', { schema: { querystring: Type.Object({}) } }, async (request) => {
    await nextTurn()
    const span = trace.getTracer('app').startSpan('work')
    span.end()
    const { setAttributes } = request.telemetry
    setAttributes({ 'app.user': 7 })
    return {
      traceId: request.telemetry.traceId,
      active: trace.getActiveSpan()?.spanContext().traceId,
      baggage: propagation.getActiveBaggage()?.getEntry('tenant')?.value,
      carried: request.telemetry.inject({} as Record<string, string>).traceparent,
      extracted: trace.getSpanContext(request.telemetry.extract({ traceparent: '00-11111111111111111111111111111111-2222222222222222-01' }))?.spanId,
      values: request.telemetry.values,
    }
  })
  const address = await port()
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const { body } = await send(address, 'GET', '/', { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, baggage: 'tenant=acme' } })
  const spans = await telemetry.waitForSpans(4)
  t.same(spans.map(({ name }) => name), ['fastify.arguments', 'work', 'fastify.handler', 'GET /'])
  const [, work, handler, request] = spans
  t.same(JSON.parse(body), {
    traceId,
    active: traceId,
    baggage: 'acme',
    carried: `00-${traceId}-${handler!.spanId}-01`,
    extracted: '2222222222222222',
    values: { querystring: {} },
  })
  t.same(new Set(spans.map((span) => span.traceId)), new Set([traceId]))
  t.equal(work!.parentSpanId, handler!.spanId)
  t.equal(handler!.parentSpanId, request!.spanId)
  t.match(request, { parentSpanId: 'b7ad6b7169203331', hasRemoteParent: true, attributes: { 'app.user': 7 } })

  telemetry.reset()
  const unsampled = JSON.parse((await send(address, 'GET', '/', { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-00` } })).body)
  t.match(unsampled, { traceId, carried: new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`) })
  const fresh = JSON.parse((await send(address, 'GET', '/', { headers: { traceparent: 'rubbish' } })).body)
  t.match(fresh.traceId, /^(?!0af)[0-9a-f]{32}$/)
  await telemetry.waitForSpans(4)
  t.same(telemetry.spans.map((span) => span.traceId), Array(4).fill(fresh.traceId))
})

t.test('under a span of this process the request is an INTERNAL child of it', async (t) => {
  const { app, telemetry } = await setUp(t)
  app.get('/', async () => 'ok')
  const outer = trace.getTracer('test').startSpan('outer')
  await context.with(trace.setSpan(context.active(), outer), () => app.inject('/').then(() => {}))
  outer.end()
  t.match(normalize(await telemetry.waitForSpans(2)), [{ name: 'GET /', kind: 'INTERNAL', parent: 'outer' }, { name: 'outer' }])
})

t.test('request.telemetry is there and harmless on a request that is not recorded', async (t) => {
  const { app, telemetry, port } = await setUp(t, { ignore: () => true })
  app.get('/', { schema: { querystring: Type.Object({ n: Type.Integer() }) } }, async ({ telemetry }) => {
    telemetry.setAttributes({ a: 1 })
    telemetry.tracer.startSpan('mine').end()
    return { recording: telemetry.span.isRecording(), values: telemetry.values, errors: telemetry.errors, extract: typeof telemetry.extract({}) }
  })
  t.same(JSON.parse((await send(await port(), 'GET', '/?n=1')).body), { recording: false, values: {}, errors: [], extract: 'object' })
  t.same(telemetry.spans, [])
})

t.test('paths: no query, no userinfo, no secret path parameter; forwarded headers only with trustProxy', async (t) => {
  const { app, telemetry, port } = await setUp(t, {}, { trustProxy: '127.0.0.1' })
  app.get('/reset/:token/:step', async () => 'ok')
  app.get('/files/*', async () => 'ok')
  const address = await port()
  await send(address, 'GET', '/reset/canary/1?token=canary#canary')
  await sendRaw(address, 'GET http://user:canary@example.com:8080/files/a/b?sig=canary HTTP/1.1\r\nhost: example.com:8080\r\nconnection: close\r\n\r\n')
  await send(address, 'GET', '/files/a', { headers: { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.example.org' } })
  const spans = await telemetry.waitForSpans(3)
  t.match(normalize(spans), [
    { name: 'GET /reset/:token/:step', attributes: { 'url.path': '/reset/REDACTED/1' } },
    { name: 'GET /files/*', attributes: { 'url.path': '/files/a/b', 'server.address': 'example.com', 'server.port': 'PORT', 'user_agent.original': undefined } },
    { name: 'GET /files/*', attributes: { 'url.scheme': 'https', 'client.address': '203.0.113.9', 'server.address': 'api.example.org', 'server.port': undefined, 'network.peer.address': '127.0.0.1' } },
  ])
  t.notMatch(JSON.stringify(spans), /canary/)
})

t.test('bounds hold: a 1 MiB body, a very deep array, a body in an open schema', async (t) => {
  const { app, telemetry, port } = await setUp(t, {}, { bodyLimit: 4 * 1024 * 1024 })
  app.post('/closed', { schema: { body: Type.Object({ rows: Type.Array(Type.Object({ text: Type.String() })), long: Type.Optional(Type.String()) }) } }, async () => 'ok')
  app.post('/open', { schema: { body: Type.Any() } }, async () => 'ok')
  const address = await port()
  const rows = Array.from({ length: 10_000 }, (_, index) => ({ text: `row ${index} ${'x'.repeat(90)}` }))
  const deep = '['.repeat(500_000) + ']'.repeat(500_000)

  await send(address, 'POST', '/closed', { body: { rows, long: 'y'.repeat(5000) } })
  await send(address, 'POST', '/open', { body: { rows } })
  await send(address, 'POST', '/open', { body: deep, headers: { 'content-type': 'application/json' } })
  await send(address, 'POST', '/open', { body: { wide: { a: 1, nested: [[[[[[[[1]]]]]]]] } } })
  const texts = (await telemetry.waitForSpans(4)).map(({ attributes }) => attributes)
  const values = texts.map((attributes) => JSON.parse(String(attributes['fastify.arguments.values'])).body)
  for (const attributes of texts) t.ok(Buffer.byteLength(String(attributes['fastify.arguments.values'])) <= 32 * 1024)
  t.same(texts.map((attributes) => attributes['fastify.arguments.truncated']), [true, true, true, true])
  t.equal(values[0].rows.length, 65)
  t.equal(values[0].rows.at(-1), '… 9936 more')
  t.equal(values[0].long.length, 1025)
  t.match(values[1], { type: 'object', bytes: Number })
  t.same(values[2], [[[[[[[['[…]']]]]]]]])
  t.same(values[3], { wide: { a: 1, nested: [[[[[['[…]']]]]]] } })
})

t.test('the answer waits for nothing of ours: hooks added before the plugin may reply', async (t) => {
  const telemetry = createTestTelemetry()
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  app.addHook('onRequest', async (request, reply) => request.url === '/early' ? reply.code(418).send('early') : undefined)
  app.get('/declared-before', async () => 'ok')
  await app.register(otelPlugin, { extraSpans: true })
  const address = await listen(app)
  t.equal((await send(address, 'GET', '/early')).statusCode, 418)
  t.equal((await send(address, 'GET', '/declared-before')).body, 'ok')
  t.same(normalize(await telemetry.waitForSpans(2)), [
    { name: 'fastify.arguments', kind: 'INTERNAL', parent: 'GET /declared-before', attributes: { 'http.route': '/declared-before' } },
    {
      name: 'GET /declared-before',
      kind: 'SERVER',
      attributes: { ...requestAttributes('GET', '/declared-before', '/declared-before'), 'http.response.status_code': 200, ...ARGUMENT_TIMES },
    },
  ])
})
