import { DecodeError } from './body-error.ts'
import { MAX_ATTRIBUTES, MAX_DEPTH, MAX_ITEMS } from './bounded-copy.ts'
import { MAX_EVENTS, toIncomingSpan, toScope, toSource, type Decoded, type EventDraft, type LinkDraft, type SpanSource } from './incoming-span.ts'
import { areUsable, isSpanIdUsable, isTraceIdUsable, kindOf, nanosToMillis, statusOf } from './otlp-span.ts'
import type { ViewerSpan } from './wire.ts'

/** Brackets inside one another: the request's own are 9, and each level of a value is 4 more. */
const MAX_BRACKETS = 64
/** Brackets and commas: a body of the greatest size that describes spans has about 650,000. */
const MAX_MARKS = 800_000

/**
 * Decodes an `ExportTraceServiceRequest` in OTLP's JSON span by span.
 *
 * @throws DecodeError - when it is no JSON, or no object, or more than JSON that describes spans can be
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function * decodeJson (bytes: Buffer): Generator<Decoded> {
  const request = parse(bytes)
  if (!isRecord(request)) throw new DecodeError('it is no object')
  for (const resourceSpans of records(request.resourceSpans)) {
    yield 'nothing'
    const source = toSource(attributesOf(asRecord(resourceSpans.resource).attributes))
    for (const scopeSpans of records(resourceSpans.scopeSpans)) {
      yield 'nothing'
      const { name, version } = asRecord(scopeSpans.scope)
      const scope = toScope(asText(name), asText(version))
      for (const span of records(scopeSpans.spans)) yield decodeSpan(span, source, scope)
    }
  }
}

function parse (bytes: Buffer): unknown {
  checkStructure(bytes)
  try {
    return JSON.parse(bytes.toString())
  } catch {
    throw new DecodeError('it is no JSON')
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The parser takes any depth and any number of values, in one go: for millions of empty ones the application would stand still. */
function checkStructure (bytes: Buffer): void {
  let depth = 0
  let marks = 0
  for (let index = 0; index < bytes.length; index++) {
    switch (bytes[index]) {
      case QUOTE:
        for (index++; index < bytes.length && bytes[index] !== QUOTE; index++) if (bytes[index] === BACKSLASH) index++
        break
      case 0x5b: // [
      case 0x7b: // {
        depth++
        marks++
        break
      case 0x2c: // ,
        marks++
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth--
    }
    if (depth > MAX_BRACKETS) throw new DecodeError('it is nested too deeply')
    if (marks > MAX_MARKS) throw new DecodeError('it has too many values')
  }
}

function decodeSpan (span: Record<string, unknown>, source: SpanSource, scope: ViewerSpan['scope']): Decoded {
  const traceId = asText(span.traceId).toLowerCase()
  const spanId = asText(span.spanId).toLowerCase()
  const parentSpanId = asText(span.parentSpanId).toLowerCase()
  if (!areUsable(traceId, spanId)) return 'refused'
  const status = asRecord(span.status)
  const events = asList(span.events)
  const links = asList(span.links)
  const attributes = asList(span.attributes)
  return toIncomingSpan({
    traceId,
    spanId,
    ...(isSpanIdUsable(parentSpanId) ? { parentSpanId } : {}),
    name: asText(span.name),
    kind: kindOf(asEnum(span.kind, KIND_NAMES)),
    startMillis: toMillis(span.startTimeUnixNano),
    endMillis: toMillis(span.endTimeUnixNano),
    status: statusOf(asEnum(status.code, STATUS_NAMES)),
    statusMessage: asText(status.message),
    attributes: attributesOf(attributes),
    events: events.slice(0, MAX_EVENTS).map(decodeEvent),
    links: links.slice(0, MAX_EVENTS).flatMap(decodeLink),
    dropped: {
      attributes: asCount(span.droppedAttributesCount) + over(attributes, MAX_ATTRIBUTES),
      events: asCount(span.droppedEventsCount) + over(events, MAX_EVENTS),
      links: asCount(span.droppedLinksCount) + over(links, MAX_EVENTS),
    },
  }, source, scope)
}

/** The protocol wants numbers; some senders write the names. */
const KIND_NAMES = ['SPAN_KIND_UNSPECIFIED', 'SPAN_KIND_INTERNAL', 'SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT', 'SPAN_KIND_PRODUCER', 'SPAN_KIND_CONSUMER']
const STATUS_NAMES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR']

function asEnum (value: unknown, names: string[]): number {
  return typeof value === 'string' ? names.indexOf(value) : typeof value === 'number' ? value : 0
}

function decodeEvent (event: unknown): EventDraft {
  const { name, timeUnixNano, attributes } = asRecord(event)
  return { name: asText(name), timeMillis: toMillis(timeUnixNano), attributes: attributesOf(attributes) }
}

function decodeLink (link: unknown): LinkDraft[] {
  const { traceId, spanId, attributes } = asRecord(link)
  const id = asText(traceId).toLowerCase()
  return isTraceIdUsable(id) ? [{ traceId: id, spanId: asText(spanId).toLowerCase().slice(0, 16), attributes: attributesOf(attributes) }] : []
}

function attributesOf (list: unknown): Array<[string, unknown]> {
  return asList(list).slice(0, MAX_ATTRIBUTES).map((attribute) => keyValue(attribute, 0))
}

function keyValue (attribute: unknown, depth: number): [string, unknown] {
  const { key, value } = asRecord(attribute)
  return [asText(key), toValue(value, depth)]
}

/** An `AnyValue` has one property, which says what it is. */
function toValue (any: unknown, depth: number): unknown {
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = asRecord(any)
  if (typeof stringValue === 'string') return stringValue
  if (typeof boolValue === 'boolean') return boolValue
  if (intValue !== undefined) return toInteger(intValue)
  // `"NaN"` and `"Infinity"` are texts in JSON.
  if (typeof doubleValue === 'number' || typeof doubleValue === 'string') return doubleValue
  if (typeof bytesValue === 'string') return bytesValue
  // What lies deeper than is kept is not looked at.
  const items = depth > MAX_DEPTH ? [] : asList(asRecord(arrayValue ?? kvlistValue).values).slice(0, MAX_ITEMS)
  if (arrayValue !== undefined) return items.map((item) => toValue(item, depth + 1))
  if (kvlistValue !== undefined) return Object.fromEntries(items.map((item) => keyValue(item, depth + 1)))
  return null
}

/** Of a number, or of its digits: a number holds not all of them exactly. */
function toInteger (value: unknown): unknown {
  const number = typeof value === 'number' ? value : Number(asText(value))
  return Number.isSafeInteger(number) ? number : asText(value)
}

function toMillis (nanos: unknown): number {
  if (typeof nanos === 'number' && nanos >= 0 && nanos < 2 ** 64) return nanosToMillis(BigInt(Math.floor(nanos)))
  return typeof nanos === 'string' && /^\d{1,20}$/.test(nanos) ? nanosToMillis(BigInt(nanos)) : 0
}

function asCount (value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
}

function over (list: unknown[], most: number): number {
  return Math.max(0, list.length - most)
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function asRecord (value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function asList (value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function records (value: unknown): Array<Record<string, unknown>> {
  return asList(value).map(asRecord)
}

function asText (value: unknown): string {
  return typeof value === 'string' ? value : ''
}
