/**
 * How many of 10,000 requests that demand to be recorded are, with each setting of `inbound`, by a server that records one of a hundred. Over a
 * real socket, with the SDK's own sampler and random ids.
 *
 *     npm run build:esm --silent && node test/standards/forged-headers.mjs
 */
import { randomBytes } from 'node:crypto'
import { Agent, get } from 'node:http'
import { context, propagation } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { TraceContextPropagator } from 'fastify-schema-telemetry/propagator'

const REQUESTS = 10_000
const AT_ONCE = 50

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new TraceContextPropagator())
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

for (const inbound of ['continue', 'link', 'restart']) {
  let recorded = 0
  const tracerProvider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }),
    spanProcessors: [{ onStart () {}, onEnd () { recorded++ }, forceFlush: async () => {}, shutdown: async () => {} }],
  })
  const app = Fastify()
  await app.register(otelPlugin, { inbound, tracerProvider })
  app.get('/', async () => 'ok')
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, () => sendForged(url)))
  await app.close()
  console.log(`inbound: '${inbound}'`.padEnd(22), `${recorded} of ${REQUESTS} recorded`)
}
agent.destroy()

function sendForged (url) {
  const traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { traceparent } }, (response) => response.resume().once('close', resolve)).once('error', reject)
  })
}
