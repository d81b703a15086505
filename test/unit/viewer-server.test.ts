import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance, type preHandlerHookHandler } from 'fastify'
import viewer, { createTraceStore, type TraceStore, type ViewerOptions } from 'fastify-schema-telemetry/viewer'
import t, { type Test } from 'tap'
import { SCRIPT, SCRIPT_HASH, STYLE } from '../../lib/viewer/page-assets.ts'
import { spanWatchers } from '../../lib/span-watchers.ts'
import type { TraceDetail, TraceList, TraceSummary } from '../../lib/viewer/wire.ts'
import { listen, portOf, send, sendRaw, type Answer } from '../helpers/http.ts'
import { incoming, incomingRequest } from '../helpers/viewer-spans.ts'
import { openLive, otlpJson, otlpSpan, saidOf, spanIdOf, traceIdOf } from '../helpers/viewer.ts'

t.jobs = 1

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

interface Viewer {
  app: FastifyInstance
  port: number
  store: TraceStore
}

async function start (t: Test, options: ViewerOptions = {}, prepare: (app: FastifyInstance) => void = () => {}): Promise<Viewer> {
  const app = Fastify({ bodyLimit: 1000 })
  const store = options.store ?? createTraceStore()
  prepare(app)
  await app.register(viewer, { prefix: '/telemetry', store, ...options })
  t.teardown(() => app.close())
  return { app, port: await listen(app), store }
}

const get = (port: number, path: string, headers = {}): Promise<Answer> => send(port, 'GET', `/telemetry${path}`, { headers })
const post = (port: number, body: unknown, headers = {}): Promise<Answer> => send(port, 'POST', '/telemetry/v1/traces', { body, headers })
const read = <Body>({ body }: Answer): Body => JSON.parse(body)

t.test('options are checked, and production wants a guard', async (t) => {
  const app = Fastify()
  const cases: Array<[options: object, code: string, message: RegExp]> = [
    [{ maxTraces: 0 }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /viewer: option "maxTraces" must be an integer from 1 to 100000, received 0/],
    [{ maxBytes: 5 }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /"maxBytes" must be an integer of bytes, 1048576 or more/],
    [{ guard: true }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /"guard" must be a preHandler hook/],
    [{ store: {} }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /"store" must be a store of createTraceStore\(\)/],
    [{ traces: 1 }, 'FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION', /"traces" is not known/],
    [{ store: createTraceStore(), maxTraces: 5 }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /give them to createTraceStore/],
    [{ store: createTraceStore(), maxBytes: 2 ** 20 }, 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', /give them to createTraceStore/],
  ]
  for (const [options, code, message] of cases) {
    const error = await viewer(app, options).then(() => undefined, (error: unknown) => error)
    t.match(error, { code, message })
  }
  t.throws(() => createTraceStore({ maxTraces: 1.5 }), { message: /createTraceStore: option "maxTraces"/ })
  t.throws(() => createTraceStore(null as never), { message: /options must be an object/ })

  const { NODE_ENV } = process.env
  t.teardown(() => {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = NODE_ENV
  })
  process.env.NODE_ENV = 'production'
  const refused = Fastify()
  const error = await refused.register(viewer, { prefix: '/telemetry' }).ready().then(() => undefined, (error: unknown) => error)
  t.match(error, { code: 'FST_SCHEMA_TELEMETRY_INVALID_OPTION', message: /option "guard" must be .* when NODE_ENV is "production"/ })
  const withCallback: preHandlerHookHandler = (_request, _reply, done) => { done() }
  const guarded = Fastify()
  await guarded.register(viewer, { prefix: '/telemetry', guard: withCallback }).ready()
  t.ok(guarded.hasRoute({ method: 'GET', url: '/telemetry/api/traces' }))
  await guarded.close()
})

t.test('the page and its assets, with the headers that keep it safe', async (t) => {
  const { port, store } = await start(t)
  store.add(incoming())
  for (const path of ['', '/', '/failures', '/traces', `/traces/${traceIdOf(1)}`, '/?a=b']) {
    const answer = await get(port, path)
    t.equal(answer.statusCode, 200, path)
    t.match(answer.headers['content-type'], /^text\/html/)
    const [, base] = /name="viewer-base" content="([^"]*)"/.exec(answer.body)!
    const script = await send(port, 'GET', new URL(`${base}viewer.js`, `http://localhost/telemetry${path}`).pathname)
    t.equal(script.body, SCRIPT, path)
  }
  const script = await get(port, '/viewer.js')
  t.match(script.headers, { 'content-type': 'text/javascript; charset=utf-8', etag: `"${SCRIPT_HASH}"`, 'cache-control': 'no-cache' })
  t.match(await get(port, '/viewer.js', { 'if-none-match': `"${SCRIPT_HASH}"` }), { statusCode: 304, body: '' })
  t.match(await get(port, '/viewer.css'), { statusCode: 200, body: STYLE, headers: { 'content-type': 'text/css; charset=utf-8' } })
  for (const path of ['', '/viewer.js', '/viewer.css', '/api/traces', `/api/traces/${traceIdOf(1)}`, '/api/traces/none', '/api/failures']) {
    const { headers } = await get(port, path)
    t.match(headers, { 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-resource-policy': 'same-origin' }, path)
    t.equal(headers['cache-control'], path.startsWith('/viewer.') ? 'no-cache' : 'no-store', path)
  }
  t.equal((await send(port, 'HEAD', '/telemetry/api/live')).statusCode, 404)
  t.match(await send(port, 'HEAD', '/telemetry/'), { statusCode: 200, body: '', headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY } })
  const atRoot = Fastify()
  await atRoot.register(viewer)
  t.match((await atRoot.inject({ url: '/nowhere', headers: { host: 'localhost' } })).json(), { message: 'Route GET:/nowhere not found' })
  await atRoot.close()
  t.match(await get(port, '/nowhere'), { statusCode: 404, body: '{"message":"Nothing is here."}', headers: { 'content-security-policy': POLICY } })
})

