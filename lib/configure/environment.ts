import { SCOPE_NAME } from '../semconv.ts'

export const TRACES_EXPORTERS = ['otlp', 'console', 'none'] as const
export const METRICS_EXPORTERS = ['otlp', 'console', 'none'] as const
export const PROTOCOLS = ['http/json', 'http/protobuf', 'grpc'] as const
export const SAMPLERS = ['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const
export const PROPAGATORS = ['tracecontext', 'baggage', 'none'] as const
export const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const

/**
 * What the environment decides and the SDK's own classes do not read, on either line. `undefined`: not set. What the exporters read themselves (endpoint,
 * headers, timeout, compression, certificates) is here only as far as it is needed for messages and bounds.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export interface Environment {
  /** OTEL_SDK_DISABLED. */
  isDisabled: boolean
  serviceName: string | undefined
  tracesExporter: typeof TRACES_EXPORTERS[number] | undefined
  metricsExporter: typeof METRICS_EXPORTERS[number] | undefined
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
  /** Where the exporter will send, for messages. */
  tracesUrl: string
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
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim()
    return value === undefined || value === '' ? undefined : value
  }
  const ignore = (name: string, expected: string, value: string): undefined => {
    warn(`${SCOPE_NAME}: ${name} must be ${expected}, received ${JSON.stringify(value.slice(0, 40))}; it is ignored.\n`)
  }
  const choice = <Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined => {
    const value = text(name)?.toLowerCase()
    if (value === undefined) return undefined
    return choices.find((known) => known === value) ?? ignore(name, `one of ${choices.join(', ')}`, value)
  }
  const integer = (name: string, least = 0): number | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    const number = Number(value)
    return Number.isSafeInteger(number) && number >= least ? number : ignore(name, `an integer, ${least} or more`, value)
  }
  const ratio = (name: string): number | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    const number = Number(value)
    return number >= 0 && number <= 1 ? number : ignore(name, 'a number from 0 to 1', value)
  }
  const list = <Choice extends string>(name: string, choices: readonly Choice[]): Choice[] | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    const names = [...new Set(value.split(',').map((item) => item.trim().toLowerCase()))]
    const known = choices.filter((item) => names.includes(item))
    const unknown = names.filter((item) => !choices.includes(item as Choice))
    if (unknown.length > 0) ignore(name, `a list of ${choices.join(', ')}`, unknown.join(','))
    return known.length === 0 ? undefined : known
  }
  /** `true` without regard to case; everything else is false. */
  const flag = (name: string): boolean => {
    const value = text(name)?.toLowerCase()
    if (value !== undefined && value !== 'true' && value !== 'false') ignore(name, 'true or false', value)
    return value === 'true'
  }

  const sampler = choice('OTEL_TRACES_SAMPLER', SAMPLERS)
  const attributeCount = integer('OTEL_ATTRIBUTE_COUNT_LIMIT')
  const attributeLength = integer('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT')
  const base = (text('OTEL_EXPORTER_OTLP_ENDPOINT') ?? 'http://localhost:4318').replace(/\/+$/, '')
  return {
    isDisabled: flag('OTEL_SDK_DISABLED'),
    serviceName: text('OTEL_SERVICE_NAME'),
    tracesExporter: choice('OTEL_TRACES_EXPORTER', TRACES_EXPORTERS),
    metricsExporter: choice('OTEL_METRICS_EXPORTER', METRICS_EXPORTERS),
    tracesProtocol: choice('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', PROTOCOLS) ?? choice('OTEL_EXPORTER_OTLP_PROTOCOL', PROTOCOLS),
    metricsProtocol: choice('OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', PROTOCOLS) ?? choice('OTEL_EXPORTER_OTLP_PROTOCOL', PROTOCOLS),
    sampler,
    samplerRatio: sampler?.endsWith('traceidratio') === true ? ratio('OTEL_TRACES_SAMPLER_ARG') : undefined,
    propagators: list('OTEL_PROPAGATORS', PROPAGATORS),
    logLevel: choice('OTEL_LOG_LEVEL', LOG_LEVELS),
    scheduledDelayMillis: integer('OTEL_BSP_SCHEDULE_DELAY'),
    maxQueueSize: integer('OTEL_BSP_MAX_QUEUE_SIZE', 1),
    maxExportBatchSize: integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1),
    exportTimeoutMillis: integer('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 1) ?? integer('OTEL_EXPORTER_OTLP_TIMEOUT', 1) ?? integer('OTEL_BSP_EXPORT_TIMEOUT', 1),
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
    tracesUrl: text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? `${base}/v1/traces`,
  }
}

function withoutUndefined (limits: Record<keyof SpanLimits, number | undefined>): SpanLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}
