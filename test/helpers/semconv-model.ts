import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { OtlpSpan } from './otlp-receiver.ts'

export type Level = 'required' | 'conditionally_required' | 'recommended' | 'opt_in'

interface ModelUse {
  level: Level
  when?: string
  /** A sampler is to see it. */
  atStart?: true
  examples?: unknown[]
}

interface ModelAttribute {
  type: string
  values?: string[]
  examples?: unknown[]
  stability: string
}

export interface ModelMetric {
  instrument: 'counter' | 'updowncounter' | 'histogram'
  unit: string
  valueType: 'int' | 'double'
  boundaries?: number[]
  attributes: Record<string, ModelUse>
}

/** The conventions' own model, as far as this package emits what is in it. */
export interface Model {
  version: string
  schemaUrl: string
  knownMethods: string[]
  sensitiveQueryParameters: string[]
  attributes: Record<string, ModelAttribute>
  spans: Record<'http.server', { kind: string, attributes: Record<string, ModelUse> }>
  events: Record<'exception', { attributes: Record<string, ModelUse> }>
  metrics: Record<string, ModelMetric>
}

/** Tests run in the folder above `test`. */
export const model: Model = JSON.parse(readFileSync('test/standards/semconv-1.45.json', 'utf8'))

const SPAN = model.spans['http.server'].attributes

/** Attributes of the conventions for HTTP that a server has no use for here, and why. */
const NOT_APPLICABLE: Record<string, string> = { 'network.protocol.name': 'HTTP is the default' }

/** Names of an attribute group that are to be there, given what is known of the requests. */
export function namesOf (uses: Record<string, ModelUse>, levels: Level[]): string[] {
  return Object.entries(uses).filter(([name, { level }]) => levels.includes(level) && NOT_APPLICABLE[name] === undefined).map(([name]) => name).toSorted()
}

/** Compares the attributes of anything with the model: names, types, words that are given, and nothing of what has to be asked for. */
export function checkAttributes (t: Test, where: string, attributes: Record<string, unknown>, uses: Record<string, ModelUse>, alsoAllowed: string[] = []): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('fastify.')) continue
    const known = model.attributes[name]
    t.ok(known !== undefined && (uses[name] !== undefined || alsoAllowed.includes(name)), `${where}: ${name} is a name of the conventions`)
    t.not(uses[name]?.level, 'opt_in', `${where}: ${name} was not asked for`)
    t.equal(typeof value === 'number' ? (Number.isInteger(value) ? 'int' : 'double') : typeof value, known?.type, `${where}: type of ${name}`)
    if (name === 'http.request.method') t.ok(known!.values!.includes(String(value)), `${where}: ${String(value)} is a word of ${name}`)
  }
  for (const name of namesOf(uses, ['required'])) t.ok(attributes[name] !== undefined, `${where}: ${name} is required`)
}

/** Compares a SERVER span with the model. */
export function checkServerSpan (t: Test, where: string, { name, kind, attributes, status, scope, schemaUrl }: OtlpSpan): void {
  checkAttributes(t, where, attributes, SPAN, ['code.function.name'])
  t.equal(kind, 2, `${where}: SERVER`)
  const method = attributes['http.request.method'] === '_OTHER' ? 'HTTP' : String(attributes['http.request.method'])
  t.equal(name, attributes['http.route'] === undefined ? method : `${method} ${String(attributes['http.route'])}`, `${where}: name`)
  t.equal(attributes['http.request.method_original'] !== undefined, method === 'HTTP', `${where}: the original method with _OTHER`)
  t.ok(['http', 'https'].includes(String(attributes['url.scheme'])), `${where}: scheme`)
  if (attributes['server.port'] !== undefined) t.ok(attributes['server.address'] !== undefined, `${where}: no port without its address`)
  t.notMatch(attributes['url.path'], /[?#]/, `${where}: path without query`)
  // OTLP: 0 is unset, 2 is an error.
  t.equal(status.code ?? 0, attributes['error.type'] === undefined ? 0 : 2, `${where}: status`)
  const statusCode = Number(attributes['http.response.status_code'] ?? 0)
  if (statusCode >= 500) t.ok(attributes['error.type'] !== undefined, `${where}: a 5xx is an error`)
  t.same([scope.name, schemaUrl], ['fastify-schema-telemetry', model.schemaUrl], `${where}: scope`)
}

/** What a collector is told of a metric. */
export interface OtlpMetricData {
  name: string
  unit: string
  kind: ModelMetric['instrument']
  scope: { name: string, version?: string }
  schemaUrl: string | undefined
  points: Array<{ attributes: Record<string, unknown>, value: number, isInt: boolean, count: number, boundaries: number[] | undefined }>
}

interface OtlpPoint {
  attributes: Array<{ key: string, value: { stringValue?: string, intValue?: number | string, boolValue?: boolean } }>
  asInt?: number | string
  asDouble?: number
  sum?: number
  count?: number | string
  explicitBounds?: number[]
}

interface OtlpBody {
  resourceMetrics: Array<{
    scopeMetrics: Array<{
      scope: OtlpMetricData['scope']
      schemaUrl?: string
      metrics: Array<{ name: string, unit: string, sum?: { isMonotonic?: boolean, dataPoints: OtlpPoint[] }, histogram?: { dataPoints: OtlpPoint[] } }>
    }>
  }>
}

/** The metrics of a body in OTLP/HTTP JSON. */
export function readMetricData (bytes: Buffer): OtlpMetricData[] {
  const { resourceMetrics } = JSON.parse(bytes.toString()) as OtlpBody
  return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ scope, schemaUrl, metrics }) => metrics.map(({ name, unit, sum, histogram }) => ({
    name,
    unit,
    kind: histogram !== undefined ? 'histogram' : sum?.isMonotonic === true ? 'counter' : 'updowncounter',
    scope,
    schemaUrl,
    points: (histogram ?? sum)!.dataPoints.map((point) => ({
      attributes: Object.fromEntries(point.attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? Number(value.intValue)])),
      value: Number(point.asInt ?? point.asDouble ?? point.sum),
      isInt: point.asInt !== undefined || (histogram !== undefined && Number.isInteger(point.sum)),
      count: Number(point.count ?? 0),
      boundaries: point.explicitBounds,
    })),
  }))))
}
