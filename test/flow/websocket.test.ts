// repository only
import { EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import websocket, { type WebSocket as ServerSocket } from '@fastify/websocket'
import { trace } from '@opentelemetry/api'
import {
  AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader, type DataPoint, type Histogram,
} from '@opentelemetry/sdk-metrics'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import WebSocket, { WebSocketServer } from 'ws'
import { openConnection, requestText } from '../helpers/connection.ts'
import { send } from '../helpers/http.ts'
import { defer, ProvenRows, requestSpan, setUp, type ExpectedRequest, type SetUpOptions, type Subject } from '../helpers/lifecycle.ts'
import { ALL_TIMES, ARGUMENT_TIMES, type ExpectedSpan } from '../helpers/spans.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

const rows = new ProvenRows()

const START_TIME = { 'fastify.arguments.start_timestamp': 'TIME' }

/** Which of the two plugins was registered first. */
type Order = 'this plugin first' | '@fastify/websocket first'
const ORDERS: Order[] = ['this plugin first', '@fastify/websocket first']

async function setUpWebSockets (t: Test, order: Order, build: (app: FastifyInstance) => void, options: SetUpOptions & { websocket?: object } = {}): Promise<Subject> {
  const isFirst = order === '@fastify/websocket first'
  // ws waits for half a minute for those who never answer its close, and the process with it.
  const websocketOptions: object = { options: { closeTimeout: 1000 }, ...options.websocket }
  const subject = await setUp(t, { ...options, before: isFirst ? (app) => app.register(websocket, websocketOptions) : undefined })
  if (!isFirst) await subject.app.register(websocket, websocketOptions)
  build(subject.app)
  return subject
}

/** Connects, and waits until the connection is open; rejects with the status when it is refused. */
async function open (t: Test, port: number, path: string): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { 'user-agent': 'test' } })
  t.teardown(() => client.terminate())
  await once(client, 'open')
  return client
}

interface Counts {
  received?: [messages: number, bytes: number]
  sent?: [messages: number, bytes: number]
}

/** The span of one connection. */
function connectionSpan (path: string, code: number | undefined, { received = [0, 0], sent = [0, 0], ...rest }: Counts & ExpectedRequest = {}): ExpectedSpan {
  return requestSpan('GET', path, {
    status: 101,
    times: ALL_TIMES,
    ...(code === undefined ? {} : { 'fastify.websocket.close_code': code }),
    'fastify.websocket.messages_received': received[0],
    'fastify.websocket.bytes_received': received[1],
    'fastify.websocket.messages_sent': sent[0],
    'fastify.websocket.bytes_sent': sent[1],
    ...rest,
  })
}

const HANDSHAKE = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': 13, 'sec-websocket-key': Buffer.alloc(16).toString('base64') }

