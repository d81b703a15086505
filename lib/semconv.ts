/**
 * Every name this package emits, once. Attribute names with a `fastify.` prefix are ours; the others are
 * stable names of the OpenTelemetry semantic conventions, copied so that nothing is imported at run time.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
 */

/** Instrumentation scope of every span and metric of this package. */
export const SCOPE_NAME = 'fastify-schema-telemetry'

/** Version of the instrumentation scope: the version of this package. A test holds it equal to package.json. */
export const SCOPE_VERSION = '0.1.0'

/** Schema URL of the instrumentation scope: the edition of the semantic conventions that the names follow. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0'

// ---- Start attributes of the SERVER span -----------------------------------------------------------------

/**
 * HTTP method; string; `GET`. Methods outside RFC 9110, PATCH and QUERY, or outside the list in OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS, stand as `_OTHER`.
 * Required.
 */
export const HTTP_REQUEST_METHOD = 'http.request.method'

/** The method as the client sent it; string; only when {@link HTTP_REQUEST_METHOD} is `_OTHER`. */
export const HTTP_REQUEST_METHOD_ORIGINAL = 'http.request.method_original'

/** Value of {@link HTTP_REQUEST_METHOD} for a method that is not well known. */
export const HTTP_METHOD_OTHER = '_OTHER'

/** `http` or `https`, whichever Fastify's `trustProxy` believes; string. Required. */
export const URL_SCHEME = 'url.scheme'

/** Path of the request target without query; string; `/users/7`. Required. */
export const URL_PATH = 'url.path'

/**
 * Query of the request target; string. Values of parameters that the route's schema does not declare, or that are secret, stand as
 * `REDACTED`, undeclared names as `*`; at most 1,024 characters. Absent without a query.
 *
 * @example notify=true&*=REDACTED
 */
export const URL_QUERY = 'url.query'

/** Route pattern with prefix; string; `/users/:id`. Absent when no route matched. */
export const HTTP_ROUTE = 'http.route'

/** Host of the request without port, as Fastify's `trustProxy` sees it; string, at most 255 characters. Absent without a Host. */
export const SERVER_ADDRESS = 'server.address'

/** Port of the Host; int; absent when the Host names none. */
export const SERVER_PORT = 'server.port'

/** Address of the client, as Fastify's `trustProxy` sees it; string, at most 255 characters. Absent on a Unix domain socket without such a proxy. */
export const CLIENT_ADDRESS = 'client.address'

/** Address of the socket's other end; string. Absent on a Unix domain socket. */
export const NETWORK_PEER_ADDRESS = 'network.peer.address'

/** Port of the socket's other end; int. Absent on a Unix domain socket. */
export const NETWORK_PEER_PORT = 'network.peer.port'

/** HTTP version; string; `1.1`. */
export const NETWORK_PROTOCOL_VERSION = 'network.protocol.version'

/** User-Agent header; string, at most 1,024 characters. */
export const USER_AGENT_ORIGINAL = 'user_agent.original'

/** Beginning of the name of a captured request header; list of strings; with the option `captureHeaders`. */
export const HTTP_REQUEST_HEADER = 'http.request.header.'

/** Name of the route's handler function; string; absent for an anonymous one. @example readUser */
export const CODE_FUNCTION_NAME = 'code.function.name'

/** `operationId` of the route's schema; string; absent when the schema has none. @example readUser */
export const FASTIFY_ROUTE_OPERATION_ID = 'fastify.route.operation_id'

// ---- End attributes of the SERVER span -------------------------------------------------------------------

/** Status code as sent; int; absent when no response head was sent. */
export const HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code'

/** Beginning of the name of a captured response header; list of strings; with the option `captureHeaders`. */
export const HTTP_RESPONSE_HEADER = 'http.response.header.'

/** Why the request counts as failed; string: class of the exception, status code of a 5xx, or one of the values below. */
export const ERROR_TYPE = 'error.type'

/** {@link ERROR_TYPE} of a request whose client left before the answer was complete. */
export const ERROR_TYPE_CLIENT_DISCONNECTED = 'client_disconnected'

/** {@link ERROR_TYPE} of a request whose answer the server broke off: the stream failed, or the response was destroyed. */
export const ERROR_TYPE_RESPONSE_STREAM_ERROR = 'response_stream_error'

