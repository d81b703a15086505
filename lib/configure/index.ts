import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, setGlobalErrorHandler, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { checkOptions } from '../check-options.ts'
import { SCOPE_NAME } from '../semconv.ts'
import { createTracerSource } from '../tracer-source.ts'
import { within } from '../within.ts'
import { ConsoleTreeProcessor } from './console-tree.ts'
import { createDeliveryReport } from './delivery-report.ts'
import { installDiagLogger } from './diag-logger.ts'
import { readEnvironment } from './environment.ts'
import { LazyMetricExporter } from './lazy-metric-exporter.ts'
import { configureOptionsSchema, type ConfigureOptions } from './options.ts'
import { ReportingExporter } from './reporting-exporter.ts'
import { createResource } from './resource.ts'

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
}

/**
 * Sets up OpenTelemetry for this process, synchronously: provider, batch processor, resource, W3C trace context and baggage propagation,
 * context manager and the OTLP/HTTP exporter; registers them with the API. The same code for OpenTelemetry JS 2.12 and 3.x.
 *
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION`, `FST_SCHEMA_TELEMETRY_INVALID_OPTION`
 */
export function configure (options: ConfigureOptions = {}): Telemetry {
  checkOptions('configure: option', configureOptionsSchema, options)
  const warn = (line: string) => { process.stderr.write(line) }
  const environment = readEnvironment(process.env, warn)
  const timeoutMillis = options.flushTimeoutMillis ?? 5000

  installDiagLogger(warn)
  const resource = createResource(options)
  const url = signalUrl(options, 'traces')
  const choice = options.exporter ?? environment.tracesExporter
  const report = createDeliveryReport(typeof choice === 'object' ? undefined : url ?? environment.tracesUrl, warn)
  const exporter = createExporter(choice, url)
  const reporting = exporter === undefined ? undefined : new ReportingExporter(exporter, report)
  // The SDK tells a failed export to the global error handler, with a stack; it has been told in one line already.
  setGlobalErrorHandler((error) => {
    if (reporting?.reported.has(error as object) !== true) warn(`${SCOPE_NAME}: OpenTelemetry reports: ${firstLine(error)}\n`)
  })

  const spanProcessors: SpanProcessor[] = [...options.spanProcessors ?? []]
  if (options.console ?? environment.console) spanProcessors.push(new ConsoleTreeProcessor() as unknown as SpanProcessor)
  if (reporting !== undefined) {
    spanProcessors.push(new BatchSpanProcessor({ exporter: reporting, scheduledDelayMillis: options.scheduledDelayMillis }))
  }
  const tracerProvider = new FlushingTracerProvider({ resource, sampler: options.sampler, spanProcessors }, reporting)
  const meterProvider = options.metrics ?? environment.metrics
    ? new MeterProvider({ resource, readers: [new PeriodicExportingMetricReader({ exporter: new LazyMetricExporter(warn, signalUrl(options, 'metrics')) })] })
    : undefined

  register(tracerProvider, meterProvider, warn)

  const providers = [tracerProvider, ...(meterProvider === undefined ? [] : [meterProvider])]
  return {
    tracerProvider,
    ...(meterProvider === undefined ? {} : { meterProvider }),
    async forceFlush () {
      await within(timeoutMillis, settle(providers.map((provider) => provider.forceFlush())))
    },
    async shutdown () {
      const isDone = await within(timeoutMillis, settle(providers.map((provider) => provider.shutdown())))
      if (!isDone && reporting !== undefined && reporting.pendingCount > 0) report.abandoned(reporting.pendingCount, timeoutMillis)
    },
  }
}

/** A provider whose flush also waits for exports that are under way; `app.close()` finds it behind the API's proxy. */
class FlushingTracerProvider extends TracerProvider {
  readonly #exporter: ReportingExporter | undefined

  constructor (config: ConstructorParameters<typeof TracerProvider>[0], exporter: ReportingExporter | undefined) {
    super(config)
    this.#exporter = exporter
  }

  override async forceFlush (options?: Parameters<TracerProvider['forceFlush']>[0]): Promise<void> {
    await super.forceFlush(options)
    await this.#exporter?.whenIdle()
  }
}

function createExporter (choice: NonNullable<ConfigureOptions['exporter']>, url: string | undefined): SpanExporter | undefined {
  if (typeof choice === 'object') return choice
  return choice === 'otlp' ? new OTLPTraceExporter(url === undefined ? {} : { url }) : undefined
}

/** Only for an endpoint given as an argument: what the environment says is read by the exporter itself. */
function signalUrl ({ endpoint }: ConfigureOptions, signal: 'traces' | 'metrics'): string | undefined {
  return endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, '')}/v1/${signal}`
}

function register (tracerProvider: TracerProvider, meterProvider: MeterProvider | undefined, warn: (line: string) => void): void {
  // Asked for before, since the API would add a line of its own.
  if (createTracerSource(undefined)() !== null || !trace.setGlobalTracerProvider(tracerProvider)) {
    warn(`${SCOPE_NAME}: an OpenTelemetry SDK has been registered in this process already; it stays in use, and spans do not come here. ` +
      'Call configure() first and once, or give its tracerProvider to the plugin.\n')
    return
  }
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }))
  if (meterProvider !== undefined) metrics.setGlobalMeterProvider(meterProvider)
}

async function settle (work: Array<Promise<unknown>>): Promise<void> {
  await Promise.allSettled(work)
}

function firstLine (error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!.slice(0, 300)
}