for (const order of ORDERS) {
  t.test(`${order}: a connection is one span, with arguments, mapper and counts; listeners run inside it`, async (t) => {
    const heard = defer()
    const subject = await setUpWebSockets(t, order, (app) => {
      const schema = { operationId: 'joinRoom', params: Type.Object({ room: Type.Integer() }), querystring: Type.Object({ token: Type.String(), nick: Type.String({ default: 'anonymous' }) }) }
      app.get('/rooms/:room', { websocket: true, schema, config: { telemetry: { mapper: (_request, args) => ({ ...args, 'app.mapped': true }) } } }, async (socket: ServerSocket, request: FastifyRequest) => {
        const tracer = trace.getTracer('app')
        tracer.startSpan('in the handler').end()
        socket.on('message', (message) => {
          tracer.startSpan('in a listener').end()
          socket.send(message)
        })
        await nextTurn()
        tracer.startSpan('later in the handler').end()
        socket.on('close', () => {
          tracer.startSpan('in a listener of close').end()
          heard.resolve()
        })
        request.telemetry.setAttributes({ 'app.own': 1 })
      })
    })
    const client = await open(t, await subject.port(), '/rooms/7?token=canary')
    client.send('four')
    const [message] = await once(client, 'message')
    t.equal(String(message), 'four')
    t.same([subject.telemetry.openCount], [1], 'the span is open while the connection is')
    client.close(1000)
    await heard.promise
    const child = (name: string): ExpectedSpan => ({ name, kind: 'INTERNAL', parent: 'GET /rooms/:room', attributes: {} })
    const spans = await subject.telemetry.waitForSpans(5)
    const names = spans.map(({ name }) => name)
    const expected: Record<string, ExpectedSpan> = Object.fromEntries(['in the handler', 'later in the handler', 'in a listener', 'in a listener of close'].map((name) => [name, child(name)]))
    expected['GET /rooms/:room'] = connectionSpan('/rooms/7?token=REDACTED', 1000, {
      route: '/rooms/:room',
      received: [1, 4],
      sent: [1, 4],
      'fastify.route.operation_id': 'joinRoom',
      'fastify.arguments.values': { params: { room: 7 }, querystring: { token: '[scrubbed]', nick: 'anonymous' } },
      'fastify.arguments.scrubbed': ['/querystring/token'],
      'app.mapped': true,
      'app.own': 1,
    })
    t.same(names.toSorted(), Object.keys(expected).toSorted())
    await subject.expectSpans(names.map((name) => expected[name]!))
    t.notMatch(JSON.stringify(spans), /canary/)
  })

  t.test(`${order}: how connections close`, async (t) => {
    const abnormal = (code: number): ExpectedRequest => ({ error: String(code) })
    const cases: Array<{ name: string, handler?: (socket: ServerSocket) => unknown, act?: (client: WebSocket) => void, code: number, span?: ExpectedRequest, proves?: string }> = [
      { name: 'the client, 1000', act: (client) => { client.close(1000) }, code: 1000, proves: 'Closed with 1000, 1001, no code, or a code from 3000 on' },
      { name: 'the client, without a code', act: (client) => { client.close() }, code: 1005, proves: 'Closed with 1000, 1001, no code, or a code from 3000 on' },
      { name: 'the client, 1001', act: (client) => { closeAs(client, 1001) }, code: 1001, proves: 'Closed with 1000, 1001, no code, or a code from 3000 on' },
      { name: 'the client, 4001', act: (client) => { client.close(4001) }, code: 4001, proves: 'Closed with 1000, 1001, no code, or a code from 3000 on' },
      { name: 'the server, 1000', handler: (socket) => { socket.close(1000) }, code: 1000 },
      { name: 'the server, 4001', handler: (socket) => { socket.close(4001, 'quota') }, code: 4001 },
      { name: 'the server, 1011', handler: (socket) => { socket.close(1011, 'broken') }, code: 1011, span: abnormal(1011), proves: 'Closed with another code' },
      { name: 'the client, 1008', act: (client) => { client.close(1008) }, code: 1008, span: abnormal(1008), proves: 'Closed with another code' },
      { name: 'the client is gone', act: (client) => { client.terminate() }, code: 1006, span: abnormal(1006), proves: 'Cut without a code' },
      { name: 'the client resets', act: (client) => { socketOf(client).resetAndDestroy() }, code: 1006, span: abnormal(1006), proves: 'Cut without a code' },
      { name: 'the server cuts', handler: (socket) => { socket.terminate() }, code: 1006, span: abnormal(1006), proves: 'Cut without a code' },
      { name: 'a malformed frame', act: (client) => { socketOf(client).write(Buffer.from([0xff, 0xff, 0xff])) }, code: 1006, span: abnormal(1006), proves: 'Cut without a code' },
      { name: 'in the middle of a message', act: (client) => { client.send('first of two', { fin: false }, () => client.terminate()) }, code: 1006, span: abnormal(1006), proves: 'Cut without a code' },
      { name: 'a connection whose listeners were all taken off', handler: (socket) => { socket.removeAllListeners('close'); socket.close(1000) }, code: 1006, span: abnormal(1006) },
    ]
    for (const { name, handler = () => {}, act, code, span, proves } of cases) {
      await t.test(name, async (t) => {
        const subject = await setUpWebSockets(t, order, (app) => { app.get('/', { websocket: true }, (socket: ServerSocket) => { handler(socket) }) })
        const client = await open(t, await subject.port(), '/')
        client.on('error', () => {})
        act?.(client)
        await subject.telemetry.waitForSpans(1)
        const expected = connectionSpan('/', code, span)
        await subject.expectSpans([expected])
        if (proves !== undefined) rows.add(t, proves, expected, undefined)
      })
    }
  })

  t.test(`${order}: handlers that throw`, async (t) => {
    const thrown = { type: 'RangeError', message: 'no such room' }
    const cases: Array<{ name: string, handler: (socket: ServerSocket) => unknown, websocket?: object, code: number, closesWell?: true }> = [
      { name: 'at once', handler: () => { throw new RangeError('no such room') }, code: 1006 },
      { name: 'later', handler: async () => { await nextTurn(); throw new RangeError('no such room') }, code: 1006 },
      {
        name: 'with an error handler that says 1011',
        handler: async () => { throw new RangeError('no such room') },
        websocket: { errorHandler: (_error: Error, socket: ServerSocket) => { socket.close(1011) } },
        code: 1011,
      },
      {
        name: 'with an error handler that says 1000',
        handler: async () => { throw new RangeError('no such room') },
        websocket: { errorHandler: (_error: Error, socket: ServerSocket) => { socket.close(1000) } },
        code: 1000,
        closesWell: true,
      },
    ]
    for (const { name, handler, websocket, code, closesWell } of cases) {
      await t.test(name, async (t) => {
        const subject = await setUpWebSockets(t, order, (app) => { app.get('/', { websocket: true }, (socket: ServerSocket) => handler(socket) as never) }, { websocket })
        await open(t, await subject.port(), '/')
        await subject.telemetry.waitForSpans(1)
        // Registered first, @fastify/websocket calls the handler itself and tells nobody what it threw.
        const isKnown = order === 'this plugin first'
        const expected = connectionSpan('/', code, closesWell ? {} : isKnown ? { error: 'RangeError', exception: thrown } : { error: String(code) })
        await subject.expectSpans([expected])
        if (isKnown && !closesWell) rows.add(t, 'Closed with another code, or cut, after its handler threw', expected, undefined)
      })
    }
  })

  t.test(`${order}: upgrades that are refused are requests`, async (t) => {
    const cases: Array<{ name: string, path: string, status: number, span: ExpectedRequest }> = [
      { name: 'by an onRequest hook', path: '/refused', status: 401, span: { times: {} } },
      { name: 'by a preValidation hook', path: '/late', status: 403, span: { times: START_TIME } },
      {
        name: 'by validation',
        path: '/valid',
        status: 400,
        span: {
          times: ARGUMENT_TIMES,
          'fastify.arguments.errors': [{ part: 'querystring', path: '', keyword: 'required', message: "must have required property 'n'", schemaPath: '#/required', params: { missingProperty: 'n' } }],
          'fastify.arguments.error_count': 1,
        },
      },
      { name: 'by the router', path: '/nowhere', status: 404, span: { route: null, times: ARGUMENT_TIMES } },
    ]
    for (const { name, path, status, span } of cases) {
      await t.test(name, async (t) => {
        const subject = await setUpWebSockets(t, order, (app) => {
          app.get('/refused', { websocket: true, onRequest: async (_request, reply) => reply.code(401).send('who?') }, () => {})
          app.get('/late', { websocket: true, preValidation: async (_request, reply) => reply.code(403).send('no') }, () => {})
          app.get('/valid', { websocket: true, schema: { querystring: Type.Object({ n: Type.Integer() }) } }, () => {})
        })
        await t.rejects(open(t, await subject.port(), path), { message: `Unexpected server response: ${status}` })
        await subject.expectSpans([requestSpan('GET', path, { status, ...span })])
      })
    }
  })

  t.test(`${order}: requests and upgrades on each other's routes`, async (t) => {
    const subject = await setUpWebSockets(t, order, (app) => {
      app.get('/socket', { websocket: true }, () => {})
      app.get('/plain', async () => 'plain')
      const [handler] = [async () => 'both']
      app.route({ method: 'GET', url: '/both', handler: handler!, wsHandler: (socket) => { socket.close(1000) } })
      app.route({ method: 'GET', url: '/both-throw', handler: handler!, wsHandler: () => { throw new RangeError('no such room') } })
    })
    const port = await subject.port()
    t.equal((await send(port, 'GET', '/socket')).statusCode, 404)
    t.equal((await send(port, 'GET', '/both')).body, 'both')
    await subject.telemetry.waitForSpans(2)
    await once(await open(t, port, '/both'), 'close')
    await subject.telemetry.waitForSpans(3)
    // @fastify/websocket accepts, and closes at once.
    const [code] = await once(await open(t, port, '/plain'), 'close')
    t.equal(code, 1005)
    await subject.telemetry.waitForSpans(4)
    await open(t, port, '/both-throw')
    const isFirst = order === 'this plugin first'
    // Registered later, @fastify/websocket puts handlers of its own in the place of some of the route's.
    const times = isFirst ? ARGUMENT_TIMES : ALL_TIMES
    await subject.expectSpans([
      requestSpan('GET', '/socket', { status: 404, times }),
      requestSpan('GET', '/both', { status: 200, times: ALL_TIMES }),
      connectionSpan('/both', 1000),
      connectionSpan('/plain', 1005, { times }),
      connectionSpan('/both-throw', 1006, isFirst ? { error: 'RangeError', exception: { type: 'RangeError', message: 'no such room' } } : { error: '1006' }),
    ])
  })

  t.test(`${order}: app.close() closes open connections, and their spans say so`, async (t) => {
    const subject = await setUpWebSockets(t, order, (app) => { app.get('/', { websocket: true }, () => {}) })
    const port = await subject.port()
    const clients = await Promise.all(['/', '/', '/'].map((path) => open(t, port, path)))
    const closed = clients.map((client) => once(client, 'close'))
    await subject.app.close()
    t.same((await Promise.all(closed)).map(([code]) => code), [1005, 1005, 1005])
    await subject.expectSpans(clients.map(() => connectionSpan('/', 1005)))
  })

  t.test(`${order}: injectWS`, async (t) => {
    const subject = await setUpWebSockets(t, order, (app) => {
      app.get('/', { websocket: true }, (socket: ServerSocket) => { socket.on('message', (message) => { socket.send(message) }) })
    })
    await subject.app.ready()
    const context = { headers: { host: '127.0.0.1:1', 'user-agent': 'test' } }
    const client = await subject.app.injectWS('/', context)
    client.send('four')
    await once(client, 'message')
    client.terminate()
    await subject.telemetry.waitForSpans(1)
    // Its streams do not see a connection close in peace: this one stays open until app.close().
    await subject.app.injectWS('/', context)
    await subject.app.close()
    const withoutSocket = ({ attributes: { 'client.address': _client, 'network.peer.address': _peer, 'network.peer.port': _port, ...attributes }, ...span }: ExpectedSpan): ExpectedSpan => ({ ...span, attributes })
    const expected = [connectionSpan('/', 1006, { received: [1, 4], sent: [1, 4], error: '1006' }), connectionSpan('/', undefined, { error: 'server_closing' })]
    await subject.expectSpans(expected.map(withoutSocket))
    rows.add(t, 'Still open when `app.close()` was over', expected[1]!, undefined)
  })
}

