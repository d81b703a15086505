/**
 * 100,000 requests with URLs, queries, methods, hosts, user agents and forwarded headers at random, over real sockets: how many series they make. Prints
 * the figures; fails when there are more series than routes, methods and statuses allow.
 *
 *     npm run build:esm && node test/standards/cardinality.mjs [requests]
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'

const count = Number(process.argv[2] ?? 100_000)
const CONNECTIONS = 20
const BATCH = 25

const ROUTES = ['/users/:id', '/files/*', '/search', '/failing']
// Of the parser of Node.js; half of them are not well known.
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'LOCK', 'UNLOCK', 'PURGE', 'REPORT', 'SEARCH', 'BIND']

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] })
const app = Fastify({ trustProxy: true })
await app.register(otelPlugin, { meterProvider, metrics: { activeRequests: true, bodySizes: true } })
const schema = { querystring: { type: 'object', properties: { n: { type: 'integer' }, q: { type: 'string' } } } }
app.all('/users/:id', async () => 'ok')
app.get('/files/*', async () => 'ok')
app.get('/search', { schema }, async () => 'ok')
app.get('/failing', async () => { throw new RangeError('no') })
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address()

const text = (length = 8) => randomBytes(length).toString('hex')
const pick = (list) => list[Math.floor(Math.random() * list.length)]

function randomRequest (isLast) {
  const path = pick([`/users/${text()}`, `/files/${text()}/${text()}`, `/search?n=${text()}&${text()}=${text()}`, '/failing', `/${text()}`, `/users/${text()}/${text()}`])
  const method = pick(METHODS)
  const lines = [
    `${method} ${path} HTTP/1.1`, `host: ${text()}.example.com:${Math.floor(Math.random() * 65_536)}`, `user-agent: ${text()}`, `x-forwarded-for: ${text()}`, `x-forwarded-host: ${text()}`,
    `x-forwarded-proto: ${pick(['http', 'https', text()])}`, `traceparent: 00-${text(16)}-${text()}-01`, ...(isLast ? ['connection: close'] : []),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Requests one behind the other on a connection; resolves when the server has answered and closed it. */
async function sendBatch (size) {
  const socket = connect(port, '127.0.0.1')
  socket.write(Array.from({ length: size }, (_, index) => randomRequest(index === size - 1)).join(''))
  let answers = 0
  let rest = ''
  socket.setEncoding('latin1').on('data', (part) => {
    const heads = (rest + part).split('HTTP/1.1 ')
    answers += heads.length - 1
    // A head can be cut in two.
    rest = heads.at(-1).slice(-8)
  })
  await once(socket, 'close')
  return answers
}

let left = count
let answered = 0
async function sendAll () {
  while (left > 0) {
    const size = Math.min(BATCH, left)
    left -= size
    const answers = await sendBatch(size)
    answered += answers
  }
}
await Promise.all(Array.from({ length: CONNECTIONS }, sendAll))
await app.close()
await meterProvider.forceFlush()

const metrics = exporter.getMetrics().at(-1).scopeMetrics.flatMap(({ metrics }) => metrics)
// Route or none, well-known method or `_OTHER`, the statuses of this application (and none), `http` or `https`.
const STATUSES = 5
const most = (ROUTES.length + 1) * 11 * STATUSES * 2
console.log(`${count} requests with random URLs, methods, hosts and forwarded headers, ${answered} answers`)
assert.equal(answered, count)
for (const { descriptor: { name }, dataPoints } of metrics) {
  console.log(`${name}: ${dataPoints.length} series`)
  assert.ok(dataPoints.length <= most, `${name}: at most ${most}`)
  for (const { attributes } of dataPoints) {
    assert.ok(attributes['http.route'] === undefined || ROUTES.includes(attributes['http.route']), attributes['http.route'])
    assert.ok(attributes['url.scheme'] === undefined || ['http', 'https'].includes(attributes['url.scheme']), attributes['url.scheme'])
    assert.ok(attributes['otel.metric.overflow'] === undefined, 'no overflow')
  }
}
const values = (name) => metrics.find(({ descriptor }) => descriptor.name === name).dataPoints.map(({ value }) => value)
const recorded = values('http.server.request.duration').reduce((sum, value) => sum + value.count, 0)
console.log(`requests in the duration metric: ${recorded}; active requests at the end: ${values('http.server.active_requests').reduce((sum, value) => sum + value, 0)}`)
assert.equal(recorded, count)
assert.ok(values('http.server.active_requests').every((value) => value === 0))
await meterProvider.shutdown()
