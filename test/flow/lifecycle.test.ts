// latest versions only
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { context, trace } from '@opentelemetry/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { PlainSpan } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { makeCertificate } from '../helpers/certificate.ts'
import { openConnection, openSession, openStream, requestText, sendHttp2, type Connection } from '../helpers/connection.ts'
import { send } from '../helpers/http.ts'
import { defer, ProvenRows, requestSpan, setUp, type ExpectedRequest, type Subject } from '../helpers/lifecycle.ts'
import { runProgram } from '../helpers/program.ts'
import { startOrSkip } from '../helpers/skip.ts'
import { ALL_TIMES, ARGUMENT_TIMES, type ExpectedSpan } from '../helpers/spans.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

const rows = new ProvenRows()

const START_TIME = { 'fastify.arguments.start_timestamp': 'TIME' }
/** The handler has begun and did not end. */
const STARTED_TIMES = { ...ARGUMENT_TIMES, 'fastify.handler.start_timestamp': 'TIME' }

/** A handler that never ends; it has no name. */
const [hang] = [() => new Promise<never>(() => {})] as const

/** More than the buffers of two kernels take: the rest waits until the client reads. */
const HUGE = Buffer.alloc(32 * 1024 * 1024, 'x')

// ---- Answers ---------------------------------------------------------------------------------------------

interface AnswerCase {
  name: string
  method?: string
  path: string
  headers?: Record<string, string>
  body?: unknown
  status: number
  /** What the client reads; not looked at when absent. */
  text?: string
  /** What the span has beyond method, path, route and status; `times` are those of a handler that ended when absent. */
  span?: ExpectedRequest
  proves?: string
}

/** A stream whose parts come one a turn. */
function streamOf (...parts: string[]): Readable {
  return Readable.from((async function * () {
    for (const part of parts) {
      await nextTurn()
      yield part
    }
  })())
}

function webStreamOf (...parts: string[]): ReadableStream {
  return new ReadableStream({
    async pull (controller) {
      await nextTurn()
      const part = parts.shift()
      if (part === undefined) controller.close()
      else controller.enqueue(Buffer.from(part))
    },
  })
}

function addAnswers (app: FastifyInstance): void {
  app.get('/sync', () => ({ ok: true }))
  app.get('/async', async () => { await nextTurn(); return 'text' })
  app.get('/callback', (_request, reply) => { setImmediate(() => { reply.send('called back') }) })
  app.get('/reply', async (_request, reply) => { setImmediate(() => { reply.send('later') }); return reply })
  app.get('/callback-hooks', {
    onRequest: (_request, _reply, done) => { setImmediate(done) },
    preParsing: (_request, _reply, payload, done) => { setImmediate(() => done(null, payload)) },
    preValidation: (_request, _reply, done) => { setImmediate(done) },
    preHandler: [(_request, _reply, done) => { setImmediate(done) }, (_request, _reply, done) => { done() }],
    preSerialization: (_request, _reply, payload, done) => { setImmediate(() => done(null, payload)) },
    onSend: (_request, _reply, payload, done) => { setImmediate(() => done(null, payload)) },
    onResponse: (_request, _reply, done) => { setImmediate(done) },
  }, () => ({ ok: true }))
  app.get('/buffer', async () => Buffer.from('bytes'))
  app.get('/typed-array', async () => new Uint8Array([0x61, 0x62]))
  app.get('/null', async () => null)
  app.get('/stream', async (_request, reply) => reply.send(streamOf('one ', 'two')))
  app.get('/stream-with-length', (_request, reply) => { reply.header('content-length', 7).send(streamOf('one ', 'two')) })
  app.get('/empty-stream', (_request, reply) => { reply.send(streamOf()) })
  app.get('/web-stream', async () => webStreamOf('one ', 'two'))
  app.get('/response', async () => new Response(webStreamOf('one ', 'two'), { status: 202 }))
  app.get('/trailers', (_request, reply) => {
    reply.trailer('x-checksum', async () => { await nextTurn(); return 'abc' })
    reply.send(streamOf('one ', 'two'))
  })
  app.get('/sse', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write('data: 1\n\n')
    setImmediate(() => { reply.raw.end('data: 2\n\n') })
  })
  app.get('/hijack', (_request, reply) => {
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/hijack-stream', async (_request, reply) => {
    reply.hijack()
    streamOf('one ', 'two').pipe(reply.raw)
  })
  app.get('/raw', (_request, reply) => { reply.raw.end('raw') })
  app.get('/no-content', (_request, reply) => { reply.code(204).send() })
  app.get('/not-modified', (_request, reply) => { reply.code(304).send() })
  app.head('/own-head', (_request, reply) => { reply.header('x-head', '1').send() })
  app.options('/options', (_request, reply) => { reply.header('allow', 'GET').code(204).send() })
  app.get('/redirect', (_request, reply) => { reply.redirect('/sync', 303) })
  app.post('/body', async (request) => request.body)
  app.get('/bad-status', async (_request, reply) => reply.code(503).send({ error: 'later' }))
  app.get('/throws', async () => { throw new RangeError('no such thing') })
  app.get('/throws-later', async () => { await nextTurn(); throw new RangeError('no such thing') })
  app.get('/throws-at-once', () => { throw new RangeError('no such thing') })
  app.get('/sends-error', (_request, reply) => { setImmediate(() => { reply.send(new RangeError('no such thing')) }) })
  app.get('/not-there', async () => { throw Object.assign(new Error('not there'), { statusCode: 404 }) })
  app.get('/stream-that-fails', (_request, reply) => { reply.send(new Readable({ read () { this.destroy(new RangeError('no such file')) } })) })
  app.get('/version', { constraints: { version: '1.2.0' } }, async () => 'v1.2')
  app.get('/host', { constraints: { host: 'special.example' } }, async () => 'special')
  app.get('/not-found', (_request, reply) => { reply.callNotFound() })
  app.post('/limited', { bodyLimit: 10 }, async () => 'ok')
  app.get('/twice', async (_request, reply) => {
    reply.send('once')
    reply.send('twice')
    return reply
  })
  app.get('/late-throw', async (_request, reply) => {
    reply.send('sent')
    await nextTurn()
    throw new Error('too late')
  })
}

const JSON_TYPE = { 'content-type': 'application/json' }
const EXCEPTION = { error: 'RangeError', exception: { type: 'RangeError', message: 'no such thing' } }
const parseError = (error: object) => ({
  'fastify.arguments.errors': [{ part: 'body', path: '', keyword: 'parse', ...error }],
  'fastify.arguments.error_count': 1,
  times: ARGUMENT_TIMES,
})