/** The close code 1001 is for browsers: `close()` refuses to send it. */
function closeAs (client: WebSocket, code: number): void {
  const frame = Buffer.from([0x88, 0x82, 0, 0, 0, 0, code >> 8, code & 0xff])
  socketOf(client).write(frame)
}

function socketOf (client: WebSocket): Socket {
  return (client as unknown as { _socket: Socket })._socket
}

t.test('messages of every kind are counted once each', async (t) => {
  const received = defer()
  const sent: unknown[] = ['text ü', Buffer.from('bytes'), new Uint8Array([1, 2, 3]), new ArrayBuffer(4), new Blob(['blob!']), 12, 0, '', null, undefined, false,
    [200, 201], Object.assign(Object.create(null), { 0: 65, length: 1 }), Object('text ü')]
  const subject = await setUpWebSockets(t, 'this plugin first', (app) => {
    app.get('/', { websocket: true }, (socket: ServerSocket) => {
      socket.binaryType = 'fragments'
      let messages = 0
      socket.on('message', () => { if (++messages === 3) received.resolve() })
      for (const message of sent) socket.send(message as string)
      t.throws(() => socket.send({ not: 'sendable' } as never), TypeError)
      socket.send('last', { binary: true }, () => {})
    })
  })
  const client = new WebSocket(`ws://127.0.0.1:${await subject.port()}/`, { headers: { 'user-agent': 'test' } })
  t.teardown(() => client.terminate())
  let messages = 0
  let bytes = 0
  const all = new Promise<void>((resolve) => {
    client.on('message', (message: Buffer) => {
      bytes += message.length
      if (++messages === sent.length + 1) resolve()
    })
  })
  await once(client, 'open')
  client.send('one')
  client.send('tw', { fin: false })
  client.send('o')
  client.send(Buffer.from('three'), { binary: true })
  await Promise.all([received.promise, all])
  client.close(1000)
  await once(client, 'close')
  await subject.expectSpans([connectionSpan('/', 1000, { received: [3, 11], sent: [15, bytes] })])
  t.equal(bytes, 7 + 5 + 3 + 4 + 5 + 2 + 1 + 2 + 1 + 7 + 4)
})

