import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { fork } from 'node:child_process'
import { SpanKind } from '@opentelemetry/api'
import { Type } from '@sinclair/typebox'
import { configure } from 'fastify-schema-telemetry/configure'
import { viewer } from 'fastify-schema-telemetry/viewer'
import { buildApp } from '../../dist/example-server/app.js'

const CLIENT = new URL('../../dist/example-server/client.js', import.meta.url)

/** The example server with a viewer, and a route that has something to show: work of its own inside a request. */
export async function startScene (viewerOptions = {}) {
  const telemetry = configure({ serviceName: 'example-server', exporter: 'none', viewer: true })
  const app = await buildApp()
  await app.register(viewer, { prefix: '/telemetry', ...viewerOptions })
  addOrders(app)
  let release
  const released = new Promise((resolve) => { release = resolve })
  app.get('/report', async function report () {
    await released
    return { message: 'at last' }
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    app,
    address,
    /** Lets the requests to `/report` go on. */
    release,
    async close () {
      await app.close()
      await telemetry.shutdown()
    },
  }
}

function addOrders (app) {
  const Item = Type.Object({ sku: Type.String({ minLength: 4 }), count: Type.Integer({ minimum: 1 }) })
  app.post('/orders', {
    schema: {
      operationId: 'placeOrder',
      body: Type.Object({
        customer: Type.Object({ name: Type.String(), country_code: Type.String({ pattern: '^[A-Z]{2}$' }), token: Type.String() }),
        items: Type.Array(Item),
        delivery: Type.Union([Type.Literal('letter'), Type.Literal('parcel')]),
        note: Type.Optional(Type.String()),
      }),
      querystring: Type.Object({ dry_run: Type.Boolean({ default: false }) }),
    },
  }, async function placeOrder ({ telemetry: { tracer }, body }) {
    const work = (name, millis, attributes, inside = async () => {}) => tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      await Promise.all([delay(millis), inside()])
      span.end()
    })
    const database = { 'db.system.name': 'postgresql', 'db.namespace': 'shop', 'server.address': 'db' }
    await work('SELECT customers', 4, { ...database, 'db.query.text': 'SELECT id FROM customers WHERE name = $1' })
    await Promise.all([
      work('reserve stock', 22, { 'app.items': body.items.length }, async () => {
        for (const { sku } of body.items) await work('UPDATE stock', 6, { ...database, 'db.query.text': 'UPDATE stock SET held = held + $1 WHERE sku = $2', 'app.sku': sku })
      }),
      work('quote delivery', 31, { 'app.delivery': body.delivery }),
      work('check fraud', 14, {}),
    ])
    await work('INSERT orders', 5, { ...database, 'db.query.text': 'INSERT INTO orders (customer, items) VALUES ($1, $2)' })
    return { message: 'ordered' }
  })
}

/** One request; `abandonAfter` milliseconds the caller leaves. */
export async function send (address, method, path, { body, headers = {}, abandonAfter } = {}) {
  const outgoing = request(address + path, { method, agent: false, headers: { 'user-agent': 'curl/8.14.1', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers } })
  outgoing.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body))
  if (abandonAfter !== undefined) {
    setTimeout(() => outgoing.destroy(), abandonAfter)
    // What it ends with is an error, and is meant.
    await once(outgoing, 'close').catch(() => {})
    return
  }
  const [response] = await once(outgoing, 'response')
  response.resume()
  await once(response, 'end')
}

const user = { name: 'Ada', country_code: 'GB', dob: '1815-12-10' }
const profile = { address: { city: 'Oslo', country_code: 'NO' }, contact: { email: 'ada@example.com' }, tags: ['a'], password: 'correct horse battery' }
const order = {
  customer: { name: 'Ada Lovelace', country_code: 'GB', token: 'tok_4f1c9a' },
  items: [{ sku: 'LAMP-7', count: 2 }, { sku: 'DESK-1', count: 1 }],
  delivery: 'parcel',
  note: 'Ring twice',
}
const tenant = { 'x-tenant': 'acme' }

/** What people send: mostly good, some of it wrong. */
export const requests = {
  hello: (address) => send(address, 'GET', '/hello?name=world'),
  item: (address, id = 5) => send(address, 'GET', `/items/${id}?q=lamp`),
  wrongItem: (address) => send(address, 'GET', '/items/five?q=lamp'),
  addUser: (address) => send(address, 'POST', '/', { body: user }),
  wrongUser: (address) => send(address, 'POST', '/', { body: { ...user, country_code: 'England' } }),
  noJson: (address) => send(address, 'POST', '/', { body: '{"name":' }),
  update: (address) => send(address, 'POST', '/users/7', { body: profile, headers: tenant }),
  wrongUpdate: (address) => send(address, 'POST', '/users/7?notify=no', {
    body: { ...profile, address: { city: 'Oslo' }, contact: { email: 'ada' }, password: 'hunter2' },
    headers: tenant,
  }),
  order: (address) => send(address, 'POST', '/orders', { body: order }),
  wrongOrder: (address) => send(address, 'POST', '/orders?dry_run=maybe', { body: { ...order, items: [{ sku: 'LAMP-7', count: 0 }, { sku: 'X' }], delivery: 'pigeon' } }),
  failing: (address) => send(address, 'GET', '/failing'),
  report: (address) => send(address, 'GET', '/report'),
  slow: (address) => send(address, 'GET', '/slow'),
  abandoned: (address) => send(address, 'GET', '/slow', { abandonAfter: 80 }),
  missing: (address) => send(address, 'GET', '/favicon.ico'),
}

/** The example client, a second service: its spans come in over OTLP. */
export async function runClient (address) {
  const client = fork(CLIENT, { silent: true, env: { ...process.env, SERVER_URL: address, OTEL_EXPORTER_OTLP_ENDPOINT: `${address}/telemetry` } })
  const [code] = await once(client, 'exit')
  if (code !== 0) throw new Error(`the client ended with ${code}`)
}
