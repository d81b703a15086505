import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { LiveEvents } from '../../lib/viewer/wire.ts'

export interface LiveEvent<Name extends keyof LiveEvents = keyof LiveEvents> {
  name: Name
  data: LiveEvents[Name]
  id: string | undefined
}

/** The live stream of a viewer as a page reads it, over a socket of its own. */
export interface LivePage {
  statusCode: number
  headers: IncomingHttpHeaders
  events: LiveEvent[]
  /** Every byte so far. */
  text: () => string
  /** Resolves once the events so far satisfy `isReached`. */
  until (isReached: (events: LiveEvent[]) => boolean): Promise<LiveEvent[]>
  /** Resolves when the server has ended the stream, or cut it off. */
  ended: Promise<void>
  /** The answer itself, to read it otherwise. */
  response: IncomingMessage
  leave (): void
}

export async function openLive (port: number, path: string, { headers = {}, isReading = true }: { headers?: Record<string, string>, isReading?: boolean } = {}): Promise<LivePage> {
  const outgoing = request({ host: '127.0.0.1', port, path, agent: false, headers: { accept: 'text/event-stream', ...headers } })
  outgoing.end()
  const [response] = await once(outgoing, 'response') as [IncomingMessage]
  outgoing.on('error', () => {})
  response.on('error', () => {})
  const events: LiveEvent[] = []
  const checks = new Set<() => void>()
  let text = ''
  let seen = 0
  if (isReading) {
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      for (let end = text.indexOf('\n\n', seen); end >= 0; end = text.indexOf('\n\n', seen)) {
        const event = toEvent(text.slice(seen, end))
        seen = end + 2
        if (event !== undefined) events.push(event)
      }
      for (const check of checks) check()
    })
  }
  return {
    statusCode: response.statusCode!,
    headers: response.headers,
    events,
    text: () => text,
    until: (isReached) => new Promise((resolve) => {
      const check = () => {
        if (!isReached(events)) return
        checks.delete(check)
        resolve(events)
      }
      checks.add(check)
      check()
    }),
    ended: new Promise((resolve) => { response.on('close', () => resolve()) }),
    response,
    leave: () => { response.destroy() },
  }
}

function toEvent (text: string): LiveEvent | undefined {
  const fields = new Map(text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
  const name = fields.get('event') as keyof LiveEvents | undefined
  return name === undefined ? undefined : { name, data: JSON.parse(fields.get('data')!), id: fields.get('id') }
}

/** What the events of one name have said so far. */
export function saidOf<Name extends keyof LiveEvents> (events: LiveEvent[], name: Name): Array<LiveEvents[Name]> {
  return events.filter((event) => event.name === name).map(({ data }) => data as LiveEvents[Name])
}

/** 32 and 16 digits that end with a number. */
export const traceIdOf = (number: number): string => `a${number.toString(16).padStart(31, '0')}`
export const spanIdOf = (number: number): string => `b${number.toString(16).padStart(15, '0')}`

/** A request of OTLP/HTTP JSON with spans as the protocol has them. */
export function otlpJson (spans: object[], resource: object[] = [{ key: 'service.name', value: { stringValue: 'other' } }]): object {
  return { resourceSpans: [{ resource: { attributes: resource }, scopeSpans: [{ scope: { name: 'scope', version: '2' }, spans }] }] }
}

export function otlpSpan (number: number, more: object = {}): object {
  return {
    traceId: traceIdOf(number), spanId: spanIdOf(number), name: `span ${number}`, kind: 2, startTimeUnixNano: '1795235424123456789', endTimeUnixNano: '1795235424223456789', ...more,
  }
}
