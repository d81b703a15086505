import { SpanKind, trace, type Attributes, type Context, type Link, type Span } from '@opentelemetry/api'
import { countActive } from '../metrics.ts'
import {
  CLIENT_ADDRESS, CODE_FUNCTION_NAME, FASTIFY_ROUTE_OPERATION_ID, HTTP_METHOD_OTHER, HTTP_REQUEST_METHOD, HTTP_REQUEST_METHOD_ORIGINAL,
  HTTP_ROUTE, NETWORK_PEER_ADDRESS, NETWORK_PEER_PORT, NETWORK_PROTOCOL_VERSION, SERVER_ADDRESS, SERVER_PORT, URL_PATH, URL_QUERY, URL_SCHEME,
  USER_AGENT_ORIGINAL,
} from '../semconv.ts'
import type { RequestFacts, RequestRecord, RouteFacts } from './request-record.ts'

/** What a span has from its start besides the facts of request and route. */
export interface SpanStart {
  hasLocalParent: boolean
  /** To a caller whose trace is not continued. */
  link?: Link | undefined
  /** Headers and baggage that the options name; `null` for none. */
  attributes: Attributes | null
}

/**
 * Takes the SERVER span that instrumentation-http has opened for the request as the record's: it gets what this package knows more, and stays its
 * owner's to end.
 */
export function adoptServerSpan (record: RequestRecord, parent: Context, span: Span, attributes: Attributes | null): void {
  const { route, operationId, functionName } = record.route
  record.span = span
  record.ownsSpan = false
  record.context = parent
  record.traceId = span.spanContext().traceId
  record.isRecording = span.isRecording()
  if (!record.isRecording) return
  if (attributes !== null) span.setAttributes(attributes)
  span.updateName(spanName(record.request, record.route))
  if (route !== undefined) span.setAttribute(HTTP_ROUTE, route)
  if (operationId !== undefined) span.setAttribute(FASTIFY_ROUTE_OPERATION_ID, operationId)
  if (functionName !== undefined) span.setAttribute(CODE_FUNCTION_NAME, functionName)
}

/**
 * Opens the request's span, all start attributes in one object so that a sampler sees them, and makes its context the record's.
 * Under a local span of somebody else the kind is INTERNAL: the server span is theirs.
 */
export function startServerSpan (record: RequestRecord, parent: Context, { hasLocalParent, link, attributes }: SpanStart): void {
  if (record.tracer === null) return
  const span = record.tracer.startSpan(spanName(record.request, record.route), {
    kind: hasLocalParent ? SpanKind.INTERNAL : SpanKind.SERVER,
    startTime: record.toHrTime(record.startMillis),
    attributes: attributes === null ? startAttributes(record.request, record.route) : Object.assign(attributes, startAttributes(record.request, record.route)),
    ...(link === undefined ? {} : { links: [link] }),
  }, parent)
  // Asked before it is put anywhere: a span that fails here would fail in the hands of the application.
  const { traceId } = span.spanContext()
  const isRecording = span.isRecording()
  record.context = trace.setSpan(parent, span)
  record.span = span
  record.traceId = traceId
  record.isRecording = isRecording
}

/** Counts the request among those under way, if that is asked for; its end takes it off again. */
export function countStart (record: RequestRecord): void {
  if (!record.isMeasured) return
  try {
    const counter = record.settings.findInstruments()?.activeRequests ?? null
    if (counter === null) return
    countActive(counter, 1, record.request, record.context)
    record.isCountedActive = true
  } catch (error) {
    record.settings.guard.report('metrics', error)
  }
}

/** `METHOD route`, or the method alone: never the path, which has no end of values. Kept for the next request: methods are few. */
function spanName ({ method }: RequestFacts, { route, spanNames }: RouteFacts): string {
  const known = spanNames.get(method)
  if (known !== undefined) return known
  const verb = method === HTTP_METHOD_OTHER ? 'HTTP' : method
  const name = route === undefined ? verb : `${verb} ${route}`
  spanNames.set(method, name)
  return name
}

function startAttributes (request: RequestFacts, route: RouteFacts): Attributes {
  const attributes: Attributes = {
    [HTTP_REQUEST_METHOD]: request.method,
    [URL_SCHEME]: request.scheme,
    [URL_PATH]: request.path,
    [NETWORK_PROTOCOL_VERSION]: request.protocolVersion,
  }
  if (request.query !== undefined) attributes[URL_QUERY] = request.query
  if (route.route !== undefined) attributes[HTTP_ROUTE] = route.route
  if (request.serverAddress !== undefined) attributes[SERVER_ADDRESS] = request.serverAddress
  if (request.serverPort !== undefined) attributes[SERVER_PORT] = request.serverPort
  if (request.clientAddress !== undefined) attributes[CLIENT_ADDRESS] = request.clientAddress
  if (request.peerAddress !== undefined) attributes[NETWORK_PEER_ADDRESS] = request.peerAddress
  if (request.peerPort !== undefined) attributes[NETWORK_PEER_PORT] = request.peerPort
  if (request.userAgent !== undefined) attributes[USER_AGENT_ORIGINAL] = request.userAgent
  if (request.methodOriginal !== undefined) attributes[HTTP_REQUEST_METHOD_ORIGINAL] = request.methodOriginal
  if (route.operationId !== undefined) attributes[FASTIFY_ROUTE_OPERATION_ID] = route.operationId
  if (route.functionName !== undefined) attributes[CODE_FUNCTION_NAME] = route.functionName
  return attributes
}
