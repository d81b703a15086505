import { SpanStatusCode } from '@opentelemetry/api'
import { recordDuration } from '../metrics.ts'
import {
  ARGUMENTS_END_TIMESTAMP, ARGUMENTS_START_TIMESTAMP, ERROR_TYPE, HANDLER_END_TIMESTAMP, HANDLER_START_TIMESTAMP, HTTP_RESPONSE_STATUS_CODE,
} from '../semconv.ts'
import { exceptionTypeOf, recordException } from './exceptions.ts'
import { endHandlerSpan } from './extra-spans.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import { NEVER, type RequestRecord } from './request-record.ts'

/** How the answer stood when its connection was done with it. */
export interface ResponseEnd {
  completed: boolean
  headersSent: boolean
  statusCode: number
}

/** Ends the span and measures the request: once, whatever fails on the way. */
export function finishServerSpan (record: RequestRecord, response: ResponseEnd): void {
  if (record.ended) return
  record.ended = true
  const { settings, span } = record
  const endMillis = record.now()
  const outcome = outcomeOf({
    completed: response.completed,
    headersSent: response.headersSent,
    statusCode: response.statusCode,
    exceptionType: record.hasThrown ? exceptionTypeOf(record.thrown) : undefined,
  })
  // A handler that wrote the answer itself; one that still runs after an abort has no end.
  if (response.completed && record.handlerStartMillis !== NEVER && record.handlerEndMillis === NEVER) record.handlerEndMillis = endMillis
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
    span.end(record.toHrTime(endMillis))
  } catch (error) {
    settings.guard.report('span end', error)
  }
  const instruments = settings.findInstruments()
  if (instruments === null) return
  const { request, route } = record
  recordDuration(instruments.duration, {
    durationSeconds: (endMillis - record.startMillis) / 1000,
    method: request.method,
    scheme: request.scheme,
    route: route.route,
    statusCode: outcome.statusCode,
    errorType: outcome.errorType,
  }, record.context)
}

function describeEnd (record: RequestRecord, { statusCode, errorType }: Outcome): void {
  const { span } = record
  if (statusCode !== undefined) span.setAttribute(HTTP_RESPONSE_STATUS_CODE, statusCode)
  if (errorType !== undefined) {
    span.setAttribute(ERROR_TYPE, errorType)
    span.setStatus({ code: SpanStatusCode.ERROR })
    // An exception that an error handler turned into a 4xx was handled: it is not recorded.
    if (record.hasThrown && statusCode !== undefined && statusCode >= 500) {
      recordException(span, record.thrown, record.toHrTime(record.thrownMillis), record.settings.scrubber, wordsFor(record))
    }
  }
  if (record.route.capture === 'none') return
  stamp(record, ARGUMENTS_START_TIMESTAMP, record.argumentsStartMillis)
  stamp(record, ARGUMENTS_END_TIMESTAMP, record.argumentsEndMillis)
  stamp(record, HANDLER_START_TIMESTAMP, record.handlerStartMillis)
  stamp(record, HANDLER_END_TIMESTAMP, record.handlerEndMillis)
}

/** What stands for the message of the error that the arguments were refused with: validators quote values in it. */
function wordsFor ({ thrown, refusedWith, arguments: captured }: RequestRecord): string | undefined {
  if (refusedWith === undefined || thrown !== refusedWith) return undefined
  return captured?.errors[0]?.message ?? 'the arguments are not valid'
}

function stamp (record: RequestRecord, name: string, millis: number): void {
  if (millis !== NEVER) record.span.setAttribute(name, record.settings.formatTimestamp(record.toEpoch(millis)))
}
