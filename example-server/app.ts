import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import otelPlugin, { asAttribute, redact } from 'fastify-schema-telemetry'

/** An ISO 3166 country code, two capital letters. Each span also has it as `app.country`, to search by. */
const CountryCode = asAttribute('app.country', Type.String({ pattern: '^[A-Z]{2}$' }))

const User = Type.Object({
  name: Type.String({ minLength: 1 }),
  country_code: CountryCode,
  dob: Type.String({ format: 'date' }),
})

const Profile = Type.Object({
  address: Type.Object({ city: Type.String(), country_code: CountryCode }),
  contact: Type.Union([Type.Object({ email: Type.String({ format: 'email' }) }), Type.Object({ phone: Type.String({ minLength: 6 }) })]),
  tags: Type.Array(Type.String(), { maxItems: 5 }),
  newsletter: Type.Optional(Type.Boolean({ default: false })),
  // The trace shows that it came, never what it is.
  password: redact(Type.String({ minLength: 12 })),
})

/** The application: nothing in it knows of telemetry but the one `register` and the annotations of its schemas. */
export async function buildApp () {
  const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
  await app.register(otelPlugin, { extraSpans: true, ignore: ['/health*'], responseHeader: true })

  app.post('/', { schema: { body: User } }, async function addUser (request) {
    return { message: `${request.body.name} added` }
  })

  app.post('/users/:id', {
    schema: {
      operationId: 'updateUser',
      params: Type.Object({ id: Type.Integer({ minimum: 1 }) }),
      body: Profile,
      querystring: Type.Object({ notify: Type.Boolean({ default: true }) }),
      headers: Type.Object({ 'x-tenant': Type.String({ minLength: 2 }) }),
    },
  }, async function updateUser (request) {
    return { message: `user ${request.params.id} of ${request.headers['x-tenant']} updated`, notified: request.query.notify }
  })

  app.get('/hello', { schema: { querystring: Type.Object({ name: Type.String({ minLength: 1 }) }) } }, async function hello (request) {
    return { message: `hello ${request.query.name}` }
  })

  app.get('/items/:item_id', {
    schema: {
      params: Type.Object({ item_id: Type.Integer() }),
      querystring: Type.Object({ q: Type.Optional(Type.String()) }),
    },
  }, async function readItem (request) {
    return { item_id: request.params.item_id, q: request.query.q ?? null }
  })

  app.get('/failing', async function failing () {
    throw new RangeError('this route always fails')
  })

  // Asked every few seconds by whoever keeps the process alive: not worth a trace.
  app.get('/health', async function health () {
    return { status: 'ok' }
  })

  app.get('/slow', async function slow () {
    await delay(300)
    return { message: 'at last' }
  })

  app.get('/stream', async function stream (_request, reply) {
    return reply.type('text/plain; charset=utf-8').send(Readable.from(countDown()))
  })

  return app
}

/** A second, in pieces. */
async function * countDown () {
  for (const word of ['three', 'two', 'one']) {
    yield `${word}\n`
    await delay(333)
  }
  yield 'go\n'
}
