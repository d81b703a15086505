import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { readPartialSuccess } from './partial-success.ts'

/** What is seen of one export on its way through Node's HTTP client: exporters tell success from failure, and not much more. */
export interface Attempt {
  request: ClientRequest | undefined
  /** Of the last answer; `undefined` when there was none. */
  statusCode: number | undefined
  /** As sent. */
  retryAfter: string | undefined
  /** Spans that the collector says it has not taken, of a batch that it has. */
  rejectedSpans: number
  rejectedBecause: string
}

/** Takes a request of an exporter that is about to be sent. */
export type NoteRequest = (request: ClientRequest) => void

export interface AttemptObserver {
  /** Runs `work`; requests that begin in it, and in what it begins, are the attempt's. */
  observe (attempt: Attempt, work: () => void): void
  stop (): void
}

/** The second one, known to Node.js 20 too, comes only when all of the body is written, which a collector that does not read prevents. */
const REQUEST_CHANNELS = ['http.client.request.created', 'http.client.request.start']

/** Bytes of an answer that are looked at. */
const MAX_ANSWER_BYTES = 64 * 1024

/**
 * Watches the requests of exporters through Node's diagnostics channels: their answers' status, Retry-After and partial success, and the request itself, so that
 * one whose answer drips in can be cut. The exporter stays as it is, with its own agent, certificates and compression.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html#http
 */
export function observeAttempts (noteRequest?: NoteRequest): AttemptObserver {
  const storage = new AsyncLocalStorage<Attempt>()
  const attempts = new WeakMap<ClientRequest, Attempt>()

  function onRequest (message: unknown): void {
    const attempt = storage.getStore()
    if (attempt === undefined) return
    const { request } = message as { request: ClientRequest }
    if (attempts.has(request)) return
    attempts.set(request, attempt)
    attempt.request = request
    // Of an exporter that tries again by itself the last request counts.
    attempt.statusCode = attempt.retryAfter = undefined
    noteRequest?.(request)
  }

  function onResponse (message: unknown): void {
    const { request, response } = message as { request: ClientRequest, response: IncomingMessage }
    const attempt = attempts.get(request)
    if (attempt === undefined) return
    attempt.statusCode = response.statusCode
    attempt.retryAfter = response.headers['retry-after']
    if (response.statusCode !== 200) return
    const chunks: Buffer[] = []
    let bytes = 0
    response.prependListener('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk)
    })
    response.prependListener('end', () => {
      const partial = readPartialSuccess(response.headers['content-type'], Buffer.concat(chunks))
      attempt.rejectedSpans = partial.rejectedSpans
      attempt.rejectedBecause = partial.errorMessage
    })
  }

  for (const channel of REQUEST_CHANNELS) subscribe(channel, onRequest)
  subscribe('http.client.response.finish', onResponse)
  return {
    observe: (attempt, work) => storage.run(attempt, work),
    stop () {
      for (const channel of REQUEST_CHANNELS) unsubscribe(channel, onRequest)
      unsubscribe('http.client.response.finish', onResponse)
    },
  }
}

export function newAttempt (): Attempt {
  return { request: undefined, statusCode: undefined, retryAfter: undefined, rejectedSpans: 0, rejectedBecause: '' }
}