/** {@link ERROR_TYPE} of a request that ran into a timeout: `handlerTimeout`, `connectionTimeout` or `requestTimeout` of Fastify. */
export const ERROR_TYPE_TIMEOUT = 'timeout'

/** {@link ERROR_TYPE} of a request that `app.close()` ended. */
export const ERROR_TYPE_SERVER_CLOSING = 'server_closing'

// ---- WebSocket connections -------------------------------------------------------------------------------

/** How a WebSocket was closed; int; 1006 when its connection was cut. @example 1000 */
export const WEBSOCKET_CLOSE_CODE = 'fastify.websocket.close_code'

/** Messages that came over a WebSocket; int. @example 2 */
export const WEBSOCKET_MESSAGES_RECEIVED = 'fastify.websocket.messages_received'

/** Messages that were sent over a WebSocket; int. @example 3 */
export const WEBSOCKET_MESSAGES_SENT = 'fastify.websocket.messages_sent'

/** Bytes of the messages that came; int; without frames and compression. @example 64 */
export const WEBSOCKET_BYTES_RECEIVED = 'fastify.websocket.bytes_received'

/** Bytes of the messages that were sent; int; without frames and compression. @example 96 */
export const WEBSOCKET_BYTES_SENT = 'fastify.websocket.bytes_sent'

// ---- Arguments -------------------------------------------------------------------------------------------

/** JSON text, string: what validation let through, by part (`params`, `body`, `querystring`, `headers`). @example {"params":{"id":7}} */
export const ARGUMENTS_VALUES = 'fastify.arguments.values'

/**
 * JSON text, string: list of `{ part, path, keyword, message, schemaPath?, params?, input? }`; absent without errors.
 *
 * @example [{"part":"params","path":"/id","keyword":"type","message":"must be integer","input":"seven"}]
 */
export const ARGUMENTS_ERRORS = 'fastify.arguments.errors'

/** Number of validation or parse errors; int; only when above 0. @example 1 */
export const ARGUMENTS_ERROR_COUNT = 'fastify.arguments.error_count'

/** `true` when a bound cut values or errors; boolean; absent otherwise. @example true */
export const ARGUMENTS_TRUNCATED = 'fastify.arguments.truncated'

/** JSON pointers (`/body/session`) of recorded values that were scrubbed; list of strings, at most 32; absent when nothing was. @example ["/body/session"] */
export const ARGUMENTS_SCRUBBED = 'fastify.arguments.scrubbed'

/** When body parsing began; string, UTC, ISO 8601 with microseconds. @example 2026-11-21T04:30:24.123456Z */
export const ARGUMENTS_START_TIMESTAMP = 'fastify.arguments.start_timestamp'

/** When validation ended; string, UTC, ISO 8601 with microseconds. @example 2026-11-21T04:30:24.123789Z */
export const ARGUMENTS_END_TIMESTAMP = 'fastify.arguments.end_timestamp'

/** When the route handler began; string, UTC, ISO 8601 with microseconds; absent when it never ran. @example 2026-11-21T04:30:24.123790Z */
export const HANDLER_START_TIMESTAMP = 'fastify.handler.start_timestamp'

/** When the route handler ended (for callback handlers: replied); string, UTC, ISO 8601 with microseconds. @example 2026-11-21T04:30:24.124512Z */
export const HANDLER_END_TIMESTAMP = 'fastify.handler.end_timestamp'

/** `true` when the mapper threw or returned something that is not an object of attributes; boolean; absent otherwise. @example true */
export const MAPPER_FAILED = 'fastify.telemetry.mapper_failed'

/** JSON text, string: what the response's schema declares of the answer, as it was serialized; only with `captureResponse`. @example {"id":7} */
export const RESPONSE_SERIALIZED = 'fastify.response.serialized'

// ---- Child spans -----------------------------------------------------------------------------------------

/** INTERNAL child span of `extraSpans`: body parsing and validation. */
export const SPAN_ARGUMENTS = 'fastify.arguments'

/** INTERNAL child span of `extraSpans`: the route handler. */
export const SPAN_HANDLER = 'fastify.handler'