const answers: AnswerCase[] = [
  { name: 'a synchronous handler', path: '/sync', status: 200, text: '{"ok":true}', proves: 'The answer was sent whole, below 500' },
  { name: 'an asynchronous handler', path: '/async', status: 200, text: 'text' },
  { name: 'a callback handler', path: '/callback', status: 200, text: 'called back' },
  { name: 'a handler that returns its reply', path: '/reply', status: 200, text: 'later' },
  { name: 'callback hooks', path: '/callback-hooks', status: 200, text: '{"ok":true}' },
  { name: 'a buffer', path: '/buffer', status: 200, text: 'bytes' },
  { name: 'a typed array', path: '/typed-array', status: 200, text: 'ab' },
  { name: 'null', path: '/null', status: 200, text: 'null' },
  { name: 'a stream', path: '/stream', status: 200, text: 'one two' },
  { name: 'a stream of known length', path: '/stream-with-length', status: 200, text: 'one two' },
  { name: 'an empty stream', path: '/empty-stream', status: 200, text: '' },
  { name: 'a web stream', path: '/web-stream', status: 200, text: 'one two' },
  { name: 'a Response', path: '/response', status: 202, text: 'one two' },
  { name: 'trailers', path: '/trailers', status: 200, text: 'one two' },
  { name: 'server-sent events', path: '/sse', status: 200, text: 'data: 1\n\ndata: 2\n\n' },
  { name: 'a hijacked reply', path: '/hijack', status: 200, text: 'raw' },
  { name: 'a hijacked stream', path: '/hijack-stream', status: 200, text: 'one two' },
  { name: 'an answer written past Fastify', path: '/raw', status: 200, text: 'raw' },
  { name: '204', path: '/no-content', status: 204, text: '' },
  { name: '304', path: '/not-modified', status: 304, text: '' },
  { name: 'HEAD of its own', method: 'HEAD', path: '/own-head', status: 200, text: '' },
  { name: 'HEAD of a GET route', method: 'HEAD', path: '/stream', status: 200, text: '' },
  { name: 'OPTIONS', method: 'OPTIONS', path: '/options', status: 204, text: '' },
  { name: 'a redirect', path: '/redirect', status: 303, text: '' },
  { name: 'a body', method: 'POST', path: '/body', body: { a: 1 }, status: 200, text: '{"a":1}' },
  { name: 'an empty body', method: 'POST', path: '/body', status: 200, text: '' },
  { name: 'a 5xx on purpose', path: '/bad-status', status: 503, text: '{"error":"later"}', span: { error: '503' }, proves: 'The answer was sent whole, 5xx without an exception' },
  { name: 'an exception', path: '/throws', status: 500, span: EXCEPTION, proves: 'The answer was sent whole, 5xx after an exception' },
  { name: 'a later exception', path: '/throws-later', status: 500, span: EXCEPTION },
  { name: 'an exception at once', path: '/throws-at-once', status: 500, span: EXCEPTION },
  { name: 'an error that is sent', path: '/sends-error', status: 500, span: EXCEPTION },
  { name: 'an exception that means 404', path: '/not-there', status: 404 },
  {
    name: 'a stream that fails before its first byte',
    path: '/stream-that-fails',
    status: 500,
    span: { error: 'RangeError', exception: { type: 'RangeError', message: 'no such file' } },
    proves: 'A stream failed before its first byte',
  },
  { name: 'a version', path: '/version', headers: { 'accept-version': '1.x' }, status: 200, text: 'v1.2' },
  { name: 'a version that is not there', path: '/version', headers: { 'accept-version': '7.x' }, status: 404, span: { route: null, times: ARGUMENT_TIMES } },
  { name: 'another host', path: '/host', status: 404, span: { route: null, times: ARGUMENT_TIMES } },
  { name: 'no route', path: '/users/4711/secret', status: 404, span: { route: null, times: ARGUMENT_TIMES } },
  { name: 'no route for a body', method: 'POST', path: '/nowhere', body: { a: 1 }, status: 404, span: { route: null, times: ARGUMENT_TIMES } },
  { name: 'callNotFound keeps the route', path: '/not-found', status: 404 },
  { name: 'bad JSON', method: 'POST', path: '/body', headers: JSON_TYPE, body: '{', status: 400, span: parseError({ message: 'is not valid JSON', params: { position: 1, line: 1, column: 2 } }) },
  { name: 'empty JSON', method: 'POST', path: '/body', headers: JSON_TYPE, body: '', status: 400, span: parseError({ message: 'is empty though the content type is JSON' }) },
  {
    name: 'too large a body',
    method: 'POST',
    path: '/limited',
    body: { a: 'x'.repeat(20) },
    status: 413,
    span: parseError({ message: 'is larger than the limit', params: { limit: 10, length: 28 } }),
  },
  {
    name: 'an unknown media type',
    method: 'POST',
    path: '/body',
    headers: { 'content-type': 'application/xml' },
    body: '<a/>',
    status: 415,
    span: parseError({ message: 'has a content type that is not supported', params: { contentType: 'application/xml' } }),
  },
  { name: 'a reply that is sent twice', path: '/twice', status: 200, text: 'once' },
  { name: 'an exception after the reply', path: '/late-throw', status: 200, text: 'sent' },
]

t.test('answers that are sent whole', async (t) => {
  for (const { name, method = 'GET', path, headers, body, status, text, span, proves } of answers) {
    await t.test(name, async (t) => {
      const subject = await setUp(t)
      addAnswers(subject.app)
      const answer = await send(await subject.port(), method, path, { body, headers })
      t.equal(answer.statusCode, status)
      if (text !== undefined) t.equal(answer.body, text)
      const expected = requestSpan(method, path, { status, times: ALL_TIMES, ...span })
      await subject.expectSpans([expected])
      if (proves !== undefined) rows.add(t, proves, expected, answer.statusCode)
    })
  }
})

