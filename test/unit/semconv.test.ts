// repository only
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import websocket from '@fastify/websocket'
import { ROOT_CONTEXT } from '@opentelemetry/api'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import otelPlugin, { redact } from 'fastify-schema-telemetry'
import t from 'tap'
import WebSocket from 'ws'
import { compileRequestCapture, nodeOfPart } from '../../lib/arguments/request-capture.ts'
import { createScrubber } from '../../lib/arguments/scrubber.ts'
import { describeQuery } from '../../lib/arguments/url-query.ts'
import { bodyBytesOf } from '../../lib/fastify/body-bytes.ts'
import { createRequestFactsReader } from '../../lib/fastify/request-facts.ts'
import { createRoutePlan } from '../../lib/fastify/route-plan.ts'
import * as semconv from '../../lib/semconv.ts'
import { NO_FACTS, RequestRecord, type RouteFacts } from '../../lib/server-span/request-record.ts'
import { countStart } from '../../lib/server-span/start.ts'
import { toSettings } from '../../lib/settings.ts'
import { listen } from '../helpers/http.ts'
import { model } from '../helpers/semconv-model.ts'
// @ts-expect-error a script without types
import { readConstants, standardsText } from '../standards/write-standards.mjs'

t.jobs = 1

interface Constant { section: string, name: string, value: string, text: string, example: string | undefined }
const source = readFileSync('lib/semconv.ts', 'utf8')
const constants: Constant[] = readConstants(source)

