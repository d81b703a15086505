import type { PlainSpan } from 'fastify-schema-telemetry/testing'

/** A span as a test writes it down: what differs from run to run is gone or replaced. */
export interface ExpectedSpan {
  name: string
  kind: PlainSpan['kind']
  /** Name of the parent span in the same list; absent for roots and for children of callers. */
  parent?: string
  attributes: Record<string, unknown>
  status?: 'ERROR'
  events?: Array<{ name: string, attributes: Record<string, unknown> }>
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

/** JSON texts as data, ports as `PORT`, time stamps as `TIME`, so that whole lists can be compared. */
export function normalize (spans: readonly PlainSpan[]): ExpectedSpan[] {
  const names = new Map(spans.map((span) => [span.spanId, span.name]))
  return spans.map((span) => ({
    name: span.name,
    kind: span.kind,
    ...(span.parentSpanId !== undefined && names.has(span.parentSpanId) ? { parent: names.get(span.parentSpanId) } : {}),
    attributes: Object.fromEntries(Object.entries(span.attributes).map(([name, value]) => [name, normalizeValue(name, value)])),
    ...(span.status === 'UNSET' ? {} : { status: span.status as 'ERROR' }),
    ...(span.events.length === 0 ? {} : { events: span.events.map(normalizeEvent) }),
  }))
}

function normalizeValue (name: string, value: unknown): unknown {
  if (name === 'server.port' || name === 'network.peer.port') return typeof value === 'number' ? 'PORT' : `not a port: ${String(value)}`
  if (name.endsWith('_timestamp')) return TIMESTAMP.test(String(value)) ? 'TIME' : `not a time stamp: ${String(value)}`
  if ((name === 'fastify.arguments.values' || name === 'fastify.arguments.errors') && typeof value === 'string') return JSON.parse(value)
  return value
}

function normalizeEvent ({ name, attributes }: PlainSpan['events'][number]) {
  const { 'exception.stacktrace': stack, ...rest } = attributes
  return { name, attributes: { ...rest, ...(stack === undefined ? {} : { 'exception.stacktrace': typeof stack }) } }
}

/** Attributes that each request over a socket of this machine has; the query as it is recorded. */
export function requestAttributes (method: string, target: string, route?: string): Record<string, unknown> {
  const [path, query] = target.split('?')
  return {
    'http.request.method': method,
    'url.scheme': 'http',
    'url.path': path,
    ...(query === undefined ? {} : { 'url.query': query }),
    'network.protocol.version': '1.1',
    'server.address': '127.0.0.1',
    'server.port': 'PORT',
    'client.address': '127.0.0.1',
    'network.peer.address': '127.0.0.1',
    'network.peer.port': 'PORT',
    'user_agent.original': 'test',
    ...(route === undefined ? {} : { 'http.route': route }),
  }
}

export const ARGUMENT_TIMES = { 'fastify.arguments.start_timestamp': 'TIME', 'fastify.arguments.end_timestamp': 'TIME' }
export const HANDLER_TIMES = { 'fastify.handler.start_timestamp': 'TIME', 'fastify.handler.end_timestamp': 'TIME' }
export const ALL_TIMES = { ...ARGUMENT_TIMES, ...HANDLER_TIMES }
