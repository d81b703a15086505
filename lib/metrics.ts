import { createNoopMeter, metrics, type Context, type Counter, type Histogram, type Meter, type MeterProvider } from '@opentelemetry/api'
import type { Guard } from './guard.ts'
import {
  ERROR_TYPE, FASTIFY_VALIDATION_KEYWORD, FASTIFY_VALIDATION_PART, FASTIFY_VALIDATION_SCHEMA_PATH, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, METRIC_REQUEST_DURATION, METRIC_VALIDATION_FAILURES,
  REQUEST_DURATION_BOUNDARIES_SECONDS, SCHEMA_URL, SCOPE_NAME, SCOPE_VERSION, URL_SCHEME,
} from './semconv.ts'

/** What one request adds to the metrics. No value of it is chosen by the client, but from short lists. */
export interface RequestMeasurement {
  durationSeconds: number
  method: string
  scheme: string
  route: string | undefined
  /** `undefined` when no response head was sent. */
  statusCode: number | undefined
  errorType: string | undefined
}

/** One failed validation. */
export interface FailureMeasurement {
  method: string
  route: string | undefined
  part: string
  keyword: string
  /** Names from schemas only. */
  schemaPath: string | undefined
}

/** What the plugin measures with. */
export interface Instruments {
  readonly duration: Histogram
  readonly failures: Counter
}

/**
 * Finds the instruments once a meter provider is there (the API has no proxy for meters, so the global one is asked at each call until it
 * is real); `null` when there is none, or when it failed to make them.
 */
export function createInstruments (provider: MeterProvider | undefined, guard: Guard): () => Instruments | null {
  let instruments: Instruments | null = null
  let hasFailed = false
  return function findInstruments () {
    if (instruments !== null || hasFailed) return instruments
    try {
      const meter = (provider ?? metrics).getMeter(SCOPE_NAME, SCOPE_VERSION, { schemaUrl: SCHEMA_URL })
      if (meter !== createNoopMeter()) instruments = makeInstruments(meter)
    } catch (error) {
      hasFailed = true
      guard.report('meter provider', error)
    }
    return instruments
  }
}

function makeInstruments (meter: Meter): Instruments {
  return {
    duration: meter.createHistogram(METRIC_REQUEST_DURATION, {
      description: 'Duration of HTTP server requests.',
      unit: 's',
      advice: { explicitBucketBoundaries: REQUEST_DURATION_BOUNDARIES_SECONDS },
    }),
    failures: meter.createCounter(METRIC_VALIDATION_FAILURES, {
      description: 'Validation and parse failures of requests.',
      unit: '{failure}',
    }),
  }
}

/** Records one request; `context` lets an exemplar find its trace. */
export function recordDuration (histogram: Histogram, measurement: RequestMeasurement, context: Context): void {
  const { method, scheme, route, statusCode, errorType } = measurement
  const attributes: Record<string, string | number> = { [HTTP_REQUEST_METHOD]: method, [URL_SCHEME]: scheme }
  if (route !== undefined) attributes[HTTP_ROUTE] = route
  if (statusCode !== undefined) attributes[HTTP_RESPONSE_STATUS_CODE] = statusCode
  if (errorType !== undefined) attributes[ERROR_TYPE] = errorType
  histogram.record(measurement.durationSeconds, attributes, context)
}

/** Counts one failure; `context` lets an exemplar find its trace. */
export function countFailure (counter: Counter, { method, route, part, keyword, schemaPath }: FailureMeasurement, context: Context): void {
  const attributes: Record<string, string> = { [HTTP_REQUEST_METHOD]: method, [FASTIFY_VALIDATION_PART]: part, [FASTIFY_VALIDATION_KEYWORD]: keyword }
  if (route !== undefined) attributes[HTTP_ROUTE] = route
  if (schemaPath !== undefined) attributes[FASTIFY_VALIDATION_SCHEMA_PATH] = schemaPath
  counter.add(1, attributes, context)
}
