import type { FastifyInstance, FastifyRequest } from 'fastify'
import { reportFailures } from './failures.ts'
import { streamJson } from './json-stream.ts'
import { LiveStream, readStart } from './live-stream.ts'
import { pageHtml, PAGE_PATHS } from './page.ts'
import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from './page-assets.ts'
import { sendError, sendJson, type RouteDefaults } from './safety.ts'
import { createFilter } from './search.ts'
import type { StoredTrace } from './stored-trace.ts'
import type { TraceStore } from './trace-store.ts'
import { createTurns } from './turns.ts'

/** Pages that watch at the same time. */
const MAX_STREAMS = 32

/** The page, its data and the live stream. */
export function addViewRoutes (app: FastifyInstance, store: TraceStore, defaults: RouteDefaults): void {
  const streams = new Set<LiveStream>()

  for (const pattern of PAGE_PATHS) {
    app.get(pattern, { ...defaults, exposeHeadRoute: true }, async function page (request, reply) {
      return reply.type('text/html; charset=utf-8').send(pageHtml(request.url.split('?', 1)[0]!, pattern))
    })
  }
  addAsset(app, defaults, '/viewer.js', 'text/javascript; charset=utf-8', SCRIPT, SCRIPT_HASH)
  addAsset(app, defaults, '/viewer.css', 'text/css; charset=utf-8', STYLE, STYLE_HASH)

  app.get('/api/traces', defaults, async function listTraces (request, reply) {
    const traces = await findTraces(store, textOf(request))
    return reply.type('application/json; charset=utf-8').send(streamJson({ state: store.state() }, 'traces', traces, ({ summary }) => summary))
  })

  app.get<{ Params: { traceId: string } }>('/api/traces/:traceId', defaults, async function showTrace (request, reply) {
    const trace = store.get(request.params.traceId.toLowerCase())
    if (trace === undefined) return sendError(request, reply, 404, 'This trace is not there, or not any more.')
    const spans = [...trace.spans.values()].map(({ span }) => span).sort((first, second) => first.startMillis - second.startMillis)
    return reply.type('application/json; charset=utf-8').send(streamJson({ summary: trace.summary, droppedSpans: trace.droppedSpans }, 'spans', spans, (span) => span))
  })

  app.delete('/api/traces', defaults, async function clear (_request, reply) {
    store.clear()
    return sendJson(reply, store.state())
  })

  let report: { revision: number, text: Promise<string> } | undefined
  app.get('/api/failures', defaults, async function listFailures (_request, reply) {
    const { revision } = store.state()
    if (report?.revision !== revision) report = { revision, text: reportFailures(store).then((failures) => JSON.stringify(failures)) }
    return reply.type('application/json; charset=utf-8').send(await report.text)
  })

  app.get('/api/live', defaults, function live (request, reply) {
    if (streams.size >= MAX_STREAMS) {
      sendError(request, reply.header('retry-after', '5'), 503, `${MAX_STREAMS} pages watch already.`)
      return
    }
    const { since } = request.query as { since?: unknown }
    const start = readStart(headerOf(request, 'last-event-id'), typeof since === 'string' ? since : undefined, store)
    reply.hijack()
    reply.raw.writeHead(200, {
      ...reply.getHeaders() as Record<string, string>,
      'content-type': 'text/event-stream; charset=utf-8',
      // Of proxies that would wait for more.
      'x-accel-buffering': 'no',
      // When the stream ends the connection does: nothing is left for `app.close()` to wait for.
      ...(request.raw.httpVersionMajor === 1 ? { connection: 'close' } : {}),
    })
    const stream: LiveStream = new LiveStream(reply.raw, store, { filter: createFilter(textOf(request)), start, onClose: () => { streams.delete(stream) } })
    streams.add(stream)
  })
  // What is asked for in vain below the viewer makes no spans either. Without a prefix the application's own answer is meant.
  if (app.prefix !== '') app.all('/*', defaults, async function nothing (request, reply) { return sendError(request, reply, 404, 'Nothing is here.') })

  app.addHook('preClose', async function endStreams () {
    for (const stream of streams) stream.close()
  })
}

function addAsset (app: FastifyInstance, defaults: RouteDefaults, path: string, type: string, text: string, hash: string): void {
  const etag = `"${hash}"`
  app.get(path, defaults, async function asset (request, reply) {
    // Kept, but asked for each time: the next version of the package has another.
    reply.headers({ etag, 'cache-control': 'no-cache' })
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type(type).send(text)
  })
}

/** Newest first. */
async function findTraces (store: TraceStore, text: string | undefined): Promise<StoredTrace[]> {
  const filter = createFilter(text)
  const turn = createTurns()
  const found: Array<{ trace: StoredTrace, startMillis: number }> = []
  for (const trace of store.traces()) {
    await turn()
    if (filter === undefined || filter(trace)) found.push({ trace, startMillis: trace.summary.startMillis })
  }
  return found.sort((first, second) => second.startMillis - first.startMillis).map(({ trace }) => trace)
}

function textOf (request: FastifyRequest): string | undefined {
  const { text } = request.query as { text?: unknown }
  return typeof text === 'string' ? text : undefined
}

function headerOf (request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
