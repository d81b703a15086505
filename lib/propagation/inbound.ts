import { context, propagation, trace, TraceFlags, type Context } from '@opentelemetry/api'
import { LinkedContext } from './linked-context.ts'

/** Where a request's span belongs. */
export interface Inbound {
  parent: Context
  /** A span of this process is active already: it is the parent, and the caller's headers have been read by whoever made it. */
  hasLocalParent: boolean
}

/** The context that a request arrives in: the caller's, read by the global propagator, unless a local span is active. */
export function readInbound (headers: Record<string, unknown>): Inbound {
  const active = context.active()
  if (trace.getSpan(active) !== undefined) return { parent: active, hasLocalParent: true }
  return { parent: propagation.extract(new LinkedContext(active), headers), hasLocalParent: false }
}

/**
 * The context of a request that is to record nothing: it goes on in the caller's trace, or in one of its own, under a span that is not
 * sampled; so spans made in it, and services called from it, stay silent too instead of becoming roots of their own.
 */
export function silentContext (parent: Context): Context {
  const caller = trace.getSpanContext(parent)
  return trace.setSpan(parent, trace.wrapSpanContext({
    traceId: caller?.traceId ?? randomHex(32),
    spanId: randomHex(16),
    traceFlags: TraceFlags.NONE,
    traceState: caller?.traceState,
  }))
}

/** Never all zeros, which would be an invalid id. Not for secrets. */
function randomHex (length: number): string {
  let hex = '1'
  while (hex.length < length) hex += Math.floor(Math.random() * 0x1_0000_0000).toString(16).padStart(8, '0')
  return hex.slice(0, length)
}