t.test('Expect: 100-continue is one request', async (t) => {
  const subject = await setUp(t)
  subject.app.post('/', async (request) => request.body)
  const headers = { 'content-type': 'application/json', 'content-length': 7, expect: '100-continue', connection: 'close' }
  const client = openConnection(t, await subject.port(), requestText('POST', '/', { headers }))
  await client.read(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  client.socket.write('{"a":1}')
  await client.closed
  t.match(client.text(), /HTTP\/1\.1 200 OK[^]*\{"a":1\}$/)
  await subject.expectSpans([requestSpan('POST', '/', { status: 200, times: ALL_TIMES })])
})

t.test('requests of one connection, one after the other and pipelined, have a span each', async (t) => {
  const subject = await setUp(t)
  const { app } = subject
  const turns = new Map<string, () => void>()
  app.get('/:n', async function answer (request) {
    const { n } = request.params as { n: string }
    const { promise, resolve } = defer()
    turns.set(n, resolve)
    // The last comes to its end first, the first last.
    if (n === '3') resolve()
    await promise
    turns.get(String(Number(n) - 1))?.()
    return `<${n}>`
  })
  const client = openConnection(t, await subject.port(), ['/1', '/2', '/3'].map((path) => requestText('GET', path)).join(''))
  await client.read(/<1>[^]*<2>[^]*<3>/)
  client.socket.write(requestText('GET', '/3', { headers: { connection: 'close' } }))
  await client.closed
  await subject.expectSpans(['/1', '/2', '/3', '/3'].map((path) => requestSpan('GET', path, { route: '/:n', 'code.function.name': 'answer', status: 200, times: ALL_TIMES })))
})

t.test('a span is open until the last byte of a stream', async (t) => {
  const subject = await setUp(t)
  const { app, telemetry } = subject
  let raw!: FastifyReply['raw']
  app.get('/events', (_request, reply) => {
    reply.hijack()
    raw = reply.raw
    raw.writeHead(200, { 'content-type': 'text/event-stream' })
    raw.write('data: 1\n\n')
  })
  const client = openConnection(t, await subject.port(), requestText('GET', '/events', { headers: { connection: 'close' } }))
  await client.read(/data: 1/)
  t.same([telemetry.spans.length, telemetry.openCount], [0, 1])
  raw.write('data: 2\n\n')
  await client.read(/data: 2/)
  t.same([telemetry.spans.length, telemetry.openCount], [0, 1])
  raw.end('data: 3\n\n')
  await client.closed
  t.match(client.text(), /data: 3/)
  await subject.expectSpans([requestSpan('GET', '/events', { status: 200, times: ALL_TIMES })])
})

t.test('hooks that resume from a pool or from another emitter', async (t) => {
  const subject = await setUp(t, { plugin: { extraSpans: true } })
  const { app, telemetry } = subject
  // Both were made outside of every request, and call back from there.
  const waiting: Array<() => void> = []
  const pool = setInterval(() => { for (const resume of waiting.splice(0)) resume() }, 1)
  t.teardown(() => clearInterval(pool))
  const emitter = new EventEmitter()
  const ticker = setInterval(() => emitter.emit('tick'), 1)
  t.teardown(() => clearInterval(ticker))
  const lost: boolean[] = []
  const note = (): void => { lost.push(trace.getActiveSpan() === undefined) }

  app.addHook('onRequest', (_request, _reply, done) => { waiting.push(() => { note(); done() }) })
  app.addHook('preParsing', (_request, _reply, payload, done) => { emitter.once('tick', () => { note(); done(null, payload) }) })
  app.addHook('preValidation', (_request, _reply, done) => { waiting.push(() => { note(); done() }) })
  app.addHook('preHandler', (_request, _reply, done) => { emitter.once('tick', () => { note(); done() }) })
  app.addHook('preSerialization', (_request, _reply, payload, done) => { waiting.push(() => { note(); done(null, payload) }) })
  app.addHook('onSend', (_request, _reply, payload, done) => { emitter.once('tick', () => { note(); done(null, payload) }) })
  app.get('/', async function work () {
    trace.getTracer('app').startSpan('before').end()
    await nextTurn()
    trace.getTracer('app').startSpan('after').end()
    return { ok: true }
  })
  t.equal((await send(await subject.port(), 'GET', '/')).body, '{"ok":true}')
  const child = (name: string): ExpectedSpan => ({ name, kind: 'INTERNAL', parent: 'fastify.handler', attributes: {} })
  const route = { 'http.route': '/', 'code.function.name': 'work' }
  await subject.expectSpans([
    { name: 'fastify.arguments', kind: 'INTERNAL', parent: 'GET /', attributes: { 'http.route': '/' } },
    child('before'),
    child('after'),
    { name: 'fastify.handler', kind: 'INTERNAL', parent: 'GET /', attributes: route },
    requestSpan('GET', '/', { status: 200, times: ALL_TIMES, 'code.function.name': 'work' }),
  ])
  t.same(lost, Array(6).fill(true), 'each hook had lost the context')
  t.equal(new Set(telemetry.spans.map(({ traceId }) => traceId)).size, 1)
})

t.test('what reaches no hook has no span: malformed URLs, parameters that are too long, requests that are none, unmet expectations', async (t) => {
  const subject = await setUp(t)
  subject.app.get('/users/:id', async () => 'ok')
  const port = await subject.port()
  const close = { headers: { connection: 'close' } }
  const cases: Array<[text: string, answer: RegExp]> = [
    [requestText('GET', '/users/%zz', close), /^HTTP\/1\.1 400 [^]*FST_ERR_BAD_URL/],
    [requestText('GET', `/users/${'x'.repeat(200)}`, close), /^HTTP\/1\.1 414 [^]*FST_ERR_MAX_PARAM_LENGTH/],
    ['RUBBISH\r\n\r\n', /^HTTP\/1\.1 400 /],
    [requestText('GET', '/users/1', { headers: { expect: 'the impossible', connection: 'close' } }), /^HTTP\/1\.1 417 /],
  ]
  for (const [text, answer] of cases) {
    const client = openConnection(t, port, text)
    await client.closed
    t.match(client.text(), answer)
  }
  t.equal((await send(port, 'GET', '/users/1')).statusCode, 200)
  await subject.expectSpans([requestSpan('GET', '/users/1', { route: '/users/:id', status: 200, times: ALL_TIMES })])
})

t.test('routes of a 404 handler have no path for a name', async (t) => {
  const subject = await setUp(t)
  const { app } = subject
  app.setNotFoundHandler({ preHandler: async () => { await nextTurn() } }, async (_request, reply) => reply.code(410).send('gone'))
  await app.register(async (child) => {
    child.setNotFoundHandler((_request, reply) => { reply.code(418).send('teapot') })
    child.get('/known', (_request, reply) => { reply.callNotFound() })
  }, { prefix: '/child' })
  const port = await subject.port()
  for (const [path, status] of [['/4711', 410], ['/child/4712', 418], ['/child/known', 418]] as const) t.equal((await send(port, 'GET', path)).statusCode, status)
  await subject.expectSpans([
    requestSpan('GET', '/4711', { route: null, status: 410, times: ARGUMENT_TIMES }),
    requestSpan('GET', '/child/4712', { route: null, status: 418, times: ARGUMENT_TIMES }),
    requestSpan('GET', '/child/known', { status: 418, times: ALL_TIMES }),
  ])
})

// ---- Hooks that fail or reply -----------------------------------------------------------------------------

const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onError', 'onResponse'] as const
type HookName = typeof HOOKS[number]
const WITH_PAYLOAD: readonly HookName[] = ['preParsing', 'preSerialization', 'onSend']

/** A hook that fails, by a promise or by its callback. Fastify looks at the number of parameters. */
function failingHook (name: HookName, style: 'throws' | 'calls back'): (...args: unknown[]) => unknown {
  const error = new RangeError(`in ${name}`)
  if (style === 'calls back') {
    return WITH_PAYLOAD.includes(name)
      ? (_request, _reply, _payload, done) => { (done as (error: Error) => void)(error) }
      : (_request, _reply, done) => { (done as (error: Error) => void)(error) }
  }
  return WITH_PAYLOAD.includes(name) || name === 'onError'
    ? async (_request, _reply, _payload) => { throw error }
    : async (_request, _reply) => { throw error }
}

/** How far the request came, by the hook that failed. */
const timesOf: Record<HookName, object> = {
  onRequest: {},
  preParsing: START_TIME,
  preValidation: START_TIME,
  preHandler: ARGUMENT_TIMES,
  preSerialization: ALL_TIMES,
  onSend: ALL_TIMES,
  onError: ALL_TIMES,
  onResponse: ALL_TIMES,
}

t.test('errors in hooks', async (t) => {
  for (const place of ['before', 'after', 'child', 'route'] as const) {
    for (const name of HOOKS) {
      for (const style of ['throws', 'calls back'] as const) {
        if (name === 'onError' && style === 'calls back') continue
        await t.test(`${name} ${place === 'child' ? 'of a child' : place === 'route' ? 'of the route' : `${place} the plugin`} ${style}`, async (t) => {
          const hook = failingHook(name, style)
          const addHook = (app: FastifyInstance): unknown => app.addHook(name as 'onRequest', hook as never)
          const subject = await setUp(t, { before: place === 'before' ? addHook : undefined })
          const { app } = subject
          if (place === 'after') addHook(app)
          await app.register(async (child) => {
            if (place === 'child') addHook(child)
            child.get('/', { ...(place === 'route' ? { [name]: hook } : {}) }, async () => {
              if (name === 'onError') throw new TypeError('in the handler')
              return { ok: true }
            })
          })
          const status = name === 'onResponse' ? 200 : 500
          t.equal((await send(await subject.port(), 'GET', '/')).statusCode, status)
          // Nothing of ours has run when a hook before it fails.
          if (place === 'before' && name === 'onRequest') return await subject.expectSpans([])
          // An onError hook that throws keeps those after it from running, and nobody else is told of the error.
          if (place === 'before' && name === 'onError') return await subject.expectSpans([requestSpan('GET', '/', { status, error: '500', times: ALL_TIMES })])
          const error = name === 'onError' ? { type: 'TypeError', message: 'in the handler' } : { type: 'RangeError', message: `in ${name}` }
          const isBefore = place === 'before'
          await subject.expectSpans([requestSpan('GET', '/', {
            status,
            ...(status === 200 ? {} : { error: error.type, exception: error }),
            times: isBefore && name === 'preParsing' ? {} : isBefore && name === 'preHandler' ? START_TIME : timesOf[name],
          })])
        })
      }
    }
  }
})

t.test('replies from hooks', async (t) => {
  for (const name of HOOKS.slice(0, 4)) {
    for (const status of [200, 401, 503]) {
      await t.test(`${name} replies ${status}`, async (t) => {
        const subject = await setUp(t)
        subject.app.addHook(name as 'onRequest', async (_request, reply) => reply.code(status).send('by the hook'))
        subject.app.get('/', async () => 'never')
        const answer = await send(await subject.port(), 'GET', '/')
        t.same([answer.statusCode, answer.body], [status, 'by the hook'])
        await subject.expectSpans([requestSpan('GET', '/', { status, times: timesOf[name], ...(status === 503 ? { error: '503' } : {}) })])
      })
    }
  }
})

t.test('error handlers', async (t) => {
  type Handler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => unknown
  const cases: Array<{ name: string, handler: Handler, status: number, text?: string | RegExp, span: ExpectedRequest, proves?: string }> = [
    {
      name: 'makes it a 409',
      handler: (_error, _request, reply) => { reply.code(409).send('conflict') },
      status: 409,
      text: 'conflict',
      span: {},
      proves: 'An error handler turned an exception into an answer below 500',
    },
    { name: 'makes it a 200', handler: async () => 'never mind', status: 200, text: 'never mind', span: {}, proves: 'An error handler turned an exception into an answer below 500' },
    { name: 'makes it a 503', handler: async (_error, _request, reply) => reply.code(503).send('later'), status: 503, text: 'later', span: EXCEPTION, proves: 'The answer was sent whole, 5xx after an exception' },
    {
      name: 'throws another',
      handler: () => { throw new TypeError('in the error handler') },
      status: 500,
      text: /in the error handler/,
      // Fastify calls the onError hooks for the first error only.
      span: EXCEPTION,
    },
    {
      name: 'rejects with another',
      handler: async () => { await nextTurn(); throw new TypeError('in the error handler') },
      status: 500,
      text: /in the error handler/,
      span: EXCEPTION,
    },
    { name: 'answers with a stream', handler: (_error, _request, reply) => { reply.code(500).send(streamOf('sorry ', 'for that')) }, status: 500, text: 'sorry for that', span: EXCEPTION },
    { name: 'throws the same again', handler: (error) => { throw error }, status: 500, text: /no such thing/, span: EXCEPTION },
  ]
  for (const { name, handler, status, text, span, proves } of cases) {
    await t.test(name, async (t) => {
      const subject = await setUp(t)
      const { app } = subject
      app.setErrorHandler(handler as never)
      app.get('/', async () => { throw new RangeError('no such thing') })
      const answer = await send(await subject.port(), 'GET', '/')
      t.equal(answer.statusCode, status)
      if (text !== undefined) t.match(answer.body, text)
      const expected = requestSpan('GET', '/', { status, times: ALL_TIMES, ...span })
      await subject.expectSpans([expected])
      if (proves !== undefined) rows.add(t, proves, expected, answer.statusCode)
    })
  }
})

// ---- Answers that break off -------------------------------------------------------------------------------

/** Ways in which a client can leave. */
const partings: Record<string, (client: Connection) => void> = {
  closes: ({ socket }) => { socket.destroy() },
  'closes its half': ({ socket }) => { socket.end() },
  resets: ({ socket }) => { socket.resetAndDestroy() },
}

const BEFORE_HEAD = 'The client left before the head was sent'
const AFTER_HEAD = 'The client left after the head was sent'

interface PartingCase {
  name: string
  /** Calls `reached` when the client may leave, and goes on to `late` when it has. */
  build: (app: FastifyInstance, reached: () => void, late: Promise<void>) => void
  request?: string
  method?: string
  /** The client waits for it. */
  until?: RegExp
  isHuge?: true
  status?: number
  times: object
}

/** A stream that sends one part and then waits for ever. */
function endlessStream (reached?: () => void): Readable {
  let sent = false
  return new Readable({
    read () {
      if (sent) reached?.()
      else this.push('first')
      sent = true
    },
  })
}

const partingCases: PartingCase[] = [
  ...(['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const).map((hook): PartingCase => ({
    name: `in an ${hook} hook`,
    build (app, reached, late) {
      app.addHook(hook as 'onRequest', async () => {
        reached()
        await late
      })
      app.get('/', async () => 'nobody hears')
    },
    times: timesOf[hook],
  })),
  {
    name: 'in the handler',
    build (app, reached, late) {
      app.get('/', async () => {
        reached()
        await late
        return { nobody: 'hears' }
      })
    },
    times: STARTED_TIMES,
  },
  {
    name: 'in a handler that throws later',
    build (app, reached, late) {
      app.get('/', async () => {
        reached()
        await late
        throw new Error('nobody hears')
      })
    },
    times: STARTED_TIMES,
  },
  {
    name: 'in a handler that never replies',
    build (app, reached) { app.get('/', () => { reached() }) },
    times: STARTED_TIMES,
  },
  {
    name: 'during its upload',
    method: 'POST',
    request: requestText('POST', '/', { headers: { 'content-type': 'application/json', 'content-length': 100 }, body: '{"half":' }),
    build (app, reached) {
      app.addHook('preParsing', (request, _reply, payload, done) => {
        request.raw.once('data', reached)
        done(null, payload)
      })
      app.post('/', async () => 'never')
    },
    times: START_TIME,
  },
  {
    name: 'between head and body',
    build (app) {
      app.get('/', (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200).flushHeaders()
      })
    },
    until: /\r\n\r\n$/,
    status: 200,
    times: STARTED_TIMES,
  },
  {
    name: 'in the middle of server-sent events',
    build (app) {
      app.get('/', (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
        reply.raw.write('data: first\n\n')
      })
    },
    until: /first/,
    status: 200,
    times: STARTED_TIMES,
  },
  { name: 'in the middle of a stream', build (app) { app.get('/', async (_request, reply) => reply.send(endlessStream())) }, until: /first/, status: 200, times: ALL_TIMES },
  {
    name: 'in the middle of a stream that its application destroys then',
    build (app) {
      app.get('/', async (request, reply) => {
        const stream = endlessStream()
        request.raw.on('aborted', () => { stream.destroy(new Error('the client is gone')) })
        return reply.send(stream)
      })
    },
    until: /first/,
    status: 200,
    times: ALL_TIMES,
  },
  { name: 'in the middle of a web stream', build (app) { app.get('/', async () => Readable.toWeb(endlessStream())) }, until: /first/, status: 200, times: ALL_TIMES },
  { name: 'in the middle of a Response', build (app) { app.get('/', async () => new Response(Readable.toWeb(endlessStream()) as never)) }, until: /first/, status: 200, times: ALL_TIMES },
  { name: 'in the middle of a huge buffer', build (app) { app.get('/', async () => HUGE) }, until: /xxx/, isHuge: true, status: 200, times: ALL_TIMES },
  {
    name: 'while an error handler waits, after a stream had failed',
    build (app, reached) {
      app.setErrorHandler(() => { reached() })
      app.get('/', async (_request, reply) => reply.send(new Readable({ read () { this.destroy(new Error('no such file')) } })))
    },
    times: ALL_TIMES,
  },
]

