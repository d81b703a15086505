import { ERROR_TYPE_CLIENT_DISCONNECTED } from '../semconv.ts'

/** What is known of a request when its connection is done with it. */
export interface RequestEnd {
  /** The answer was sent whole. */
  completed: boolean
  /** The response head was sent. */
  headersSent: boolean
  statusCode: number
  /** Class of the last exception that Fastify saw; `undefined` without one. */
  exceptionType: string | undefined
}

/** What the span and the metric say of how a request ended. */
export interface Outcome {
  /** `undefined` when none was sent. */
  statusCode: number | undefined
  /** Low-cardinality reason of a failure; `undefined` when the server did its part (4xx included). */
  errorType: string | undefined
}

/**
 * Tells how a request ended.
 *
 * | what happened | status code | `error.type` |
 * |---|---|---|
 * | completed, below 500 | as sent | – |
 * | completed, 5xx after an exception | as sent | class of the exception |
 * | completed, 5xx without one | as sent | the status code |
 * | connection closed before the head | – | `client_disconnected` |
 * | connection closed after the head | as sent | `client_disconnected` |
 *
 * A span status of ERROR goes with `error.type`: the conventions leave a 4xx of a server UNSET.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
 */
export function outcomeOf ({ completed, headersSent, statusCode, exceptionType }: RequestEnd): Outcome {
  if (!completed) {
    return { statusCode: headersSent ? statusCode : undefined, errorType: ERROR_TYPE_CLIENT_DISCONNECTED }
  }
  return { statusCode, errorType: statusCode >= 500 ? exceptionType ?? String(statusCode) : undefined }
}
