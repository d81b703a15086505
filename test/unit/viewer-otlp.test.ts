import { deflateSync, gzipSync } from 'node:zlib'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import t from 'tap'
import { readPartialSuccess } from '../../lib/configure/delivery/partial-success.ts'
import { DecodeError } from '../../lib/viewer/body-error.ts'
import { decompress } from '../../lib/viewer/decompress.ts'
import type { Decoded, IncomingSpan } from '../../lib/viewer/incoming-span.ts'
import { decodeJson } from '../../lib/viewer/otlp-json.ts'
import { decodeProtobuf } from '../../lib/viewer/otlp-protobuf.ts'
import { exportResponse, isProtobuf, statusToProtobuf } from '../../lib/viewer/otlp-response.ts'
import { startOtlpReceiver } from '../helpers/otlp-receiver.ts'
import { otlpJson, otlpSpan, spanIdOf, traceIdOf } from '../helpers/viewer.ts'

t.jobs = 1

const all = (decoded: Iterable<Decoded>): Decoded[] => [...decoded].filter((item) => item !== 'nothing')
const spansOf = (decoded: Iterable<Decoded>): IncomingSpan['span'][] => all(decoded).map((item) => (item as IncomingSpan).span)
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

/** A field of the wire format whose value is bytes. */
function bytes (number: number, ...parts: Array<Buffer | string>): Buffer {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  return Buffer.concat([varint(number * 8 + 2), varint(value.length), value])
}

function varint (value: number | bigint): Buffer {
  const bytes = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

const ids = (number: number): Buffer => Buffer.concat([bytes(1, Buffer.from(traceIdOf(number), 'hex')), bytes(2, Buffer.from(spanIdOf(number), 'hex'))])
const requestOf = (...spans: Buffer[]): Buffer => bytes(1, bytes(2, ...spans.map((span) => bytes(2, span))))
const attribute = (...value: Buffer[]): Buffer => bytes(9, bytes(1, 'key'), bytes(2, ...value))

t.test('what the official exporters send says the same in both encodings', async (t) => {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const options = { url: `${receiver.url}/v1/traces` }
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'other', 'process.pid': 7 }),
    spanProcessors: [new SimpleSpanProcessor({ exporter: new JsonExporter(options) }), new SimpleSpanProcessor({ exporter: new ProtobufExporter(options) })],
    spanLimits: { eventCountLimit: 2 },
  })
  const tracer = provider.getTracer('tracer', '1.2.3')
  const context = { traceId: traceIdOf(9), spanId: spanIdOf(9), traceFlags: 1 }
  const span = tracer.startSpan('wörk', {
    kind: SpanKind.CONSUMER,
    startTime: [1_795_235_424, 123_456_789],
    links: [{ context, attributes: { why: 'batch' } }],
    attributes: {
      text: 'δ', whole: 42, negative: -7, exact: Number.MAX_SAFE_INTEGER, half: 0.5, yes: true, no: false, list: ['a', 'b'], numbers: [1, 2.5], empty: '',
    }
  })
  for (const name of ['one', 'two', 'three']) span.addEvent(name, { at: 1 }, [1_795_235_424, 200_000_000])
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'it broke' })
  span.end([1_795_235_425, 1000])
  await provider.shutdown()
  t.equal(receiver.posts.length, 2)
  const decoded = receiver.posts.map(({ bytes }, index) => {
    const contentType = receiver.requests[index]!.headers['content-type']
    return all(isProtobuf(contentType) ? decodeProtobuf(bytes) : decodeJson(bytes)) as IncomingSpan[]
  })
  t.same(decoded[0]!.map(({ span }) => span), decoded[1]!.map(({ span }) => span))
  t.same(decoded[0]!.map(({ source }) => source), decoded[1]!.map(({ source }) => source))
  const [first] = decoded[0]!
  t.match(first!.span, {
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    name: 'wörk',
    kind: 'CONSUMER',
    startMillis: 1_795_235_424_123.456,
    endMillis: 1_795_235_425_000.001,
    status: 'ERROR',
    statusMessage: 'it broke',
    service: 'other',
    scope: { name: 'tracer', version: '1.2.3' },
    resource: { 'service.name': 'other', 'process.pid': 7 },
    attributes: { text: 'δ', whole: 42, negative: -7, exact: Number.MAX_SAFE_INTEGER, half: 0.5, yes: true, no: false, list: ['a', 'b'], numbers: [1, 2.5], empty: '' },
    links: [{ traceId: traceIdOf(9), spanId: spanIdOf(9), attributes: { why: 'batch' } }],
    dropped: { attributes: 0, events: 1, links: 0 },
  })
  t.same(first!.span.events.map(({ name, timeMillis, attributes }) => [name, timeMillis, attributes]), [['two', 1_795_235_424_200, { at: 1 }], ['three', 1_795_235_424_200, { at: 1 }]])
})

