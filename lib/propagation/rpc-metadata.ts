import { createContextKey, type Context, type Span } from '@opentelemetry/api'
import { kSpokenFor } from '../symbols.ts'

/**
 * How instrumentations of one HTTP request tell one another of it: the outermost puts it into the context, inner ones fill in the route, and make no
 * second SERVER span.
 */
export interface RpcMetadata {
  type: string
  span: Span | undefined
  route?: string
  /** Whose the SERVER span is, once a request of this package has it; requests that are made up inside (`inject`) are others. */
  [kSpokenFor]?: 'ours' | 'theirs'
}

/** The key of `@opentelemetry/core`; keys of the API are registered symbols. */
export const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')

/** What this package tells of a request; the span is filled in when there is one. */
export function createRpcMetadata (): RpcMetadata {
  return { type: 'http', span: undefined, route: undefined, [kSpokenFor]: 'ours' }
}

/** What an instrumentation of somebody else tells of the HTTP request that is under way; `undefined` without one. */
export function findOuterRpcMetadata (active: Context): RpcMetadata | undefined {
  const rpc = active.getValue(RPC_METADATA) as RpcMetadata | undefined
  return rpc?.type === 'http' && rpc[kSpokenFor] !== 'ours' ? rpc : undefined
}
