import { SpanStatusCode, type Span } from '@opentelemetry/api'
import { countActive, recordRequest, type BodyBytes } from '../metrics.ts'
import {
  ARGUMENTS_END_TIMESTAMP, ARGUMENTS_START_TIMESTAMP, ERROR_TYPE, ERROR_TYPE_TIMEOUT, HANDLER_END_TIMESTAMP, HANDLER_START_TIMESTAMP, HTTP_RESPONSE_STATUS_CODE,
  WEBSOCKET_BYTES_RECEIVED, WEBSOCKET_BYTES_SENT, WEBSOCKET_CLOSE_CODE, WEBSOCKET_MESSAGES_RECEIVED, WEBSOCKET_MESSAGES_SENT,
} from '../semconv.ts'
import { codeOf, exceptionTypeOf, HANDLER_TIMEOUT, recordException } from './exceptions.ts'
import { endHandlerSpan } from './extra-spans.ts'
import { outcomeOf, type BreakOff, type Outcome } from './outcome.ts'
import { NEVER, type RequestRecord } from './request-record.ts'
import { ABNORMAL_CLOSURE, type WebSocketCounts } from './web-socket.ts'

/** How the answer stood when its connection was done with it. */
export interface ResponseEnd {
  /** `null` when it was sent whole. */
  brokenOff: BreakOff | null
  headersSent: boolean
  statusCode: number
  /** Sizes of the bodies that came and were sent whole, as far as they are known; absent when nobody measures them. */
  bodyBytes?: BodyBytes | undefined
}

/** Ends the span and measures the request: once, whatever fails on the way. */
export function finishServerSpan (record: RequestRecord, response: ResponseEnd): void {
  if (record.ended) return
  record.ended = true
  const { settings, span, webSocket } = record
  const endMillis = record.endMillis === NEVER ? record.now() : record.endMillis
  const outcome = outcomeOf({
    brokenOff: response.brokenOff,
    headersSent: response.headersSent,
    statusCode: response.statusCode,
    exceptionType: !record.hasThrown ? undefined : codeOf(record.thrown) === HANDLER_TIMEOUT ? ERROR_TYPE_TIMEOUT : exceptionTypeOf(record.thrown),
    webSocketCloseCode: webSocket === null ? undefined : webSocket.closeCode ?? ABNORMAL_CLOSURE,
  })
  // A handler that wrote the answer itself; one that still runs after an abort has no end.
  if (response.brokenOff === null && record.handlerStartMillis !== NEVER && record.handlerEndMillis === NEVER) record.handlerEndMillis = endMillis
  try {
    endHandlerSpan(record, endMillis)
  } catch (error) {
    settings.guard.report('handler span', error)
  }
  try {
    if (record.isRecording) describeEnd(record, outcome)
    for (const [name, value] of record.standardAttributes) span.setAttribute(name, value)
  } catch (error) {
    settings.guard.report('span attributes', error)
  }
  try {
    // Of a span that is not ours the owner ends it.
    if (record.ownsSpan) span.end(record.toHrTime(endMillis))
  } catch (error) {
    settings.guard.report('span end', error)
  }
  measure(record, outcome, endMillis, response.bodyBytes)
}

function measure (record: RequestRecord, { statusCode, errorType }: Outcome, endMillis: number, bodyBytes: BodyBytes = NO_BODIES): void {
  const { request, route, context } = record
  const instruments = record.settings.findInstruments()
  if (instruments === null) return
  if (record.isCountedActive) countActive(instruments.activeRequests!, -1, request, context)
  // A connection that stays open for hours has no place among the durations of requests.
  if (!record.isMeasured || record.webSocket !== null) return
  recordRequest(instruments, {
    durationSeconds: (endMillis - record.startMillis) / 1000,
    method: request.method,
    scheme: request.scheme,
    protocolVersion: request.protocolVersion,
    route: route.route,
    statusCode,
    errorType,
    bodyBytes,
  }, context)
}

const NO_BODIES: BodyBytes = Object.freeze({})

function describeEnd (record: RequestRecord, { statusCode, errorType }: Outcome): void {
  const { span, webSocket } = record
  if (webSocket !== null) describeWebSocket(span, webSocket)
  if (statusCode !== undefined && record.ownsSpan) span.setAttribute(HTTP_RESPONSE_STATUS_CODE, statusCode)
  if (errorType !== undefined) {
    span.setAttribute(ERROR_TYPE, errorType)
    span.setStatus({ code: SpanStatusCode.ERROR })
    // An exception that an error handler turned into a 4xx was handled: it is not recorded.
    if (record.hasThrown && statusCode !== undefined && (statusCode >= 500 || webSocket !== null)) {
      recordException(record, wordsFor(record))
    }
  }
  if (record.route.capture === 'none') return
  stamp(record, ARGUMENTS_START_TIMESTAMP, record.argumentsStartMillis)
  stamp(record, ARGUMENTS_END_TIMESTAMP, record.argumentsEndMillis)
  stamp(record, HANDLER_START_TIMESTAMP, record.handlerStartMillis)
  stamp(record, HANDLER_END_TIMESTAMP, record.handlerEndMillis)
}

function describeWebSocket (span: Span, { closeCode, messagesReceived, messagesSent, bytesReceived, bytesSent }: WebSocketCounts): void {
  if (closeCode !== undefined) span.setAttribute(WEBSOCKET_CLOSE_CODE, closeCode)
  span.setAttributes({
    [WEBSOCKET_MESSAGES_RECEIVED]: messagesReceived,
    [WEBSOCKET_MESSAGES_SENT]: messagesSent,
    [WEBSOCKET_BYTES_RECEIVED]: bytesReceived,
    [WEBSOCKET_BYTES_SENT]: bytesSent,
  })
}

/** What stands for the message of the error that the arguments were refused with: validators quote values in it. */
function wordsFor ({ thrown, refusedWith, arguments: captured }: RequestRecord): string | undefined {
  if (refusedWith === undefined || thrown !== refusedWith) return undefined
  return captured?.errors[0]?.message ?? 'the arguments are not valid'
}

function stamp (record: RequestRecord, name: string, millis: number): void {
  if (millis !== NEVER) record.span.setAttribute(name, record.settings.formatTimestamp(record.toEpoch(millis)))
}
