import type { Attributes } from '@opentelemetry/api'
import type { Sampler, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import { Type } from '@sinclair/typebox'

/** Options of `configure()`; all optional. An argument is stronger than a variable of the environment. */
export interface ConfigureOptions {
  /** Resource attribute `service.name`. @default OTEL_SERVICE_NAME, else `unknown_service:node` */
  serviceName?: string
  /** Resource attribute `deployment.environment.name`. @default that of OTEL_RESOURCE_ATTRIBUTES, if any */
  environment?: string
  /** Resource attribute `service.version`. @default that of OTEL_RESOURCE_ATTRIBUTES, if any */
  serviceVersion?: string
  /** More resource attributes. @default those of OTEL_RESOURCE_ATTRIBUTES */
  resourceAttributes?: Attributes
  /**
   * Where spans go: `'otlp'` (OTLP over HTTP, set up by the OTEL_EXPORTER_OTLP_* variables), `'none'`, or a span exporter of your own.
   * @default OTEL_TRACES_EXPORTER, else `'otlp'`
   */
  exporter?: 'otlp' | 'none' | SpanExporter
  /** Base URL of the collector; `/v1/traces` and `/v1/metrics` are added. @default OTEL_EXPORTER_OTLP_ENDPOINT, else `http://localhost:4318` */
  endpoint?: string
  /**
   * Prints on standard output: `true` each trace as a tree, `'json'` each span as a line of JSON. @default whether `console` is in
   * OTEL_TRACES_EXPORTER
   */
  console?: boolean | 'json'
  /** Shows spans, running ones too, in the viewers that applications of this process registered; see `fastify-schema-telemetry/viewer`. @default false */
  viewer?: boolean
  /** Exports metrics over OTLP/HTTP. A Jaeger, which takes traces only, refuses them. @default whether OTEL_METRICS_EXPORTER has `otlp` or `console` */
  metrics?: boolean
  /** @default OTEL_TRACES_SAMPLER, else what the caller decided, and every request without a caller */
  sampler?: Sampler
  /** Further span processors, run before the export. @default none */
  spanProcessors?: SpanProcessor[]
  /** Longest wait of a finished span for its batch, milliseconds. @default OTEL_BSP_SCHEDULE_DELAY, else 5000 */
  scheduledDelayMillis?: number
  /**
   * Bytes on the wire, estimated, of the spans that wait while the collector is away; then the oldest are dropped. The memory that they take is a
   * few times that. @default 67108864 (64 MiB)
   */
  maxQueueBytes?: number
  /** Longest time that `forceFlush()` and `shutdown()` take, milliseconds. @default 5000 */
  flushTimeoutMillis?: number
}

const withMethod = (method: string, description: string) => Type.Object({ [method]: Type.Function([], Type.Unknown()) }, { description })

export const configureOptionsSchema = Type.Partial(Type.Object({
  serviceName: Type.String({ minLength: 1, description: 'a string that is not empty' }),
  environment: Type.String({ minLength: 1, description: 'a string that is not empty' }),
  serviceVersion: Type.String({ minLength: 1, description: 'a string that is not empty' }),
  resourceAttributes: Type.Record(Type.String(), Type.Unknown(), { description: 'an object of attributes' }),
  exporter: Type.Union([Type.Literal('otlp'), Type.Literal('none'), withMethod('export', '')], {
    description: '"otlp", "none" or a span exporter (an object with export)',
  }),
  endpoint: Type.String({ pattern: '^https?://', description: 'a URL that begins with http:// or https://' }),
  console: Type.Union([Type.Boolean(), Type.Literal('json')], { description: 'a boolean or "json"' }),
  viewer: Type.Boolean({ description: 'a boolean' }),
  metrics: Type.Boolean({ description: 'a boolean' }),
  sampler: withMethod('shouldSample', 'a sampler (an object with shouldSample)'),
  spanProcessors: Type.Array(withMethod('onEnd', ''), { description: 'a list of span processors (objects with onStart and onEnd)' }),
  scheduledDelayMillis: Type.Number({ minimum: 0, description: 'a number of milliseconds, 0 or more' }),
  maxQueueBytes: Type.Number({ minimum: 1024, description: 'a number of bytes, 1024 or more' }),
  flushTimeoutMillis: Type.Number({ minimum: 0, description: 'a number of milliseconds, 0 or more' }),
}))
