import { setImmediate as nextTurn } from 'node:timers/promises'
import { PassThrough, Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import Fastify, {
  type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions, type RouteHandlerMethod, type RouteShorthandOptions,
} from 'fastify'
import type { RequestTelemetry } from 'fastify-schema-telemetry'
import { makeOddValue, THROWN, withThrowingGetters } from './odd-values.ts'

type Answer = RouteHandlerMethod | { options: RouteShorthandOptions, handler: RouteHandlerMethod }

const numberOnly = { schema: { response: { 200: Type.Object({ n: Type.Number() }) } } }

/** A route for each way to answer; the keys are the paths. */
export const ANSWERS: Record<string, Answer> = {
  '/text': () => 'text',
  '/object': () => ({ a: 1, nested: { b: [1, 2, 3] } }),
  '/promise': async () => ({ a: 1 }),
  '/later': async () => {
    await nextTurn()
    return { later: true }
  },
  '/callback': (_request, reply) => { setImmediate(() => { reply.header('x-a', '1').send({ a: 1 }) }) },
  '/return-reply': async (_request, reply) => reply.code(201).send('created'),
  '/thenable': () => ({ then: (resolve: (value: unknown) => void) => resolve('from a thenable') }),
  '/send-twice': (_request, reply) => { reply.send('first').send('second') },
  '/send-and-return': async (_request, reply) => {
    reply.send('sent')
    return 'returned'
  },
  '/send-then-throw': async (_request, reply) => {
    reply.send('sent')
    throw new Error('late')
  },
  '/stream': (_request, reply) => { reply.type('text/plain').send(Readable.from(['one', 'two'])) },
  '/stream-returned': async (_request, reply) => reply.type('text/plain').send(Readable.from([Buffer.from('one'), Buffer.from('two')])),
  '/stream-of-known-length': (_request, reply) => { reply.type('text/plain').header('content-length', 6).send(Readable.from(['one', 'two'])) },
  '/stream-that-fails-at-once': (_request, reply) => {
    const stream = new PassThrough()
    reply.send(stream)
    stream.destroy(new Error('at once'))
  },
  '/stream-that-fails-midway': (_request, reply) => { reply.send(Readable.from((async function * () { yield 'half'; throw new Error('midway') })())) },
  '/stream-that-is-cut': (_request, reply) => {
    const stream = new PassThrough()
    reply.send(stream)
    stream.write('half', () => { setImmediate(() => stream.destroy()) })
  },
  '/odd-stream-that-is-cut': (_request, reply) => {
    const stream = withThrowingGetters(['body', 'code', 'errors'], new PassThrough())
    reply.send(stream)
    stream.write('half', () => { setImmediate(() => stream.destroy(withThrowingGetters(['cause', 'errors'], new Error('hostile')))) })
  },
  '/web-stream': async (_request, reply) => reply.send(ReadableStream.from(['one', 'two'])),
  '/response': async () => new Response('from a Response', { status: 203, headers: { 'x-from': 'response' } }),
  '/buffer': async () => Buffer.from([1, 2, 3]),
  '/typed-array': async () => new Uint16Array([1, 2, 3]),
  '/large': async () => 'x'.repeat(1_000_000),
  '/unicode': async () => ({ text: 'é 𝒳 \ud800 \u0000' }),
  '/null': async () => null,
  '/undefined': async () => undefined,
  '/empty-text': async () => '',
  '/number': async () => 42,
  '/boolean': async () => false,
  '/bigint': async () => 1n,
  '/symbol': async () => Symbol('answer'),
  '/function': async () => () => {},
  '/date': async () => new Date(0),
  '/cycle': async () => makeOddValue('cycle'),
  '/failing-to-json': async () => makeOddValue('failing toJSON'),
  '/failing-getter': async () => makeOddValue('getter that throws'),
  '/error-returned': async () => new Error('returned'),
  '/error-sent': (_request, reply) => { reply.code(409).send(new Error('sent')) },
  '/no-content': async (_request, reply) => { reply.code(204) },
  '/not-modified': async (_request, reply) => reply.code(304).header('etag', '"a"').send(),
  '/redirect': (_request, reply) => { reply.redirect('/null') },
  '/redirect-308': async (_request, reply) => reply.redirect('/elsewhere?a=b', 308),
  '/cookies': async (_request, reply) => reply.header('set-cookie', ['a=1', 'b=2']).header('set-cookie', 'c=3').send('cookies'),
  '/bad-header': async (_request, reply) => reply.header('x-bad', 'a\nb').send('never'),
  '/removed-header': async (_request, reply) => reply.header('x-gone', '1').removeHeader('x-gone').headers({ 'x-kept': 'yes' }).send('kept'),
  '/odd-status': async (_request, reply) => reply.code(299).send('odd'),
  '/wrong-status': async (_request, reply) => reply.code(9999).send('never' as never),
  '/wrong-type': (_request, reply) => { reply.type('text/plain').send({ an: 'object' }) },
  '/early-hints': (_request, reply) => {
    reply.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => {})
    reply.send('hinted')
  },
  '/trailers': (_request, reply) => {
    reply.trailer('x-sum', (_reply, payload, done) => { done(null, String(payload ?? '').length.toString()) })
    reply.trailer('x-later', async () => 'later')
    reply.send('with trailers')
  },
  '/trailer-that-fails': (_request, reply) => {
    reply.trailer('x-sum', (_reply, _payload, done) => { done(new Error('trailer'), '') })
    reply.send('with a trailer')
  },
  '/hijack': (_request, reply) => {
    reply.hijack()
    reply.raw.end('raw')
  },
  '/hijack-in-parts': async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(202, { 'x-raw': 'yes' })
    reply.raw.write('one')
    await nextTurn()
    reply.raw.end('two')
  },
  '/hijack-and-cut': (_request, reply) => {
    reply.hijack()
    reply.raw.destroy()
  },
  '/raw': (_request, reply) => { reply.raw.end('without hijack') },
  '/serializer': async (_request, reply) => reply.serializer((payload: unknown) => `<${JSON.stringify(payload)}>`).send({ a: 1 }),
  '/serializer-that-throws': async (_request, reply) => reply.serializer(() => { throw new Error('serializer') }).send({ a: 1 }),
  '/declared': { options: numberOnly, handler: async () => ({ n: 1, undeclared: 'x' }) },
  '/declared-otherwise': { options: numberOnly, handler: async () => ({ n: Symbol('not a number') }) },
  '/declared-and-missing': { options: numberOnly, handler: async () => ({}) },
  '/call-not-found': (_request, reply) => { reply.callNotFound() },
  '/call-not-found-later': async (_request, reply) => {
    await nextTurn()
    reply.callNotFound()
    return reply
  },
  '/ignored': { options: { config: { telemetry: false } }, handler: async () => 'ignored' },
  '/no-head': { options: { exposeHeadRoute: false }, handler: async () => 'GET only' },
  '/echo-headers': async (request) => ({ headers: request.headers, raw: request.raw.rawHeaders, host: request.host, protocol: request.protocol }),
}