t.test('a message whose length cannot be read is sent, and costs a line', async (t) => {
  const subject = await setUpWebSockets(t, 'this plugin first', (app) => {
    app.get('/', { websocket: true }, (socket: ServerSocket) => {
      let reads = 0
      let mostReads = Infinity
      const message = new Proxy([65], {
        get (target, name) {
          if (name === 'valueOf' && ++reads > mostReads) throw new Error('hostile')
          return Reflect.get(target, name)
        },
      })
      Buffer.from(message)
      // Those of the sender; whoever comes after it fails.
      mostReads = 2 * reads
      socket.send(message as never)
    })
  })
  const client = await open(t, await subject.port(), '/')
  client.close(1000)
  await subject.telemetry.waitForSpans(1)
  t.match(subject.complaints.splice(0), [/websocket failed.*hostile/])
  await subject.expectSpans([connectionSpan('/', 1000, { sent: [1, 0] })])
})

t.test('what is sent to a connection that is closing is not counted', async (t) => {
  const subject = await setUpWebSockets(t, 'this plugin first', (app) => {
    app.get('/', { websocket: true }, (socket: ServerSocket) => {
      socket.close(1000)
      socket.send('too late', () => {})
    })
  })
  await once(await open(t, await subject.port(), '/'), 'close')
  await subject.expectSpans([connectionSpan('/', 1000)])
})