t.test('list, search, detail, failures and clearing', async (t) => {
  const { port, store } = await start(t)
  for (let number = 1; number <= 3; number++) store.add(incomingRequest({ traceId: traceIdOf(number), startMillis: 5000 - number, endMillis: 6000, more: { 'app.number': `number ${number}` } }))
  store.add(incomingRequest({ traceId: traceIdOf(2), spanId: spanIdOf(2), parentSpanId: spanIdOf(1), startMillis: 1, endMillis: 2, more: { 'fastify.arguments.error_count': 1 } }))
  const list = read<TraceList>(await get(port, '/api/traces'))
  t.same(list.traces.map(({ traceId }) => traceId), [1, 3, 2].map(traceIdOf), 'newest first')
  t.same(list.state, store.state())
  t.same(read<TraceList>(await get(port, '/api/traces?text=NUMBER%203')).traces.map(({ traceId }) => traceId), [traceIdOf(3)])
  t.same(read<TraceList>(await get(port, '/api/traces?text=nowhere')).traces, [])
  t.equal(read<TraceList>(await get(port, '/api/traces?text=a&text=b')).traces.length, 3, 'two texts are none')

  const detail = read<TraceDetail>(await get(port, `/api/traces/${traceIdOf(2).toUpperCase()}`))
  t.same(detail.spans.map(({ spanId }) => spanId), [2, 1].map(spanIdOf), 'in the order of their starts')
  t.match(detail, { summary: { spanCount: 2, validationErrors: 1 }, droppedSpans: 0 })
  t.match(await get(port, '/api/traces/nothing'), { statusCode: 404, body: /"message":"This trace is not there/ })

  const [first, second] = await Promise.all([get(port, '/api/failures'), get(port, '/api/failures')])
  t.match(read(first!), { fields: [{ route: '/users/:id', count: 1, traceIds: [traceIdOf(2)] }], routes: [{ requests: 4 }] })
  t.equal(first!.body, second!.body)
  store.add(incomingRequest({ traceId: traceIdOf(4) }))
  t.match(read(await get(port, '/api/failures')), { routes: [{ requests: 5 }] }, 'not that of before')

  t.match(read(await send(port, 'DELETE', '/telemetry/api/traces')), { traces: 0, bytes: 0 })
  t.equal(read<TraceList>(await get(port, '/api/traces')).traces.length, 0)

  // Long answers come in pieces.
  for (let number = 1; number <= 2000; number++) store.add(incoming({ traceId: traceIdOf(7), spanId: spanIdOf(number), attributes: [['text', 'δ'.repeat(100)]], startMillis: number }))
  t.equal(read<TraceDetail>(await get(port, `/api/traces/${traceIdOf(7)}`)).spans.length, 2000)
})

t.test('who is not of this machine is refused, and a guard decides otherwise', async (t) => {
  const { app, port, store } = await start(t)
  const evil: Array<[name: string, headers: Record<string, string>]> = [
    ['rebound name', { host: 'evil.example' }], ['origin', { origin: 'http://evil.example' }], ['other port', { origin: `http://localhost:${port + 1}` }], ['sandbox', { origin: 'null' }],
    ['cross-site', { 'sec-fetch-site': 'cross-site' }], ['proxy', { 'x-forwarded-for': '10.0.0.1' }],
  ]
  for (const [name, headers] of evil) {
    for (const [method, path] of [['GET', ''], ['GET', '/api/traces'], ['GET', '/api/live'], ['GET', '/viewer.js'], ['DELETE', '/api/traces']]) {
      const answer = await send(port, method!, `/telemetry${path}`, { headers })
      t.equal(answer.statusCode, 403, `${name}: ${method} ${path}`)
      t.match(answer.headers, { 'content-security-policy': POLICY })
      t.equal(typeof read<{ message: string }>(answer).message, 'string')
    }
    t.equal((await post(port, otlpJson([otlpSpan(1)]), headers)).statusCode, 403, `${name}: POST`)
    const protobuf = await post(port, Buffer.alloc(0), { ...headers, 'content-type': 'application/x-protobuf' })
    t.match(protobuf, { statusCode: 403, headers: { 'content-type': 'application/x-protobuf' }, body: /The viewer/ }, 'in the encoding of the sender')
  }
  t.equal(store.state().traces, 0)
  t.equal((await app.inject({ url: '/telemetry/api/traces', remoteAddress: '10.1.2.3', headers: { host: 'localhost' } })).statusCode, 403)
  t.equal((await post(port, otlpJson([]), { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' })).statusCode, 200)

  const asked: string[] = []
  const guarded = await start(t, {
    guard: async (request, reply) => {
      asked.push(request.url)
      if (request.headers.authorization !== 'Bearer letmein') await reply.code(401).send('no')
    },
  })
  const authorization = 'Bearer letmein'
  for (const path of ['', '/viewer.js', '/api/traces', '/api/failures', '/api/live']) t.equal((await get(guarded.port, path, { host: 'traces.example' })).statusCode, 401, path)
  t.equal((await post(guarded.port, otlpJson([otlpSpan(1)]), { host: 'traces.example' })).statusCode, 401)
  t.equal(guarded.store.state().traces, 0)
  t.equal((await post(guarded.port, otlpJson([otlpSpan(1)]), { host: 'traces.example', authorization })).statusCode, 200)
  t.equal((await get(guarded.port, '/api/traces', { host: 'traces.example', authorization })).statusCode, 200)
  t.equal((await guarded.app.inject({ url: '/telemetry/', remoteAddress: '10.1.2.3', headers: { host: 'traces.example', authorization } })).statusCode, 200)
  t.equal((await get(guarded.port, '/api/traces', { host: 'traces.example', authorization, origin: 'https://evil.example' })).statusCode, 403)
  t.equal(asked.length, 9, 'it is asked by whatever the rules let pass')
})

t.test('posts are taken as OTLP in JSON or protobuf, and as nothing else', async (t) => {
  const { port, store } = await start(t, {}, (app) => {
    // The application's own ways with bodies, and with errors, are not those of the viewer.
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
    app.setErrorHandler(async () => 'the application says')
    app.setSerializerCompiler(() => () => { throw new Error('not for the viewer') })
    app.post('/own', async (request) => request.body)
  })
  t.match(await post(port, otlpJson([otlpSpan(1), otlpSpan(2)])), { statusCode: 200, body: '{}', headers: { 'content-type': /^application\/json/ } })
  t.equal(store.state().traces, 2)
  t.match(await post(port, Buffer.alloc(0), { 'content-type': 'application/x-protobuf' }), { statusCode: 200, body: '', headers: { 'content-type': 'application/x-protobuf' } })
  const partial = await post(port, otlpJson([otlpSpan(3), { name: 'no ids' }]))
  t.match(read(partial), { partialSuccess: { rejectedSpans: '1', errorMessage: /1 spans without valid ids/ } })
  t.match(store.state(), { traces: 3, droppedSpans: 1 })
  const big = JSON.stringify(otlpJson([otlpSpan(4, { attributes: [{ key: 'k', value: { stringValue: 'x'.repeat(1_000_000) } }] })]))
  t.equal((await post(port, gzipSync(big), { 'content-type': 'application/json; charset=utf-8', 'content-encoding': 'gzip' })).statusCode, 200)
  t.equal((store.get(traceIdOf(4))!.spans.get(spanIdOf(1)) ?? [...store.get(traceIdOf(4))!.spans.values()][0])!.span.attributes.k!.toString().length, 65_536)

  const before = store.state().revision
  const bombs = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  const refused: Array<[name: string, statusCode: number, body: unknown, headers: object]> = [
    ['a form', 415, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }], ['text', 415, JSON.stringify(otlpJson([otlpSpan(9)])), { 'content-type': 'text/plain' }],
    ['nothing said', 415, '{}', {}], ['no body', 415, undefined, {}], ['empty', 400, '', { 'content-type': 'application/json' }],
    ['no JSON', 400, '{"resourceSpans":', { 'content-type': 'application/json' }], ['deep JSON', 400, '['.repeat(1_000_000), { 'content-type': 'application/json' }],
    ['a bomb', 413, bombs, { 'content-type': 'application/json', 'content-encoding': 'gzip' }], ['a bomb', 413, bombs, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' }],
    ['an encoding', 415, '{}', { 'content-type': 'application/json', 'content-encoding': 'br' }], ['no gzip', 400, '{}', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    ['no protobuf', 400, 'text', { 'content-type': 'application/x-protobuf' }],
    ['rubbish in numbers', 400, otlpJson(Array.from({ length: 10_001 }, () => ({}))), {}],
  ]
  for (const [name, statusCode, body, headers] of refused) {
    t.equal((await post(port, body, headers)).statusCode, statusCode, name)
  }
  t.match(await sendRaw(port, `POST /telemetry/v1/traces HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${8 * 1024 * 1024 + 1}\r\n\r\n`),
    /^HTTP\/1\.1 413 /, 'too large')
  t.match(await post(port, 'text', { 'content-type': 'application/x-protobuf' }), { headers: { 'content-type': 'application/x-protobuf' }, body: /The body is no OTLP/ })
  t.equal(store.state().revision, before, 'nothing of that is kept')
  t.match(await send(port, 'POST', '/own', { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }), { body: 'a=b' })
  t.match(await send(port, 'POST', '/own', { body: 'x'.repeat(2000), headers: { 'content-type': 'application/x-www-form-urlencoded' } }), { body: 'the application says' }, 'nor has it another bound')
})

t.test('posts at the same time are bounded', async (t) => {
  const { port } = await start(t)
  const open = Array.from({ length: 16 }, () => connect(port, '127.0.0.1'))
  t.teardown(() => open.forEach((socket) => socket.destroy()))
  for (const socket of open) {
    socket.on('error', () => {})
    // The server says that it waits for the body: by then the post counts.
    socket.write('POST /telemetry/v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n')
    await once(socket, 'data')
  }
  t.match(await post(port, {}), { statusCode: 503, headers: { 'retry-after': '1' } })
  open[0]!.write('{}')
  await once(open[0]!, 'data')
  open[1]!.destroy()
  let answer = await post(port, {})
  while (answer.statusCode === 503) answer = await post(port, {})
  t.equal(answer.statusCode, 200, 'as others end there is room')
})

t.test('an error of the viewer itself is one line in the log, and says nothing to others', async (t) => {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'info', stream: { write: (line: string) => { lines.push(line) } } } })
  const store = createTraceStore()
  await app.register(viewer, { prefix: '/telemetry', store })
  t.teardown(() => app.close())
  const port = await listen(app)
  lines.length = 0
  await get(port, '/api/traces')
  t.same(lines, [], 'requests of the viewer are not logged')
  store.state = () => { throw new Error('secret detail') }
  t.match(await get(port, '/api/failures'), { statusCode: 500, body: '{"message":"The viewer failed."}' })
  t.equal(lines.length, 1)
  t.match(lines[0], /secret detail/)
})

t.test('the live stream: what is there, what changes, what goes', async (t) => {
  const store = createTraceStore({ maxTraces: 3 })
  const { port } = await start(t, { store })
  store.add(incoming({ traceId: traceIdOf(1), endMillis: null }))
  const page = await openLive(port, '/telemetry/api/live')
  t.match(page.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'content-security-policy': POLICY, connection: 'close' })
  await page.until((events) => saidOf(events, 'traces').length === 1)
  t.equal(page.events[0]!.name, 'hello')
  t.match(saidOf(page.events, 'traces')[0], [{ traceId: traceIdOf(1), durationMillis: null }], 'a running trace')
  store.add(incoming({ traceId: traceIdOf(1) }))
  for (let number = 2; number <= 5; number++) store.add(incoming({ traceId: traceIdOf(number) }))
  await page.until((events) => saidOf(events, 'mark').length === 2 && saidOf(events, 'state').length > 0)
  t.same(saidOf(page.events, 'removed'), [[traceIdOf(1), traceIdOf(2)]])
  t.same(saidOf(page.events, 'traces')[1]!.map(({ traceId }) => traceId), [3, 4, 5].map(traceIdOf), 'one event for all, and only of what is there')
  t.match(saidOf(page.events, 'state').at(-1), store.state())
  const lastId = page.events.findLast(({ id }) => id !== undefined)!.id!
  page.leave()

  const again = async (path: string, headers = {}) => {
    const page = await openLive(port, `/telemetry/api/live${path}`, { headers })
    store.add(incoming({ traceId: traceIdOf(100), spanId: spanIdOf(store.state().revision) }))
    await page.until((events) => saidOf(events, 'traces').flat().some(({ traceId }) => traceId === traceIdOf(100)) && events.at(-1)!.name === 'mark')
    page.leave()
    return page.events
  }
  const traceIds = (lists: TraceSummary[][]) => [...new Set(lists.flat().map(({ traceId }) => traceId))]
  const resumed = await again('?since=0', { 'last-event-id': lastId })
  t.same(traceIds(saidOf(resumed, 'traces')), [traceIdOf(100)], 'only what is new')
  t.same(saidOf(resumed, 'removed').flat(), [traceIdOf(3)])
  t.same(traceIds(saidOf(await again(`?since=${store.state().revision}`), 'traces')), [traceIdOf(100)])
  const other = await again('', { 'last-event-id': 'another-store:5' })
  t.equal(saidOf(other, 'reload').length, 1, 'a server that was started anew')
  t.same(traceIds(saidOf(other, 'traces')).toSorted(), [4, 5, 100].map(traceIdOf).toSorted())
  for (let number = 6; number <= 20; number++) store.add(incoming({ traceId: traceIdOf(number) }))
  t.equal(saidOf(await again('?since=1'), 'reload').length, 1, 'too long ago')

  const filtered = await openLive(port, '/telemetry/api/live?text=wanted')
  store.add(incoming({ traceId: traceIdOf(30), name: 'other' }))
  store.add(incoming({ traceId: traceIdOf(31), attributes: [['key', 'is WANTED']] }))
  await filtered.until((events) => saidOf(events, 'traces').length > 0)
  t.same(traceIds(saidOf(filtered.events, 'traces')), [traceIdOf(31)])
  store.clear()
  await filtered.until((events) => saidOf(events, 'removed').flat().includes(traceIdOf(30)))
  await filtered.until((events) => saidOf(events, 'state').at(-1)?.traces === 0)
  filtered.leave()
})

t.test('over HTTP/2', async (t) => {
  const app = Fastify({ http2: true })
  const store = createTraceStore()
  await app.register(viewer, { prefix: '/telemetry', store })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const session = connectHttp2(`http://127.0.0.1:${portOf(app.server as never)}`)
  const stream = session.request({ ':path': '/telemetry/api/live' })
  stream.setEncoding('utf8')
  const [headers] = await once(stream, 'response')
  t.match(headers, { ':status': 200, 'content-type': 'text/event-stream; charset=utf-8' })
  t.notOk('connection' in headers)
  t.match((await once(stream, 'data'))[0], /^retry: /)
  const ended = once(stream, 'end')
  stream.resume()
  const closing = app.close()
  await ended
  session.close()
  await closing
})

t.test('many changes come in events of bounded size, and streams are bounded in number', async (t) => {
  const { port, store } = await start(t)
  for (let number = 1; number <= 2000; number++) store.add(incomingRequest({ traceId: traceIdOf(number) }))
  const page = await openLive(port, '/telemetry/api/live')
  await page.until((events) => saidOf(events, 'mark').length === 1)
  t.equal(new Set(saidOf(page.events, 'traces').flat().map(({ traceId }) => traceId)).size, 2000)
  t.ok(saidOf(page.events, 'traces').length > 5 && saidOf(page.events, 'traces').every((list) => JSON.stringify(list).length < 70_000))
  const pages = [page]
  while (pages.length < 32) pages.push(await openLive(port, '/telemetry/api/live?since=999999'))
  t.match(await get(port, '/api/live'), { statusCode: 503, headers: { 'retry-after': '5' } })
  for (const page of pages.splice(10)) page.leave()
  let answer = await openLive(port, '/telemetry/api/live')
  while (answer.statusCode === 503) answer = await openLive(port, '/telemetry/api/live')
  t.equal(answer.statusCode, 200, 'who leaves makes room')
  answer.leave()
  for (const page of pages) page.leave()
})

t.test('the application closes though pages watch, also ones that do not read', async (t) => {
  const app = Fastify()
  await app.register(viewer, { prefix: '/telemetry' })
  const [watcher] = [...spanWatchers()].slice(-1)
  t.equal(spanWatchers().size, 1)
  const port = await listen(app)
  const reading = await openLive(port, '/telemetry/api/live')
  const deaf = await openLive(port, '/telemetry/api/live', { isReading: false })
  await reading.until((events) => events.length > 0)
  for (let number = 1; number <= 10_000; number++) {
    const body = otlpJson([otlpSpan(number, { name: 'x'.repeat(1000) })])
    if (number % 2000 === 0) t.equal((await post(port, body)).statusCode, 200)
  }
  t.equal(portOf(app.server as never), port)
  await Promise.all([app.close(), reading.ended])
  deaf.response.resume()
  await deaf.ended
  t.equal(spanWatchers().has(watcher!), false, 'and takes no more spans')
})
