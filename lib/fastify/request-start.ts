import { context, propagation, trace, type Attributes, type Context } from '@opentelemetry/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { headerAttributes, keepText } from '../arguments/named-texts.ts'
import { baggageAttributes } from '../propagation/baggage-attributes.ts'
import { leaveCaller, readInbound, shareRequest, silentContext, type Inbound, type InboundMode } from '../propagation/inbound.ts'
import { NO_FACTS, RequestRecord } from '../server-span/request-record.ts'
import { adoptServerSpan, startServerSpan } from '../server-span/start.ts'
import type { Settings } from '../settings.ts'
import { kRecord } from '../symbols.ts'
import { announceTrace } from './announce-trace.ts'
import type { RecordedRequest } from './recorded-request.ts'
import type { RequestEnds } from './request-end.ts'
import { createRequestFactsReader } from './request-facts.ts'
import { planOf, type RoutePlan } from './route-plan.ts'

/** Opens the record of a request; returns the context in which the rest of the request runs, `undefined` when nothing is recorded at all. */
export type BeginRequest = (instance: FastifyInstance, request: RecordedRequest, reply: FastifyReply) => Context | undefined

/** Decides where a request's span belongs, and starts it with everything that is known by then. */
export function createRequestStart (settings: Settings, ends: RequestEnds): BeginRequest {
  const { guard } = settings
  const readRequestFacts = createRequestFactsReader()

  function begin (instance: FastifyInstance, request: RecordedRequest, reply: FastifyReply): Context | undefined {
    const tracer = settings.findTracer()
    if (tracer === null && settings.findInstruments() === null) return undefined
    if (request[kRecord] !== undefined && request[kRecord] !== null) return undefined
    const routeOptions = request.routeOptions
    const plan = planOf(settings, instance, routeOptions as Parameters<typeof planOf>[2])
    const inbound = inboundOf(request, plan)
    const { parent, serverSpan } = inbound
    if (plan.isIgnored || isIgnored(request)) return ignore(request, plan, parent)

    const record = new RequestRecord(settings, plan, readRequestFacts(request, plan), tracer, parent)
    try {
      const attributes = extraAttributes(request, parent)
      if (serverSpan === undefined) startServerSpan(record, parent, { hasLocalParent: inbound.hasLocalParent, link: inbound.link, attributes })
      else adoptServerSpan(record, parent, serverSpan, attributes)
      record.isMeasured = inbound.outer === undefined
      shareRequest(inbound, record.span, plan.route)
    } catch (error) {
      // A sampler or a span processor that throws: the request goes on in its caller's trace.
      guard.report('span start', error)
    }
    record.traceId ??= trace.getSpanContext(record.context)?.traceId
    request[kRecord] = record
    if (record.isRecording && settings.requestHook !== null) guard.run('requestHook', settings.requestHook, record.span, request)
    if (settings.announcesTrace) announce(record, reply)
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

  /** Headers and baggage that the options name; `null` when they name none. */
  function extraAttributes (request: FastifyRequest, parent: Context): Attributes | null {
    const { capturedHeaders, baggageNames } = settings
    if (capturedHeaders.request.length === 0 && baggageNames.length === 0) return null
    try {
      const attributes = baggageAttributes(propagation.getBaggage(parent), baggageNames, (name, text) => keepText(name, text, settings))
      return headerAttributes(capturedHeaders.request, (name) => request.raw.headers[name], settings, attributes)
    } catch (error) {
      guard.report('headers', error)
      return null
    }
  }

  function announce (record: RequestRecord, { raw }: FastifyReply): void {
    try {
      if (trace.isSpanContextValid(record.span.spanContext()) && !raw.headersSent) announceTrace(raw, record.span)
    } catch (error) {
      guard.report('response header', error)
    }
  }

  function inboundOf (request: FastifyRequest, plan: RoutePlan): Inbound {
    const inbound = readInboundSafely(request)
    const mode = typeof plan.inbound === 'function' ? askInbound(plan.inbound, request) : plan.inbound
    return mode === 'continue' ? inbound : leaveCaller(inbound, mode)
  }

  /** Whoever cannot say whether a caller is to be trusted does not trust it. */
  function askInbound (ask: (request: FastifyRequest) => InboundMode, request: FastifyRequest): InboundMode {
    const mode = guard.run('inbound', ask, request)
    return mode === 'continue' || mode === 'restart' ? mode : 'link'
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

  return begin
}