t.test('clients that leave', async (t) => {
  for (const [parting, leave] of Object.entries(partings)) {
    for (const { name, build, method = 'GET', request = requestText(method, '/'), until, isHuge, status, times } of partingCases) {
      await t.test(`a client ${parting} ${name}`, async (t) => {
        const subject = await setUp(t)
        const reached = defer()
        const late = defer()
        build(subject.app, reached.resolve, late.promise)
        const client = openConnection(t, await subject.port(), request)
        if (until === undefined) await reached.promise
        else await client.read(until)
        // What is not read keeps the rest from being sent.
        client.socket.pause()
        const ended = once(subject.connections[0]!, 'end').catch(() => {})
        leave(client)
        if (isHuge && parting === 'closes its half') {
          // What is written before is still sent; until the client does not want it any more.
          await ended
          client.socket.destroy()
        }
        await subject.telemetry.waitForSpans(1)
        late.resolve()
        await nextTurn()
        await subject.expectRow(rows, status === undefined ? BEFORE_HEAD : AFTER_HEAD, requestSpan(method, '/', { status, error: 'client_disconnected', times }), status)
      })
    }
  }
})

t.test('requests that wait behind one that hangs, when the client leaves', async (t) => {
  for (const parting of ['closes', 'resets', 'closes its half']) {
    await t.test(`a client ${parting}`, async (t) => {
      const subject = await setUp(t)
      const { app } = subject
      const arrived = defer()
      app.get('/hangs', hang)
      app.get('/sent', async () => 'in the queue')
      app.post('/pending', async () => {
        arrived.resolve()
        await hang()
      })
      const client = openConnection(t, await subject.port(), [
        requestText('GET', '/hangs'),
        requestText('GET', '/sent'),
        requestText('POST', '/pending', { headers: { 'content-type': 'application/json', 'content-length': 2 }, body: '{}' }),
      ].join(''))
      await arrived.promise
      partings[parting]!(client)
      // The replies in the queue have been written, but no head of theirs was sent.
      const left = { error: 'client_disconnected' }
      const spans = await subject.telemetry.waitForSpans(3)
      const expected = {
        'GET /hangs': requestSpan('GET', '/hangs', { ...left, times: STARTED_TIMES }),
        'GET /sent': requestSpan('GET', '/sent', { ...left, times: ALL_TIMES }),
        'POST /pending': requestSpan('POST', '/pending', { ...left, times: STARTED_TIMES }),
      }
      // In which order is up to Node.js.
      t.same(spans.map(({ name }) => name).sort(), Object.keys(expected))
      await subject.expectSpans(spans.map(({ name }) => expected[name as keyof typeof expected]))
      rows.add(t, 'The client left while the request waited behind another of its connection', expected['GET /sent'], undefined)
    })
  }
})

t.test('a request in the queue that gets its turn when the connection is broken already', async (t) => {
  const subject = await setUp(t)
  subject.app.get('/huge', async () => HUGE)
  const arrived = defer()
  subject.app.get('/next', async () => {
    setImmediate(arrived.resolve)
    return 'in the queue'
  })
  const client = openConnection(t, await subject.port(), requestText('GET', '/huge') + requestText('GET', '/next'))
  await client.read(/xxx/)
  client.socket.pause()
  await arrived.promise
  client.socket.resetAndDestroy()
  await subject.expectSpans([
    requestSpan('GET', '/huge', { status: 200, error: 'client_disconnected', times: ALL_TIMES }),
    requestSpan('GET', '/next', { error: 'client_disconnected', times: ALL_TIMES }),
  ])
})

t.test('a client that leaves while a hook before the plugin waits', async (t) => {
  const cases: Record<string, { server?: object, spans: number, leave: (t: Test, port: number, entered: Promise<unknown>) => Promise<void> }> = {
    'HTTP/1.1': {
      spans: 1,
      async leave (t, port, entered) {
        const client = openConnection(t, port, requestText('GET', '/waits'))
        await entered
        client.socket.destroy()
      },
    },
    'HTTP/1.1, in the queue': {
      spans: 2,
      async leave (t, port, entered) {
        const client = openConnection(t, port, requestText('GET', '/hangs') + requestText('GET', '/waits'))
        await entered
        client.socket.destroy()
      },
    },
    'HTTP/2': {
      server: { http2: true },
      spans: 1,
      async leave (t, port, entered) {
        const stream = openStream(openSession(t, `http://127.0.0.1:${port}`), '/waits')
        await entered
        stream.close(8)
      },
    },
  }
  for (const [name, { server, spans, leave }] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const entered = defer()
      const left = defer()
      const subject = await setUp(t, {
        server,
        before (app) {
          app.addHook('onRequest', async (request) => {
            if (request.url !== '/waits') return
            // The connection's own end: the reply may never have one.
            const end = once(request.raw.socket, 'close')
            entered.resolve()
            await end
            await nextTurn()
            left.resolve()
          })
        },
      })
      subject.app.get('/waits', async () => 'nobody hears')
      subject.app.get('/hangs', hang)
      await leave(t, await subject.port(), entered.promise)
      await left.promise
      const ended = await subject.telemetry.waitForSpans(spans)
      t.match(ended.at(-1), { name: 'GET /waits', status: 'ERROR', attributes: { 'error.type': 'client_disconnected', 'http.response.status_code': undefined } })
      t.equal(subject.telemetry.openCount, 0)
      t.same(subject.complaints, [])
    })
  }
})