export const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onError', 'onResponse'] as const

type AnyHook = (...args: any[]) => unknown

/** The last argument of a hook is its callback, the second the reply. */
const doneOf = (args: unknown[]) => args.at(-1) as (error?: unknown) => void

/** What hooks of an application may do. */
export const MANNERS: Record<string, AnyHook> = {
  'calls back': (...args) => { doneOf(args)() },
  'calls back later': (...args) => { setImmediate(() => doneOf(args)()) },
  'calls back with an error': (...args) => { doneOf(args)(new Error('from a callback')) },
  throws: () => { throw new Error('thrown') },
  'throws null': () => { throw null }, // eslint-disable-line no-throw-literal
  'calls back and throws': (...args) => {
    doneOf(args)()
    throw new Error('too late')
  },
  resolves: async () => { await nextTurn() },
  rejects: async () => { throw new Error('rejected') },
  'rejects with a string': async () => { throw 'text' }, // eslint-disable-line no-throw-literal
  'rejects with undefined': async () => { throw undefined }, // eslint-disable-line no-throw-literal
  replies: async (_request, reply: FastifyReply) => reply.code(418).send('from a hook'),
  'replies and calls nothing': (_request, reply: FastifyReply) => { reply.code(418).send('from a hook') },
  'replies raw': (_request, reply: FastifyReply) => { reply.hijack().raw.end('raw, from a hook') },
}

