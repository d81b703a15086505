import { context, trace, type Context } from '@opentelemetry/api'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction, RequestPayload } from 'fastify'
import { readInbound, shareRequest, silentContext, type Inbound } from '../propagation/inbound.ts'
import { currentContext } from '../server-span/current-context.ts'
import { isSerializationError } from '../arguments/serialization-errors.ts'
import { NEVER, NO_FACTS, RequestRecord } from '../server-span/request-record.ts'
import { adoptServerSpan, startServerSpan } from '../server-span/start.ts'
import type { Settings } from '../settings.ts'
import { kRecord } from '../symbols.ts'
import { keepBody } from './keep-body.ts'
import { noteRefused, noteSerializationFailure, noteSerialized, noteValidated } from './note-request-arguments.ts'
import { createRequestEnds } from './request-end.ts'
import { recordOf, type RecordedRequest } from './recorded-request.ts'
import { createRequestFactsReader } from './request-facts.ts'
import { planOf, type RoutePlan } from './route-plan.ts'
import { endHandler } from './time-handler.ts'
import { createWebSockets } from './web-sockets.ts'

/** The record's route is a plan: records are only made here. */
const planOfRecord = (record: RequestRecord): RoutePlan => record.route as RoutePlan

/**
 * The hooks of a request, in the order in which Fastify runs them. They only time and annotate; the span ends on `close` of the response,
 * the one event that comes for every request, aborted ones included. Callback hooks throughout: a promise each would cost more.
 */
