import { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import Fastify from 'fastify'
import otelPlugin, { type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import t from 'tap'
import { listen, send, type Answer } from '../helpers/http.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

const hostile = () => { throw new Error('hostile') }
const rejecting = () => Promise.reject(new Error('hostile')) as never

/** What must not make a difference to any answer. */
const variants: Record<string, FastifySchemaTelemetryOptions> = {
  defaults: {},
  everything: { extraSpans: true, mapper: (_request, args) => ({ ...args, 'app.seen': true }) },
  'hooks and mapper throw': { mapper: hostile, requestHook: hostile, responseHook: hostile, ignore: hostile },
  'hooks and mapper reject': { mapper: rejecting, requestHook: rejecting, responseHook: rejecting, ignore: rejecting },
  'mapper returns rubbish': { mapper: () => Symbol('rubbish') as never },
  'mapper returns a revoked proxy': {
    mapper () {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
  },
  'mapper changes what it gets': {
    mapper (_request, { values, errors }) {
      for (const part of Object.values(values)) Object.assign(part as object, { name: 'changed', n: 'changed' })
      errors.length = 0
      return { values, errors }
    },
  },
  'no arguments': { capture: 'none' },
  ignored: { ignore: () => true },
}

async function build (options: FastifySchemaTelemetryOptions | null) {
  const app = Fastify({ bodyLimit: 2000 })
  if (options !== null) await app.register(otelPlugin, options)
  const schema = {
    params: Type.Object({ id: Type.Integer() }),
    querystring: Type.Object({ n: Type.Integer({ default: 1 }) }),
    body: Type.Object({ name: Type.String(), tags: Type.Optional(Type.Array(Type.String())), any: Type.Optional(Type.Any()) }),
  }
  app.post('/users/:id', { schema }, async (request) => ({ params: request.params, query: request.query, body: request.body }))
  app.post('/attached/:id', { schema, attachValidation: true }, async (request) => ({ failed: request.validationError?.message ?? null }))
  app.get('/callback', (_request, reply) => { setImmediate(() => { reply.header('x-a', '1').send({ a: 1 }) }) })
  app.get('/return-reply', async (_request, reply) => reply.code(201).send('created'))
  app.get('/stream', (_request, reply) => { reply.type('text/plain').send(Readable.from(['one', 'two'])) })
  app.get('/buffer', async () => Buffer.from([1, 2, 3]))
  app.get('/null', async () => null)
  app.get('/empty', async (_request, reply) => { reply.code(204) })
  app.get('/redirect', (_request, reply) => { reply.redirect('/null') })
  app.get('/hijack', (_request, reply) => {
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/throws', async () => { throw Object.assign(new Error('teapot'), { statusCode: 418 }) })
  app.get('/throws-string', async () => { throw 'text' }) // eslint-disable-line no-throw-literal
  app.get('/throws-null', async () => { throw null }) // eslint-disable-line no-throw-literal
  app.get('/not-found', (_request, reply) => { reply.callNotFound() })
  app.get('/serialize', { schema: { response: { 200: Type.Object({ n: Type.Number() }) } } }, async () => ({ n: Symbol('not a number') }))
  app.get('/hook', { preHandler: async () => { throw new Error('hook') } }, async () => 'never')
  app.register(async (child) => {
    child.setErrorHandler((error, _request, reply) => { reply.code(422).send({ custom: (error as Error).message }) })
    child.post('/child/:id', { schema }, async () => 'ok')
  })
  return app
}

type Call = [method: string, path: string, request?: Parameters<typeof send>[3]]

const json = { 'content-type': 'application/json' }
const calls: Call[] = [
  ['POST', '/users/1', { body: { name: 'Ada' } }],
  ['POST', '/users/1?n=5', { body: { name: 'Ada', tags: ['a'], extra: 1, any: { deep: [{ token: 't' }] } } }],
  ['POST', '/users/x', { body: { name: 'Ada' } }],
  ['POST', '/users/1?n=x', { body: { name: 'Ada' } }],
  ['POST', '/users/1', { body: { name: { not: 'a string' } } }],
  ['POST', '/users/1', { body: '{"name"', headers: json }],
  ['POST', '/users/1', { body: '', headers: json }],
  ['POST', '/users/1', { body: '<a/>', headers: { 'content-type': 'text/xml' } }],
  ['POST', '/users/1', { body: { name: 'x'.repeat(3000) } }],
  ['POST', '/users/1'],
  ['POST', '/attached/1', { body: {} }],
  ['POST', '/child/1', { body: {} }],
  ...['/callback', '/return-reply', '/stream', '/buffer', '/null', '/empty', '/redirect', '/hijack', '/throws', '/throws-string', '/throws-null',
    '/not-found', '/serialize', '/hook', '/nowhere', '/%zz'].flatMap((path): Call[] => [['GET', path], ['HEAD', path], ['OPTIONS', path]]),
]

function comparable ({ statusCode, headers, body }: Answer) {
  const { date, ...rest } = headers
  return { statusCode, headers: rest, body }
}

t.test('answers are the same, byte by byte, with and without the plugin', async (t) => {
  const telemetry = createTestTelemetry()
  const prototypeKeys = Reflect.ownKeys(Object.prototype)
  const warnings: Error[] = []
  // The test runner's loader uses a function that Node.js 26 deprecates.
  const onWarning = (warning: Error & { code?: string }) => { if (warning.code !== 'DEP0205') warnings.push(warning) }
  process.on('warning', onWarning)
  const bare = await build(null)
  const barePort = await listen(bare)
  const expected = []
  for (const call of calls) expected.push(comparable(await send(barePort, ...call)))
  t.ok(new Set(expected.map(({ statusCode }) => statusCode)).size >= 10, 'the calls cover many kinds of answers')

  for (const [name, options] of Object.entries(variants)) {
    const app = await build(options)
    const port = await listen(app)
    const actual = []
    for (const call of calls) actual.push(comparable(await send(port, ...call)))
    t.same(actual, expected, name)
    await app.close()
    t.equal(telemetry.openCount, 0)
  }
  await bare.close()
  telemetry.release()
  process.off('warning', onWarning)
  t.same(warnings, [])
  t.same(Reflect.ownKeys(Object.prototype), prototypeKeys)
})

t.test('answers to random bodies and queries are the same', async (t) => {
  const telemetry = createTestTelemetry()
  const bare = await build(null)
  const app = await build({ extraSpans: true, mapper: (_request, args) => ({ ...args }) })
  t.teardown(async () => {
    await Promise.all([bare.close(), app.close()])
    telemetry.release()
  })
  await Promise.all([bare.ready(), app.ready()])
  await fc.assert(fc.asyncProperty(fc.json(), fc.webQueryParameters(), fc.string(), async (body, query, id) => {
    const request = { method: 'POST', url: `/users/${encodeURIComponent(id)}?${query}`, payload: body, headers: json } as const
    const [plain, recorded] = await Promise.all([bare.inject(request), app.inject(request)])
    return plain.statusCode === recorded.statusCode && plain.body === recorded.body
  }), { numRuns: 500 })
  t.equal(telemetry.openCount, 0)
  for (const { attributes } of telemetry.spans) {
    const values = attributes['fastify.arguments.values']
    if (values !== undefined && !isJson(values)) t.fail(`not JSON: ${String(values)}`)
  }
  t.ok(telemetry.spans.length >= 500)
})

function isJson (text: unknown): boolean {
  try {
    JSON.parse(String(text))
    return true
  } catch {
    return false
  }
}
