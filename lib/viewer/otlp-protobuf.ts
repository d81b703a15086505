import { MAX_ATTRIBUTES, MAX_DEPTH, MAX_ITEMS } from './bounded-copy.ts'
import { MAX_EVENTS, toIncomingSpan, toScope, toSource, type Decoded, type EventDraft, type LinkDraft, type SpanSource } from './incoming-span.ts'
import { areUsable, isSpanIdUsable, isTraceIdUsable, kindOf, nanosToMillis, statusOf } from './otlp-span.ts'
import { ProtobufReader } from './protobuf-reader.ts'
import type { ViewerSpan } from './wire.ts'

/**
 * Decodes an `ExportTraceServiceRequest` span by span. Of what is over the bounds nothing is made: it is passed over.
 * Numbers in the cases are tags, eight times the number of the field and the kind of its value.
 *
 * @throws DecodeError - when what is around the spans cannot be read
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export function * decodeProtobuf (bytes: Buffer): Generator<Decoded> {
  const request = new ProtobufReader(bytes)
  while (request.next()) {
    if (request.tag === 10) yield * decodeResourceSpans(request.bytes()) // resource_spans
    else request.skip()
  }
}

function * decodeResourceSpans (bytes: Buffer): Generator<Decoded> {
  yield 'nothing'
  let attributes: Array<[string, unknown]> = []
  // What describes spans may come after them.
  for (const reader = new ProtobufReader(bytes); reader.next();) {
    if (reader.tag === 10) attributes = decodeResource(reader.message()) // resource
    else reader.skip()
  }
  const source = toSource(attributes)
  for (const reader = new ProtobufReader(bytes); reader.next();) {
    if (reader.tag === 18) yield * decodeScopeSpans(reader.bytes(), source) // scope_spans
    else reader.skip()
  }
}

function decodeResource (reader: ProtobufReader): Array<[string, unknown]> {
  const attributes: Array<[string, unknown]> = []
  while (reader.next()) {
    if (reader.tag === 10) addAttribute(attributes, reader) // attributes
    else reader.skip()
  }
  return attributes
}

function * decodeScopeSpans (bytes: Buffer, source: SpanSource): Generator<Decoded> {
  yield 'nothing'
  let scope = toScope('', undefined)
  for (const reader = new ProtobufReader(bytes); reader.next();) {
    if (reader.tag === 10) scope = decodeScope(reader.message()) // scope
    else reader.skip()
  }
  for (const reader = new ProtobufReader(bytes); reader.next();) {
    if (reader.tag === 18) yield decodeOrRefuse(reader.message(), source, scope) // spans
    else reader.skip()
  }
}

function decodeScope (reader: ProtobufReader): ViewerSpan['scope'] {
  let name = ''
  let version = ''
  while (reader.next()) {
    switch (reader.tag) {
      case 10: name = reader.text(); break
      case 18: version = reader.text(); break
      default: reader.skip()
    }
  }
  return toScope(name, version)
}

function decodeOrRefuse (reader: ProtobufReader, source: SpanSource, scope: ViewerSpan['scope']): Decoded {
  try {
    return decodeSpan(reader, source, scope)
  } catch {
    // What is wrong in a span is wrong with that span.
    return 'refused'
  }
}

function decodeSpan (reader: ProtobufReader, source: SpanSource, scope: ViewerSpan['scope']): Decoded {
  let traceId = ''
  let spanId = ''
  let parentSpanId = ''
  let name = ''
  let kind = 0
  let startMillis = 0
  let endMillis = 0
  let status = 0
  let statusMessage = ''
  const attributes: Array<[string, unknown]> = []
  const events: EventDraft[] = []
  const links: LinkDraft[] = []
  const dropped = { attributes: 0, events: 0, links: 0 }
  while (reader.next()) {
    switch (reader.tag) {
      case 10: traceId = reader.hex(16); break
      case 18: spanId = reader.hex(8); break
      case 34: parentSpanId = reader.hex(8); break
      case 42: name = reader.text(); break
      case 48: kind = reader.varint(); break
      case 57: startMillis = nanosToMillis(reader.fixed64()); break
      case 65: endMillis = nanosToMillis(reader.fixed64()); break
      case 74: dropped.attributes += addAttribute(attributes, reader); break
      case 80: dropped.attributes += reader.varint(); break
      case 90:
        if (events.length < MAX_EVENTS) events.push(decodeEvent(reader.message()))
        else dropped.events += skipOne(reader)
        break
      case 96: dropped.events += reader.varint(); break
      case 106:
        if (links.length < MAX_EVENTS) addLink(links, reader.message())
        else dropped.links += skipOne(reader)
        break
      case 112: dropped.links += reader.varint(); break
      case 122:
        for (const inner = reader.message(); inner.next();) {
          if (inner.tag === 18) statusMessage = inner.text()
          else if (inner.tag === 24) status = inner.varint()
          else inner.skip()
        }
        break
      default: reader.skip()
    }
  }
  if (!areUsable(traceId, spanId)) return 'refused'
  return toIncomingSpan({
    traceId,
    spanId,
    ...(isSpanIdUsable(parentSpanId) ? { parentSpanId } : {}),
    name,
    kind: kindOf(kind),
    startMillis,
    endMillis,
    status: statusOf(status),
    statusMessage,
    attributes,
    events,
    links,
    dropped,
  }, source, scope)
}

function decodeEvent (reader: ProtobufReader): EventDraft {
  let timeMillis = 0
  let name = ''
  const attributes: Array<[string, unknown]> = []
  while (reader.next()) {
    switch (reader.tag) {
      case 9: timeMillis = nanosToMillis(reader.fixed64()); break
      case 18: name = reader.text(); break
      case 26: addAttribute(attributes, reader); break
      default: reader.skip()
    }
  }
  return { timeMillis, name, attributes }
}

function addLink (links: LinkDraft[], reader: ProtobufReader): void {
  let traceId = ''
  let spanId = ''
  const attributes: Array<[string, unknown]> = []
  while (reader.next()) {
    switch (reader.tag) {
      case 10: traceId = reader.hex(16); break
      case 18: spanId = reader.hex(8); break
      case 34: addAttribute(attributes, reader); break
      default: reader.skip()
    }
  }
  if (isTraceIdUsable(traceId)) links.push({ traceId, spanId, attributes })
}

/** Adds a `KeyValue`, or counts it: returns how many were left out. */
function addAttribute (attributes: Array<[string, unknown]>, reader: ProtobufReader): number {
  if (attributes.length >= MAX_ATTRIBUTES) return skipOne(reader)
  attributes.push(decodeKeyValue(reader.message(), 0))
  return 0
}