// ---- Exceptions (span event or log record) ---------------------------------------------------------------

/** Name of the span event of an exception that ended in a 5xx answer. */
export const EXCEPTION_EVENT = 'exception'

/** Event name of the log record of such an exception; severity ERROR. @see https://opentelemetry.io/docs/specs/semconv/http/http-exceptions/ */
export const EXCEPTION_LOG = 'http.server.request.exception'

/** Class of the exception; string. */
export const EXCEPTION_TYPE = 'exception.type'

/** Message of the exception, at most 1,024 characters, secrets scrubbed; string. */
export const EXCEPTION_MESSAGE = 'exception.message'

/** Stack of the exception, at most 8,192 characters, secrets scrubbed; string. */
export const EXCEPTION_STACKTRACE = 'exception.stacktrace'

// ---- Fields of log lines (`traceMixin`) ------------------------------------------------------------------

/** Trace of a line; string, 32 hex digits. @see https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/ */
export const LOG_TRACE_ID = 'trace_id'

/** Span of a line; string, 16 hex digits. */
export const LOG_SPAN_ID = 'span_id'

/** W3C trace flags of the span; string, two hex digits: `01` sampled, `00` not. */
export const LOG_TRACE_FLAGS = 'trace_flags'

// ---- Metrics ---------------------------------------------------------------------------------------------

/** Histogram, unit `s`: duration of each request, from its first hook to its last byte. */
export const METRIC_REQUEST_DURATION = 'http.server.request.duration'

/** Up-down counter, unit `{request}`: requests under way, WebSocket connections included; only with the option `metrics.activeRequests`. */
export const METRIC_ACTIVE_REQUESTS = 'http.server.active_requests'

/** Histogram, unit `By`: bodies of requests that came whole and have a Content-Length; only with the option `metrics.bodySizes`. */
export const METRIC_REQUEST_BODY_SIZE = 'http.server.request.body.size'

/** Histogram, unit `By`: bodies of answers that were sent whole and have a Content-Length; only with the option `metrics.bodySizes`. */
export const METRIC_RESPONSE_BODY_SIZE = 'http.server.response.body.size'

/** Bucket boundaries, in seconds, that the convention advises for {@link METRIC_REQUEST_DURATION}. */
export const REQUEST_DURATION_BOUNDARIES_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]

/** Counter, unit `{failure}`: validation and parse failures, at most ten a request; unsampled requests count too. */
export const METRIC_VALIDATION_FAILURES = 'fastify.validation.failures'

/** Part of the request that failed: `params`, `body`, `querystring`, `headers`; or `response`; string. @example body */
export const FASTIFY_VALIDATION_PART = 'fastify.validation.part'

/** Keyword of the schema that failed; string; `parse` for a body that did not parse. @example type */
export const FASTIFY_VALIDATION_KEYWORD = 'fastify.validation.keyword'

/**
 * Pointer into the schema; string. Absent when the validator gives none, or one made of what was sent.
 *
 * @example #/properties/age/type
 */
export const FASTIFY_VALIDATION_SCHEMA_PATH = 'fastify.validation.schema_path'

/** Observable counter, unit `{span}`: spans that `configure()` delivered; with `error.type` those that it dropped, by reason. */
export const METRIC_SDK_EXPORTED = 'otel.sdk.exporter.span.exported'

/** Observable up-down counter, unit `{span}`: spans that wait for their export. */
export const METRIC_SDK_QUEUE_SIZE = 'otel.sdk.processor.span.queue.size'

/** Observable up-down counter, unit `{span}`: most spans that may wait; only with OTEL_BSP_MAX_QUEUE_SIZE, since the bound is one of bytes. */
export const METRIC_SDK_QUEUE_CAPACITY = 'otel.sdk.processor.span.queue.capacity'

// ---- Resource --------------------------------------------------------------------------------------------

/** Name of the service; string. */
export const SERVICE_NAME = 'service.name'

/** Version of the service; string. */
export const SERVICE_VERSION = 'service.version'

/** Random for each process; string. */
export const SERVICE_INSTANCE_ID = 'service.instance.id'

/** Where the service runs (`production`); string. */
export const DEPLOYMENT_ENVIRONMENT_NAME = 'deployment.environment.name'
