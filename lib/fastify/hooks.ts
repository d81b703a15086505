import { context } from '@opentelemetry/api'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction, RequestPayload } from 'fastify'
import { currentContext } from '../server-span/current-context.ts'
import { isSerializationError } from '../arguments/serialization-errors.ts'
import { NEVER, type RequestRecord } from '../server-span/request-record.ts'
import type { Settings } from '../settings.ts'
import { keepBody } from './keep-body.ts'
import { noteRefused, noteSerializationFailure, noteSerialized, noteValidated } from './note-request-arguments.ts'
import { createRequestEnds } from './request-end.ts'
import { createRequestStart } from './request-start.ts'
import { recordOf, type RecordedRequest } from './recorded-request.ts'
import type { RoutePlan } from './route-plan.ts'
import { endHandler } from './time-handler.ts'
import { createWebSockets } from './web-sockets.ts'

/** The record's route is a plan: records are made in `request-start.ts` only. */
const planOfRecord = (record: RequestRecord): RoutePlan => record.route as RoutePlan

/**
 * The hooks of a request, in the order in which Fastify runs them. They only time and annotate; the span ends on `close` of the response,
 * the one event that comes for every request, aborted ones included. Callback hooks throughout: a promise each would cost more.
 */
export function createHooks (settings: Settings) {
  const { guard } = settings
  const ends = createRequestEnds(settings)
  const begin = createRequestStart(settings, ends)
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
