import { Type } from '@sinclair/typebox'

const Item = Type.Object({ sku: Type.String(), quantity: Type.Integer(), price: Type.Number() })

/** A small body: five fields. */
const User = Type.Object({
  name: Type.String({ minLength: 1 }),
  country: Type.String(),
  email: Type.String(),
  age: Type.Integer(),
  newsletter: Type.Boolean(),
})

const user = { name: 'Ada Lovelace', country: 'GB', email: 'ada@example.com', age: 36, newsletter: true }

const Order = Type.Object({
  customer: Type.String({ minLength: 1 }),
  country: Type.String(),
  total: Type.Number(),
  express: Type.Boolean(),
  items: Type.Array(Item),
})

const order = {
  customer: 'Ada Lovelace',
  country: 'GB',
  total: 129.9,
  express: true,
  items: [{ sku: 'A-1', quantity: 2, price: 49.95 }, { sku: 'B-7', quantity: 1, price: 30 }],
}

const response = { 200: Type.Object({ ok: Type.Boolean(), id: Type.Optional(Type.String()) }) }

async function answer (request) {
  return { ok: true, id: request.params.id }
}

const BATCH = 64

const traceparent = (index) => `00-${String(index + 1).padStart(32, '4bf92f3577b34da6a3ce929d0e0e4736')}-00f067aa0ba902b7-01`

function requestSpec (method, url, index, { body, headers = {} } = {}) {
  const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  return {
    method,
    url,
    headers: {
      host: 'api.example.com:8080',
      'user-agent': 'bench/1.0 (one client among many)',
      accept: 'application/json',
      traceparent: traceparent(index),
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(text.length) }),
      ...headers,
    },
    chunks: text === undefined ? [] : chunksOf(text),
  }
}

/** As they come out of a socket. */
function chunksOf (buffer, size = 64 * 1024) {
  const chunks = []
  for (let start = 0; start < buffer.length; start += size) chunks.push(buffer.subarray(start, start + size))
  return chunks
}

const specs = (count, toSpec) => Array.from({ length: count }, (_, index) => toSpec(index))

/** Each: what to declare on an app, and the requests to send to it in turn. */
export const routeSets = {
  get: () => ({
    declare (app) {
      for (let number = 0; number < 10; number++) app.get(`/resource-${number}/:id`, { schema: { response } }, answer)
    },
    requests: specs(BATCH, (index) => requestSpec('GET', `/resource-${index % 10}/${index}`, index)),
  }),

  /** `askedCount` of the routes, evenly spread, get requests. */
  post: (routeCount = 10, askedCount = routeCount) => ({
    declare (app) {
      for (let number = 0; number < routeCount; number++) app.post(`/users-${number}`, { schema: { body: User, response } }, answer)
    },
    requests: specs(Math.max(BATCH, askedCount), (index) => {
      const number = (index % askedCount) * Math.floor(routeCount / askedCount)
      return requestSpec('POST', `/users-${number}`, index, { body: user })
    }),
  }),

  allParts: () => ({
    declare (app) {
      const schema = {
        params: Type.Object({ id: Type.Integer() }),
        querystring: Type.Object({ page: Type.Integer(), sort: Type.String() }),
        headers: Type.Object({ 'x-tenant': Type.String() }),
        body: Order,
      }
      for (let number = 0; number < 10; number++) {
        app.post(`/orders-${number}/:id`, { schema }, async () => ({ ok: true }))
      }
    },
    requests: specs(BATCH, (index) => requestSpec('POST', `/orders-${index % 10}/${index}?page=2&sort=name`, index, {
      body: order, headers: { 'x-tenant': 'acme' },
    })),
  }),

  large: (schema, body) => ({
    declare (app) {
      app.post('/large', { schema: { body: schema }, bodyLimit: 4 * 1024 * 1024 }, async () => ({ ok: true }))
    },
    requests: [requestSpec('POST', '/large', 0, { body })],
  }),
}

const MEBIBYTE = 1024 * 1024

const itemBytes = JSON.stringify(order.items[0]).length + 1
const largeList = Array.from({ length: Math.floor(MEBIBYTE / itemBytes) }, (_, index) => ({ ...order.items[index % 2] }))

/** Bodies of about 1 MiB: `[schema, body]`. */
export const largeBodies = {
  list: [Type.Object({ items: Type.Array(Item) }), { items: largeList }],
  string: [Type.Object({ text: Type.String() }), { text: 'x'.repeat(MEBIBYTE) }],
  open: [Type.Unknown(), { items: largeList }],
}
