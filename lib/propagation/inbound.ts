import { context, createContextKey, propagation, trace, TraceFlags, type Context, type Span } from '@opentelemetry/api'
import { LinkedContext } from './linked-context.ts'

/** Where a request's span belongs. */
export interface Inbound {
  parent: Context
  /** A span of this process is active already: it is the parent, and the caller's headers have been read by whoever made it. */
  hasLocalParent: boolean
  /** What instrumentation-http knows of the request, when the active span is its SERVER span. */
  rpc: RpcMetadata | undefined
}

/** How instrumentations of one request tell one another of it: the outer one puts it into the context, the inner one fills in the route. */
export interface RpcMetadata {
  type: string
  span: Span
  route?: string
}

/** The key of `@opentelemetry/core`; keys of the API are registered symbols. */
const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')

/** The context that a request arrives in: the caller's, read by the global propagator, unless a local span is active. */
export function readInbound (headers: Record<string, unknown>): Inbound {
  const active = context.active()
  const span = trace.getSpan(active)
  if (span === undefined) return { parent: propagation.extract(new LinkedContext(active), headers), hasLocalParent: false, rpc: undefined }
  const rpc = active.getValue(RPC_METADATA) as RpcMetadata | undefined
  return { parent: active, hasLocalParent: true, rpc: rpc?.type === 'http' && rpc.span === span ? rpc : undefined }
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
