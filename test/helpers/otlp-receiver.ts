import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { portOf } from './http.ts'

/** A span as OTLP/HTTP JSON carries it, attributes as a plain object. */
export interface OtlpSpan {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Record<string, unknown>
  status: { code?: number }
  service: unknown
  resource: Record<string, unknown>
  scope: { name: string, version?: string }
  schemaUrl?: string
}

export interface OtlpMetric {
  name: string
  unit: string
  /** Of counters and up-down counters. */
  points: Array<{ value: number, attributes: Record<string, unknown> }>
}

interface OtlpValue {
  stringValue?: string
  intValue?: number | string
  doubleValue?: number
  boolValue?: boolean
  arrayValue?: { values: OtlpValue[] }
}

type KeyValues = Array<{ key: string, value: OtlpValue }>

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string
  spans: OtlpSpan[]
  /** The body of each post to a path (`/v1/traces`), as it was before it was compressed. */
  posts: Array<{ path: string, bytes: Buffer }>
  metrics: OtlpMetric[]
  /** Every post: also what is not JSON, whose spans are not read. */
  requests: Array<{ path: string, headers: IncomingHttpHeaders, hasCertificate: boolean }>
  /** Resolves once so many spans have come. */
  waitForSpans (count: number): Promise<OtlpSpan[]>
  waitForMetrics (): Promise<void>
  waitForRequests (count: number): Promise<void>
  /** How posts are answered; set it to make a collector that fails. */
  answer: (request: IncomingMessage, response: ServerResponse) => void
  close (): Promise<void>
}

/** A collector on a real socket that takes OTLP/HTTP JSON. */
export async function startOtlpReceiver (tls?: TlsOptions & { key: string, cert: string }): Promise<OtlpReceiver> {
  const waiters = new Set<() => void>()
  const server = tls === undefined ? createServer(onRequest) : createSecureServer(tls, onRequest)

  async function onRequest (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const sent = Buffer.concat(chunks)
    const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    receiver.posts.push({ path: request.url ?? '', bytes })
    receiver.requests.push({ path: request.url!, headers: request.headers, hasCertificate: tls !== undefined && (request.socket as TLSSocket).getPeerCertificate().raw !== undefined })
    if (request.headers['content-type'] === 'application/json') {
      const body = JSON.parse(bytes.toString())
      if (body.resourceSpans !== undefined) receiver.spans.push(...readSpans(body))
      if (body.resourceMetrics !== undefined) receiver.metrics.push(...readMetrics(body))
    }
    receiver.answer(request, response)
    for (const check of waiters) check()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  function waitUntil (isReached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!isReached()) return
        waiters.delete(check)
        resolve()
      }
      waiters.add(check)
      check()
    })
  }

  const receiver: OtlpReceiver = {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${portOf(server)}`,
    spans: [],
    posts: [],
    metrics: [],
    requests: [],
    async waitForSpans (count) {
      await waitUntil(() => receiver.spans.length >= count)
      return receiver.spans
    },
    waitForMetrics: () => waitUntil(() => receiver.metrics.length > 0),
    waitForRequests: (count) => waitUntil(() => receiver.requests.length >= count),
    answer (request, response) {
      const isJson = request.headers['content-type'] === 'application/json'
      response.writeHead(200, { 'content-type': String(request.headers['content-type']) }).end(isJson ? '{}' : '')
    },
    async close () {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}

/** The OTLP spans of a body in JSON. */
export function readSpans (body: { resourceSpans: Array<{ resource: { attributes: KeyValues }, scopeSpans: Array<{ scope: OtlpSpan['scope'], schemaUrl?: string, spans: Array<OtlpSpan & { attributes: KeyValues }> }> }> }): OtlpSpan[] {
  return body.resourceSpans.flatMap(({ resource, scopeSpans }) => scopeSpans.flatMap(({ scope, schemaUrl, spans }) => spans.map((span) => ({
    ...span,
    attributes: toObject(span.attributes),
    service: toObject(resource.attributes)['service.name'],
    resource: toObject(resource.attributes),
    scope,
    schemaUrl,
  }))))
}

interface OtlpBodyMetric {
  name: string
  unit: string
  sum?: { dataPoints: Array<{ asInt?: number | string, asDouble?: number, attributes: KeyValues }> }
}

function readMetrics (body: { resourceMetrics: Array<{ scopeMetrics: Array<{ metrics: OtlpBodyMetric[] }> }> }): OtlpMetric[] {
  return body.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name, unit, sum }) => ({
    name,
    unit,
    points: sum?.dataPoints.map(({ asInt, asDouble, attributes }) => ({ value: Number(asInt ?? asDouble), attributes: toObject(attributes) })) ?? [],
  }))))
}

function toObject (attributes: KeyValues): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toValue(value)]))
}

function toValue ({ stringValue, intValue, doubleValue, boolValue, arrayValue }: OtlpValue): unknown {
  return stringValue ?? (intValue === undefined ? undefined : Number(intValue)) ?? doubleValue ?? boolValue ?? arrayValue?.values.map(toValue)
}