/** Not to be mixed: Fastify itself waits for ever, or lets the process die. */
const IMPOSSIBLE: Record<string, string[]> = {
  preSerialization: ['replies', 'replies and calls nothing'],
  onSend: ['replies', 'replies and calls nothing', 'rejects with a string'],
  onError: ['replies', 'replies and calls nothing'],
  onResponse: [],
}

export const hookPaths = HOOKS.flatMap((hook) => Object.keys(MANNERS)
  .filter((manner) => !(IMPOSSIBLE[hook] ?? []).includes(manner))
  .map((manner) => ({ hook, manner, path: `/hook/${hook}/${manner.replaceAll(' ', '-')}` })))

const userSchema = {
  params: Type.Object({ id: Type.Integer() }),
  querystring: Type.Object({ n: Type.Integer({ default: 1 }), list: Type.Optional(Type.Array(Type.String())) }),
  headers: Type.Object({ 'x-number': Type.Optional(Type.Integer()) }),
  body: Type.Object({
    name: Type.String({ minLength: 1 }),
    tags: Type.Optional(Type.Array(Type.String())),
    password: Type.Optional(Type.String()),
    choice: Type.Optional(Type.Union([Type.Object({ a: Type.Integer() }), Type.Object({ b: Type.Boolean() })])),
    any: Type.Optional(Type.Any()),
  }),
}

const echo = async (request: FastifyRequest) => ({ params: request.params, query: request.query, body: request.body })

/**
 * An application that answers in every way that there is, and fails in most.
 *
 * @param install - registers what is under test; `null` for the application as it is without
 */
export async function buildOddApp (install: ((app: FastifyInstance) => Promise<void>) | null): Promise<FastifyInstance> {
  const serverOptions: FastifyServerOptions = { bodyLimit: 200_000 }
  const app = Fastify(serverOptions)
  app.addHttpMethod('PURGE')
  app.addHook('onRequest', async (request) => { if (request.headers['x-wait'] !== undefined) await nextTurn() })
  if (install !== null) await install(app)
  app.addHook('preHandler', async (request) => useTelemetry(request))

  for (const [path, answer] of Object.entries(ANSWERS)) {
    const { options, handler } = typeof answer === 'function' ? { options: {}, handler: answer } : answer
    app.get(path, options, handler)
  }
  app.post('/users/:id', { schema: userSchema }, echo)
  app.put('/users/:id', { schema: userSchema }, async (_request, reply) => reply.code(204).send())
  app.delete('/users/:id', { schema: { params: userSchema.params } }, async () => 'deleted')
  app.post('/attached/:id', { schema: userSchema, attachValidation: true }, async (request) => ({ failed: request.validationError?.message ?? null }))
  app.post('/open', { schema: { body: Type.Any() } }, async (request) => ({ type: typeof request.body }))
  app.post('/undeclared', echo)
  app.get('/search', { schema: { querystring: userSchema.querystring } }, echo)
  app.get('/files/*', { schema: { params: Type.Object({ '*': Type.String() }) } }, echo)
  app.get('/reset/:token', echo)
  app.route({ method: ['PURGE' as 'GET', 'PATCH'], url: '/cache', handler: async (request) => request.method })
  addHooks(app)
  addThrown(app)
  addParsers(app)
  return app
}

/** As an application would, in every request that comes so far. */
function useTelemetry (request: FastifyRequest): void {
  const telemetry = request.telemetry as RequestTelemetry | undefined
  if (telemetry === undefined) return
  const { inject, extract, setAttributes } = telemetry
  setAttributes({ 'app.seen': true })
  inject({})
  extract({ traceparent: '00-11111111111111111111111111111111-2222222222222222-01' })
  JSON.stringify([telemetry.values, telemetry.errors, telemetry.traceId])
}

function addHooks (app: FastifyInstance): void {
  for (const { hook, manner, path } of hookPaths) {
    const options = { [hook]: withArity(hook, MANNERS[manner]!) } as RouteShorthandOptions
    app.post(path, options, async () => {
      if (hook === 'onError') throw new Error('for the hook')
      return { reached: true }
    })
  }
}

/** Fastify tells hooks that call back from those that do not by their number of arguments. */
function withArity (hook: string, act: AnyHook): AnyHook {
  const isAsync = act.constructor.name === 'AsyncFunction'
  const count = (['onRequest', 'preValidation', 'preHandler', 'onResponse'].includes(hook) ? 2 : 3) + (isAsync ? 0 : 1)
  return Object.defineProperty(isAsync ? async (...args: unknown[]) => act(...args) : (...args: unknown[]) => act(...args), 'length', { value: count })
}

