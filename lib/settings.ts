import { trace, type Tracer, type TracerProvider } from '@opentelemetry/api'
import { DEFAULT_LIMITS } from './arguments/limits.ts'
import { withoutQuotedJson } from './arguments/parse-errors.ts'
import { createScrubber, scrubText, toPattern, type Scrubber, type ScrubbingOptions } from './arguments/scrubber.ts'
import type { CaptureSettings } from './arguments/value-sink.ts'
import { behindProxy } from './behind-proxy.ts'
import { createTimestampFormatter, systemClock, type Clock } from './clock.ts'
import { TelemetryError } from './error-codes.ts'
import { createGuard, type Guard } from './guard.ts'
import { createInstruments, type Instruments } from './metrics.ts'
import type { CaptureMode, FastifySchemaTelemetryOptions, RequestAttributesMapper, RouteTelemetryOptions } from './options.ts'
import { SCOPE_NAME } from './semconv.ts'
import { createTracerSource } from './tracer-source.ts'
import { kClock } from './symbols.ts'

/** What a route can decide for itself. */
export interface RouteSettings {
  readonly mapper: RequestAttributesMapper | null
  readonly extraSpans: boolean
  readonly capture: CaptureMode
  readonly captureResponse: boolean
}

/** The options as the code reads them: every default filled in, every choice made. */
export interface Settings extends RouteSettings, CaptureSettings {
  readonly captureUnknownSchemas: boolean
  readonly completeErrors: boolean
  readonly asksIgnore: Extract<FastifySchemaTelemetryOptions['ignore'], (...args: never[]) => unknown> | null
  readonly ignoredRoutes: ReadonlySet<string>
  readonly requestHook: NonNullable<FastifySchemaTelemetryOptions['requestHook']> | null
  readonly responseHook: NonNullable<FastifySchemaTelemetryOptions['responseHook']> | null
  /** The tracer, or `null` while no SDK is there. */
  readonly findTracer: () => Tracer | null
  /** The instruments, or `null` without a meter provider or with `metrics: false`. */
  readonly findInstruments: () => Instruments | null
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
    ...toRouteSettings(options, { mapper: null, extraSpans: false, capture: 'all', captureResponse: false }),
    limits: Object.freeze({ ...DEFAULT_LIMITS, ...withoutUndefined(options.limits ?? {}) }),
    scrubber,
    captureUnknownSchemas: options.captureUnknownSchemas ?? false,
    completeErrors: options.completeErrors ?? true,
    asksIgnore: typeof ignore === 'function' ? ignore : null,
    ignoredRoutes: new Set(Array.isArray(ignore) ? ignore : []),
    requestHook: options.requestHook ?? null,
    responseHook: options.responseHook ?? null,
    findTracer: createTracerSource(options.tracerProvider),
    findInstruments: metrics === false ? () => null : createInstruments(options.meterProvider, guard, metricChoice),
    measuresBodySizes: metricChoice.bodySizes === true,
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
  })
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