t.test('a handler that goes on after its client has left: its child spans keep their parent, nothing else is written', async (t) => {
  const subject = await setUp(t, { plugin: { extraSpans: true } })
  const { app, telemetry } = subject
  const entered = defer()
  const left = defer()
  const done = defer<FastifyRequest>()
  app.addHook('onSend', async (request) => { done.resolve(request) })
  app.post('/', async function goesOn (request) {
    trace.getTracer('app').startSpan('early').end()
    entered.resolve()
    await left.promise
    const late = trace.getTracer('app').startSpan('late')
    context.with(trace.setSpan(context.active(), late), () => { trace.getTracer('app').startSpan('later').end() })
    late.end()
    request.telemetry.setAttributes({ 'app.late': true })
    request.telemetry.inject({})
    return { nobody: 'hears' }
  })
  const text = requestText('POST', '/', { headers: { 'content-type': 'application/json', 'content-length': 2 }, body: '{}' })
  const client = openConnection(t, await subject.port(), text)
  await entered.promise
  client.socket.destroy()
  await telemetry.waitForSpans(4)
  left.resolve()
  const request = await done.promise
  t.equal(request.telemetry.span.isRecording(), false)
  const route = { 'http.route': '/', 'code.function.name': 'goesOn' }
  const handler = 'fastify.handler'
  await subject.expectSpans([
    { name: 'fastify.arguments', kind: 'INTERNAL', parent: 'POST /', attributes: { 'http.route': '/' } },
    { name: 'early', kind: 'INTERNAL', parent: handler, attributes: {} },
    { name: handler, kind: 'INTERNAL', parent: 'POST /', attributes: route },
    requestSpan('POST', '/', { error: 'client_disconnected', times: STARTED_TIMES, 'code.function.name': 'goesOn' }),
    { name: 'later', kind: 'INTERNAL', parent: 'late', attributes: {} },
    { name: 'late', kind: 'INTERNAL', parent: handler, attributes: {} },
  ])
})

t.test('streams that fail after their first byte, and replies that their application destroys', async (t) => {
  const failing = (end: (stream: Readable) => void): Readable => {
    let sent = false
    return new Readable({
      read () {
        if (sent) setImmediate(() => end(this))
        else this.push('first')
        sent = true
      },
    })
  }
  const cases: Array<{ name: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown, status?: number, times?: object }> = [
    { name: 'a stream that errors', handler: (_request, reply) => { reply.send(failing((stream) => stream.destroy(new Error('disk')))) }, status: 200 },
    {
      name: 'a stream whose source was reset',
      handler: (_request, reply) => { reply.send(failing((stream) => stream.destroy(Object.assign(new Error('upstream'), { code: 'ECONNRESET' })))) },
      status: 200,
    },
    { name: 'a stream that is destroyed', handler: (_request, reply) => { reply.send(failing((stream) => stream.destroy())) }, status: 200 },
    { name: 'a web stream that errors', handler: async () => Readable.toWeb(failing((stream) => stream.destroy(new Error('disk')))), status: 200 },
    { name: 'a Response that errors', handler: async () => new Response(Readable.toWeb(failing((stream) => stream.destroy(new Error('disk')))) as never), status: 200 },
    {
      name: 'a hijacked reply that is destroyed',
      handler (_request, reply) {
        reply.hijack()
        reply.raw.write('first', () => { reply.raw.destroy() })
      },
      status: 200,
      times: STARTED_TIMES,
    },
    {
      name: 'a hijacked reply that is destroyed with an error',
      handler (_request, reply) {
        reply.hijack()
        reply.raw.write('first', () => { reply.raw.destroy(Object.assign(new Error('upstream'), { code: 'ECONNRESET' })) })
      },
      status: 200,
      times: STARTED_TIMES,
    },
    {
      name: 'a hijacked reply that is destroyed at once',
      handler (_request, reply) {
        reply.hijack()
        reply.raw.destroy()
      },
      times: STARTED_TIMES,
    },
    {
      name: 'a socket that is destroyed before all is sent',
      handler (request) {
        setImmediate(() => { request.raw.socket.destroy() })
        return HUGE
      },
      status: 200,
    },
  ]
  for (const { name, handler, status, times = ALL_TIMES } of cases) {
    await t.test(name, async (t) => {
      const subject = await setUp(t)
      subject.app.get('/', (request, reply) => handler(request, reply) as never)
      const client = openConnection(t, await subject.port(), requestText('GET', '/'))
      if (status !== undefined) {
        await client.read(/\r\n\r\n/)
        t.match(client.text(), `HTTP/1.1 ${status}`)
        if (name.startsWith('a socket')) client.socket.pause()
      }
      await subject.telemetry.waitForSpans(1)
      const happening = status === undefined ? 'The server destroyed the reply before the head was sent' : 'The stream failed, or the server destroyed the reply, after the head was sent'
      await subject.expectRow(rows, happening, requestSpan('GET', '/', { status, error: 'response_stream_error', times }), status)
    })
  }
})

// ---- Timeouts ---------------------------------------------------------------------------------------------

t.test('timeouts', async (t) => {
  const cases: Array<{ name: string, server: object, build: (app: FastifyInstance) => void, request?: string, status?: number, span: ExpectedRequest, proves: string, isSilent?: true }> = [
    {
      name: 'connectionTimeout before the head',
      server: { connectionTimeout: 20 },
      build: (app) => { app.get('/', hang) },
      span: { times: STARTED_TIMES },
      proves: '`connectionTimeout` before the head was sent',
    },
    {
      name: 'connectionTimeout with an onTimeout hook',
      server: { connectionTimeout: 20 },
      build (app) {
        app.addHook('onTimeout', async () => {})
        app.get('/', hang)
      },
      span: { times: STARTED_TIMES },
      proves: '`connectionTimeout` before the head was sent',
    },
    {
      name: 'connectionTimeout in a stream',
      server: { connectionTimeout: 20 },
      build: (app) => { app.get('/', async (_request, reply) => reply.send(endlessStream())) },
      status: 200,
      span: { times: ALL_TIMES },
      proves: '`connectionTimeout` after the head was sent',
    },
    {
      name: 'connectionTimeout while a huge answer is not read',
      server: { connectionTimeout: 20 },
      build: (app) => { app.get('/', async () => HUGE) },
      status: 200,
      span: { times: ALL_TIMES },
      proves: '`connectionTimeout` after the head was sent',
      isSilent: true,
    },
    {
      name: 'requestTimeout',
      server: { requestTimeout: 100, http: { connectionsCheckingInterval: 10, headersTimeout: 50 } },
      build: (app) => { app.post('/', async () => 'never') },
      request: requestText('POST', '/', { headers: { 'content-type': 'application/json', 'content-length': 10 }, body: '{' }),
      span: { times: START_TIME },
      proves: '`requestTimeout`',
    },
    {
      name: 'handlerTimeout before the head',
      server: { handlerTimeout: 20 },
      build: (app) => { app.get('/', hang) },
      status: 503,
      span: { times: ALL_TIMES, exception: { type: 'FastifyError', message: "Request timed out after 20 ms on route '/'" } },
      proves: '`handlerTimeout` before the head was sent',
    },
    {
      name: 'handlerTimeout of a route, made a 504',
      server: {},
      build (app) {
        app.setErrorHandler((_error, _request, reply) => { reply.code(504).send('too late') })
        app.get('/', { handlerTimeout: 20 }, hang)
      },
      status: 504,
      span: { times: ALL_TIMES, exception: { type: 'FastifyError', message: "Request timed out after 20 ms on route '/'" } },
      proves: '`handlerTimeout` before the head was sent',
    },
    {
      name: 'handlerTimeout in a stream',
      server: { handlerTimeout: 20 },
      build: (app) => { app.get('/', async (_request, reply) => reply.send(endlessStream())) },
      status: 200,
      span: { times: ALL_TIMES },
      proves: '`handlerTimeout` after the head was sent',
    },
  ]
  for (const { name, server, build, request = requestText('GET', '/', { headers: { connection: 'close' } }), status, span, proves, isSilent } of cases) {
    await t.test(name, async (t) => {
      const subject = await setUp(t, { server })
      build(subject.app)
      const client = openConnection(t, await subject.port(), request)
      if (isSilent) {
        await client.read(/x/)
        client.socket.pause()
      } else {
        await client.closed
        if (status !== undefined) t.match(client.text(), `HTTP/1.1 ${status}`)
      }
      await subject.telemetry.waitForSpans(1)
      await subject.expectRow(rows, proves, requestSpan(request.startsWith('POST') ? 'POST' : 'GET', '/', { status, error: 'timeout', ...span }), status)
    })
  }

  await t.test('in the queue behind a request that records nothing', async (t) => {
    const subject = await setUp(t, { server: { connectionTimeout: 20 } })
    subject.app.get('/ignored', { config: { telemetry: false } }, hang)
    subject.app.get('/', async () => 'in the queue')
    const client = openConnection(t, await subject.port(), requestText('GET', '/ignored') + requestText('GET', '/'))
    await client.closed
    await subject.expectSpans([requestSpan('GET', '/', { error: 'timeout', times: ALL_TIMES })])
  })

  await t.test('a timeout that its application looks after is none', async (t) => {
    const subject = await setUp(t, { server: { connectionTimeout: 20 } })
    subject.app.get('/', async (_request, reply) => {
      await new Promise((resolve) => { reply.raw.once('timeout', resolve) })
      reply.hijack()
      reply.raw.destroy()
    })
    await openConnection(t, await subject.port(), requestText('GET', '/')).closed
    await subject.expectSpans([requestSpan('GET', '/', { error: 'response_stream_error', times: STARTED_TIMES })])
  })

  await t.test('a handler that goes on after handlerTimeout', async (t) => {
    const subject = await setUp(t, { server: { handlerTimeout: 20 } })
    const answered = defer()
    const done = defer()
    subject.app.get('/', async (_request, reply) => {
      await answered.promise
      trace.getTracer('app').startSpan('late').end()
      setImmediate(done.resolve)
      return 'too late'
    })
    t.equal((await send(await subject.port(), 'GET', '/')).statusCode, 503)
    await subject.telemetry.waitForSpans(1)
    answered.resolve()
    await done.promise
    await subject.expectSpans([
      requestSpan('GET', '/', { status: 503, error: 'timeout', times: ALL_TIMES, exception: { type: 'FastifyError', message: "Request timed out after 20 ms on route '/'" } }),
      { name: 'late', kind: 'INTERNAL', parent: 'GET /', attributes: {} },
    ])
  })
})

