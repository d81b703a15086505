import { context, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { setGlobalErrorHandler } from '@opentelemetry/core'
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, TracerProvider, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { checkOptions } from '../check-options.ts'
import { createGuard } from '../guard.ts'
import { SCOPE_NAME } from '../semconv.ts'
import { WatchersProcessor } from '../span-watchers.ts'
import { createTracerSource } from '../tracer-source.ts'
import { within } from '../within.ts'
import { apiGlobals } from './api-globals.ts'
import { ConsoleJsonProcessor } from './console-json.ts'
import { ConsoleTreeProcessor } from './console-tree.ts'
import type { NoteRequest } from './delivery/attempt.ts'
import type { DeliveryStats } from './delivery/delivery-counts.ts'
import { observeDelivery } from './delivery/delivery-metrics.ts'
import { DeliveryProcessor } from './delivery/delivery-processor.ts'
import { createDeliveryReport, type DeliveryReport } from './delivery/delivery-report.ts'
import { installDiagLogger } from './diag-logger.ts'
import { readEnvironment, type Environment } from './environment.ts'
import { createMetricExporter, createTraceExporter } from './exporters.ts'
import { fence } from './fence.ts'
import { firstLine } from './first-line.ts'
import { checkLines, createExporterCheck } from './lines.ts'
import { configureOptionsSchema, type ConfigureOptions } from './options.ts'
import { createPropagator } from './propagator.ts'
import { createResource } from './resource.ts'
import { countSampledOut, createSampler } from './sampler.ts'
import { SpanCounter } from './span-counter.ts'

export type { DeliveryStats, DropReason } from './delivery/delivery-counts.ts'
export type { ConfigureOptions } from './options.ts'

/** What `configure()` set up. */
export interface Telemetry {
  readonly tracerProvider: TracerProvider
  /** Only with metrics. */
  readonly meterProvider?: MeterProvider
  /** Sends what has ended and waits until it has arrived, at most `flushTimeoutMillis`. Never rejects. */
  forceFlush (): Promise<void>
  /** Flushes, then stops exporting; at most `flushTimeoutMillis`. Never rejects; says in one line what was not delivered. */
  shutdown (): Promise<void>
  /** Where every span went; see {@link DeliveryStats}. */
  stats (): DeliveryStats
}

/** Spans of one batch, unless OTEL_BSP_MAX_EXPORT_BATCH_SIZE says otherwise. */
const MAX_BATCH_SPANS = 512
/** Serialising so much blocks the event loop for about a millisecond; see `npm run faults`. */
const MAX_BATCH_BYTES = 256 * 1024
const MAX_QUEUE_BYTES = 64 * 1024 * 1024
const EXPORT_TIMEOUT_MILLIS = 10_000

/**
 * Sets up OpenTelemetry for this process, synchronously: provider, delivery, resource, propagation, context manager and the OTLP/HTTP exporter; registers them with the
 * API. The same code for OpenTelemetry JS 2.12 and 3.x. With OTEL_SDK_DISABLED=true nothing is registered.
 *
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION`, `FST_SCHEMA_TELEMETRY_INVALID_OPTION`, `FST_SCHEMA_TELEMETRY_MIXED_LINES`
 */
export function configure (options: ConfigureOptions = {}): Telemetry {
  checkOptions('configure: option', configureOptionsSchema, options)
  checkLines()
  const warn = (line: string) => { process.stderr.write(line) }
  const environment = readEnvironment(process.env, warn)
  const timeoutMillis = options.flushTimeoutMillis ?? 5000
  if (environment.isDisabled) return disabledTelemetry()

  installDiagLogger(warn, environment.logLevel)
  const resource = createResource(options, warn)
  const meterProvider = createMeterProvider(options, environment, resource, warn)
  const url = signalUrl(options, 'traces') ?? environment.tracesUrl
  const choice = options.exporter ?? (environment.tracesExporters?.includes('otlp') === false ? 'none' : 'otlp')
  const report = createDeliveryReport(typeof choice === 'object' ? undefined : url, warn)
  const exporter = typeof choice === 'object' ? choice : choice === 'none' ? undefined : createTraceExporter(environment.tracesProtocol, url, environment.exportTimeoutMillis ?? EXPORT_TIMEOUT_MILLIS, warn)
  setGlobalErrorHandler((error) => diag.error(`${SCOPE_NAME}: OpenTelemetry reports: ${firstLine(error instanceof Error ? error.message : String(error))}`))

  const counter = exporter === undefined ? new SpanCounter() : createDelivery(exporter, options, environment, report, createExporterCheck(warn))
  const guard = createGuard((text, maxLength) => text.slice(0, maxLength))
  const spanProcessors: SpanProcessor[] = (options.spanProcessors ?? []).map((processor) => fence(processor, guard))
  const console = options.console ?? environment.tracesExporters?.includes('console') ?? false
  if (console !== false) spanProcessors.push((console === 'json' ? new ConsoleJsonProcessor() : new ConsoleTreeProcessor()) as unknown as SpanProcessor)
  if (options.viewer === true) spanProcessors.push(fence(new WatchersProcessor(), guard))
  spanProcessors.push(counter)
  const tracerProvider = new TracerProvider({
    resource,
    sampler: countSampledOut(options.sampler ?? createSampler(environment), () => counter.countSampledOut()),
    spanLimits: environment.spanLimits,
    spanProcessors,
    // The SDK's own metrics of spans (otel.sdk.span.*).
    ...(meterProvider === undefined ? {} : { meterProvider }),
  })

  if (meterProvider !== undefined) observeDelivery(meterProvider, () => counter.stats(), environment.maxQueueSize ?? Infinity)

  register(tracerProvider, meterProvider, environment, warn)

  const providers = [tracerProvider, ...(meterProvider === undefined ? [] : [meterProvider])]
  const flush = (): Promise<boolean> => within(timeoutMillis, Promise.allSettled(providers.map((provider) => provider.forceFlush({ timeoutMillis }))))
  return {
    tracerProvider,
    ...(meterProvider === undefined ? {} : { meterProvider }),
    async forceFlush () {
      await flush()
    },
    async shutdown () {
      const startMillis = performance.now()
      await flush()
      const { queued } = counter.stats()
      if (queued > 0) report.abandoned(queued, timeoutMillis)
      await within(timeoutMillis - (performance.now() - startMillis), Promise.allSettled(providers.map((provider) => provider.shutdown())))
    },
    stats: () => counter.stats(),
  }
}

function createDelivery (
  exporter: SpanExporter, options: ConfigureOptions, environment: Environment, report: DeliveryReport, noteRequest: NoteRequest
): DeliveryProcessor {
  return new DeliveryProcessor(exporter, {
    maxBytes: options.maxQueueBytes ?? MAX_QUEUE_BYTES,
    maxSpans: environment.maxQueueSize ?? Infinity,
    maxBatchSpans: environment.maxExportBatchSize ?? MAX_BATCH_SPANS,
    maxBatchBytes: MAX_BATCH_BYTES,
    scheduledDelayMillis: options.scheduledDelayMillis ?? environment.scheduledDelayMillis ?? 5000,
    attemptTimeoutMillis: environment.exportTimeoutMillis ?? EXPORT_TIMEOUT_MILLIS,
    noteRequest,
  }, report)
}

function createMeterProvider (
  options: ConfigureOptions, environment: Environment, resource: ReturnType<typeof createResource>, warn: (line: string) => void
): MeterProvider | undefined {
  const { metricsExporters = ['none'], metricExportIntervalMillis, metricExportTimeoutMillis } = environment
  const isNone = metricsExporters.includes('none')
  if (!(options.metrics ?? !isNone)) return undefined
  const exportIntervalMillis = metricExportIntervalMillis ?? 60_000
  const exportTimeoutMillis = Math.min(metricExportTimeoutMillis ?? 30_000, exportIntervalMillis)
  const readers = (isNone ? ['otlp'] : metricsExporters).map((name) => {
    const exporter = name === 'console' ? new ConsoleMetricExporter() : createMetricExporter(environment.metricsProtocol, signalUrl(options, 'metrics') ?? environment.metricsUrl, warn)
    return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis, exportTimeoutMillis })
  })
  return new MeterProvider({ resource, readers })
}

