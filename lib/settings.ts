import { trace, type Tracer, type TracerProvider } from '@opentelemetry/api'
import { DEFAULT_LIMITS } from './arguments/limits.ts'
import type { CapturedHeader } from './arguments/named-texts.ts'
import { withoutQuotedJson } from './arguments/parse-errors.ts'
import { createScrubber, scrubText, toPattern, type Scrubber, type ScrubbingOptions } from './arguments/scrubber.ts'
import { isCredentialHeader } from './arguments/secret-names.ts'
import { isStandardName } from './arguments/standard-names.ts'
import type { CaptureSettings } from './arguments/value-sink.ts'
import { behindProxy } from './behind-proxy.ts'
import { createTimestampFormatter, systemClock, type Clock } from './clock.ts'
import { TelemetryError } from './error-codes.ts'
import { exceptionSignalsOf, type ExceptionSignals } from './exception-signals.ts'
import { createGuard, type Guard } from './guard.ts'
import { createLoggerSource, type LoggerSource } from './logger-source.ts'
import { createInstruments, type Instruments } from './metrics.ts'
import type { CaptureMode, FastifySchemaTelemetryOptions, RequestAttributesMapper, RouteTelemetryOptions } from './options.ts'
import { HTTP_REQUEST_HEADER, HTTP_RESPONSE_HEADER, SCOPE_NAME } from './semconv.ts'
import { createTracerSource } from './tracer-source.ts'
import { kClock } from './symbols.ts'

/** What a route can decide for itself. */
export interface RouteSettings {
  readonly mapper: RequestAttributesMapper | null
  readonly extraSpans: boolean
  readonly capture: CaptureMode
  readonly captureResponse: boolean
  readonly inbound: NonNullable<FastifySchemaTelemetryOptions['inbound']>
}

/** The options as the code reads them: every default filled in, every choice made. */
export interface Settings extends RouteSettings, CaptureSettings {
  readonly captureUnknownSchemas: boolean
  readonly completeErrors: boolean
  readonly asksIgnore: Extract<FastifySchemaTelemetryOptions['ignore'], (...args: never[]) => unknown> | null
  /** Whether the routes of a pattern record nothing. */
  readonly ignoresRoute: (route: string) => boolean
  readonly capturedHeaders: { readonly request: readonly CapturedHeader[], readonly response: readonly CapturedHeader[] }
  readonly baggageNames: readonly string[]
  readonly announcesTrace: boolean
  readonly requestHook: NonNullable<FastifySchemaTelemetryOptions['requestHook']> | null
  readonly responseHook: NonNullable<FastifySchemaTelemetryOptions['responseHook']> | null
  /** The tracer, or `null` while no SDK is there. */
  readonly findTracer: () => Tracer | null
  /** The instruments, or `null` without a meter provider or with `metrics: false`. */
  readonly findInstruments: () => Instruments | null
  readonly exceptions: ExceptionSignals
  /** What takes exceptions that are log records. */
  readonly logs: LoggerSource
  readonly measuresBodySizes: boolean
  readonly clock: Clock
  readonly formatTimestamp: (epochMillis: number) => string
  readonly guard: Guard
}