t.test('JSON as other senders write it', async (t) => {
  const value = (value: object) => ({ key: 'key', value })
  const cases: Array<[value: object, expected: unknown]> = [
    [{ intValue: '42' }, 42], [{ intValue: 42 }, 42], [{ intValue: '9223372036854775807' }, '9223372036854775807'], [{ intValue: {} }, 0], [{ doubleValue: 'NaN' }, 'NaN'], [{ doubleValue: 1.5 }, 1.5],
    [{ boolValue: false }, false], [{ bytesValue: 'AQID' }, 'AQID'], [{}, null], [{ stringValue: 5 }, null], [{ arrayValue: {} }, []], [{ arrayValue: { values: [{ intValue: 1 }, null] } }, [1, null]],
    [{ kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{ stringValue: 'b' }] } } }] } }, { a: ['b'] }],
  ]
  for (const [any, expected] of cases) {
    const [span] = spansOf(decodeJson(json(otlpJson([otlpSpan(1, { attributes: [value(any)] })]))))
    t.strictSame(span!.attributes, { key: expected }, JSON.stringify(any))
  }
  let deep: object = { stringValue: 'bottom' }
  for (let level = 0; level < 13; level++) deep = level % 2 === 0 ? { arrayValue: { values: [deep] } } : { kvlistValue: { values: [{ key: 'k', value: deep }] } }
  t.match(JSON.stringify(spansOf(decodeJson(json(otlpJson([otlpSpan(1, { attributes: [value(deep)] })]))))[0]!.attributes), '…')

  const [upper] = spansOf(decodeJson(json(otlpJson([otlpSpan(1, {
    traceId: traceIdOf(1).toUpperCase(),
    spanId: spanIdOf(1).toUpperCase(),
    parentSpanId: spanIdOf(2).toUpperCase(),
    kind: 'SPAN_KIND_CLIENT',
    status: { code: 'STATUS_CODE_ERROR', message: 'm' },
    startTimeUnixNano: 1.795235424e18,
    endTimeUnixNano: 'tomorrow',
    events: [{ name: 'e' }, null],
    links: [{ traceId: 'short' }, { traceId: traceIdOf(3), spanId: 'x'.repeat(100) }],
    droppedAttributesCount: 3,
    droppedEventsCount: '5',
    droppedLinksCount: -1,
  })]))))
  t.match(upper, {
    traceId: traceIdOf(1),
    spanId: spanIdOf(1),
    parentSpanId: spanIdOf(2),
    kind: 'CLIENT',
    status: 'ERROR',
    statusMessage: 'm',
    startMillis: 1_795_235_424_000,
    endMillis: 1_795_235_424_000,
    events: [{ name: 'e', timeMillis: 0 }, { name: '' }],
    links: [{ traceId: traceIdOf(3), spanId: 'x'.repeat(16) }],
    dropped: { attributes: 3, events: 0, links: 0 },
  })
  const [odd] = spansOf(decodeJson(json(otlpJson([otlpSpan(1, { name: 5, kind: 99, parentSpanId: '0'.repeat(16), status: { code: 99 }, startTimeUnixNano: -5, attributes: {}, endTimeUnixNano: '99999999999999999999' })], []))))
  t.match(odd, { name: '', kind: 'INTERNAL', status: 'UNSET', startMillis: 0, service: 'unknown_service' })
  t.ok(Number.isFinite(odd!.endMillis))
  t.notOk('parentSpanId' in odd!)

  const refused = [{}, null, 5, otlpSpan(1, { traceId: '0'.repeat(32) }), otlpSpan(1, { spanId: 'AAAAAAAAAAA=' }), otlpSpan(1, { traceId: 5 })]
  t.same(all(decodeJson(json(otlpJson(refused as object[])))), refused.map(() => 'refused'))
  for (const empty of [{}, { resourceSpans: null }, { resourceSpans: [{}] }, { resourceSpans: [null, { scopeSpans: [5, {}] }] }]) t.same(all(decodeJson(json(empty))), [])
  t.match(spansOf(decodeJson(json(otlpJson([otlpSpan(1, { name: 'a "quoted\\" [name]' })]))))[0], { name: 'a "quoted\\" [name]' })
})