/** With OTEL_SDK_DISABLED: the same interface, and nothing behind it. */
function disabledTelemetry (): Telemetry {
  const counter = new SpanCounter()
  return { tracerProvider: new TracerProvider({ sampler: new AlwaysOffSampler() }), async forceFlush () {}, async shutdown () {}, stats: () => counter.stats() }
}

/** Only for an endpoint given as an argument. */
function signalUrl ({ endpoint }: ConfigureOptions, signal: 'traces' | 'metrics'): string | undefined {
  return endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, '')}/v1/${signal}`
}

function register (tracerProvider: TracerProvider, meterProvider: MeterProvider | undefined, { propagators }: Environment, warn: (line: string) => void): void {
  // Asked for before, since the API would add a line of its own.
  if (createTracerSource(undefined)() !== null) {
    warn(`${SCOPE_NAME}: an OpenTelemetry SDK has been registered in this process already; it stays in use, and spans do not come here. ` +
      'Call configure() first and once, or give its tracerProvider to the plugin.\n')
    return
  }
  if (!trace.setGlobalTracerProvider(tracerProvider)) {
    warn(`${SCOPE_NAME}: another copy of @opentelemetry/api (version ${String(apiGlobals()!.version)}) was loaded first, and takes nothing from this one; spans are not recorded. ` +
      'See "npm ls @opentelemetry/api", and install one version.\n')
    return
  }
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(createPropagator(propagators))
  if (meterProvider !== undefined) metrics.setGlobalMeterProvider(meterProvider)
}