function skipOne (reader: ProtobufReader): number {
  reader.skip()
  return 1
}

function decodeKeyValue (reader: ProtobufReader, depth: number): [string, unknown] {
  let key = ''
  let value: unknown = null
  while (reader.next()) {
    switch (reader.tag) {
      case 10: key = reader.text(); break
      case 18: value = decodeValue(reader.message(), depth); break
      default: reader.skip()
    }
  }
  return [key, value]
}

/** An `AnyValue`. What lies deeper than is kept is passed over. */
function decodeValue (reader: ProtobufReader, depth: number): unknown {
  let value: unknown = null
  while (reader.next()) {
    switch (reader.tag) {
      case 10: value = reader.text(); break
      case 16: value = reader.varint() !== 0; break
      case 24: value = reader.int64(); break
      case 33: value = reader.double(); break
      case 42: value = decodeList(reader.message(), depth, (item) => decodeValue(item, depth + 1)); break
      case 50: value = Object.fromEntries(decodeList(reader.message(), depth, (item) => decodeKeyValue(item, depth + 1))); break
      case 58: value = reader.bytes(); break
      default: reader.skip()
    }
  }
  return value
}

/** `ArrayValue` and `KeyValueList` have one field, `values`. */
function decodeList<Item> (reader: ProtobufReader, depth: number, decode: (item: ProtobufReader) => Item): Item[] {
  const items: Item[] = []
  while (reader.next()) {
    if (reader.tag === 10 && items.length < MAX_ITEMS && depth <= MAX_DEPTH) items.push(decode(reader.message()))
    else reader.skip()
  }
  return items
}
