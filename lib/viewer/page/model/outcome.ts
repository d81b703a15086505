import type { TraceSummary, ViewerSpan } from '../../wire.ts'
import { ERROR_TYPE, ERROR_TYPE_CLIENT_DISCONNECTED, HTTP_RESPONSE_STATUS_CODE } from '../../../semconv.ts'

/** What became of a request, in the order of precedence; each has a colour of its own. */
export type Outcome = 'running' | 'aborted' | 'failed' | 'refused' | 'fine'

/** `failed`: 5xx or a span with an error. `refused`: 4xx or a validation error. */
export function outcomeOf ({ durationMillis, isAborted, isFailed, statusCode = 0, validationErrors }: TraceSummary): Outcome {
  if (durationMillis === null) return 'running'
  if (isAborted) return 'aborted'
  if (isFailed || statusCode >= 500) return 'failed'
  return statusCode >= 400 || validationErrors > 0 ? 'refused' : 'fine'
}

/** Counts as a failure in the share of failures. */
export function isFailure (summary: TraceSummary): boolean {
  const outcome = outcomeOf({ ...summary, durationMillis: 0 })
  return outcome !== 'fine'
}

/** The same words for one span. */
export function spanOutcome ({ endMillis, status, attributes }: ViewerSpan, errorCount: number): Outcome {
  if (endMillis === null) return 'running'
  if (attributes[ERROR_TYPE] === ERROR_TYPE_CLIENT_DISCONNECTED) return 'aborted'
  const statusCode = Number(attributes[HTTP_RESPONSE_STATUS_CODE] ?? 0)
  if (status === 'ERROR' || statusCode >= 500) return 'failed'
  return statusCode >= 400 || errorCount > 0 ? 'refused' : 'fine'
}

/** The colour of a status code on its own: 4xx is the client's fault, 5xx the server's. */
export function statusOutcome (statusCode: number | undefined): Outcome {
  if (statusCode === undefined || statusCode < 400) return 'fine'
  return statusCode >= 500 ? 'failed' : 'refused'
}