t.test('with extraSpans the handler is a span of its own, and listeners belong to the request', async (t) => {
  const subject = await setUpWebSockets(t, 'this plugin first', (app) => {
    app.get('/', { websocket: true }, async function chat (socket: ServerSocket) {
      const heard = defer()
      socket.on('message', () => {
        trace.getTracer('app').startSpan('in a listener').end()
        heard.resolve()
      })
      await heard.promise
      trace.getTracer('app').startSpan('in the handler').end()
      socket.close(1000)
    })
  }, { plugin: { extraSpans: true } })
  const client = await open(t, await subject.port(), '/')
  client.send('go')
  await once(client, 'close')
  const name = { 'code.function.name': 'chat' }
  const handler = 'fastify.handler'
  await subject.expectSpans([
    { name: 'fastify.arguments', kind: 'INTERNAL', parent: 'GET /', attributes: { 'http.route': '/' } },
    { name: 'in a listener', kind: 'INTERNAL', parent: 'GET /', attributes: {} },
    { name: 'in the handler', kind: 'INTERNAL', parent: handler, attributes: {} },
    { name: handler, kind: 'INTERNAL', parent: 'GET /', attributes: { 'http.route': '/', ...name } },
    connectionSpan('/', 1000, { ...name, received: [1, 2] }),
  ])
})

t.test('handshakes that the WebSocket library refuses itself', async (t) => {
  const subject = await setUpWebSockets(t, 'this plugin first', (app) => { app.get('/', { websocket: true }, () => {}) })
  const { 'sec-websocket-key': _key, ...headers } = HANDSHAKE
  const client = openConnection(t, await subject.port(), requestText('GET', '/', { headers }))
  await client.closed
  t.match(client.text(), /^HTTP\/1\.1 400 /)
  // It writes past the response: nothing is known of its answer.
  await subject.expectSpans([requestSpan('GET', '/', { error: 'response_stream_error', times: ARGUMENT_TIMES })])
})

t.test('a client that leaves before its upgrade is not seen to leave until then', async (t) => {
  const entered = defer()
  const left = defer()
  const subject = await setUpWebSockets(t, 'this plugin first', (app) => {
    app.get('/', {
      websocket: true,
      preHandler: async () => {
        entered.resolve()
        await left.promise
      },
    }, () => {})
  })
  const client = openConnection(t, await subject.port(), requestText('GET', '/', { headers: HANDSHAKE }))
  await entered.promise
  client.socket.resetAndDestroy()
  await client.closed
  t.equal(subject.telemetry.openCount, 1)
  left.resolve()
  await subject.expectSpans([connectionSpan('/', 1006, { error: '1006' })])
})

