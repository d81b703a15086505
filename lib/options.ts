import type { Attributes, MeterProvider, Span, TracerProvider } from '@opentelemetry/api'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ArgumentPart, ValidationErrorRecord } from './arguments/argument-part.ts'
import { LIMIT_RANGES, type Limits } from './arguments/limits.ts'
import type { ScrubbingOptions } from './arguments/scrubber.ts'
import type { ExceptionSignals } from './exception-signals.ts'
import type { LoggerProvider } from './logger-source.ts'
import type { MetricChoice } from './metrics.ts'
import type { InboundMode } from './propagation/inbound.ts'

/** What validation let through, by part; a part without a schema, and a part that failed, is absent. */
export type ArgumentValues = Partial<Record<ArgumentPart, unknown>>

/** What a mapper gets: copies, bounded and scrubbed. Changing them changes neither the request nor the record. */
export interface RecordedArguments {
  values: ArgumentValues
  /** Empty when everything was valid. */
  errors: ValidationErrorRecord[]
}

/**
 * Decides what the span keeps of a request's arguments. Synchronous; called once for each recorded request.
 * The keys `values` and `errors` of the result become `fastify.arguments.values` and `.errors`; every other key becomes
 * an attribute of that name (values that are not attribute values are recorded as JSON text). Names of the semantic conventions (`http.*`, `url.*`, …) are
 * left out, unless they stand under the key `standardAttributes`.
 * `null`, `undefined`, `false` and `{}` record neither values nor errors; their number and the time stamps stay. When it throws, or returns a promise or something else, the request
 * goes on untouched and the span keeps `fastify.telemetry.mapper_failed`.
 */
export type RequestAttributesMapper = (
  request: FastifyRequest,
  args: RecordedArguments
) => (Attributes & { values?: never, errors?: never }) | Record<string, unknown> | null | undefined | false

/** Which arguments a span carries: values and errors; both, but only when validation failed; neither. */
export type CaptureMode = 'all' | 'failure' | 'none'

/** Headers that are recorded, by name, in any case. */
export interface CaptureHeadersOptions {
  request?: string[]
  response?: string[]
}

/** Options of the plugin; all optional. A wrong or unknown one throws at `register` with a `FST_SCHEMA_TELEMETRY_*` code. */
export interface FastifySchemaTelemetryOptions {
  /** See {@link RequestAttributesMapper}. @default identity: values and errors are recorded as they are */
  mapper?: RequestAttributesMapper
  /** Adds the INTERNAL child spans `fastify.arguments` and `fastify.handler`. @default false */
  extraSpans?: boolean
  /**
   * `'all'`: values and errors; `'failure'`: only of requests that failed validation; `'none'`: neither, nor the four time
   * stamps. @default 'all'
   */
  capture?: CaptureMode
  /**
   * Records what the response's schema declares of the answer, as it was serialized: `fastify.response.serialized`. Fastify does not validate
   * responses. @default false
   */
  captureResponse?: boolean
  /**
   * Records parts whose schema is not JSON Schema (zod, joi, …), whole and bounded. Without it they leave a mark. @default false
   */
  captureUnknownSchemas?: boolean
  /**
   * Fastify stops at the first part that is wrong. On a recorded request that failed, also lists what is wrong in the parts after it: with the compilers of
   * Ajv and TypeBox only, on copies, with bodies of at most 64 KiB. @default true
   */
  completeErrors?: boolean
  /**
   * Takes out values whose name, or in texts whose form, says that they are secret. `false` leaves that to the schemas' annotations; credential headers
   * are redacted all the same. @default true
   */
  scrubbing?: boolean | ScrubbingOptions
  /** Bounds on what one span carries, and on the work spent on it. @default see {@link Limits} */
  limits?: Partial<Limits>
  /**
   * Headers to record as `http.request.header.<name>` and `http.response.header.<name>`: names only, no wildcards. Those that carry credentials are
   * refused. @default none
   */
  captureHeaders?: CaptureHeadersOptions
  /** Names of W3C baggage entries to record under their own names. @default none */
  baggageAttributes?: string[]
  /**
   * What becomes of a caller's trace context. `'continue'`: the span is a child of the caller's. `'link'`, for servers that anybody can reach: a trace of the
   * server's own, with a link to the caller's; its sampler decides afresh, and the caller's baggage goes no further. `'restart'`: the same without a link. A function
   * decides for each request; when it throws, or returns something else, `'link'`. @default 'continue'
   */
  inbound?: InboundMode | ((request: FastifyRequest) => InboundMode)
  /** Adds the entry `trace` of the header `Server-Timing` to each answer: `trace;desc=00-<trace id>-<span id>-<flags>`. @default false */
  responseHeader?: boolean
  /**
   * Requests that record nothing: a function, asked at each request (when it throws, the request is recorded), or a list of
   * route patterns, compared with the route as it was declared, prefix included; with a `*` at the end, with its beginning. @default none
   */
  ignore?: ((request: FastifyRequest) => boolean) | string[]
  /** Called right after the span starts. What it throws is reported, not passed on. @default none */
  requestHook?: (span: Span, request: FastifyRequest) => void
  /** Called once, before the span ends; after an abort the reply may be unsent. What it throws is reported. @default none */
  responseHook?: (span: Span, request: FastifyRequest, reply: FastifyReply) => void
  /**
   * What the exception behind a 5xx becomes: an event of the span, a log record, `'both'` or `'none'`. A log record that no logger provider takes becomes an
   * event. @default what the variable `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` says (`logs`, `logs/dup`), else `'event'`
   */
  exceptions?: ExceptionSignals
  /**
   * Records `http.server.request.duration` and `fastify.validation.failures`; an object adds `http.server.active_requests` (`activeRequests: true`), and
   * `http.server.request.body.size` and `http.server.response.body.size` (`bodySizes: true`). @default true
   */
  metrics?: boolean | MetricChoice
  /** @default the global tracer provider, also one that is registered later */
  tracerProvider?: TracerProvider
  /** @default the global meter provider, also one that is registered later */
  meterProvider?: MeterProvider
  /** Takes exceptions that become log records. @default the global logger provider, also one that is registered later */
  loggerProvider?: LoggerProvider
  /** `app.close()` flushes the providers, for at most five seconds in all. @default true */
  flushOnClose?: boolean
}

