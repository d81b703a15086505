import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { AggregationTemporality, InstrumentType, type PushMetricExporter, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { TelemetryError } from '../error-codes.ts'
import type { Environment } from './environment.ts'
import { LazyExporter } from './lazy-exporter.ts'
import { installedLine } from './lines.ts'

type Protocol = Environment['tracesProtocol']

/**
 * @param timeoutMillis - of one export with the exporter's own retries
 */
export function createTraceExporter (protocol: Protocol, url: string, timeoutMillis: number, warn: (line: string) => void): SpanExporter {
  refuseGrpc(protocol, 'traces')
  const config = { url, timeoutMillis }
  if (protocol !== 'http/protobuf') return new OTLPTraceExporter(config)
  return new LazyExporter<ReadableSpan[]>(async () => {
    const { OTLPTraceExporter: ProtobufExporter } = await import('@opentelemetry/exporter-trace-otlp-proto')
    return new ProtobufExporter(config)
  }, '@opentelemetry/exporter-trace-otlp-proto', installedLine(), warn)
}

export function createMetricExporter (protocol: Protocol, url: string, warn: (line: string) => void, env = process.env): PushMetricExporter {
  refuseGrpc(protocol, 'metrics')
  const config = { url }
  const isProtobuf = protocol === 'http/protobuf'
  const exporter = new LazyExporter<ResourceMetrics>(async () => {
    const { OTLPMetricExporter } = isProtobuf
      ? await import('@opentelemetry/exporter-metrics-otlp-proto')
      : await import('@opentelemetry/exporter-metrics-otlp-http')
    return new OTLPMetricExporter(config)
  }, `@opentelemetry/exporter-metrics-otlp-${isProtobuf ? 'proto' : 'http'}`, installedLine(), warn)
  // Asked for before the exporter is loaded.
  return Object.assign(exporter, { selectAggregationTemporality: temporalityOf(env.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE) })
}

/** @throws TelemetryError - with the way out */
function refuseGrpc (protocol: Protocol, signal: string): void {
  if (protocol !== 'grpc') return
  throw new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_OPTION',
    `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", which configure() does not export over: set it to ` +
    '"http/protobuf" or "http/json" (a collector takes these on port 4318), or give configure() an exporter of your own')
}

/** @see https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp/#additional-environment-variable-configuration */
function temporalityOf (preference: string | undefined): (type: InstrumentType) => AggregationTemporality {
  const isUpDown = (type: InstrumentType) => type === InstrumentType.UP_DOWN_COUNTER || type === InstrumentType.OBSERVABLE_UP_DOWN_COUNTER
  switch (preference?.trim().toLowerCase()) {
    case 'delta': return (type) => isUpDown(type) ? AggregationTemporality.CUMULATIVE : AggregationTemporality.DELTA
    case 'lowmemory':
      return (type) => type === InstrumentType.COUNTER || type === InstrumentType.HISTOGRAM ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE
    default: return () => AggregationTemporality.CUMULATIVE
  }
}