t.test('JSON that is none, or that would take long, is refused', async (t) => {
  const bodies: Record<string, string | Buffer> = {
    'it is no JSON': '{"resourceSpans":', 'it is no object': '[1]', 'it is nested too deeply': '['.repeat(4_000_000), 'it has too many values': `{"a":[${'{},'.repeat(2_000_000)}0]}`,
  }
  for (const [message, body] of Object.entries(bodies)) t.throws(() => all(decodeJson(Buffer.from(body))), { message: `The body is no OTLP: ${message}.`, statusCode: 400 }, message)
  for (const body of ['', 'null', '"text"', '"', '"\\', '"\\"', '{"a":"[[[[', Buffer.from([0xff, 0xfe])]) t.ok(refuses(() => all(decodeJson(Buffer.from(body as string)))))
  t.same(all(decodeJson(Buffer.from(`{"a":"${'['.repeat(1000)}\\"${','.repeat(2_000_000)}\\\\"}`))), [], 'brackets in texts are none')

  fc.assert(fc.property(fc.json({ maxDepth: 6 }), (text) => decodesOrRefuses(() => all(decodeJson(Buffer.from(text))))))
  const anything = fc.anything({ maxDepth: 5 })
  fc.assert(fc.property(fc.record({ traceId: fc.constant(traceIdOf(1)), spanId: fc.constant(spanIdOf(1)), name: anything, kind: anything, startTimeUnixNano: anything, endTimeUnixNano: anything, status: anything, attributes: anything, events: anything, links: anything, parentSpanId: anything }),
    (span) => {
      const [decoded] = spansOf(decodeJson(json(otlpJson([span]))))
      return JSON.parse(JSON.stringify(decoded)).spanId === spanIdOf(1) && Number.isFinite(decoded!.startMillis) && decoded!.endMillis! >= decoded!.startMillis
    }))
})

/** Whether a decoder throws its own error; `false` when it throws none. */
function refuses (decode: () => unknown): boolean {
  try {
    decode()
    return false
  } catch (error) {
    if (error instanceof DecodeError) return true
    throw error
  }
}

/** For properties: whatever else a decoder throws fails the test. */
function decodesOrRefuses (decode: () => unknown): void {
  refuses(decode)
}

