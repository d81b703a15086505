import { connect } from 'node:net'
import { createRarely } from '../../rarely.ts'
import { SCOPE_NAME } from '../../semconv.ts'
import { reasonOf } from './verdict.ts'

/** Says how the delivery of spans goes: one line when something begins to go wrong, one when it is over, with the count. */
export interface DeliveryReport {
  /** A batch is about to be sent. */
  attempted (): void
  /** The collector took a batch; `hasRoom`: the queue is no longer nearly full. */
  delivered (hasRoom: boolean): void
  /** Nobody answered, or not yet: the batch will be sent again. */
  failed (reason: string): void
  /** The collector does not want these spans: they are lost. */
  refused (spanCount: number, reason: string): void
  /** There was no room for so many of the oldest spans: they are lost. */
  overflowed (spanCount: number): void
  /** These were tried for too long: they are lost. */
  gaveUp (spanCount: number, reason: string): void
  /** The process ends while spans are still under way. */
  abandoned (spanCount: number, afterMillis: number): void
}

/**
 * A trouble that comes and goes is said at most once a minute; what was lost meanwhile is in the count of the next line that says its end.
 *
 * @param url - where the spans go over OTLP/HTTP; `undefined` for an exporter of the user's own
 * @param write - takes one line with its end
 */
export function createDeliveryReport (url: string | undefined, write: (line: string) => void, now?: () => number): DeliveryReport {
  let isFirst = true
  const mayPass = createRarely(now)
  /** Troubles that last; those that were said are to be said again when they are over. */
  const troubles = new Set<string>()
  let isEndAwaited = false
  const lost = { overflowed: 0, refused: 0, gaveUp: 0 }
  const destination = url ?? 'the span exporter'
  const say = (text: string) => write(`${SCOPE_NAME}: ${text}\n`)

  function begin (trouble: string, text: string): void {
    if (troubles.has(trouble)) return
    troubles.add(trouble)
    if (!mayPass(trouble)) return
    isEndAwaited = true
    say(text)
  }

  function failed (reason: string): void {
    // An exporter that is not installed was named, and is no collector's fault.
    if (reason.endsWith('MODULE_NOT_FOUND')) return
    begin('failed', url === undefined || /^\d{3}$/.test(reason)
      ? `${destination} does not take spans (${reason}). The application runs on; the spans wait until it does.`
      : `no trace collector answers at ${url} (${reason}). The application runs on; the spans wait until one does. ` +
        'Start one there (for instance Jaeger), or set OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_TRACES_EXPORTER=none.')
  }

  function describeLoss (): string {
    const parts = [
      ...(lost.overflowed > 0 ? [`${lost.overflowed} spans were dropped since the queue was full`] : []),
      ...(lost.refused > 0 ? [`${lost.refused} were refused`] : []),
      ...(lost.gaveUp > 0 ? [`${lost.gaveUp} were given up`] : []),
    ]
    return parts.length === 0 ? 'none was lost' : parts.join(', ')
  }

  return {
    attempted () {
      if (!isFirst) return
      isFirst = false
      // The exporter retries for some eight seconds before it gives up; a port where nobody listens is known at once.
      if (url !== undefined) probe(url, failed)
    },
    delivered (hasRoom) {
      if (troubles.size === 0 || (troubles.has('overflowed') && !hasRoom)) return
      const again = troubles.has('failed') ? 'again ' : ''
      troubles.clear()
      if (!isEndAwaited) return
      isEndAwaited = false
      say(`spans are delivered ${again}to ${destination}; ${describeLoss()}.`)
      lost.overflowed = lost.refused = lost.gaveUp = 0
    },
    failed,
    refused (spanCount, reason) {
      lost.refused += spanCount
      begin('refused', `${destination} refuses spans (${reason}); they are lost. The application runs on.`)
    },
    overflowed (spanCount) {
      lost.overflowed += spanCount
      begin('overflowed', `the queue of spans for ${destination} is full: the oldest are dropped from here on.`)
    },
    gaveUp (spanCount, reason) {
      lost.gaveUp += spanCount
      begin('gaveUp', `spans were tried for ${destination} for too long (${reason}): the oldest are dropped from here on.`)
    },
    abandoned (spanCount, afterMillis) {
      say(`${spanCount} spans were not delivered to ${destination} within ${afterMillis} ms.`)
    },
  }
}

function probe (url: string, onRefused: (reason: string) => void): void {
  const target = URL.canParse(url) ? new URL(url) : undefined
  if (target === undefined) return
  const socket = connect({ host: target.hostname.replace(/^\[|\]$/g, ''), port: Number(target.port || (target.protocol === 'https:' ? 443 : 80)), timeout: 5000 })
  socket.unref()
  socket.once('connect', () => socket.destroy())
  socket.once('timeout', () => socket.destroy())
  socket.once('error', (error) => onRefused(reasonOf(error)))
}
