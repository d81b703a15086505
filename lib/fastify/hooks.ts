import { context, trace, type Context } from '@opentelemetry/api'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction, RequestPayload } from 'fastify'
import { readInbound, silentContext } from '../propagation/inbound.ts'
import { currentContext } from '../server-span/current-context.ts'
import { finishServerSpan } from '../server-span/finish.ts'
import { isSerializationError } from '../arguments/serialization-errors.ts'
import { NEVER, NO_FACTS, RequestRecord } from '../server-span/request-record.ts'
import { startServerSpan } from '../server-span/start.ts'
import type { Settings } from '../settings.ts'
import { kRecord } from '../symbols.ts'
import { keepBody } from './keep-body.ts'
import { noteRefused, noteSerializationFailure, noteSerialized, noteUnvalidated, noteValidated } from './note-request-arguments.ts'
import { recordOf, type RecordedRequest } from './recorded-request.ts'
import { createRequestFactsReader } from './request-facts.ts'
import { planOf, type RoutePlan } from './route-plan.ts'
import { endHandler } from './time-handler.ts'

/** The record's route is a plan: records are only made here. */
const planOfRecord = (record: RequestRecord): RoutePlan => record.route as RoutePlan

/**
 * The hooks of a request, in the order in which Fastify runs them. They only time and annotate; the span ends on `close` of the response,
 * the one event that comes for every request, aborted ones included. Callback hooks throughout: a promise each would cost more.
 */
export function createHooks (settings: Settings) {
  const { guard } = settings
  const readRequestFacts = createRequestFactsReader()

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
    const { parent, hasLocalParent } = readInboundSafely(request)
    if (plan.isIgnored || isIgnored(request)) return ignore(request, plan, parent)

    const record = new RequestRecord(settings, plan, readRequestFacts(request, plan), tracer, parent)
    try {
      startServerSpan(record, parent, hasLocalParent)
    } catch (error) {
      // A sampler or a span processor that throws: the request goes on in its caller's trace.
      guard.report('span start', error)
    }
    request[kRecord] = record
    if (record.isRecording && settings.requestHook !== null) guard.run('requestHook', settings.requestHook, record.span, request)
    if (record.isRecording || settings.findInstruments() !== null) listenToEnd(record, request, reply)
    return record.context
  }

  /** Two listeners instead of an `onResponse` hook, which makes Fastify add two of its own for each request. */
  function listenToEnd (record: RequestRecord, request: FastifyRequest, reply: FastifyReply): void {
    const { raw } = reply
    // A hook before ours may have waited for so long that the client has left, and `close` has come.
    if (raw.destroyed) return end(record, request, reply)
    raw.on('finish', () => { record.completed = true })
    raw.on('close', () => end(record, request, reply))
  }

  /** An ignored request has a record only to find its silent context again; it never ends, since nothing of it is measured. */
  function ignore (request: RecordedRequest, plan: RoutePlan, parent: Context): Context {
    const record = new RequestRecord(settings, plan, NO_FACTS, null, silentContext(parent))
    record.span = trace.getSpan(record.context)!
    record.ended = record.argumentsNoted = true
    request[kRecord] = record
    return record.context
  }

  function readInboundSafely (request: FastifyRequest) {
    try {
      return readInbound(request.raw.headers)
    } catch (error) {
      guard.report('context extraction', error)
      return { parent: context.active(), hasLocalParent: false }
    }
  }

  function isIgnored (request: FastifyRequest): boolean {
    return settings.asksIgnore !== null && guard.run('ignore', settings.asksIgnore, request) === true
  }

  function preParsing (request: RecordedRequest, _reply: FastifyReply, payload: RequestPayload, done: (error: null, payload: RequestPayload) => void): void {
    const record = recordOf(settings, request)
    if (record !== null) {
      record.argumentsStartMillis = record.now()
      if (record.isRecording && record.route.capture !== 'none') keepBody(record, request, payload)
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
    resume(record, done)
  }

  function onError (request: RecordedRequest, _reply: FastifyReply, error: unknown, done: () => void): void {
    const record = recordOf(settings, request)
    if (record !== null && !record.ended) {
      record.thrown = error
      record.hasThrown = true
      record.thrownMillis = record.now()
      endHandler(settings, record, { error })
      try {
        noteError(record, request, error)
      } catch (failure) {
        guard.report('arguments', failure)
      }
    }
    done()
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
  function preSerialization (request: RecordedRequest, _reply: FastifyReply, payload: unknown, done: (error: null, payload: unknown) => void): void {
    const record = recordOf(settings, request)
    if (record !== null) {
      endHandler(settings, record)
      // A `schemaErrorFormatter` that does not return an error: Fastify sends what it returned, and asks no `onError` hook.
      if (!record.argumentsNoted && record.bodyReceived) {
        try {
          noteIfRefused(record, planOfRecord(record), request, payload, record.now())
        } catch (error) {
          guard.report('arguments', error)
        }
      }
    }
    done(null, payload)
  }

  function onSend (request: RecordedRequest, reply: FastifyReply, payload: unknown, done: (error: null, payload: unknown) => void): void {
    const record = recordOf(settings, request)
    if (record !== null) {
      endHandler(settings, record)
      if (record.isRecording && !record.ended && record.route.captureResponse) {
        try {
          noteSerialized(record, planOfRecord(record), reply, payload)
        } catch (error) {
          guard.report('response', error)
        }
      }
    }
    done(null, payload)
  }

  function end (record: RequestRecord, request: FastifyRequest, reply: FastifyReply): void {
    try {
      if (record.isRecording && !record.ended) {
        if (!record.argumentsNoted) noteUnvalidated(record, planOfRecord(record), request)
        if (settings.responseHook !== null) guard.run('responseHook', settings.responseHook, record.span, request, reply)
      }
    } catch (error) {
      guard.report('arguments', error)
    }
    try {
      const { raw } = reply
      finishServerSpan(record, {
        // `finish` alone is not enough: a stream that the client of HTTP/2 cancels has one too.
        completed: record.completed && raw.writableEnded,
        headersSent: raw.headersSent,
        statusCode: raw.statusCode,
      })
    } catch (error) {
      guard.report('request end', error)
    }
  }

  return { onRequest, preParsing, preValidation, preHandler, preSerialization, onError, onSend }
}

/** Goes on in the request's context, if it was lost on the way. */
function resume (record: RequestRecord, done: HookHandlerDoneFunction): void {
  const active = context.active()
  const requestContext = currentContext(record, active)
  if (requestContext === active) done()
  else context.with(requestContext, done)
}