t.test('protobuf: every kind of field and value, in any order', async (t) => {
  const double = (value: number) => {
    const bytes = Buffer.alloc(9, 33)
    bytes.writeDoubleLE(value, 1)
    return bytes
  }
  const values: Array<[value: Buffer, expected: unknown]> = [
    [bytes(1, 'text'), 'text'], [Buffer.concat([varint(16), varint(1)]), true], [Buffer.concat([varint(16), varint(0)]), false], [Buffer.concat([varint(24), varint(-5)]), -5],
    [Buffer.concat([varint(24), varint(2n ** 63n - 1n)]), '9223372036854775807'], [double(-0.25), -0.25], [double(Infinity), 'Infinity'], [bytes(7, Buffer.from([1, 2, 3])), 'AQID'], [Buffer.alloc(0), null],
    [bytes(5, bytes(1, bytes(1, 'a')), bytes(1, bytes(1, 'b')), bytes(2, 'unknown')), ['a', 'b']], [bytes(6, bytes(1, bytes(1, '__proto__'), bytes(2, bytes(1, 'v')))), JSON.parse('{"__proto__":"v"}')],
    [bytes(99, 'unknown'), null],
  ]
  for (const [value, expected] of values) {
    const [span] = spansOf(decodeProtobuf(requestOf(Buffer.concat([ids(1), attribute(value)]))))
    t.equal(JSON.stringify(span!.attributes.key), JSON.stringify(expected))
  }
  // Scope and resource after the spans, fields that nobody knows, kinds that are not expected.
  const unknown = [bytes(1000, 'x'), Buffer.concat([varint(1001 * 8), varint(7)]), Buffer.concat([varint(1002 * 8 + 1), Buffer.alloc(8)]), Buffer.concat([varint(1003 * 8 + 5), Buffer.alloc(4)]), Buffer.concat([varint(5 * 8), varint(1)])]
  const scopeSpans = bytes(2, bytes(2, ids(1), ...unknown), bytes(1, bytes(1, 'late scope'), bytes(2, '3'), ...unknown), ...unknown)
  const late = Buffer.concat([bytes(1, scopeSpans, ...unknown, bytes(1, bytes(1, bytes(1, 'service.name'), bytes(2, bytes(1, 'late')), ...unknown), ...unknown)), ...unknown])
  t.match(spansOf(decodeProtobuf(late)), [{ service: 'late', scope: { name: 'late scope', version: '3' }, name: '', kind: 'INTERNAL', startMillis: 0, endMillis: 0 }])
  t.notOk('statusMessage' in spansOf(decodeProtobuf(late))[0]!)

  const counts = Buffer.concat([varint(10 * 8), varint(3), varint(12 * 8), varint(4), varint(14 * 8), varint(5)])
  const event = bytes(11, bytes(2, 'event'), bytes(3, bytes(1, 'k'), bytes(2, bytes(1, 'v'))), ...unknown)
  const link = bytes(13, ids(7), bytes(4, bytes(1, 'k')), ...unknown)
  const status = bytes(15, bytes(2, 'message'), varint(24), varint(2), ...unknown)
  const [full] = spansOf(decodeProtobuf(requestOf(Buffer.concat([ids(1), counts, status, bytes(4, Buffer.from(spanIdOf(2), 'hex')), ...Array.from({ length: 200 }, () => event), ...Array.from({ length: 200 }, () => link), bytes(13, 'x')]))))
  t.match(full, { parentSpanId: spanIdOf(2), status: 'ERROR', statusMessage: 'message', dropped: { attributes: 3, events: 76, links: 78 } })
  t.same([full!.events.length, full!.links.length, full!.links[0]], [128, 128, { traceId: traceIdOf(7), spanId: spanIdOf(7), attributes: { k: null } }])
  t.same(spansOf(decodeProtobuf(requestOf(Buffer.concat([ids(1), bytes(13, 'x'.repeat(0))]))))[0]!.links, [], 'a link to nowhere')
})

