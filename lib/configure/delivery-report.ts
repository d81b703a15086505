import { connect } from 'node:net'
import { SCOPE_NAME } from '../semconv.ts'

/** Says how the delivery of spans goes: one line when it begins to fail, one when it works again, with the count. */
export interface DeliveryReport {
  /** A batch is about to be sent. */
  attempted (): void
  delivered (spanCount: number): void
  lost (spanCount: number, error: unknown): void
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
  let lostCount = 0
  const destination = url ?? 'the span exporter'
  const say = (text: string) => write(`${SCOPE_NAME}: ${text}\n`)

  function hint (reason: string): void {
    if (isFailing) return
    isFailing = true
    if (url === undefined || /^\d{3}$/.test(reason)) {
      say(`${destination} refuses spans (${reason}). The application runs on; its traces are lost until they are taken.`)
    } else {
      say(`no trace collector answers at ${url} (${reason}). The application runs on; its traces are lost until one does. ` +
        'Start one there (for instance Jaeger), or set OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_TRACES_EXPORTER=none.')
    }
  }

  return {
    attempted () {
      if (!isFirst) return
      isFirst = false
      // The exporter retries for some eight seconds before it gives up; a port where nobody listens is known at once.
      if (url !== undefined) probe(url, hint)
    },
    delivered (spanCount) {
      if (!isFailing) return
      isFailing = false
      say(`traces are delivered again to ${destination} (${spanCount} spans; ${lostCount} were lost).`)
      lostCount = 0
    },
    lost (spanCount, error) {
      lostCount += spanCount
      hint(reasonOf(error))
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

/** The code of an error, or of the first of several (Node tries each address of a host). */
function reasonOf (error: unknown): string {
  const { code, message, errors } = (error ?? {}) as { code?: unknown, message?: unknown, errors?: unknown[] }
  if (typeof code === 'string' || typeof code === 'number') return String(code)
  if (Array.isArray(errors) && errors.length > 0) return reasonOf(errors[0])
  return typeof message === 'string' && message !== '' ? message.split('\n', 1)[0]!.slice(0, 200) : 'unknown error'
}
