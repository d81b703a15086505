import { connect } from 'node:net'
import { SCOPE_NAME } from '../../semconv.ts'
import { reasonOf } from './verdict.ts'

/** Says how the delivery of spans goes: one line when something begins to go wrong, one when it is over, with the count. */
export interface DeliveryReport {
  /** A batch is about to be sent. */
  attempted (): void
  /** The collector took a batch. */
  delivered (): void
  /** Nobody answered, or not yet: the batch will be sent again. */
  failed (reason: string): void
  /** The collector does not want these spans: they are lost. */
  refused (spanCount: number, reason: string): void
  /** There was no room for so many of the oldest spans: they are lost. */
  overflowed (spanCount: number): void
  /** The process ends while spans are still under way. */
  abandoned (spanCount: number, afterMillis: number): void
}

/**
 * @param url - where the spans go over OTLP/HTTP; `undefined` for an exporter of the user's own
 * @param write - takes one line with its end
 */
export function createDeliveryReport (url: string | undefined, write: (line: string) => void): DeliveryReport {
  let isFirst = true
  let isFailing = false
  let isOverflowing = false
  let isRefused = false
  let overflowedCount = 0
  let refusedCount = 0
  const destination = url ?? 'the span exporter'
  const say = (text: string) => write(`${SCOPE_NAME}: ${text}\n`)

  function failed (reason: string): void {
    if (isFailing) return
    isFailing = true
    if (url === undefined || /^\d{3}$/.test(reason)) {
      say(`${destination} does not take spans (${reason}). The application runs on; the spans wait until it does.`)
    } else {
      say(`no trace collector answers at ${url} (${reason}). The application runs on; the spans wait until one does. ` +
        'Start one there (for instance Jaeger), or set OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_TRACES_EXPORTER=none.')
    }
  }

  return {
    attempted () {
      if (!isFirst) return
      isFirst = false
      // The exporter retries for some eight seconds before it gives up; a port where nobody listens is known at once.
      if (url !== undefined) probe(url, failed)
    },
    delivered () {
      if (isFailing || isOverflowing || isRefused) {
        const lost = [
          ...(overflowedCount > 0 ? [`${overflowedCount} spans were dropped since the queue was full`] : []),
          ...(refusedCount > 0 ? [`${refusedCount} were refused`] : []),
        ]
        say(`spans are delivered ${isFailing ? 'again ' : ''}to ${destination}; ${lost.length === 0 ? 'none was lost' : lost.join(', ')}.`)
      }
      isFailing = isOverflowing = isRefused = false
      overflowedCount = refusedCount = 0
    },
    failed,
    refused (spanCount, reason) {
      refusedCount += spanCount
      if (isRefused) return
      isRefused = true
      say(`${destination} refuses spans (${reason}); they are lost. The application runs on.`)
    },
    overflowed (spanCount) {
      overflowedCount += spanCount
      if (isOverflowing) return
      isOverflowing = true
      say(`the queue of spans for ${destination} is full: the oldest are dropped from here on.`)
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
