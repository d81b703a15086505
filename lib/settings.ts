import { trace, type Histogram, type Tracer, type TracerProvider } from '@opentelemetry/api'
import { createTimestampFormatter, systemClock, type Clock } from './clock.ts'
import { createGuard, type Guard } from './guard.ts'
import { createDurationSource } from './metrics.ts'
import type { CaptureMode, FastifySchemaTelemetryOptions, RequestAttributesMapper, RouteTelemetryOptions } from './options.ts'
import { createTracerSource } from './tracer-source.ts'
import { kClock } from './symbols.ts'

/** What a route can decide for itself. */
export interface RouteSettings {
  readonly mapper: RequestAttributesMapper | null
  readonly extraSpans: boolean
  readonly capture: CaptureMode
}

/** The options as the code reads them: every default filled in, every choice made. */
export interface Settings extends RouteSettings {
  readonly asksIgnore: Extract<FastifySchemaTelemetryOptions['ignore'], (...args: never[]) => unknown> | null
  readonly ignoredRoutes: ReadonlySet<string>
  readonly requestHook: NonNullable<FastifySchemaTelemetryOptions['requestHook']> | null
  readonly responseHook: NonNullable<FastifySchemaTelemetryOptions['responseHook']> | null
  /** The tracer, or `null` while no SDK is there. */
  readonly findTracer: () => Tracer | null
  /** The duration histogram, or `null` without a meter provider or with `metrics: false`. */
  readonly findDuration: () => Histogram | null
  readonly clock: Clock
  readonly formatTimestamp: (epochMillis: number) => string
  readonly guard: Guard
}

/** Turns checked options into settings. */
export function toSettings (options: FastifySchemaTelemetryOptions): Settings {
  const { ignore } = options
  return Object.freeze({
    ...toRouteSettings(options, { mapper: null, extraSpans: false, capture: 'all' }),
    asksIgnore: typeof ignore === 'function' ? ignore : null,
    ignoredRoutes: new Set(Array.isArray(ignore) ? ignore : []),
    requestHook: options.requestHook ?? null,
    responseHook: options.responseHook ?? null,
    findTracer: createTracerSource(options.tracerProvider),
    findDuration: options.metrics === false ? () => null : createDurationSource(options.meterProvider),
    clock: findClock(options.tracerProvider ?? trace.getTracerProvider()),
    formatTimestamp: createTimestampFormatter(),
    guard: createGuard(),
  })
}

/** A route's own options over those of the plugin. */
export function toRouteSettings (options: RouteTelemetryOptions, defaults: RouteSettings): RouteSettings {
  return Object.freeze({
    mapper: options.mapper ?? defaults.mapper,
    extraSpans: options.extraSpans ?? defaults.extraSpans,
    capture: options.capture ?? defaults.capture,
  })
}

/** The clock of test telemetry, also when it is registered with the API; else the system's. */
function findClock (provider: TracerProvider & { [kClock]?: Clock, getDelegate?: () => TracerProvider & { [kClock]?: Clock } }): Clock {
  return (provider.getDelegate?.() ?? provider)[kClock] ?? systemClock
}
