import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server, type Http2Server } from 'node:http2'
import { connect } from 'node:net'
import { context, defaultTextMapGetter, diag, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { BaggagePropagator, TraceContextPropagator } from 'fastify-schema-telemetry/propagator'
import t, { type Test } from 'tap'
import { portOf } from '../helpers/http.ts'
import { BEYOND, PARENT_ID, SUITE, TRACE_ID, type TraceContextRequest } from '../w3c/cases.ts'
import { startService } from '../w3c/service.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

/** Headers of a call, as they stood on the wire, by their name in small letters. */
type Call = Map<string, string[]>

async function setUp (t: Test) {
  const calls: Call[] = []
  const receiver = createServer((request, response) => {
    const call: Call = new Map()
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index]!.toLowerCase()
      call.set(name, [...call.get(name) ?? [], request.rawHeaders[index + 1]!])
    }
    calls.push(call)
    request.resume()
    response.end('null')
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const service = await startService()
  t.teardown(async () => {
    await service.close()
    receiver.close()
    for (const api of [trace, propagation, context, diag]) api.disable()
  })
  const port = Number(new URL(service.url).port)
  return {
    /** Sends a request and returns what the service's calls carried. */
    async ask (headers: TraceContextRequest['headers'], count = 1): Promise<Call[]> {
      calls.length = 0
      const body = JSON.stringify(Array.from({ length: count }, (_, index) => ({ url: `http://127.0.0.1:${portOf(receiver)}/${index}`, arguments: [] })))
      const lines = [
        'POST /test HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`,
        ...headers.map(([name, value]) => `${name}:${value}`), '', body,
      ]
      const answer = await sendLatin1(port, lines.join('\r\n'))
      if (!answer.startsWith('HTTP/1.1 200 ')) throw new Error(answer)
      return calls.slice()
    },
  }
}

/** As `sendRaw`, with a byte for each character, which headers can have any of, and waiting for the answer with its own side open. */
async function sendLatin1 (port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text, 'latin1')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

t.test('trace context as the W3C\'s suite asks for it, and beyond', async (t) => {
  const { ask } = await setUp(t)
  t.equal(SUITE.length, 41)
  for (const { name, requests } of [...SUITE, ...BEYOND]) {
    await t.test(name, async (t) => {
      for (const { headers, calls: count = 1, trace, flags = '01', state } of requests) {
        const calls = await ask(headers, count)
        const message = JSON.stringify(headers)
        t.equal(calls.length, count)
        const parents = calls.map((call) => call.get('traceparent')!.join())
        for (const parent of parents) {
          t.match(parent, new RegExp(`^00-(?!0{32})[0-9a-f]{32}-(?!0{16}|${PARENT_ID})[0-9a-f]{16}-${flags}$`), message)
          // Of ids that are too long or too short, no part is kept either.
          t.equal(parent.includes(TRACE_ID.slice(2, -2)), trace === 'same', message)
          t.equal(parent.slice(3, 35) === TRACE_ID, trace === 'same', message)
        }
        t.equal(new Set(parents.map((parent) => parent.slice(36, 52))).size, count, 'each call has a parent of its own')
        for (const call of calls) t.same(call.get('tracestate'), state === undefined ? undefined : [state], message)
      }
    })
  }
})

t.test('baggage goes through within its limits', async (t) => {
  const { ask } = await setUp(t)
  const through = async (...values: string[]): Promise<string | undefined> => {
    const [call] = await ask(values.map((value) => ['baggage', value]))
    return call!.get('baggage')?.join()
  }
  const members = (count: number, value = 'v') => Array.from({ length: count }, (_, index) => `k${index}=${value}`)
  const cases: Array<[sent: string[], passedOn: string | undefined]> = [
    [['tenant=acme'], 'tenant=acme'],
    [['tenant=acme', 'user=4711'], 'tenant=acme,user=4711'],
    [[' tenant\t= acme ; internal ; level = 2 ,, user=4711 '], 'tenant=acme;internal ; level = 2,user=4711'],
    [['a=%C3%A9%20%2C,b=x=y/z?'], 'a=%C3%A9%20%2C,b=x=y/z?'],
    [['a=%ff,b=1'], 'a=%EF%BF%BD,b=1'],
    [['a=1,b,=c,d e=1,f="1",g=1;,h=1;=,i=1;p=",j=%zz,k=%a,l=\xe9,m=1;p q,z='], 'a=1,z='],
    [['a=1,b=2,a=3'], 'a=3,b=2'],
    [['__proto__=1,constructor=2,7=x,3=y'], '__proto__=1,constructor=2,7=x,3=y'],
    [[''], undefined],
    [['no baggage at all'], undefined],
    [[members(65).join()], members(64).join()],
    [members(65), members(64).join()],
    [[`a=${'v'.repeat(8190)}`], `a=${'v'.repeat(8190)}`],
    [[`a=${'v'.repeat(8191)}`], undefined],
    [[`a=1,b=${'v'.repeat(8184)},c=1`], `a=1,b=${'v'.repeat(8184)}`],
    [[members(60, 'v'.repeat(200)).join()], members(40, 'v'.repeat(200)).join()],
    [[`a=1${','.repeat(128)}b=1`], 'a=1'],
  ]
  for (const [sent, passedOn] of cases) t.equal(await through(...sent), passedOn, JSON.stringify(sent).slice(0, 200))
})

t.test('a server over HTTP/2 joins headers as one over HTTP/1 does, and duplicates are refused', async (t) => {
  const server: Http2Server = createHttp2Server((request, response) => { response.end(JSON.stringify(request.headers)) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connectHttp2(`http://127.0.0.1:${portOf(server)}`)
  t.teardown(() => {
    client.close()
    server.close()
  })
  const traceparent = `00-${TRACE_ID}-${PARENT_ID}-01`
  const request = client.request({ ':path': '/', traceparent: [traceparent, traceparent], tracestate: ['foo=1', 'bar=2'], baggage: ['a=1', 'b=2'] })
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const headers = JSON.parse(Buffer.concat(chunks).toString())
  t.match(headers, { traceparent: `${traceparent}, ${traceparent}`, tracestate: /^foo=1, ?bar=2$/, baggage: /^a=1, ?b=2$/ })
  t.equal(new TraceContextPropagator().extract(ROOT_CONTEXT, headers, defaultTextMapGetter), ROOT_CONTEXT)
  const baggage = propagation.getBaggage(new BaggagePropagator().extract(ROOT_CONTEXT, headers, defaultTextMapGetter))
  t.same(baggage?.getAllEntries(), [['a', { value: '1' }], ['b', { value: '2' }]])
})
