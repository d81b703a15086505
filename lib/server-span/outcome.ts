import {
  ERROR_TYPE_CLIENT_DISCONNECTED, ERROR_TYPE_RESPONSE_STREAM_ERROR, ERROR_TYPE_SERVER_CLOSING, ERROR_TYPE_TIMEOUT,
} from '../semconv.ts'

/** Why an answer was not sent whole. */
export type BreakOff =
  typeof ERROR_TYPE_CLIENT_DISCONNECTED | typeof ERROR_TYPE_RESPONSE_STREAM_ERROR | typeof ERROR_TYPE_TIMEOUT | typeof ERROR_TYPE_SERVER_CLOSING

/** What is known of a request when its connection is done with it. */
export interface RequestEnd {
  /** `null` when the answer was sent whole. */
  brokenOff: BreakOff | null
  /** The response head was sent. */
  headersSent: boolean
  statusCode: number
  /** Class of the last exception that Fastify saw, `timeout` for its own of a handler that took too long; `undefined` without one. */
  exceptionType: string | undefined
  /** How an upgraded connection was closed; `undefined` when it was not upgraded. */
  webSocketCloseCode: number | undefined
}

/** What the span and the metric say of how a request ended. */
export interface Outcome {
  /** `undefined` when none was sent. */
  statusCode: number | undefined
  /** Low-cardinality reason of a failure; `undefined` when the server did its part (4xx included). */
  errorType: string | undefined
}

/** Status code of an upgrade; the WebSocket library sends it past the response. */
const SWITCHING_PROTOCOLS = 101

/**
 * Tells how a request ended.
 *
 * | what happened | status code | `error.type` |
 * |---|---|---|
 * | sent whole, below 500 | as sent | – |
 * | sent whole, 5xx after an exception | as sent | class of the exception |
 * | sent whole, 5xx after `handlerTimeout` | as sent | `timeout` |
 * | sent whole, 5xx without an exception | as sent | the status code |
 * | the client left | as sent, if the head was | `client_disconnected` |
 * | the answer's stream failed, or the server broke it off | as sent, if the head was | `response_stream_error` |
 * | a timeout of connection, request or handler | as sent, if the head was | `timeout` |
 * | `app.close()` ended it | as sent, if the head was | `server_closing` |
 * | WebSocket closed as it should be, or with a code of the application | 101 | – |
 * | WebSocket closed in another way after its handler threw | 101 | class of the exception |
 * | WebSocket closed in another way | 101 | the close code |
 *
 * A span status of ERROR goes with `error.type`: the conventions leave a 4xx of a server UNSET.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
 */
export function outcomeOf ({ brokenOff, headersSent, statusCode, exceptionType, webSocketCloseCode }: RequestEnd): Outcome {
  if (webSocketCloseCode !== undefined) {
    return { statusCode: SWITCHING_PROTOCOLS, errorType: brokenOff ?? (isUsualClose(webSocketCloseCode) ? undefined : exceptionType ?? String(webSocketCloseCode)) }
  }
  if (brokenOff !== null) return { statusCode: headersSent ? statusCode : undefined, errorType: brokenOff }
  return { statusCode, errorType: statusCode >= 500 ? exceptionType ?? String(statusCode) : undefined }
}

/** Normal closure, going away, no code given; 3000 and above are the application's own. @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4 */
function isUsualClose (code: number): boolean {
  return code === 1000 || code === 1001 || code === 1005 || code >= 3000
}