// ---- Closing ----------------------------------------------------------------------------------------------

t.test('app.close() with requests under way', async (t) => {
  await t.test('waits for a handler', async (t) => {
    const subject = await setUp(t)
    const entered = defer()
    const closing = defer()
    subject.app.addHook('preClose', async () => { closing.resolve() })
    subject.app.get('/', async () => {
      entered.resolve()
      await closing.promise
      return 'at last'
    })
    const answer = send(await subject.port(), 'GET', '/')
    await entered.promise
    await subject.app.close()
    t.equal((await answer).body, 'at last')
    await subject.expectSpans([requestSpan('GET', '/', { status: 200, times: ALL_TIMES })])
  })

  const cut: Array<{ name: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown, until?: RegExp, status?: number, times: object }> = [
    { name: 'a handler', handler: hang, times: STARTED_TIMES },
    { name: 'a stream', handler: async (_request, reply) => reply.send(endlessStream()), until: /first/, status: 200, times: ALL_TIMES },
    {
      name: 'a hijacked connection that never ends',
      handler (_request, reply) {
        reply.hijack()
        reply.raw.write('first')
      },
      until: /first/,
      status: 200,
      times: STARTED_TIMES,
    },
    { name: 'an answer that is not read', handler: async () => HUGE, until: /xxx/, status: 200, times: ALL_TIMES },
  ]
  for (const { name, handler, until, status, times } of cut) {
    await t.test(`forceCloseConnections cuts ${name}`, async (t) => {
      const subject = await setUp(t, { server: { forceCloseConnections: true } })
      const entered = defer()
      subject.app.get('/', (request, reply) => {
        entered.resolve()
        return handler(request, reply) as never
      })
      const client = openConnection(t, await subject.port(), requestText('GET', '/'))
      await entered.promise
      if (until !== undefined) await client.read(until)
      client.socket.pause()
      await subject.app.close()
      const happening = status === undefined ? '`app.close()` cut the connection before the head was sent' : '`app.close()` cut the connection after the head was sent'
      await subject.expectRow(rows, happening, requestSpan('GET', '/', { status, error: 'server_closing', times }), status)
    })
  }

  await t.test('a client that leaves while the application closes has left', async (t) => {
    const subject = await setUp(t)
    const entered = defer()
    const closing = defer()
    subject.app.addHook('preClose', async () => { closing.resolve() })
    subject.app.get('/', async () => {
      entered.resolve()
      await hang()
    })
    const client = openConnection(t, await subject.port(), requestText('GET', '/'))
    await entered.promise
    const closed = subject.app.close()
    await closing.promise
    client.socket.destroy()
    await closed
    await subject.expectSpans([requestSpan('GET', '/', { error: 'client_disconnected', times: STARTED_TIMES })])
  })

  await t.test('a stream that fails while the application closes has failed', async (t) => {
    const subject = await setUp(t)
    const closing = defer()
    subject.app.addHook('preClose', async () => { closing.resolve() })
    subject.app.get('/', (_request, reply) => {
      reply.hijack()
      reply.raw.write('first')
      closing.promise.then(() => { reply.raw.destroy(new Error('disk')) })
    })
    const client = openConnection(t, await subject.port(), requestText('GET', '/'))
    await client.read(/first/)
    await subject.app.close()
    await subject.expectSpans([requestSpan('GET', '/', { status: 200, error: 'response_stream_error', times: STARTED_TIMES })])
  })

  await t.test('a request of inject that hangs', async (t) => {
    const subject = await setUp(t)
    const entered = defer()
    subject.app.get('/', async () => {
      entered.resolve()
      await hang()
    })
    subject.app.inject({ url: '/', headers: { 'user-agent': 'test', host: '127.0.0.1:1' } }).catch(() => {})
    await entered.promise
    await subject.app.close()
    const { 'network.peer.port': _none, ...attributes } = requestSpan('GET', '/', { error: 'server_closing', times: STARTED_TIMES }).attributes
    await subject.expectSpans([{ ...requestSpan('GET', '/', { error: 'server_closing' }), attributes }])
  })
})

// ---- HTTP/2 and TLS ---------------------------------------------------------------------------------------

const HTTP2 = { 'network.protocol.version': '2' }

t.test('HTTP/2: answers', async (t) => {
  const subject = await setUp(t, { server: { http2: true } })
  const { app } = subject
  app.get('/', async () => ({ ok: true }))
  app.get('/stream', async (_request, reply) => reply.send(streamOf('one ', 'two')))
  app.get('/trailers', (_request, reply) => {
    reply.trailer('x-checksum', async () => 'abc')
    reply.send(streamOf('one ', 'two'))
  })
  app.get('/no-content', (_request, reply) => { reply.code(204).send() })
  app.get('/throws', async () => { throw new RangeError('no such thing') })
  app.post('/', async (request) => request.body)
  app.post('/limited', { bodyLimit: 10 }, async () => 'never')
  app.get('/hijack', (_request, reply) => {
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/head-and-no-end', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200)
  })
  const session = openSession(t, `http://127.0.0.1:${await subject.port()}`)
  const json = { ':method': 'POST', 'content-type': 'application/json' }
  const seen: unknown[] = []
  for (const [path, headers, body] of [
    ['/'], ['/', { ':method': 'HEAD' }], ['/head-and-no-end', { ':method': 'HEAD' }], ['/stream'], ['/trailers'], ['/no-content'], ['/throws'], ['/', json, '{"a":1}'], ['/limited', json, '{"a":"too long"}'], ['/hijack'], ['/nowhere'],
  ] as Array<[path: string, headers?: Record<string, string>, body?: string]>) {
    const answer = await sendHttp2(session, path, headers, body)
    seen.push([answer.status, answer.body])
  }
  session.close()
  t.match(seen, [[200, '{"ok":true}'], [200, ''], [200, ''], [200, 'one two'], [200, 'one two'], [204, ''], [500, /no such thing/], [200, '{"a":1}'], [413, /large/], [200, 'raw'], [404, /Not Found/]])
  const ok = { ...HTTP2, status: 200, times: ALL_TIMES }
  await subject.expectSpans([
    requestSpan('GET', '/', ok),
    requestSpan('HEAD', '/', ok),
    requestSpan('HEAD', '/head-and-no-end', ok),
    requestSpan('GET', '/stream', ok),
    requestSpan('GET', '/trailers', ok),
    requestSpan('GET', '/no-content', { ...ok, status: 204 }),
    requestSpan('GET', '/throws', { ...ok, status: 500, ...EXCEPTION }),
    requestSpan('POST', '/', ok),
    requestSpan('POST', '/limited', { ...ok, status: 413, ...parseError({ message: 'is larger than the limit', params: { limit: 10 } }) }),
    requestSpan('GET', '/hijack', ok),
    requestSpan('GET', '/nowhere', { ...ok, status: 404, route: null, times: ARGUMENT_TIMES }),
  ])
})

