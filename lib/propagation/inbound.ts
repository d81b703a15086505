import { context, isSpanContextValid, propagation, trace, TraceFlags, type Context, type Link, type Span } from '@opentelemetry/api'
import { kSpokenFor } from '../symbols.ts'
import { LinkedContext } from './linked-context.ts'
import { createRpcMetadata, findOuterRpcMetadata, RPC_METADATA, type RpcMetadata } from './rpc-metadata.ts'

/** How far a caller's trace context is trusted: its trace goes on; a trace of the server's own, with a link to the caller's, or without one. */
export type InboundMode = 'continue' | 'link' | 'restart'

/** Where a request's span belongs. */
export interface Inbound {
  parent: Context
  /** A span of this process is active already: it is the parent, and the caller's headers have been read by whoever made it. */
  hasLocalParent: boolean
  /** To the caller's span, whose trace is not continued. */
  link?: Link
  /** The SERVER span that instrumentation-http has opened for this request. */
  serverSpan: Span | undefined
  /** What instrumentation-http tells of the HTTP request around this one, which it measures. */
  outer: RpcMetadata | undefined
  /** What this package tells of the request. */
  own: RpcMetadata | undefined
}

/** The context that a request arrives in: the caller's, read by the global propagator, unless a local span is active. */
export function readInbound (headers: Record<string, unknown>): Inbound {
  const active = context.active()
  const span = trace.getSpan(active)
  if (span === undefined) return readCaller(active, headers)
  // Whatever was active when the server began to listen is active in its requests, for ever.
  if (hasEnded(span)) return readCaller(trace.deleteSpan(active), headers)
  const outer = findOuterRpcMetadata(active)
  const isServerSpan = outer?.span === span && outer[kSpokenFor] === undefined
  // A caller's, when a hook of the application has read it.
  const hasLocalParent = span.spanContext().isRemote !== true
  return { parent: active, hasLocalParent, serverSpan: isServerSpan ? span : undefined, outer, own: undefined }
}

/** @throws what is no context that works: hooks and handlers are to run in it */
function readCaller (active: Context, headers: Record<string, unknown>): Inbound {
  const own = createRpcMetadata()
  const parent = propagation.extract(new LinkedContext(active, RPC_METADATA, own), headers)
  if (!(parent instanceof LinkedContext)) trace.getSpan(parent)
  return { parent, hasLocalParent: false, serverSpan: undefined, outer: undefined, own }
}

/**
 * Begins a trace of the server's own, whose sampler decides afresh. Neither `tracestate` nor baggage of the caller goes further. Inside a span of this
 * process nothing changes: whoever made that has decided.
 *
 * @see https://www.w3.org/TR/trace-context-2/#security-considerations
 */
export function leaveCaller (inbound: Inbound, mode: Exclude<InboundMode, 'continue'>): Inbound {
  if (inbound.hasLocalParent || inbound.serverSpan !== undefined) return inbound
  const caller = trace.getSpanContext(inbound.parent)
  const parent = propagation.deleteBaggage(trace.deleteSpan(inbound.parent))
  return mode === 'link' && caller !== undefined && isSpanContextValid(caller) ? { ...inbound, parent, link: { context: caller } } : { ...inbound, parent }
}

/** Tells other instrumentations of a request what this package knows of it. */
export function shareRequest ({ serverSpan, outer, own }: Inbound, span: Span, route: string | undefined): void {
  if (own !== undefined) {
    own.span = span
    own.route = route
  } else if (outer !== undefined) {
    if (serverSpan !== undefined) outer[kSpokenFor] = 'theirs'
    // The first is the one that the HTTP request is for; later ones are made up inside it.
    outer.route ??= route
  }
}

/** A span of the SDK says so. */
function hasEnded (span: Span): boolean {
  return (span as { ended?: unknown }).ended === true
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
