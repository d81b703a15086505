import { ARGUMENTS_ERRORS, HTTP_REQUEST_METHOD, HTTP_ROUTE } from '../semconv.ts'
import type { StoredTrace } from './stored-trace.ts'
import { errorCountOf, isRequest, toMicros } from './summary.ts'
import type { TraceStore } from './trace-store.ts'
import { createTurns } from './turns.ts'
import type { FailuresReport, FieldFailures, RouteDurations, ViewerSpan } from './wire.ts'

/** Milliseconds: upper bounds of the duration histograms. */
const DURATION_BOUNDS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]
/** Lengths of a stretch of time, milliseconds: the first with which {@link MAX_BUCKETS} are enough. */
const BUCKET_MILLIS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400].map((seconds) => seconds * 1000)
const MAX_BUCKETS = 60
/** Fields, and routes, that a report lists: those with most failures, or requests. */
const MAX_ROWS = 500
/** Errors of one span that are looked at. */
const MAX_ERRORS = 100
const MAX_TRACE_IDS = 20
const MAX_WORD_LENGTH = 512

/** What failed and how long requests took, of the traces that are kept. The stretches of time are those in which traces came. */
export async function reportFailures (store: TraceStore): Promise<FailuresReport> {
  const traces = store.traces()
  const state = store.state()
  const { bucketStarts, bucketMillis } = toBuckets(traces[0]?.receivedMillis, Date.now())
  const fields = new Map<string, FieldFailures>()
  const routes = new Map<string, Route>()
  const turn = createTurns()
  for (const trace of traces) {
    for (const { span } of trace.spans.values()) {
      await turn()
      if (errorCountOf(span) > 0) addFailures(fields, trace, span, bucketStarts, bucketMillis)
      if (isRequest(span) && span.endMillis !== null) addDuration(routes, span, toMicros(span.endMillis - span.startMillis))
    }
  }
  return {
    state,
    bucketStarts,
    bucketMillis,
    fields: [...fields.values()].sort((first, second) => second.count - first.count || second.lastMillis - first.lastMillis).slice(0, MAX_ROWS),
    routes: [...routes.values()].sort((first, second) => second.durations.length - first.durations.length).slice(0, MAX_ROWS).map(toDurations),
    durationBounds: DURATION_BOUNDS,
  }
}

function toBuckets (firstMillis: number | undefined, nowMillis: number): { bucketStarts: number[], bucketMillis: number } {
  // A clock can be set back.
  const fromMillis = Math.min(firstMillis ?? nowMillis, nowMillis)
  const longest = BUCKET_MILLIS.at(-1)!
  const bucketMillis = BUCKET_MILLIS.find((millis) => Math.floor(nowMillis / millis) - Math.floor(fromMillis / millis) < MAX_BUCKETS) ?? longest
  const lastStart = Math.floor(nowMillis / bucketMillis) * bucketMillis
  const firstStart = Math.max(Math.floor(fromMillis / bucketMillis) * bucketMillis, lastStart - (MAX_BUCKETS - 1) * bucketMillis)
  return { bucketMillis, bucketStarts: Array.from({ length: (lastStart - firstStart) / bucketMillis + 1 }, (_, index) => firstStart + index * bucketMillis) }
}

function addFailures (fields: Map<string, FieldFailures>, { traceId, receivedMillis }: StoredTrace, span: ViewerSpan, bucketStarts: number[], bucketMillis: number): void {
  const method = word(span.attributes[HTTP_REQUEST_METHOD])
  const route = word(span.attributes[HTTP_ROUTE])
  const bucket = Math.min(bucketStarts.length - 1, Math.max(0, Math.floor((receivedMillis - bucketStarts[0]!) / bucketMillis)))
  for (const { part, path, keyword, message } of readErrors(span)) {
    const key = JSON.stringify([method, route, part, path, keyword])
    let field = fields.get(key)
    if (field === undefined) {
      field = { method, route, part, path, keyword, message, count: 0, lastMillis: 0, traceIds: [], series: bucketStarts.map(() => 0) }
      fields.set(key, field)
    }
    field.count++
    field.series[bucket]!++
    // Traces come oldest first.
    field.message = message
    field.lastMillis = Math.max(field.lastMillis, receivedMillis)
    if (field.traceIds[0] !== traceId) field.traceIds.unshift(traceId)
    if (field.traceIds.length > MAX_TRACE_IDS) field.traceIds.pop()
  }
}

interface FieldError {
  part: string
  path: string
  keyword: string
  message: string
}

/** Counted, but the mapper, or the sender, left out which. */
const UNKNOWN_ERRORS: readonly FieldError[] = [{ part: '', path: '', keyword: '', message: '' }]

function readErrors ({ attributes }: ViewerSpan): readonly FieldError[] {
  const json = attributes[ARGUMENTS_ERRORS]
  if (typeof json !== 'string') return UNKNOWN_ERRORS
  try {
    const errors: unknown = JSON.parse(json)
    if (!Array.isArray(errors) || errors.length === 0) return UNKNOWN_ERRORS
    return errors.slice(0, MAX_ERRORS).map((error) => ({ part: word(error?.part), path: word(error?.path), keyword: word(error?.keyword), message: word(error?.message) }))
  } catch {
    // Cut on its way, or not ours.
    return UNKNOWN_ERRORS
  }
}

function word (value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_WORD_LENGTH) : ''
}

interface Route {
  method: string
  route: string
  failures: number
  durations: number[]
}

function addDuration (routes: Map<string, Route>, span: ViewerSpan, durationMillis: number): void {
  const method = word(span.attributes[HTTP_REQUEST_METHOD])
  const pattern = word(span.attributes[HTTP_ROUTE])
  const key = `${method} ${pattern}`
  let route = routes.get(key)
  if (route === undefined) {
    route = { method, route: pattern, failures: 0, durations: [] }
    routes.set(key, route)
  }
  route.durations.push(durationMillis)
  if (span.status === 'ERROR' || errorCountOf(span) > 0) route.failures++
}

function toDurations ({ method, route, failures, durations }: Route): RouteDurations {
  durations.sort((first, second) => first - second)
  const counts = [...DURATION_BOUNDS, Infinity].map(() => 0)
  for (const duration of durations) {
    const index = DURATION_BOUNDS.findIndex((bound) => duration <= bound)
    counts.splice(index, 1, counts.at(index)! + 1)
  }
  /** The least duration that so many of all do not exceed. */
  const quantile = (share: number): number => durations[Math.ceil(durations.length * share) - 1]!
  return { method, route, requests: durations.length, failures, counts, p50Millis: quantile(0.5), p95Millis: quantile(0.95), p99Millis: quantile(0.99) }
}
