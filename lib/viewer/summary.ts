import {
  ARGUMENTS_ERROR_COUNT, ERROR_TYPE, ERROR_TYPE_CLIENT_DISCONNECTED, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, SPAN_ARGUMENTS,
} from '../semconv.ts'
import type { TraceSummary, ViewerSpan } from './wire.ts'

/** Names of services that a summary lists. */
const MAX_SERVICES = 20
const MAX_WORD_LENGTH = 512

/** The part of a stored trace that its summary is made of. */
interface Summarized {
  readonly traceId: string
  readonly revision: number
  readonly spans: ReadonlyMap<string, { span: ViewerSpan }>
}

/** One line about a trace. Needs a span at least; parents that are missing, or in a circle, are no matter. */
export function summarize ({ traceId, revision, spans }: Summarized): TraceSummary {
  let root: ViewerSpan | undefined
  let rootRank = -1
  let request: ViewerSpan | undefined
  let failed: ViewerSpan | undefined
  let startMillis = Infinity
  let endMillis = -Infinity
  let isRunning = false
  let isAborted = false
  let validationErrors = 0
  const services = new Set<string>()
  for (const { span } of spans.values()) {
    const rank = span.parentSpanId === undefined ? 2 : spans.has(span.parentSpanId) ? 0 : 1
    if (root === undefined || rank > rootRank || (rank === rootRank && span.startMillis < root.startMillis)) {
      root = span
      rootRank = rank
    }
    if (isRequest(span)) {
      if (request === undefined || span.startMillis < request.startMillis) request = span
      if (span.attributes[ERROR_TYPE] === ERROR_TYPE_CLIENT_DISCONNECTED) isAborted = true
    }
    if (span.status === 'ERROR' && (failed === undefined || span.startMillis < failed.startMillis)) failed = span
    validationErrors += errorCountOf(span)
    startMillis = Math.min(startMillis, span.startMillis)
    if (span.endMillis === null) isRunning = true
    else endMillis = Math.max(endMillis, span.endMillis)
    if (services.size < MAX_SERVICES) services.add(span.service)
  }
  const { name, service, attributes } = root!
  const http = attributes[HTTP_REQUEST_METHOD] === undefined && request !== undefined ? request.attributes : attributes
  const statusCode = http[HTTP_RESPONSE_STATUS_CODE]
  return {
    traceId,
    revision,
    startMillis,
    durationMillis: isRunning ? null : toMicros(endMillis - startMillis),
    name,
    ...words('method', http[HTTP_REQUEST_METHOD]),
    ...words('route', http[HTTP_ROUTE]),
    ...(typeof statusCode === 'number' ? { statusCode } : {}),
    ...words('errorType', http[ERROR_TYPE] ?? failed?.attributes[ERROR_TYPE]),
    service,
    services: [...services],
    spanCount: spans.size,
    validationErrors,
    isFailed: failed !== undefined,
    isAborted,
  }
}

function words (name: 'method' | 'route' | 'errorType', value: unknown): Record<string, string> {
  return typeof value === 'string' ? { [name]: value.slice(0, MAX_WORD_LENGTH) } : {}
}

/** Milliseconds to the microsecond: differences of large numbers have digits that mean nothing. */
export function toMicros (millis: number): number {
  return Math.round(millis * 1000) / 1000
}

/** A request as its server saw it; under a span of the same process it is INTERNAL. */
export function isRequest ({ kind, attributes }: ViewerSpan): boolean {
  return kind !== 'CLIENT' && typeof attributes[HTTP_REQUEST_METHOD] === 'string'
}

/** Validation errors that a span counts. */
export function errorCountOf ({ name, attributes }: ViewerSpan): number {
  const count = attributes[ARGUMENTS_ERROR_COUNT]
  // The child span repeats what its parent says.
  return typeof count === 'number' && name !== SPAN_ARGUMENTS ? count : 0
}
