import { createVariables } from './variables.ts'

export const EXPORTERS = ['otlp', 'console', 'none'] as const
export const PROTOCOLS = ['http/json', 'http/protobuf', 'grpc'] as const
export const SAMPLERS = ['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const
export const PROPAGATORS = ['tracecontext', 'baggage', 'none'] as const
export const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const

/**
 * What the environment decides and the SDK's own classes do not read, on either line. `undefined`: not set. What the exporters read themselves (headers,
 * compression, certificates) is not here; endpoints and timeouts are, since messages and bounds need them.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export interface Environment {
  /** OTEL_SDK_DISABLED. */
  isDisabled: boolean
  serviceName: string | undefined
  /** `none` stands alone. */
  tracesExporters: Array<typeof EXPORTERS[number]> | undefined
  metricsExporters: Array<typeof EXPORTERS[number]> | undefined
  tracesProtocol: typeof PROTOCOLS[number] | undefined
  metricsProtocol: typeof PROTOCOLS[number] | undefined
  sampler: typeof SAMPLERS[number] | undefined
  /** OTEL_TRACES_SAMPLER_ARG: a ratio from 0 to 1. */
  samplerRatio: number | undefined
  propagators: Array<typeof PROPAGATORS[number]> | undefined
  logLevel: typeof LOG_LEVELS[number] | undefined
  scheduledDelayMillis: number | undefined
  maxQueueSize: number | undefined
  maxExportBatchSize: number | undefined
  /** Of one export: OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT or OTEL_BSP_EXPORT_TIMEOUT. */
  exportTimeoutMillis: number | undefined
  metricExportIntervalMillis: number | undefined
  metricExportTimeoutMillis: number | undefined
  spanLimits: SpanLimits
  tracesUrl: string
  metricsUrl: string
}

/** Bounds of the SDK on a span. */
export interface SpanLimits {
  attributeCountLimit?: number
  attributeValueLengthLimit?: number
  eventCountLimit?: number
  linkCountLimit?: number
  attributePerEventCountLimit?: number
  attributePerLinkCountLimit?: number
}

/**
 * Reads the variables; one that cannot be used is said in one line and counts as unset, as the specification wants it. An empty one is unset.
 *
 * @param warn - takes one line with its end
 */
export function readEnvironment (env: NodeJS.ProcessEnv, warn: (line: string) => void): Environment {
  const variables = createVariables(env, warn)
  const { choice, integer, text } = variables
  // The exporters complain of these themselves.
  const { integer: quietInteger } = variables.quiet

  const sampler = choice('OTEL_TRACES_SAMPLER', SAMPLERS)
  const attributeCount = integer('OTEL_ATTRIBUTE_COUNT_LIMIT')
  const attributeLength = integer('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT')
  for (const signal of ['', 'TRACES_', 'METRICS_']) {
    variables.checkPairs(`OTEL_EXPORTER_OTLP_${signal}HEADERS`, /^[^=]+=[^]*[^\s=][^]*$/, 'these are ignored')
  }
  variables.checkPairs('OTEL_RESOURCE_ATTRIBUTES', /^[^=]+=[^=]*$/, 'all of it is ignored')
  const base = (variables.url('OTEL_EXPORTER_OTLP_ENDPOINT') ?? 'http://localhost:4318').replace(/\/+$/, '')
  return {
    isDisabled: variables.flag('OTEL_SDK_DISABLED'),
    serviceName: text('OTEL_SERVICE_NAME'),
    tracesExporters: variables.list('OTEL_TRACES_EXPORTER', EXPORTERS, 'none'),
    metricsExporters: variables.list('OTEL_METRICS_EXPORTER', EXPORTERS, 'none'),
    tracesProtocol: choice('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', PROTOCOLS) ?? choice('OTEL_EXPORTER_OTLP_PROTOCOL', PROTOCOLS),
    metricsProtocol: choice('OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', PROTOCOLS) ?? choice('OTEL_EXPORTER_OTLP_PROTOCOL', PROTOCOLS),
    sampler,
    samplerRatio: sampler?.endsWith('traceidratio') === true ? variables.ratio('OTEL_TRACES_SAMPLER_ARG') : undefined,
    propagators: variables.list('OTEL_PROPAGATORS', PROPAGATORS),
    logLevel: choice('OTEL_LOG_LEVEL', LOG_LEVELS),
    scheduledDelayMillis: integer('OTEL_BSP_SCHEDULE_DELAY'),
    maxQueueSize: integer('OTEL_BSP_MAX_QUEUE_SIZE', 1),
    maxExportBatchSize: integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1),
    exportTimeoutMillis: quietInteger('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 1) ?? quietInteger('OTEL_EXPORTER_OTLP_TIMEOUT', 1) ?? integer('OTEL_BSP_EXPORT_TIMEOUT', 1),
    metricExportIntervalMillis: integer('OTEL_METRIC_EXPORT_INTERVAL', 1),
    metricExportTimeoutMillis: integer('OTEL_METRIC_EXPORT_TIMEOUT', 1),
    spanLimits: withoutUndefined({
      attributeCountLimit: integer('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT') ?? attributeCount,
      attributeValueLengthLimit: integer('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? attributeLength,
      eventCountLimit: integer('OTEL_SPAN_EVENT_COUNT_LIMIT'),
      linkCountLimit: integer('OTEL_SPAN_LINK_COUNT_LIMIT'),
      attributePerEventCountLimit: integer('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT') ?? attributeCount,
      attributePerLinkCountLimit: integer('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT') ?? attributeCount,
    }),
    tracesUrl: variables.url('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? `${base}/v1/traces`,
    metricsUrl: variables.url('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT') ?? `${base}/v1/metrics`,
  }
}

function withoutUndefined (limits: Record<keyof SpanLimits, number | undefined>): SpanLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}