t.test('other libraries\' upgrades on the same server are not touched', async (t) => {
  const other = new WebSocketServer({ noServer: true })
  t.teardown(() => other.close())
  let mayListenInContext: boolean | undefined
  other.on('connection', (socket) => {
    mayListenInContext = trace.getActiveSpan() !== undefined
    socket.on('message', (message) => { socket.send(`other ${String(message)}`) })
  })
  const accept = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    other.handleUpgrade(request, socket, head, (client) => { other.emit('connection', client, request) })
  }

  await t.test('without @fastify/websocket', async (t) => {
    const subject = await setUp(t)
    subject.app.server.on('upgrade', accept)
    subject.app.get('/other', async () => 'never')
    const client = await open(t, await subject.port(), '/other')
    client.send('hello')
    const [message] = await once(client, 'message')
    t.equal(String(message), 'other hello')
    client.close()
    await once(client, 'close')
    await subject.expectSpans([])
    t.equal(mayListenInContext, false)
  })

  await t.test('beside @fastify/websocket', async (t) => {
    // It answers every upgrade of the server that it listens to, so an application with two libraries puts something between.
    const ours = new EventEmitter()
    const subject = await setUpWebSockets(t, 'this plugin first', (app) => {
      app.server.on('upgrade', (request, socket, head) => {
        if (request.url === '/other') accept(request, socket, head)
        else ours.emit('upgrade', request, socket, head)
      })
      app.get('/ours', { websocket: true }, (socket: ServerSocket) => { socket.on('message', (message) => { socket.send(`ours ${String(message)}`) }) })
    }, { websocket: { options: { server: ours } } })
    const port = await subject.port()
    for (const name of ['other', 'ours', 'other']) {
      const client = await open(t, port, `/${name}`)
      client.send('hello')
      const [message] = await once(client, 'message')
      t.equal(String(message), `${name} hello`)
      client.close(1000)
      await once(client, 'close')
    }
    await subject.expectSpans([connectionSpan('/ours', 1000, { received: [1, 5], sent: [1, 10] })])
  })
})

t.test('connections are not among the durations of requests, refused upgrades are', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] })
  t.teardown(() => meterProvider.shutdown())
  const subject = await setUpWebSockets(t, 'this plugin first', (app) => {
    app.get('/', { websocket: true }, (socket: ServerSocket) => { socket.close(1000) })
    app.get('/refused', { websocket: true, onRequest: async (_request, reply) => reply.code(401).send('who?') }, () => {})
  }, { plugin: { meterProvider } })
  const port = await subject.port()
  await once(await open(t, port, '/'), 'close')
  await t.rejects(open(t, port, '/refused'))
  await subject.telemetry.waitForSpans(2)
  await meterProvider.forceFlush()
  const points = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics)
    .filter(({ descriptor }) => descriptor.name === 'http.server.request.duration').flatMap(({ dataPoints }) => dataPoints as Array<DataPoint<Histogram>>)
  t.same(points.map(({ attributes, value }) => [attributes['http.route'], attributes['http.response.status_code'], value.count]), [['/refused', 401, 1]])
})

t.test('ten thousand connections that are opened and cut leave no open span', async (t) => {
  const BATCH = 200
  const subject = await setUpWebSockets(t, 'this plugin first', (app) => {
    app.get('/', { websocket: true }, (socket: ServerSocket) => { socket.on('message', () => {}) })
  })
  const { telemetry } = subject
  const port = await subject.port()
  const handshake = requestText('GET', '/', { headers: HANDSHAKE })
  for (let batch = 0; batch < 50; batch++) {
    await Promise.all(Array.from({ length: BATCH }, async (_none, index) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(handshake)
      // Some do not even wait for the answer.
      await once(socket, index % 10 === 0 ? 'connect' : 'data')
      if (index % 2 === 0) socket.destroy()
      else socket.resetAndDestroy()
    }))
    // The server may see a connection only after its client has gone, or never.
    await telemetry.waitForSpans((batch + 1) * BATCH * 0.9)
  }
  await subject.app.close()
  const outcomes = new Set(telemetry.spans.map(({ status, attributes }) => `${status} ${attributes['error.type']}`))
  t.equal(telemetry.openCount, 0)
  t.ok(telemetry.spans.length >= 9000, `${telemetry.spans.length} of 10,000 connections were seen`)
  t.same(subject.complaints, [])
  t.same([...outcomes], ['ERROR 1006'])
})

t.test('docs/lifecycle.md has the rows that were proven here, and no others', async (t) => { rows.check(t, 'WebSockets') })