t.test('HTTP/2: answers that break off', async (t) => {
  type Session = ReturnType<typeof openSession>
  type Stream = ReturnType<typeof openStream>
  const left = { error: 'client_disconnected' }
  const failed = { error: 'response_stream_error' }
  const hijacked = (end: (reply: FastifyReply) => void) => (_request: FastifyRequest, reply: FastifyReply): void => {
    reply.hijack()
    reply.raw.writeHead(200)
    // Only what was sent can be seen to be sent.
    reply.raw.write('first', () => setImmediate(() => end(reply)))
  }
  const cases: Array<{
    name: string
    method?: 'HEAD'
    server?: object
    handler?: (request: FastifyRequest, reply: FastifyReply) => unknown
    /** The client waits for the first of the body, not for the handler alone. */
    afterHead?: true
    act?: (stream: Stream, session: Session, subject: Subject, socket: Socket) => void
    span: ExpectedRequest
    proves?: string
  }> = [
    ...[0, 2, 7, 8].map((code) => ({ name: `the client cancels with code ${code} in the handler`, act: (stream: Stream) => { stream.close(code) }, span: left, proves: BEFORE_HEAD })),
    { name: 'the client destroys its session in the handler', act: (_stream, session) => { session.destroy() }, span: left, proves: BEFORE_HEAD },
    { name: 'the client ends its session with an error', act: (_stream, session) => { session.destroy(new Error('bad server'), 2) }, span: left, proves: BEFORE_HEAD },
    { name: 'the client resets its connection', act: (_stream, _session, _subject, socket) => { socket.resetAndDestroy() }, span: left, proves: BEFORE_HEAD },
    // Node.js does not say `close` of its reply.
    { name: 'the client cancels a HEAD in the handler', method: 'HEAD', act: (stream) => { stream.close(8) }, span: left, proves: BEFORE_HEAD },
    {
      name: 'the application cancels the stream, and answers too late',
      handler: async (_request, { raw }) => {
        (raw as never as { stream: Stream }).stream.close(8)
        return 'too late'
      },
      span: { ...failed, times: ALL_TIMES },
      proves: 'The server destroyed the reply before the head was sent',
    },
    ...[0, 8].map((code) => ({
      name: `the client cancels with code ${code} in the middle of a stream`,
      handler: async (_request: FastifyRequest, reply: FastifyReply) => reply.send(endlessStream()),
      afterHead: true as const,
      act: (stream: Stream) => { stream.close(code) },
      span: { ...left, times: ALL_TIMES },
      proves: AFTER_HEAD,
    })),
    {
      name: 'the client cancels in the middle of a huge buffer',
      handler: async () => HUGE,
      afterHead: true,
      act: (stream) => { stream.close(8) },
      span: { ...left, times: ALL_TIMES },
      proves: AFTER_HEAD,
    },
    {
      name: 'the client cancels what was ended but not sent',
      handler (_request, reply) {
        reply.hijack()
        reply.raw.end(HUGE)
      },
      afterHead: true,
      act: (stream) => { stream.close(8) },
      span: left,
      proves: AFTER_HEAD,
    },
    { name: 'a stream errors', handler: async (_request, reply) => { const stream = endlessStream(() => stream.destroy(new Error('disk'))); return reply.send(stream) }, afterHead: true, span: { ...failed, times: ALL_TIMES } },
    { name: 'the reply is destroyed', handler: hijacked((reply) => { reply.raw.destroy() }), afterHead: true, span: failed },
    { name: 'the reply is destroyed with an error', handler: hijacked((reply) => { reply.raw.destroy(new Error('disk')) }), afterHead: true, span: failed },
    { name: 'the session is destroyed by the server', handler: hijacked(({ raw }) => { (raw as never as { stream: Stream }).stream.session!.destroy() }), afterHead: true, span: failed },
    {
      name: 'handlerTimeout in a stream',
      server: { handlerTimeout: 20 },
      handler: async (_request, reply) => reply.send(endlessStream()),
      afterHead: true,
      span: { error: 'timeout', times: ALL_TIMES },
      proves: '`handlerTimeout` after the head was sent',
    },
    {
      name: 'app.close() does not cut, but the client leaves',
      server: { forceCloseConnections: true },
      act (_stream, session, { app }) {
        app.close()
        session.destroy()
      },
      span: left,
      proves: BEFORE_HEAD,
    },
  ]
  for (const { name, method = 'GET', server, handler, afterHead, act, span, proves } of cases) {
    await t.test(name, async (t) => {
      const subject = await setUp(t, { server: { http2: true, ...server } })
      const entered = defer()
      subject.app.get('/', (request, reply) => {
        entered.resolve()
        return (handler ?? hang)(request, reply) as never
      })
      const port = await subject.port()
      const socket = connect(port, '127.0.0.1')
      const session = openSession(t, `http://127.0.0.1:${port}`, { createConnection: () => socket })
      const stream = openStream(session, '/', { ':method': method })
      await entered.promise
      if (afterHead) {
        await once(stream, 'data')
        if (act === undefined) stream.resume()
        else stream.pause()
      }
      act?.(stream, session, subject, socket)
      await subject.telemetry.waitForSpans(1)
      session.destroy()
      const status = afterHead ? 200 : undefined
      const happening = proves ?? 'The stream failed, or the server destroyed the reply, after the head was sent'
      await subject.expectRow(rows, happening, requestSpan(method, '/', { ...HTTP2, status, times: STARTED_TIMES, ...span }), status)
    })
  }
})

t.test('HTTP/2: a client that says good-bye still gets its answer', async (t) => {
  const subject = await setUp(t, { server: { http2: true } })
  const entered = defer()
  const leaving = defer()
  subject.app.get('/', async () => {
    entered.resolve()
    await leaving.promise
    return 'at last'
  })
  const session = openSession(t, `http://127.0.0.1:${await subject.port()}`)
  const answer = sendHttp2(session, '/')
  await entered.promise
  session.close()
  leaving.resolve()
  t.equal((await answer).body, 'at last')
  await subject.expectSpans([requestSpan('GET', '/', { ...HTTP2, status: 200, times: ALL_TIMES })])
})

t.test('HTTP/2: app.close() waits for a handler', async (t) => {
  const subject = await setUp(t, { server: { http2: true, forceCloseConnections: true } })
  const entered = defer()
  const closing = defer()
  subject.app.addHook('preClose', async () => { closing.resolve() })
  subject.app.get('/', async () => {
    entered.resolve()
    await closing.promise
    await nextTurn()
    return 'at last'
  })
  const answer = sendHttp2(openSession(t, `http://127.0.0.1:${await subject.port()}`), '/')
  await entered.promise
  await Promise.all([subject.app.close(), answer])
  t.equal((await answer).body, 'at last')
  await subject.expectSpans([requestSpan('GET', '/', { ...HTTP2, status: 200, times: ALL_TIMES })])
})

t.test('over TLS', async (t) => {
  const https = await startOrSkip(t, makeCertificate)
  if (https === undefined) return
  const TLS = { 'url.scheme': 'https' }

  await t.test('HTTPS: an answer, one that is not read, a client that leaves', async (t) => {
    const subject = await setUp(t, { server: { https } })
    const { app } = subject
    const entered = defer()
    app.get('/', async () => 'ok')
    app.get('/huge', async () => HUGE)
    app.get('/hangs', async () => {
      entered.resolve()
      await hang()
    })
    const port = await subject.port()
    const whole = openConnection(t, port, requestText('GET', '/', { headers: { connection: 'close' } }), { isTls: true })
    await whole.closed
    t.match(whole.text(), /^HTTP\/1\.1 200 [^]*ok$/)
    await subject.telemetry.waitForSpans(1)
    const huge = openConnection(t, port, requestText('GET', '/huge'), { isTls: true })
    await huge.read(/xxx/)
    huge.socket.pause()
    huge.socket.destroy()
    await subject.telemetry.waitForSpans(2)
    const hanging = openConnection(t, port, requestText('GET', '/hangs'), { isTls: true })
    await entered.promise
    hanging.socket.destroy()
    await subject.expectSpans([
      requestSpan('GET', '/', { ...TLS, status: 200, times: ALL_TIMES }),
      requestSpan('GET', '/huge', { ...TLS, status: 200, error: 'client_disconnected', times: ALL_TIMES }),
      requestSpan('GET', '/hangs', { ...TLS, error: 'client_disconnected', times: STARTED_TIMES }),
    ])
  })

  await t.test('HTTPS: connectionTimeout and app.close()', async (t) => {
    for (const [server, error] of [[{ connectionTimeout: 50 }, 'timeout'], [{ forceCloseConnections: true }, 'server_closing']] as const) {
      const subject = await setUp(t, { server: { https, ...server } })
      subject.app.get('/', async () => HUGE)
      const client = openConnection(t, await subject.port(), requestText('GET', '/'), { isTls: true })
      await client.read(/xxx/)
      client.socket.pause()
      if (error === 'server_closing') await subject.app.close()
      await subject.expectSpans([requestSpan('GET', '/', { ...TLS, status: 200, error, times: ALL_TIMES })])
    }
  })

  await t.test('HTTP/2 with HTTP/1.1 beside it', async (t) => {
    const subject = await setUp(t, { server: { http2: true, https: { ...https, allowHTTP1: true } } })
    const { app } = subject
    const entered = defer()
    app.get('/', async () => 'ok')
    app.get('/hangs', async () => {
      entered.resolve()
      await hang()
    })
    const port = await subject.port()
    const session = openSession(t, `https://127.0.0.1:${port}`)
    t.equal((await sendHttp2(session, '/')).body, 'ok')
    const old = openConnection(t, port, requestText('GET', '/', { headers: { connection: 'close' } }), { isTls: true })
    await old.closed
    t.match(old.text(), /^HTTP\/1\.1 200 [^]*ok$/)
    await subject.telemetry.waitForSpans(2)
    const stream = openStream(session, '/hangs')
    await entered.promise
    stream.close(8)
    await subject.telemetry.waitForSpans(3)
    session.destroy()
    await subject.expectSpans([
      requestSpan('GET', '/', { ...TLS, ...HTTP2, status: 200, times: ALL_TIMES }),
      requestSpan('GET', '/', { ...TLS, status: 200, times: ALL_TIMES }),
      requestSpan('GET', '/hangs', { ...TLS, ...HTTP2, error: 'client_disconnected', times: STARTED_TIMES }),
    ])
  })
})