/** Turns checked options into settings. */
export function toSettings (options: FastifySchemaTelemetryOptions): Settings {
  const { ignore, metrics = true } = options
  const metricChoice = typeof metrics === 'object' ? metrics : {}
  const scrubber: Scrubber = createScrubber(checkScrubbing(options.scrubbing), (error) => guard.report('scrubbing callback', error))
  const guard = createGuard((text, maxLength) => scrubText(scrubber, withoutQuotedJson(text), maxLength))
  return Object.freeze({
    ...toRouteSettings(options, { mapper: null, extraSpans: false, capture: 'all', captureResponse: false, inbound: 'continue' }),
    limits: Object.freeze({ ...DEFAULT_LIMITS, ...withoutUndefined(options.limits ?? {}) }),
    scrubber,
    captureUnknownSchemas: options.captureUnknownSchemas ?? false,
    completeErrors: options.completeErrors ?? true,
    asksIgnore: typeof ignore === 'function' ? ignore : null,
    ignoresRoute: createRouteMatcher(Array.isArray(ignore) ? ignore : []),
    capturedHeaders: {
      request: toCapturedHeaders('request', options.captureHeaders?.request, HTTP_REQUEST_HEADER, scrubber),
      response: toCapturedHeaders('response', options.captureHeaders?.response, HTTP_RESPONSE_HEADER, scrubber),
    },
    baggageNames: checkBaggageNames(options.baggageAttributes ?? [], scrubber),
    announcesTrace: options.responseHeader ?? false,
    requestHook: options.requestHook ?? null,
    responseHook: options.responseHook ?? null,
    findTracer: createTracerSource(options.tracerProvider),
    findInstruments: metrics === false ? () => null : createInstruments(options.meterProvider, guard, metricChoice),
    measuresBodySizes: metricChoice.bodySizes === true,
    exceptions: options.exceptions ?? exceptionSignalsOf(process.env),
    logs: createLoggerSource(options.loggerProvider, guard),
    clock: findClock(options.tracerProvider ?? trace.getTracerProvider()),
    formatTimestamp: createTimestampFormatter(),
    guard,
  })
}

/** A route's own options over those of the plugin. */
export function toRouteSettings (options: RouteTelemetryOptions, defaults: RouteSettings): RouteSettings {
  return Object.freeze({
    mapper: options.mapper ?? defaults.mapper,
    extraSpans: options.extraSpans ?? defaults.extraSpans,
    capture: options.capture ?? defaults.capture,
    captureResponse: options.captureResponse ?? defaults.captureResponse,
    inbound: options.inbound ?? defaults.inbound,
  })
}

/** A pattern is a route, or with a `*` at its end the beginning of routes. */
function createRouteMatcher (patterns: readonly string[]): (route: string) => boolean {
  const exact = new Set(patterns)
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  return (route) => exact.has(route) || beginnings.some((beginning) => route.startsWith(beginning))
}

/** @throws TelemetryError - for a header that carries credentials */
function toCapturedHeaders (side: string, names: readonly string[] | undefined, prefix: string, scrubber: Scrubber): readonly CapturedHeader[] {
  return [...new Set((names ?? []).map((name) => name.toLowerCase()))].map((name) => {
    if (isCredentialHeader(name) || scrubber.findInName(name) !== undefined) {
      throw new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_OPTION', `${SCOPE_NAME}: option "captureHeaders.${side}" must not name headers that carry credentials, received "${name}"`)
    }
    return { name, attribute: prefix + name }
  })
}

/** @throws TelemetryError - for a name that belongs to the conventions, or says that its value is secret */
function checkBaggageNames (names: readonly string[], scrubber: Scrubber): readonly string[] {
  for (const name of names) {
    if (isStandardName(name) || scrubber.findInName(name) !== undefined) {
      throw new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_OPTION',
        `${SCOPE_NAME}: option "baggageAttributes" must name entries that are neither secret nor attributes of the semantic conventions, received "${name}"`)
    }
  }
  return names
}

/** @throws TelemetryError - for a pattern that is none, or that matches everything */
function checkScrubbing (scrubbing: boolean | ScrubbingOptions | undefined): boolean | ScrubbingOptions | undefined {
  const patterns = typeof scrubbing === 'object' ? scrubbing.extraPatterns ?? [] : []
  patterns.forEach((pattern: unknown, index) => {
    let isUsable = false
    try {
      isUsable = (typeof pattern === 'string' || pattern instanceof RegExp) && !toPattern(pattern).test('')
    } catch {
      // Not a regular expression.
    }
    if (!isUsable) {
      const received = typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern)
      throw new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_OPTION',
        `${SCOPE_NAME}: option "scrubbing.extraPatterns[${index}]" must be a regular expression that does not match the empty text, received ${received}`)
    }
  })
  return scrubbing
}

function withoutUndefined<Values extends object> (values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Values
}

/** The clock of test telemetry, also when it is registered with the API; else the system's. */
function findClock (provider: TracerProvider): Clock {
  return (behindProxy(provider) as { [kClock]?: Clock })[kClock] ?? systemClock
}
