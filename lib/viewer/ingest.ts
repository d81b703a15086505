import type { FastifyInstance } from 'fastify'
import { BodyError, DecodeError } from './body-error.ts'
import { decompress } from './decompress.ts'
import type { Decoded, IncomingSpan } from './incoming-span.ts'
import { decodeJson } from './otlp-json.ts'
import { decodeProtobuf } from './otlp-protobuf.ts'
import { exportResponse, isProtobuf } from './otlp-response.ts'
import { sendError, type RouteDefaults } from './safety.ts'
import type { TraceStore } from './trace-store.ts'
import { createTurns } from './turns.ts'

/** Of a body, as sent and decompressed. */
const MAX_BODY_BYTES = 8 * 1024 * 1024
/** Posts whose bodies are in memory at the same time. */
const MAX_POSTS = 16
/** Spans of one post that cannot be read, until the post as a whole counts as one that cannot. */
const MAX_REFUSED = 10_000

/** `POST v1/traces`: OTLP over HTTP, JSON or protobuf, as any OpenTelemetry SDK or Collector sends it. */
export function addIngestRoute (app: FastifyInstance, store: TraceStore, defaults: RouteDefaults): void {
  let posts = 0

  // What the application's parsers take stays out: a form that any page can post, for one.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(['application/json', 'application/x-protobuf'], { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => { done(null, body) })

  app.post('/v1/traces', {
    ...defaults,
    bodyLimit: MAX_BODY_BYTES,
    onRequest (request, reply, done) {
      if (posts >= MAX_POSTS) {
        // Senders come again.
        sendError(request, reply.header('retry-after', '1'), 503, 'Too many posts at the same time.')
        return
      }
      posts++
      reply.raw.once('close', () => { posts-- })
      done()
    },
  }, async function takeSpans (request, reply) {
    if (!Buffer.isBuffer(request.body)) throw new BodyError(415, 'The body must be OTLP, as application/json or application/x-protobuf.')
    const body = await decompress(request.body, request.headers['content-encoding'], MAX_BODY_BYTES)
    const asProtobuf = isProtobuf(request.headers['content-type'])
    const refused = await addAll(store, asProtobuf ? decodeProtobuf(body) : decodeJson(body))
    return reply.type(asProtobuf ? 'application/x-protobuf' : 'application/json').send(exportResponse(asProtobuf, refused))
  })
}

/**
 * Adds the spans when all could be looked at, in turns; tells how many were refused.
 *
 * @throws DecodeError - when the request as a whole cannot be read: nothing of it is added
 */
async function addAll (store: TraceStore, decoded: Iterable<Decoded>): Promise<number> {
  const turn = createTurns()
  const spans: IncomingSpan[] = []
  let refused = 0
  for (const item of decoded) {
    if (typeof item === 'object') spans.push(item)
    else if (item === 'refused' && ++refused > MAX_REFUSED) throw new DecodeError('too many of its spans cannot be read')
    await turn()
  }
  for (const span of spans) {
    store.add(span)
    await turn()
  }
  store.countRefused(refused)
  return refused
}