/** `config.telemetry` of a route: `false` ignores the route, an object overrides the plugin's options for it. */
export type RouteTelemetryOptions = Pick<FastifySchemaTelemetryOptions, 'mapper' | 'extraSpans' | 'capture' | 'captureResponse' | 'inbound'>

const anyFunction = (description: string) => Type.Function([], Type.Unknown(), { description })

const routeOptionSchemas = {
  mapper: anyFunction('a function (request, { values, errors }) => attributes | null'),
  extraSpans: Type.Boolean({ description: 'a boolean' }),
  capture: Type.Union([Type.Literal('all'), Type.Literal('failure'), Type.Literal('none')], {
    description: 'one of "all", "failure", "none"',
  }),
  captureResponse: Type.Boolean({ description: 'a boolean' }),
  inbound: Type.Union([Type.Literal('continue'), Type.Literal('link'), Type.Literal('restart'), Type.Function([], Type.Unknown())], {
    description: 'one of "continue", "link", "restart", or a function (request) => one of them',
  }),
}

const headerNames = Type.Array(Type.String({ pattern: "^[A-Za-z0-9!#$%&'+.^_`|~-]+$" }), { description: 'a list of header names without wildcards' })

const captureHeadersSchema = Type.Partial(Type.Object({ request: headerNames, response: headerNames }))

const limitsSchema = Type.Partial(Type.Object(Object.fromEntries(Object.entries(LIMIT_RANGES).map(([name, [minimum, maximum]]) =>
  [name, Type.Integer({ minimum, maximum, description: `an integer from ${minimum} to ${maximum}` })]))))

const scrubbingSchema = Type.Partial(Type.Object({
  extraPatterns: Type.Array(Type.Unknown(), { description: 'a list of regular expressions or of their sources' }),
  callback: anyFunction('a function ({ path, value, matched }) => value | undefined'),
}))

const metricsSchema = Type.Partial(Type.Object({
  activeRequests: Type.Boolean({ description: 'a boolean' }),
  bodySizes: Type.Boolean({ description: 'a boolean' }),
}))

/** The description of each property ends the sentence "option … must be …". */
export const optionsSchema = Type.Partial(Type.Object({
  ...routeOptionSchemas,
  ignore: Type.Union([Type.Function([], Type.Unknown()), Type.Array(Type.String({ pattern: '^/' }))], {
    description: 'a function (request) => boolean or a list of route patterns that begin with "/"',
  }),
  captureHeaders: Type.Object({}, { description: 'an object of request and response, each a list of header names', options: captureHeadersSchema }),
  baggageAttributes: Type.Array(Type.String({ minLength: 1 }), { description: 'a list of names' }),
  responseHeader: Type.Boolean({ description: 'a boolean' }),
  captureUnknownSchemas: Type.Boolean({ description: 'a boolean' }),
  completeErrors: Type.Boolean({ description: 'a boolean' }),
  scrubbing: Type.Boolean({ description: 'a boolean or an object of extraPatterns and callback', options: scrubbingSchema }),
  limits: Type.Object({}, { description: 'an object of limits', options: limitsSchema }),
  requestHook: anyFunction('a function (span, request) => void'),
  responseHook: anyFunction('a function (span, request, reply) => void'),
  exceptions: Type.Union([Type.Literal('event'), Type.Literal('log'), Type.Literal('both'), Type.Literal('none')], {
    description: 'one of "event", "log", "both", "none"',
  }),
  metrics: Type.Boolean({ description: 'a boolean or an object of activeRequests and bodySizes', options: metricsSchema }),
  tracerProvider: Type.Object({ getTracer: Type.Function([], Type.Unknown()) }, {
    description: 'a tracer provider (an object with getTracer)',
  }),
  meterProvider: Type.Object({ getMeter: Type.Function([], Type.Unknown()) }, {
    description: 'a meter provider (an object with getMeter)',
  }),
  loggerProvider: Type.Object({ getLogger: Type.Function([], Type.Unknown()) }, {
    description: 'a logger provider (an object with getLogger)',
  }),
  flushOnClose: Type.Boolean({ description: 'a boolean' }),
}))

export const routeOptionsSchema = Type.Partial(Type.Object(routeOptionSchemas))