export function createHooks (settings: Settings) {
  const { guard } = settings
  const readRequestFacts = createRequestFactsReader()
  const ends = createRequestEnds(settings)
  const webSockets = createWebSockets(settings)

  function onRequest (this: FastifyInstance, request: RecordedRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    let requestContext
    try {
      requestContext = begin(this, request, reply)
    } catch (error) {
      guard.report('request start', error)
    }
    if (requestContext === undefined) done()
    else context.with(requestContext, done)
  }

  /** Opens the record; the context returned is where the rest of the request runs. */
  function begin (instance: FastifyInstance, request: RecordedRequest, reply: FastifyReply) {
    const tracer = settings.findTracer()
    if (tracer === null && settings.findInstruments() === null) return undefined
    if (request[kRecord] !== undefined && request[kRecord] !== null) return undefined
    const routeOptions = request.routeOptions
    const plan = planOf(settings, instance, routeOptions as Parameters<typeof planOf>[2])
    const inbound = readInboundSafely(request)
    const { parent, serverSpan } = inbound
    if (plan.isIgnored || isIgnored(request)) return ignore(request, plan, parent)

    const record = new RequestRecord(settings, plan, readRequestFacts(request, plan), tracer, parent)
    try {
      if (serverSpan === undefined) startServerSpan(record, parent, inbound.hasLocalParent)
      else adoptServerSpan(record, parent, serverSpan)
      record.isMeasured = inbound.outer === undefined
      shareRequest(inbound, record.span, plan.route)
    } catch (error) {
      // A sampler or a span processor that throws: the request goes on in its caller's trace.
      guard.report('span start', error)
    }
    record.traceId ??= trace.getSpanContext(record.context)?.traceId
    request[kRecord] = record
    if (record.isRecording && settings.requestHook !== null) guard.run('requestHook', settings.requestHook, record.span, request)
    if (record.isRecording || settings.findInstruments() !== null) ends.listen(record, request, reply)
    return record.context
  }

  /** An ignored request has a record only to find its silent context again; it never ends, since nothing of it is measured. */
  function ignore (request: RecordedRequest, plan: RoutePlan, parent: Context): Context {
    const record = new RequestRecord(settings, plan, NO_FACTS, null, silentContext(parent))
    record.span = trace.getSpan(record.context)!
    record.traceId = record.span.spanContext().traceId
    record.ended = record.argumentsNoted = true
    request[kRecord] = record
    return record.context
  }

  function readInboundSafely (request: FastifyRequest): Inbound {
    try {
      return readInbound(request.raw.headers)
    } catch (error) {
      guard.report('context extraction', error)
      return { parent: context.active(), hasLocalParent: false, serverSpan: undefined, outer: undefined, own: undefined }
    }
  }

  function isIgnored (request: FastifyRequest): boolean {
    return settings.asksIgnore !== null && guard.run('ignore', settings.asksIgnore, request) === true
  }

  function preParsing (request: RecordedRequest, _reply: FastifyReply, payload: RequestPayload, done: (error: null, payload: RequestPayload) => void): void {
    const record = recordOf(settings, request)
    if (record !== null) {
      record.argumentsStartMillis = record.now()
      try {
        if (record.isRecording && record.route.capture !== 'none') keepBody(record, request, payload)
      } catch (error) {
        guard.report('body', error)
      }
    }
    done(null, payload)
  }

  function preValidation (request: RecordedRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const record = recordOf(settings, request)
    if (record === null) return done()
    record.bodyReceived = true
    record.bodyChunks = null
    resume(record, done)
  }

  function preHandler (request: RecordedRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const record = recordOf(settings, request)
    if (record === null) return done()
    if (!record.argumentsNoted) {
      record.argumentsEndMillis = record.now()
      try {
        noteValidated(record, planOfRecord(record), request)
      } catch (error) {
        guard.report('arguments', error)
      }
    }
    try {
      webSockets.expect(record, request)
    } catch (error) {
      guard.report('websocket', error)
    }
    resume(record, done)
  }

  function onError (request: RecordedRequest, _reply: FastifyReply, error: unknown, done: () => void): void {
    const record = recordOf(settings, request)
    if (record !== null && !record.ended) {
      record.thrown = error
      record.hasThrown = true
      record.thrownMillis = record.now()
      // A stream that failed before its first byte is not what will be sent.
      record.payload = null
      endHandler(settings, record, { error })
      try {
        noteError(record, request, error)
      } catch (failure) {
        guard.report('arguments', failure)
      }
    }
    if (record === null) done()
    else resume(record, done)
  }

  function noteError (record: RequestRecord, request: FastifyRequest, error: unknown): void {
    const plan = planOfRecord(record)
    if (isSerializationError(error)) {
      noteSerializationFailure(record, plan, request, error)
    } else {
      noteIfRefused(record, plan, request, error, record.thrownMillis)
    }
  }

  function noteIfRefused (record: RequestRecord, plan: RoutePlan, request: FastifyRequest, error: unknown, atMillis: number): void {
    if (record.argumentsNoted) return
    record.argumentsEndMillis = atMillis
    if (!noteRefused(record, plan, request, error)) record.argumentsEndMillis = NEVER
  }

  /** This or `onSend`, what comes first of them, is the end of the handler. */
  function preSerialization (request: RecordedRequest, _reply: FastifyReply, payload: unknown, done: DoneWithPayload): void {
    const record = recordOf(settings, request)
    if (record === null) return done(null, payload)
    endHandler(settings, record)
    // A `schemaErrorFormatter` that does not return an error: Fastify sends what it returned, and asks no `onError` hook.
    if (!record.argumentsNoted && record.bodyReceived) {
      try {
        noteIfRefused(record, planOfRecord(record), request, payload, record.now())
      } catch (error) {
        guard.report('arguments', error)
      }
    }
    resumeWith(record, payload, done)
  }

  function onSend (request: RecordedRequest, reply: FastifyReply, payload: unknown, done: DoneWithPayload): void {
    const record = recordOf(settings, request)
    if (record === null) return done(null, payload)
    endHandler(settings, record)
    if (payload !== null && typeof payload === 'object' && !Buffer.isBuffer(payload)) record.payload = payload
    if (record.isRecording && !record.ended && record.route.captureResponse) {
      try {
        noteSerialized(record, planOfRecord(record), reply, payload)
      } catch (error) {
        guard.report('response', error)
      }
    }
    resumeWith(record, payload, done)
  }

  return { onRequest, preParsing, preValidation, preHandler, preSerialization, onError, onSend, preClose: ends.startClosing, onClose: ends.endAll }
}

/** Goes on in the request's context, if it was lost on the way. */
function resume (record: RequestRecord, done: () => void): void {
  const active = context.active()
  const requestContext = currentContext(record, active)
  if (requestContext === active) done()
  else context.with(requestContext, done)
}

type DoneWithPayload = (error: null, payload: unknown) => void

/** The same, where a reply may come from a callback that belongs to no request, or to another one. */
function resumeWith (record: RequestRecord, payload: unknown, done: DoneWithPayload): void {
  const active = context.active()
  const requestContext = currentContext(record, active)
  if (requestContext === active) done(null, payload)
  else context.with(requestContext, done, undefined, null, payload)
}