/** Everything that can be thrown, at Fastify's own error handler, at one of the application, and at handlers that fail themselves. */
function addThrown (app: FastifyInstance): void {
  const declare = (child: FastifyInstance, prefix: string, names: string[]) => {
    for (const name of names) {
      const makeThrown = THROWN[name]!.make
      child.get(`${prefix}/${name}`, async () => { throw makeThrown() })
      child.get(`${prefix}/sync/${name}`, () => { throw makeThrown() })
      child.get(`${prefix}/hook/${name}`, { preHandler: async () => { throw makeThrown() } }, async () => 'never')
    }
  }
  declare(app, '/thrown', Object.keys(THROWN).filter((name) => THROWN[name]!.isFor === 'every handler'))
  app.register(async (child) => {
    child.setErrorHandler((_error, _request, reply) => { reply.code(422).send('handled') })
    declare(child, '/handled', Object.keys(THROWN))
  })
  app.register(async (child) => {
    child.setErrorHandler(async () => { throw new Error('in the error handler') })
    declare(child, '/badly-handled', ['an-error'])
  })
  app.register(async (child) => {
    child.setErrorHandler(() => { throw new Error('in the error handler') })
    child.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ nothing: 'here' }))
    declare(child, '/worse-handled', ['an-error'])
    child.post('/users/:id', { schema: userSchema }, echo)
  }, { prefix: '/child' })
}

/** Bodies that no JSON parser makes, from parsers of the application's own. */
function addParsers (app: FastifyInstance): void {
  app.addContentTypeParser('application/x-odd', { parseAs: 'string' }, (_request, text, done) => {
    done(null, makeOddValue(String(text)))
  })
  app.addContentTypeParser('application/x-failing', { parseAs: 'string' }, async () => { throw Object.assign(new Error('parser'), { statusCode: 400 }) })
  app.addContentTypeParser(/^application\/[\w.]+\+json$/, (_request, payload, done) => { done(null, payload) })
  app.addContentTypeParser('application/x-chunks', async (_request: FastifyRequest, payload: AsyncIterable<Buffer>) => {
    let bytes = 0
    for await (const chunk of payload) bytes += chunk.length
    return { bytes }
  })
  const open = { schema: { body: Type.Any() } }
  const closed = { schema: { body: Type.Object({ a: Type.Any(), n: Type.Optional(Type.Integer()) }, { additionalProperties: true }) } }
  app.post('/odd/open', open, async (request) => ({ type: typeof request.body }))
  app.post('/odd/closed', closed, async (request) => ({ type: typeof request.body }))
  app.post('/odd/refused', { schema: { body: Type.Object({ a: Type.String(), z: Type.Integer() }) } }, async () => 'never')
  app.post('/odd/undeclared', async (request) => ({ type: typeof request.body }))
  app.post('/stream/iterate', async (request) => {
    const chunks: Buffer[] = []
    for await (const chunk of request.body as Readable) chunks.push(chunk as Buffer)
    return { text: Buffer.concat(chunks).toString() }
  })
  app.post('/stream/begin', async (request) => {
    const body = request.body as Readable
    const first = await body.iterator({ destroyOnReturn: false }).next() as IteratorResult<Buffer, undefined>
    const chunks = first.done === true ? [] : [first.value]
    await nextTurn()
    for await (const chunk of body) chunks.push(chunk as Buffer)
    return { text: Buffer.concat(chunks).toString() }
  })
  app.post('/stream/readable', (request, reply) => {
    const body = request.body as Readable
    let text = ''
    body.on('readable', () => { for (let chunk = body.read() as Buffer | null; chunk !== null; chunk = body.read() as Buffer | null) text += chunk.toString() })
    body.on('end', () => { reply.send({ text }) })
  })
  app.post('/stream/pipe', (request, reply) => { reply.type('text/plain').send((request.body as Readable).pipe(new PassThrough())) })
  app.post('/stream/late', async (request, reply) => {
    await nextTurn()
    return reply.type('text/plain').send(request.body)
  })
  app.post('/stream/unread', async () => 'unread')
}
