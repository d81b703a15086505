import {
  createNoopMeter, metrics, ValueType, type Attributes, type Context, type Counter, type Histogram, type Meter, type MeterProvider, type UpDownCounter,
} from '@opentelemetry/api'
import type { Guard } from './guard.ts'
import {
  ERROR_TYPE, FASTIFY_VALIDATION_KEYWORD, FASTIFY_VALIDATION_PART, FASTIFY_VALIDATION_SCHEMA_PATH, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE,
  METRIC_ACTIVE_REQUESTS, METRIC_REQUEST_BODY_SIZE, METRIC_REQUEST_DURATION, METRIC_RESPONSE_BODY_SIZE, METRIC_VALIDATION_FAILURES, NETWORK_PROTOCOL_VERSION,
  REQUEST_DURATION_BOUNDARIES_SECONDS, SCHEMA_URL, SCOPE_NAME, SCOPE_VERSION, URL_SCHEME,
} from './semconv.ts'

/** Metrics that are recorded on demand: the option `metrics`, when it is an object. */
export interface MetricChoice {
  /** Counts the requests under way: `http.server.active_requests`. @default false */
  activeRequests?: boolean
  /** Records the sizes of bodies: `http.server.request.body.size`, `http.server.response.body.size`. @default false */
  bodySizes?: boolean
}

/** What one request adds to the metrics. No value of it is chosen by the client, but from short lists. */
export interface RequestMeasurement {
  durationSeconds: number
  method: string
  scheme: string
  protocolVersion: string
  route: string | undefined
  /** `undefined` when no response head was sent. */
  statusCode: number | undefined
  errorType: string | undefined
  /** Sizes of the bodies, as far as they are known. */
  bodyBytes: BodyBytes
}

export interface BodyBytes {
  request?: number | undefined
  response?: number | undefined
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
  /** `null` when it was not asked for. */
  readonly activeRequests: UpDownCounter | null
  /** `null` when they were not asked for. */
  readonly bodySizes: { readonly request: Histogram, readonly response: Histogram } | null
}

/**
 * Finds the instruments once a meter provider is there (the API has no proxy for meters, so the global one is asked at each call until it
 * is real); `null` when there is none, or when it failed to make them.
 */
export function createInstruments (provider: MeterProvider | undefined, guard: Guard, choice: MetricChoice = {}): () => Instruments | null {
  let instruments: Instruments | null = null
  let hasFailed = false
  return function findInstruments () {
    if (instruments !== null || hasFailed) return instruments
    try {
      const meter = (provider ?? metrics).getMeter(SCOPE_NAME, SCOPE_VERSION, { schemaUrl: SCHEMA_URL })
      if (meter !== createNoopMeter()) instruments = makeInstruments(meter, choice)
    } catch (error) {
      hasFailed = true
      guard.report('meter provider', error)
    }
    return instruments
  }
}

function makeInstruments (meter: Meter, { activeRequests = false, bodySizes = false }: MetricChoice): Instruments {
  const bodySize = (name: string, description: string) => meter.createHistogram(name, { description, unit: 'By', valueType: ValueType.INT })
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
    activeRequests: !activeRequests
      ? null
      : meter.createUpDownCounter(METRIC_ACTIVE_REQUESTS, { description: 'Number of active HTTP server requests.', unit: '{request}', valueType: ValueType.INT }),
    bodySizes: !bodySizes
      ? null
      : {
          request: bodySize(METRIC_REQUEST_BODY_SIZE, 'Size of HTTP server request bodies.'),
          response: bodySize(METRIC_RESPONSE_BODY_SIZE, 'Size of HTTP server response bodies.'),
        },
  }
}

/** Records one request; `context` lets an exemplar find its trace. */
export function recordRequest ({ duration, bodySizes }: Instruments, measurement: RequestMeasurement, context: Context): void {
  const attributes = requestAttributes(measurement)
  duration.record(measurement.durationSeconds, attributes, context)
  if (bodySizes === null) return
  const { request, response } = measurement.bodyBytes
  if (request !== undefined) bodySizes.request.record(request, attributes, context)
  if (response !== undefined) bodySizes.response.record(response, attributes, context)
}

/** A new object each time, since the SDK keeps it; in the order of the names, in which the SDK sorts them. */
function requestAttributes ({ errorType, method, statusCode, route, protocolVersion, scheme }: RequestMeasurement): Attributes {
  const attributes: Attributes = {}
  if (errorType !== undefined) attributes[ERROR_TYPE] = errorType
  attributes[HTTP_REQUEST_METHOD] = method
  if (statusCode !== undefined) attributes[HTTP_RESPONSE_STATUS_CODE] = statusCode
  if (route !== undefined) attributes[HTTP_ROUTE] = route
  attributes[NETWORK_PROTOCOL_VERSION] = protocolVersion
  attributes[URL_SCHEME] = scheme
  return attributes
}

/** Adds a request to those under way, or takes it off again. */
export function countActive (counter: UpDownCounter, by: 1 | -1, { method, scheme }: Pick<RequestMeasurement, 'method' | 'scheme'>, context: Context): void {
  counter.add(by, { [HTTP_REQUEST_METHOD]: method, [URL_SCHEME]: scheme }, context)
}

/** Counts one failure; `context` lets an exemplar find its trace. */
export function countFailure (counter: Counter, { method, route, part, keyword, schemaPath }: FailureMeasurement, context: Context): void {
  const attributes: Record<string, string> = { [HTTP_REQUEST_METHOD]: method, [FASTIFY_VALIDATION_PART]: part, [FASTIFY_VALIDATION_KEYWORD]: keyword }
  if (route !== undefined) attributes[HTTP_ROUTE] = route
  if (schemaPath !== undefined) attributes[FASTIFY_VALIDATION_SCHEMA_PATH] = schemaPath
  counter.add(1, attributes, context)
}
