import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify'
import { refusalOf, SAFE_HEADERS } from './access.ts'
import type { ViewerOptions } from './options.ts'
import { isProtobuf, statusToProtobuf } from './otlp-response.ts'

/** What all routes of the viewer have in common. */
export interface RouteDefaults {
  /** For this package and for `@fastify/otel`: watching makes no spans. */
  config: object
  /** Watching does not fill the log. */
  logLevel: 'warn'
  exposeHeadRoute: false
}

export function routeDefaults ({ logLevel = 'warn' }: ViewerOptions & { logLevel?: unknown }): RouteDefaults {
  return { config: { telemetry: false, otel: false }, logLevel: logLevel as 'warn', exposeHeadRoute: false }
}

/** Puts the rules of who is answered, and with which headers, around all routes of the viewer. */
export function addSafety (app: FastifyInstance, { guard }: ViewerOptions): void {
  app.addHook('onRequest', function admit (request, reply, done) {
    reply.headers(SAFE_HEADERS)
    const refusal = refusalOf({ method: request.method, peerAddress: request.raw.socket.remoteAddress, headers: request.headers }, guard !== undefined)
    if (refusal === undefined) done()
    else sendError(request, reply, 403, refusal)
  })
  if (guard !== undefined) app.addHook('preHandler', guard as preHandlerHookHandler)
  app.setErrorHandler(function answerError (error: FastifyError, request, reply) {
    const statusCode = error.statusCode ?? 500
    if (statusCode >= 500) request.log.error({ err: error }, 'the viewer failed')
    sendError(request, reply, statusCode, statusCode >= 500 ? 'The viewer failed.' : error.message)
  })
}

/** Says what is wrong, to senders of OTLP in their encoding. */
export function sendError (request: FastifyRequest, reply: FastifyReply, statusCode: number, message: string): FastifyReply {
  reply.code(statusCode)
  if (request.method === 'POST' && isProtobuf(request.headers['content-type'])) return reply.type('application/x-protobuf').send(statusToProtobuf(message))
  return sendJson(reply, { message })
}

/** As text, so that serializers and hooks of the application leave it alone. */
export function sendJson (reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(value))
}
