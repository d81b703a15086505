import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
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
  scope: { name: string, version?: string }
  schemaUrl?: string
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
  /** Names of the metrics that came. */
  metrics: Array<{ name: string, unit: string }>
  /** Resolves once so many spans have come. */
  waitForSpans (count: number): Promise<OtlpSpan[]>
  waitForMetrics (): Promise<void>
  /** How posts are answered; set it to make a collector that fails. */
  answer: (request: IncomingMessage, response: ServerResponse) => void
  close (): Promise<void>
}

/** A collector on a real socket that takes OTLP/HTTP JSON. */
export async function startOtlpReceiver (): Promise<OtlpReceiver> {
  const waiters = new Set<() => void>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const sent = Buffer.concat(chunks)
    const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    receiver.posts.push({ path: request.url ?? '', bytes })
    const body = JSON.parse(bytes.toString())
    if (request.url === '/v1/traces') receiver.spans.push(...readSpans(body))
    if (request.url === '/v1/metrics') receiver.metrics.push(...readMetrics(body))
    receiver.answer(request, response)
    for (const check of waiters) check()
  })
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
    url: `http://127.0.0.1:${portOf(server)}`,
    spans: [],
    posts: [],
    metrics: [],
    async waitForSpans (count) {
      await waitUntil(() => receiver.spans.length >= count)
      return receiver.spans
    },
    waitForMetrics: () => waitUntil(() => receiver.metrics.length > 0),
    answer: (_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{}') },
    async close () {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}

function readSpans (body: { resourceSpans: Array<{ resource: { attributes: KeyValues }, scopeSpans: Array<{ scope: OtlpSpan['scope'], schemaUrl?: string, spans: Array<OtlpSpan & { attributes: KeyValues }> }> }> }): OtlpSpan[] {
  return body.resourceSpans.flatMap(({ resource, scopeSpans }) => scopeSpans.flatMap(({ scope, schemaUrl, spans }) => spans.map((span) => ({
    ...span,
    attributes: toObject(span.attributes),
    service: toObject(resource.attributes)['service.name'],
    scope,
    schemaUrl,
  }))))
}

function readMetrics (body: { resourceMetrics: Array<{ scopeMetrics: Array<{ metrics: Array<{ name: string, unit: string }> }> }> }) {
  return body.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name, unit }) => ({ name, unit }))))
}

function toObject (attributes: KeyValues): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toValue(value)]))
}

function toValue ({ stringValue, intValue, doubleValue, boolValue, arrayValue }: OtlpValue): unknown {
  return stringValue ?? (intValue === undefined ? undefined : Number(intValue)) ?? doubleValue ?? boolValue ?? arrayValue?.values.map(toValue)
}