// ---- Without a network, and in a process that is told to end ------------------------------------------------

t.test('app.inject', async (t) => {
  const subject = await setUp(t)
  const { app } = subject
  app.get('/', async () => 'ok')
  app.get('/stream', async (_request, reply) => reply.send(streamOf('one ', 'two')))
  app.get('/throws', async () => { throw new RangeError('no such thing') })
  app.get('/fails', async (_request, reply) => { const stream = endlessStream(() => stream.destroy(new Error('disk'))); return reply.send(stream) })
  const inject = (url: string) => app.inject({ url, headers: { 'user-agent': 'test', host: '127.0.0.1:1' } })
  t.same([(await inject('/')).body, (await inject('/stream')).body, (await inject('/throws')).statusCode], ['ok', 'one two', 500])
  await t.rejects(inject('/fails'))
  const span = (...args: Parameters<typeof requestSpan>): ExpectedSpan => {
    const { attributes: { 'network.peer.port': _none, ...attributes }, ...rest } = requestSpan(...args)
    return { ...rest, attributes } as ExpectedSpan
  }
  await subject.expectSpans([
    span('GET', '/', { status: 200, times: ALL_TIMES }),
    span('GET', '/stream', { status: 200, times: ALL_TIMES }),
    span('GET', '/throws', { status: 500, times: ALL_TIMES, ...EXCEPTION }),
    span('GET', '/fails', { status: 200, times: ALL_TIMES, error: 'response_stream_error' }),
  ])
})

t.test('a process that gets SIGTERM', async (t) => {
  const script = `
    import Fastify from 'fastify'
    import otelPlugin from 'fastify-schema-telemetry'
    import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
    const telemetry = createTestTelemetry()
    const app = Fastify(JSON.parse(process.env.SERVER))
    await app.register(otelPlugin)
    const closing = new Promise((resolve) => { app.addHook('preClose', async () => resolve()) })
    app.get('/answers', async () => { console.log('entered'); await closing; return 'at last' })
    app.get('/hangs', async () => { console.log('entered'); await new Promise(() => {}) })
    process.once('SIGTERM', async () => {
      await app.close()
      console.log('ended ' + JSON.stringify([telemetry.openCount, telemetry.tree()]))
    })
    console.log(await app.listen({ port: 0, host: '127.0.0.1' }))`
  const cases = [
    { path: '/answers', server: {}, answer: 200, tree: 'GET /answers  200' },
    { path: '/hangs', server: { forceCloseConnections: true }, answer: undefined, tree: /^GET \/hangs {2}.*server_closing/ },
  ]
  for (const { path, server, answer, tree } of cases) {
    const program = runProgram(['--input-type=module', '-e', script], { SERVER: JSON.stringify(server) })
    const [, port] = await program.waitFor(/http:\/\/127\.0\.0\.1:(\d+)/)
    const status = send(Number(port), 'GET', path).then(({ statusCode }) => statusCode, () => undefined)
    await program.waitFor(/entered/)
    t.equal(await program.end('SIGTERM'), 0, program.output())
    const [openCount, text] = JSON.parse(/ended (.*)/.exec(program.output())![1]!)
    t.equal(await status, answer)
    t.equal(openCount, 0)
    t.match(text, tree)
  }
})

// ---- Whatever is thrown -------------------------------------------------------------------------------------

t.test('errors of every kind', async (t) => {
  const withGetter = (name: string): Error => Object.defineProperty(new RangeError('text'), name, { get () { throw new Error(`${name} getter`) } })
  const revoked = (): unknown => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  const cycle = (): Error => {
    const error = new RangeError('one')
    error.cause = new TypeError('other', { cause: error })
    return error
  }
  const deep = (): Error => Array.from({ length: 50 }).reduce<Error>((cause, _none, index) => new RangeError(`level ${index}`, { cause }), new Error('root'))
  /** What the event has of the value: its class, its message, and whether it has a stack (`undefined`: that is up to the flags of Node.js). */
  type Told = [type: string, message?: string, hasStack?: boolean | undefined]
  const cases: Array<{ name: string, make: () => unknown, status?: number, error?: string, told?: Told, stack?: RegExp[] }> = [
    { name: 'null', make: () => null, error: '500', told: ['object'] },
    { name: 'undefined', make: () => undefined, error: '500', told: ['undefined'] },
    { name: 'a string', make: () => 'text', error: '500', told: ['string', 'text'] },
    { name: 'a number', make: () => 5, error: '500', told: ['number'] },
    { name: 'a symbol', make: () => Symbol('text'), error: '500', told: ['symbol'] },
    { name: 'an object without a prototype', make: () => Object.create(null), error: '500', told: ['object'] },
    { name: 'an object', make: () => ({ message: 5, stack: {} }), error: 'Object', told: ['Object'] },
    { name: 'a frozen object', make: () => Object.freeze({ message: 'text' }), error: 'Object', told: ['Object', 'text'] },
    { name: 'a frozen error', make: () => Object.freeze(new RangeError('text')), error: 'RangeError', told: ['RangeError', 'text', true] },
    { name: 'an error whose message throws', make: () => withGetter('message'), error: 'RangeError', told: ['RangeError', undefined, undefined] },
    { name: 'an error whose stack throws', make: () => withGetter('stack'), error: 'RangeError', told: ['RangeError', 'text'] },
    { name: 'an error whose code throws', make: () => withGetter('code'), error: 'RangeError', told: ['RangeError', 'text', true] },
    { name: 'an error whose class throws', make: () => withGetter('constructor'), error: '500', told: ['object', 'text', true] },
    { name: 'an error whose cause throws', make: () => withGetter('cause'), error: 'RangeError', told: ['RangeError', 'text', true] },
    // Fastify asks them for a status code, fails, and answers 200.
    { name: 'a proxy that throws', make: () => new Proxy(new Error('text'), { get () { throw new Error('get') }, has () { throw new Error('has') } }), status: 200 },
    { name: 'a revoked proxy', make: revoked, status: 200 },
    {
      name: 'a cycle of causes',
      make: cycle,
      error: 'RangeError',
      told: ['RangeError', 'one', true],
      stack: [/^RangeError: one\n[^]*\nCaused by: TypeError: other\n/, /^(?:(?!Caused by)[^])*Caused by(?:(?!Caused by)[^])*$/],
    },
    {
      name: 'a deep chain of causes',
      make: deep,
      error: 'RangeError',
      told: ['RangeError', 'level 49', true],
      stack: [/Caused by: RangeError: level 45/, /^(?![^]*level 44)/],
    },
    {
      name: 'an AggregateError',
      make: () => new AggregateError(Array.from({ length: 1000 }, (_none, index) => new TypeError(`inner ${index}`)), 'text'),
      error: 'AggregateError',
      told: ['AggregateError', 'text', true],
      stack: [/Caused by: TypeError: inner 3/, /^(?![^]*inner 4)/],
    },
    {
      name: 'a message without end',
      make: () => new RangeError(`password=canary ${'m'.repeat(1_000_000)}`),
      error: 'RangeError',
      told: ['RangeError', `password=[scrubbed] ${'m'.repeat(1004)}…`, true],
      stack: [/^RangeError: password=\[scrubbed\] m{8000}/, /^[^]{8000,8200}$/],
    },
  ]
  for (const { name, make, status = 500, error, told, stack = [] } of cases) {
    for (const style of ['thrown', 'rejected with'] as const) {
      await t.test(`${name}, ${style}`, async (t) => {
        const subject = await setUp(t)
        subject.app.get('/', style === 'thrown' ? () => { throw make() } : async () => { throw make() })
        t.equal((await send(await subject.port(), 'GET', '/')).statusCode, status)
        const [{ events: [event] }] = await subject.telemetry.waitForSpans(1) as [PlainSpan]
        const { 'exception.stacktrace': stacktrace } = event?.attributes ?? {}
        const expected = requestSpan('GET', '/', { status, error, times: ALL_TIMES })
        if (told !== undefined) {
          const [type, message, hasStack = told.length === 3 ? stacktrace !== undefined : false] = told
          const attributes = { 'exception.message': message, 'exception.stacktrace': hasStack ? 'string' : undefined }
          expected.events = [{
            name: 'exception',
            attributes: { 'exception.type': type, ...Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) },
          }]
        }
        await subject.expectSpans([expected])
        for (const pattern of stack) t.match(stacktrace, pattern)
        t.notMatch(JSON.stringify(subject.telemetry.spans), /canary/)
        if (error === '500') rows.add(t, 'The answer was sent whole, 5xx after something without a class was thrown', expected, status)
      })
    }
  }
})

t.test('docs/lifecycle.md has the rows that were proven here, and no others', async (t) => { rows.check(t, 'Requests') })