t.test('protobuf that is hostile is refused, or bounded', async (t) => {
  const [many] = spansOf(decodeProtobuf(requestOf(Buffer.concat([ids(1), ...Array.from({ length: 100_000 }, (_, index) => bytes(9, bytes(1, `key ${index}`)))]))))
  t.equal(Object.keys(many!.attributes).length, 256)
  t.equal(many!.dropped.attributes, 100_000 - 256)
  let deep = bytes(1, 'bottom')
  for (let level = 0; level < 5000; level++) deep = level % 2 === 0 ? bytes(5, bytes(1, deep)) : bytes(6, bytes(1, bytes(1, 'k'), bytes(2, deep)))
  t.match(JSON.stringify(spansOf(decodeProtobuf(requestOf(Buffer.concat([ids(1), attribute(deep)]))))[0]!.attributes), '…')
  t.match(JSON.stringify(spansOf(decodeProtobuf(requestOf(Buffer.concat([ids(1), attribute(bytes(6, bytes(1, bytes(1, 'k'), bytes(2, deep))))]))))[0]!.attributes), '…')
  const list = bytes(5, ...Array.from({ length: 5000 }, () => bytes(1, bytes(1, 'item'))))
  t.equal((spansOf(decodeProtobuf(requestOf(Buffer.concat([ids(1), attribute(list)]))))[0]!.attributes.key as unknown[]).length, 1000)

  const broken = [
    Buffer.from([0x80]), Buffer.alloc(11, 0x80), Buffer.concat([varint(9), Buffer.alloc(3)]), Buffer.concat([varint(13), Buffer.alloc(3)]), Buffer.from([11]), Buffer.from([10, 200]), Buffer.from([10, ...varint(2n ** 63n)]),
  ]
  for (const body of broken) t.ok(refuses(() => all(decodeProtobuf(body))), body.toString('hex'))
  const endless = Buffer.concat([ids(2), attribute(Buffer.concat([varint(24), Buffer.alloc(11, 0x80)]))])
  t.same(all(decodeProtobuf(requestOf(Buffer.from([10, 200]), Buffer.alloc(0), endless, bytes(1, 'short'), ids(3)))).map((item) => typeof item === 'object' ? item.span.traceId : item), ['refused', 'refused', 'refused', 'refused', traceIdOf(3)])

  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (body) => decodesOrRefuses(() => all(decodeProtobuf(Buffer.from(body))))), { numRuns: 2000 })
  // Random bytes where a span, or its values, should be.
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (body) => decodesOrRefuses(() => all(decodeProtobuf(requestOf(Buffer.concat([ids(1), Buffer.from(body)])))))), { numRuns: 2000 })
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (body) => decodesOrRefuses(() => all(decodeProtobuf(requestOf(Buffer.concat([ids(1), attribute(Buffer.from(body))])))))), { numRuns: 2000 })
  const whole = requestOf(Buffer.concat([ids(1), attribute(bytes(1, 'value')), bytes(5, 'name')]))
  fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), (index, byte) => {
    const changed = Buffer.from(whole)
    changed[index] = byte
    return decodesOrRefuses(() => all(decodeProtobuf(changed)))
  }), { numRuns: 2000 })
})

const statusOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'no error', (error) => error.statusCode)

t.test('bodies are decompressed up to a bound', async (t) => {
  const body = Buffer.from('text')
  for (const encoding of [undefined, 'identity', ' IDENTITY ']) t.same(await decompress(body, encoding, 10), body)
  t.same(await decompress(gzipSync(body), 'gzip', 10), body)
  t.same(await decompress(deflateSync(body), 'Deflate', 10), body)
  t.equal(await statusOf(decompress(gzipSync(Buffer.alloc(1000)), 'gzip', 999)), 413)
  t.equal(await statusOf(decompress(body, 'gzip', 10)), 400)
  t.equal(await statusOf(decompress(body, 'br', 10)), 415)
})

t.test('answers to exports are read by the other side of this package', async (t) => {
  for (const count of [1, 127, 128, 300, 4_000_000]) {
    const expected = { rejectedSpans: count, errorMessage: `${count} spans without valid ids, or that could not be read` }
    t.match(readPartialSuccess('application/json', Buffer.from(exportResponse(false, count) as string)), expected)
    t.match(readPartialSuccess('application/x-protobuf', exportResponse(true, count) as Buffer), expected)
  }
  t.equal(exportResponse(false, 0), '{}')
  t.equal(exportResponse(true, 0).length, 0)
  t.same(statusToProtobuf('no'), Buffer.from([18, 2, 110, 111]))
  for (const [type, expected] of [['application/x-protobuf', true], ['Application/X-Protobuf; a=b', true], ['application/x-protobuffer', false], ['application/json', false], [undefined, false]] as const) t.equal(isProtobuf(type), expected)
})
