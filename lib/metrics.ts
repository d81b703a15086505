import { createNoopMeter, metrics, type Context, type Histogram, type MeterProvider } from '@opentelemetry/api'
import {
  ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, METRIC_REQUEST_DURATION,
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

/**
 * Finds the histogram `http.server.request.duration` once a meter provider is there (the API has no proxy for meters, so the global one
 * is asked at each call until it is real); `null` when there is none.
 */
export function createDurationSource (provider: MeterProvider | undefined): () => Histogram | null {
  let histogram: Histogram | null = null
  return function findDuration () {
    if (histogram !== null) return histogram
    const meter = (provider ?? metrics).getMeter(SCOPE_NAME, SCOPE_VERSION, { schemaUrl: SCHEMA_URL })
    if (meter === createNoopMeter()) return null
    histogram = meter.createHistogram(METRIC_REQUEST_DURATION, {
      description: 'Duration of HTTP server requests.',
      unit: 's',
      advice: { explicitBucketBoundaries: REQUEST_DURATION_BOUNDARIES_SECONDS },
    })
    return histogram
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
