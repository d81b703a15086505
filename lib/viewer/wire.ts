/**
 * What the server of the viewer says to its page. JSON everywhere; times are milliseconds since 1970 with a fraction, to the microsecond.
 *
 * The page is served at the prefix, and below it at `failures`, `traces` and `traces/<trace id>`. `<meta name="viewer-base">` has the way from the address
 * that was loaded to the prefix, relative and with a slash at its end: `new URL(content, location.href)`, once, before the address changes.
 * Its element is `<div id="viewer">`. What is refused has a status of 4xx or 5xx and `{ message }`.
 */

/** A trace in the list. */
export interface TraceSummary {
  traceId: string
  /** Grows with each change of any trace: what a page knows already has a lower one. */
  revision: number
  startMillis: number
  /** From the start of the first to the end of the last span; `null` while a span of it is running. */
  durationMillis: number | null
  /** Of the root span, or of the first one when the root is elsewhere. */
  name: string
  /** Method, route and status are those of the root, or of the first request when the root is none. */
  method?: string
  route?: string
  statusCode?: number
  errorType?: string
  /** Of the root span. */
  service: string
  services: string[]
  spanCount: number
  /** `fastify.arguments.error_count` of all its SERVER spans. */
  validationErrors: number
  /** A span of it has status ERROR. */
  isFailed: boolean
  /** The caller left before the answer was complete: `client_disconnected`. */
  isAborted: boolean
}

export interface SpanEvent {
  name: string
  timeMillis: number
  attributes: Record<string, AttributeValue>
}

export interface SpanLink {
  traceId: string
  spanId: string
  attributes: Record<string, AttributeValue>
}

export type AttributeValue = string | number | boolean | null | AttributeValue[] | { [key: string]: AttributeValue }

export interface ViewerSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  /** `INTERNAL`, `SERVER`, `CLIENT`, `PRODUCER`, `CONSUMER`. */
  kind: string
  startMillis: number
  /** `null` while it is running. */
  endMillis: number | null
  status: 'UNSET' | 'OK' | 'ERROR'
  statusMessage?: string
  service: string
  /** Name and version of the instrumentation scope. */
  scope: { name: string, version?: string }
  attributes: Record<string, AttributeValue>
  resource: Record<string, AttributeValue>
  events: SpanEvent[]
  links: SpanLink[]
  /** What the bounds of the viewer, or of the sender, left out of this span. */
  dropped: { attributes: number, events: number, links: number }
}

/** `GET api/traces/:traceId`; 404 with `{ message }` when it is not there (any more). */
export interface TraceDetail {
  summary: TraceSummary
  /** In the order of their starts. */
  spans: ViewerSpan[]
  /** Spans beyond the bound of one trace. */
  droppedSpans: number
}

/** What is kept and what had to go. */
export interface StoreState {
  /** Another one than before: the server was started anew, and what the page knows is gone. */
  storeId: string
  revision: number
  traces: number
  bytes: number
  maxTraces: number
  maxBytes: number
  droppedTraces: number
  /** Refused or cut: spans over a bound, parts of OTLP requests that could not be read. */
  droppedSpans: number
}

/**
 * `GET api/traces?text=`: newest first; with `text` only those with it in name, route, status, trace id, services, or name or any attribute of any span;
 * capitals do not matter, and `key=value` finds an attribute whose value begins so. `DELETE api/traces` forgets all, and answers the `StoreState`.
 */
export interface TraceList {
  state: StoreState
  traces: TraceSummary[]
}

/**
 * Server-sent events of `GET api/live?since=<revision>&text=`.
 *
 * - `hello`: `StoreState`, at once
 * - `traces`: `TraceSummary[]`, new and changed ones, at most ten times a second; the first has all that are newer than `since`
 * - `state`: `StoreState`, at most once a second when it changed
 * - `removed`: `string[]`, trace ids that went to make room, or by `DELETE api/traces`; comes before `traces`
 * - `reload`: `StoreState`, after `hello`: what went since `since` (or since the `Last-Event-ID` of another process) is not known any more; ask for the list anew
 * - `mark`: a revision; all up to it was said. Only its `id` matters, which the browser sends back as `Last-Event-ID`; then `since` is not looked at
 */
export interface LiveEvents {
  hello: StoreState
  traces: TraceSummary[]
  state: StoreState
  removed: string[]
  reload: StoreState
  mark: number
}

/** One field that requests failed on. `part`, `path` and `keyword` are empty for errors that were counted, but not recorded. */
export interface FieldFailures {
  method: string
  route: string
  part: string
  path: string
  keyword: string
  message: string
  count: number
  lastMillis: number
  /** Newest first, at most 20. */
  traceIds: string[]
  /** One count for each of the buckets of `FailuresReport`. */
  series: number[]
}

/** Requests of a route that have ended; `route` is empty for those that no route matched. */
export interface RouteDurations {
  method: string
  route: string
  requests: number
  /** Those with validation errors or a status of ERROR. */
  failures: number
  /** One count for each bound of `durationBounds`, and one for what is above the last. */
  counts: number[]
  p50Millis: number
  p95Millis: number
  p99Millis: number
}

/** `GET api/failures`: of the traces that are kept; at most 500 fields and 500 routes, those with most. */
export interface FailuresReport {
  state: StoreState
  /** Starts of equal stretches of time, oldest first: those in which traces came to the viewer, at most 60. */
  bucketStarts: number[]
  bucketMillis: number
  fields: FieldFailures[]
  routes: RouteDurations[]
  /** Milliseconds, upper bounds. */
  durationBounds: number[]
}