t.test('the names are those of the model, with its types; what is not is under a name of our own', async (t) => {
  t.same(constants.map(({ name, value }) => [name, value]), Object.entries<unknown>(semconv).filter(([, value]) => typeof value === 'string').toSorted(byPlace), 'every constant has its comment')
  t.equal(semconv.SCHEMA_URL, model.schemaUrl)
  t.equal(semconv.SCHEMA_URL, `https://opentelemetry.io/schemas/${model.version}`)
  t.same(semconv.REQUEST_DURATION_BOUNDARIES_SECONDS, model.metrics[semconv.METRIC_REQUEST_DURATION]!.boundaries)
  t.ok(model.attributes[semconv.HTTP_REQUEST_METHOD]!.values!.includes(semconv.HTTP_METHOD_OTHER))
  t.equal(semconv.EXCEPTION_EVENT in model.events, true)
  const isName = ({ name }: Constant) => !/^(?:SCOPE_|SCHEMA_|SPAN_|EXCEPTION_(?:EVENT|LOG)$|HTTP_METHOD_OTHER$|ERROR_TYPE_|LOG_)/.test(name)
  for (const { name, value, text, example } of constants.filter(isName)) {
    if (name.startsWith('METRIC_')) {
      const [, kind, unit] = /^(?:Observable )?(.+?), unit `([^`]+)`: /i.exec(text) ?? []
      const metric = model.metrics[value]
      t.ok(kind !== undefined && (metric !== undefined || value.startsWith('fastify.')), value)
      if (metric !== undefined) t.same([kind!.toLowerCase().replaceAll(/[- ]/g, ''), unit], [metric.instrument, metric.unit], value)
      continue
    }
    if (value.endsWith('.')) {
      t.equal(model.attributes[value.slice(0, -1)]?.type, 'template[string[]]', value)
      t.match(text, 'list of strings')
      continue
    }
    const attribute = model.attributes[value]
    const type = /\b(list of strings|string|int|boolean)\b/.exec(text)?.[1]
    t.ok(type !== undefined, `${value} has a type in its comment`)
    if (value.startsWith('fastify.')) t.ok(attribute === undefined && example !== undefined, `${value} is our own`)
    else t.equal(attribute?.type, type, value)
    t.not(model.spans['http.server'].attributes[value]?.level, 'opt_in', value)
  }
})

function byPlace ([first]: [string, unknown], [second]: [string, unknown]): number {
  return source.indexOf(`export const ${first} `) - source.indexOf(`export const ${second} `)
}

t.test('docs/standards.md is what is generated from both', async (t) => {
  t.equal(readFileSync('docs/standards.md', 'utf8'), standardsText())
  const changed = source.replace("'url.query'", "'url.changed'")
  t.not(standardsText(changed), standardsText())
})

const nodeFor = (schema: object) => nodeOfPart(compileRequestCapture({ querystring: schema }, { findSchema: () => undefined, settings: toSettings({}), captureUnknownSchemas: false }).querystring, undefined)

t.test('the parameters of signed URLs are those of the model, also when a schema declares them and nothing is scrubbed', async (t) => {
  const names = model.sensitiveQueryParameters
  t.equal(names.length, 7)
  const node = nodeFor(Type.Object(Object.fromEntries([...names, 'q'].map((name) => [name, Type.String()]))))
  const query = [...names, 'q'].map((name) => `${name}=value`).join('&')
  const parsed = Object.fromEntries(new URLSearchParams(query))
  for (const root of [node, undefined]) {
    t.equal(describeQuery(query, parsed, root, createScrubber(false), true), [...names.map((name) => `${name}=REDACTED`), root === undefined ? '*=REDACTED' : 'q=value'].join('&'))
  }
})

t.test('no query, however it is written, shows more than what the schema declares', async (t) => {
  const node = nodeFor(Type.Object({ q: Type.String(), list: Type.Array(Type.String()), hidden: redact(Type.String()), marks: Type.Array(redact(Type.String())), token: Type.String() }))
  const scrubber = createScrubber()
  const secret = 'canary0123'
  const escaped = fc.constantFrom(secret, '%63anary0123', encodeURIComponent(`${secret}&`), `+${secret}%20`, `${secret}%`)
  const name = fc.oneof(fc.constantFrom('hidden', 'marks', 'token', '%68idden', 'tok%65n', 'Q', 'q[]', '__proto__', 'toString', ''), fc.string({ maxLength: 20 }).filter((text) => !/^(?:q|list)$/.test(text)), escaped)
  const pair = fc.oneof(fc.tuple(name, escaped).map((parts) => parts.join('=')), fc.constantFrom('q=shown', 'list=shown', 'list=shown&list=shown'), fc.tuple(fc.constantFrom('q', 'list'), fc.constantFrom('password=', 'Bearer ', '"token":"').map((text) => encodeURIComponent(text) + secret)).map((parts) => parts.join('=')), escaped)
  fc.assert(fc.property(fc.array(pair, { maxLength: 60 }), (pairs) => {
    const query = pairs.join('&').replaceAll('#', '')
    const parsed: Record<string, unknown> = Object.create(null)
    for (const [key, value] of new URLSearchParams(query)) parsed[key] = parsed[key] === undefined ? value : [parsed[key], value].flat()
    const text = describeQuery(query, parsed, node, scrubber, true)
    if (/canary|63anary/.test(text)) throw new Error(`it shows ${text}`)
    if (text.length > 1025) throw new Error(`it has ${text.length} characters`)
    if (/canary|shown/.test(describeQuery(query, parsed, node, scrubber, false))) throw new Error('it shows values that are not recorded')
  }), { numRuns: 300 })
  const proxy = new Proxy({}, { getOwnPropertyDescriptor () { throw new Error('no') } })
  for (const parsed of [null, undefined, 5, proxy, { q: 1 }, { q: ['b'] }, []]) t.equal(describeQuery('q=a', parsed, node, scrubber, true), 'q=REDACTED')
  for (const query of ['q=%ZZ', `q=${'x'.repeat(1025)}`]) t.equal(describeQuery(query, { q: query.slice(2) }, node, scrubber, true), 'q=REDACTED')
  for (const query of ['%ZZ=1', `${'q'.repeat(257)}=1`]) t.equal(describeQuery(query, {}, node, scrubber, true), '*=REDACTED')
  t.equal(describeQuery('q=a%26b&list=x', { q: 'a&b', list: 'x' }, node, scrubber, true), 'q=a%26b&list=x')
})

t.test('facts that are read from a request', async (t) => {
  const plan = createRoutePlan(toSettings({}), Fastify(), { url: '/', method: 'GET', schema: { querystring: Type.Object({ q: Type.String() }) }, config: undefined, handler: undefined, bodyLimit: undefined })
  plan.compile()
  process.env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS = 'PURGE, LOCK'
  const readers = [createRequestFactsReader()]
  delete process.env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS
  readers.push(createRequestFactsReader())
  const read = (more: object, reader = readers[1]!, socket: object = {}) =>
    reader({ method: 'GET', url: '/', host: 'a', ip: '::1', protocol: 'http', query: {}, ...more, raw: { headers: {}, socket } } as unknown as FastifyRequest, plan)
  t.same(['PURGE', 'GET'].flatMap((method) => readers.map((reader) => read({ method }, reader).method)), ['PURGE', '_OTHER', '_OTHER', 'GET'])
  for (const [protocol, socket, scheme] of [['https', {}, 'https'], ['HTTPS', {}, 'https'], ['Http', {}, 'http'], ['ws', {}, 'http'], ['ws', { encrypted: true }, 'https'], [undefined, {}, 'http']] as const) {
    t.equal(read({ protocol }, undefined, socket).scheme, scheme)
  }
  t.equal(read({ ip: undefined }).clientAddress, undefined)
  t.equal(read({ ip: 'x'.repeat(300) }).clientAddress, `${'x'.repeat(255)}…`)
  for (const [url, query] of [['/', undefined], ['/?', undefined], ['/#q', undefined], ['/?q=1', 'q=1'], ['/?q=1#f', 'q=1'], ['http://u:p@h/?q=1', 'q=1'], ['http://h?q=1&r=2', 'q=1&*=REDACTED'], ['*', undefined]] as const) {
    t.equal(read({ url, query: { q: '1', r: '2' } }).query, query, url)
  }
})

t.test('sizes of bodies', async (t) => {
  const sizes = (raw: object, header?: unknown, { method = 'POST', statusCode = 200, wasParsed = true, isSentWhole = true } = {}) => {
    const reply = { raw: { statusCode }, getHeader: () => header } as unknown as FastifyReply
    const { request, response } = bodyBytesOf({ method, raw: { headers: { 'content-length': '5' }, ...raw } } as unknown as FastifyRequest, reply, wasParsed, isSentWhole)
    return [request, response]
  }
  const http1 = { httpVersionMajor: 1, complete: true }
  t.same(sizes(http1, 7), [5, 7])
  t.same(sizes(http1, '7'), [5, 7])
  t.same(sizes({ ...http1, complete: false }, undefined), [undefined, undefined])
  t.same(sizes(http1, 7, { method: 'HEAD' }), [5, undefined])
  for (const statusCode of [204, 304]) t.same(sizes(http1, 7, { statusCode }), [5, undefined])
  t.same(sizes(http1, 7, { isSentWhole: false }), [5, undefined])
  const http2 = { httpVersionMajor: 2, complete: true, readableEnded: true, aborted: false }
  t.same(sizes(http2), [5, undefined])
  for (const raw of [{ ...http2, aborted: true }, { ...http2, readableEnded: false }]) t.same(sizes(raw), [undefined, undefined])
  t.same(sizes(http2, undefined, { wasParsed: false }), [undefined, undefined])
  for (const header of ['-1', '1.5', 'many', '9'.repeat(40), ['1', '2'], NaN, '']) t.same(sizes({ ...http1, headers: { 'content-length': header } }, header), [undefined, undefined])
})

t.test('an instrument that throws costs a line, and nothing is taken off that was not counted', async (t) => {
  const instrument = { record () {}, add () { throw new Error('counter') } }
  const meter = { createHistogram: () => instrument, createCounter: () => instrument, createUpDownCounter: () => instrument }
  const settings = toSettings({ metrics: { activeRequests: true }, meterProvider: { getMeter: () => meter } as never })
  const record = new RequestRecord(settings, { route: undefined } as RouteFacts, NO_FACTS, null, ROOT_CONTEXT)
  countStart(record)
  t.equal(record.isCountedActive, false)
  record.isMeasured = false
  t.doesNotThrow(() => countStart(record))
})

t.test('a WebSocket is an active request until it is closed', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] })
  t.teardown(() => meterProvider.shutdown())
  const app = Fastify()
  await app.register(otelPlugin, { meterProvider, metrics: { activeRequests: true, bodySizes: true } })
  await app.register(websocket)
  app.get('/chat', { websocket: true }, (socket) => { socket.send('hello') })
  const active = async () => {
    await meterProvider.forceFlush()
    const metrics = exporter.getMetrics().at(-1)!.scopeMetrics.flatMap(({ metrics }) => metrics)
    return Object.fromEntries(metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.map(({ value }) => value)]))
  }
  const client = new WebSocket(`ws://127.0.0.1:${await listen(app)}/chat`)
  await once(client, 'message')
  t.same(await active(), { 'http.server.active_requests': [1] })
  client.terminate()
  await app.close()
  t.same(await active(), { 'http.server.active_requests': [0] })
})
