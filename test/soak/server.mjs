/** The server that is watched; a process of its own, so that the client's heap is not in the figure. */
import { Readable } from 'node:stream'
import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import websocket from '@fastify/websocket'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'

const counts = { started: 0, ended: 0, exported: 0 }
const counting = {
  onStart () { counts.started++ },
  onEnd () { counts.ended++ },
  forceFlush: async () => {},
  shutdown: async () => {},
}
const dropping = {
  export (spans, done) {
    if (Array.isArray(spans)) counts.exported += spans.length
    done({ code: 0 })
  },
  forceFlush: async () => {},
  shutdown: async () => {},
}
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
const tracerProvider = new TracerProvider({ spanProcessors: [counting, new BatchSpanProcessor({ exporter: dropping, maxQueueSize: 1_000_000 })] })
const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: dropping, exportIntervalMillis: 5000, exportTimeoutMillis: 5000 })] })
trace.setGlobalTracerProvider(tracerProvider)
metrics.setGlobalMeterProvider(meterProvider)

const app = Fastify({ bodyLimit: 2000 })
const connections = new Set()
app.server.on('connection', (socket) => {
  connections.add(socket)
  socket.once('close', () => { connections.delete(socket) })
})
if (process.argv[2] === 'plugin') await app.register(otelPlugin, { extraSpans: true, mapper: (_request, args) => ({ ...args, 'app.soak': true }) })

await app.register(websocket)

const id = Type.Integer()
app.get('/known/:id', { schema: { params: Type.Object({ id }), querystring: Type.Object({ q: Type.Integer() }) } }, async (request) => ({ id: request.params.id }))
app.post('/users/:id', {
  schema: {
    params: Type.Object({ id }),
    body: Type.Object({ name: Type.String(), email: Type.Optional(Type.String()), tags: Type.Array(Type.String()), password: Type.Optional(Type.String()) }),
    response: { 200: Type.Object({ id, name: Type.String() }) },
  },
}, async (request) => {
  await null
  return { id: request.params.id, name: request.body.name }
})
app.get('/thrown/:id', async (request) => { throw new Error(`thrown ${request.params.id}`) })
app.get('/stream/:id', async (request, reply) => reply.type('text/plain').send(Readable.from(['one ', request.params.id])))
app.get('/broken-stream/:id', async (request, reply) => reply.type('text/plain').send(Readable.from((async function * () {
  yield request.params.id
  throw new Error('broken')
})())))
app.get('/endless/:id', async (_request, reply) => reply.type('text/plain').send(Readable.from((async function * () { while (true) yield 'x'.repeat(1000) })())))
app.get('/hang/:id', () => {})
app.get('/socket/:id', { websocket: true, schema: { params: Type.Object({ id }) } }, (socket) => { socket.on('message', (data) => socket.send(data)) })

process.on('message', async (question) => {
  if (question === 'heap') {
    await settle()
    process.send(process.memoryUsage().heapUsed)
  } else {
    while (connections.size > 0) await new Promise((resolve) => setImmediate(resolve))
    // What is open now has been left behind: closing would end it.
    const open = counts.started - counts.ended
    const { rss } = process.memoryUsage()
    await app.close()
    await meterProvider.shutdown()
    await tracerProvider.shutdown()
    process.send({ open, ended: counts.ended, exported: counts.exported, rss }, () => process.disconnect())
  }
})

await app.listen({ port: 0, host: '127.0.0.1' })
process.send(app.server.address().port)

/** Twice, and some turns of the loop between: the first round frees what finalizers then let go of; the queue of spans is emptied first. */
async function settle () {
  await tracerProvider.forceFlush()
  for (let round = 0; round < 2; round++) {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc()
  }
}
