import { SERVICE_NAME } from '../semconv.ts'
import { BoundedCopy, MAX_NAME_LENGTH } from './bounded-copy.ts'
import type { AttributeValue, SpanEvent, SpanLink, ViewerSpan } from './wire.ts'

/** A span as a decoder or the SDK gives it: not bounded, and nobody's to keep. */
export interface SpanDraft {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: string
  startMillis: number
  /** `null` while it is running. */
  endMillis: number | null
  status: ViewerSpan['status']
  statusMessage?: string
  attributes: Iterable<readonly [string, unknown]>
  events: readonly EventDraft[]
  links: readonly LinkDraft[]
  /** What the sender left out. */
  dropped: ViewerSpan['dropped']
}

export interface EventDraft {
  name: string
  timeMillis: number
  attributes: Iterable<readonly [string, unknown]>
}

export interface LinkDraft {
  traceId: string
  spanId: string
  attributes: Iterable<readonly [string, unknown]>
}

/** Who made spans, and with what; one object for all that came together. */
export interface SpanSource {
  service: string
  resource: Record<string, AttributeValue>
  /** Of the resource. */
  bytes: number
}

/** What the store takes. */
export interface IncomingSpan {
  span: ViewerSpan
  /** Without the resource. */
  bytes: number
  source: SpanSource
}

/** What a decoder comes to, one after the other: `refused` for a span that cannot be taken, `nothing` so that long requests without spans have their turns too. */
export type Decoded = IncomingSpan | 'refused' | 'nothing'

/** Of one span, text and structure. */
const MAX_SPAN_BYTES = 1024 * 1024
const MAX_RESOURCE_BYTES = 64 * 1024
/** Of one span; so for links. */
export const MAX_EVENTS = 128
const MAX_SERVICE_LENGTH = 256
/** The objects of a span without what it carries, as measured. */
const SPAN_BYTES = 640
const EVENT_BYTES = 128

export function toSource (attributes: Iterable<readonly [string, unknown]>): SpanSource {
  const copy = new BoundedCopy(MAX_RESOURCE_BYTES)
  const resource = copy.attributes(attributes).attributes
  const name = resource[SERVICE_NAME]
  return { service: typeof name === 'string' ? name.slice(0, MAX_SERVICE_LENGTH) : 'unknown_service', resource, bytes: copy.bytes }
}

/** Name and version of an instrumentation scope; one object for all spans that came in it. */
export function toScope (name: string, version: string | undefined): ViewerSpan['scope'] {
  const copy = new BoundedCopy(2 * MAX_NAME_LENGTH)
  return { name: copy.text(name, MAX_NAME_LENGTH), ...(version === undefined || version === '' ? {} : { version: copy.text(version, MAX_NAME_LENGTH) }) }
}

/** Copies what the viewer keeps of a span. */
export function toIncomingSpan (draft: SpanDraft, source: SpanSource, scope: ViewerSpan['scope']): IncomingSpan {
  const copy = new BoundedCopy(MAX_SPAN_BYTES)
  const name = copy.text(draft.name, MAX_NAME_LENGTH)
  const statusMessage = draft.statusMessage === undefined || draft.statusMessage === '' ? undefined : copy.text(draft.statusMessage)
  const own = copy.attributes(draft.attributes)
  const events = draft.events.slice(0, MAX_EVENTS).map((event) => copyEvent(event, copy))
  const links = draft.links.slice(0, MAX_EVENTS).map((link) => copyLink(link, copy))
  const { dropped } = draft
  const span: ViewerSpan = {
    traceId: draft.traceId,
    spanId: draft.spanId,
    ...(draft.parentSpanId === undefined ? {} : { parentSpanId: draft.parentSpanId }),
    name,
    kind: draft.kind,
    startMillis: draft.startMillis,
    // A clock that was set back, or a sender that means ill.
    endMillis: draft.endMillis === null ? null : Math.max(draft.startMillis, draft.endMillis),
    status: draft.status,
    ...(statusMessage === undefined ? {} : { statusMessage }),
    service: source.service,
    scope,
    attributes: own.attributes,
    resource: source.resource,
    events,
    links,
    dropped: {
      attributes: dropped.attributes + own.dropped,
      events: dropped.events + draft.events.length - events.length,
      links: dropped.links + draft.links.length - links.length,
    },
  }
  return { span, bytes: SPAN_BYTES + copy.bytes, source }
}

function copyEvent ({ name, timeMillis, attributes }: EventDraft, copy: BoundedCopy): SpanEvent {
  copy.bytes += EVENT_BYTES
  return { name: copy.text(name, MAX_NAME_LENGTH), timeMillis, attributes: copy.attributes(attributes).attributes }
}

function copyLink ({ traceId, spanId, attributes }: LinkDraft, copy: BoundedCopy): SpanLink {
  copy.bytes += EVENT_BYTES
  return { traceId, spanId, attributes: copy.attributes(attributes).attributes }
}
