// repository only
import { execFileSync, spawnSync } from 'node:child_process'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import t from 'tap'
import { buildApp } from '../../example-server/app.ts'
import { MissingProgram, startOrSkip } from '../helpers/skip.ts'
import { runProgram } from '../helpers/program.ts'
import { startOtlpReceiver } from '../helpers/otlp-receiver.ts'

const server = ['--enable-source-maps', 'dist/example-server/server.js']
const client = ['--enable-source-maps', 'dist/example-server/client.js']

t.before(() => { execFileSync('npm', ['run', '--silent', 'prestart'], { stdio: 'inherit' }) })

t.test('npm start: the printed curl lines work, each trace is printed with what was wrong, Ctrl-C ends with 0', async (t) => {
  const curl = await startOrSkip(t, async () => {
    if (spawnSync('curl', ['--version']).status !== 0) throw new MissingProgram('curl is missing: the printed lines are not tried')
    return 'curl'
  })
  if (curl === undefined) return
  const program = runProgram(server, { PORT: '0' })
  const [, address] = await program.waitFor(/The example server listens on (http:\S+)\n[^]*Ctrl-C ends the server/)
  const curlLines = program.output().replaceAll('\\\n', '').split('\n').filter((line) => line.trim().startsWith('curl'))
  t.equal(curlLines.length, 8)
  const answers = curlLines.map((line) => execFileSync('sh', ['-c', line], { encoding: 'utf8' }))
  t.same(answers.map((answer) => JSON.parse(answer).message), [
    'Ada added',
    'body/country_code must match pattern "^[A-Z]{2}$"',
    "Body is not valid JSON but content-type is set to 'application/json'",
    'body/password must NOT have fewer than 12 characters',
    'hello world',
    'params/item_id must be integer',
    'this route always fails',
    'at last',
  ])
  t.same(await (await fetch(`${address}/health`)).json(), { status: 'ok' }, 'which leaves no trace')
  const root = await (await fetch(`${address}/`)).json()
  t.same(root, { message: 'Hello World' })
  await program.waitFor(/GET \/ {2}200[^]*└─ fastify\.handler/)
  t.equal(await program.end('SIGINT'), 0)

  const traces = program.output().slice(program.output().indexOf('Ctrl-C ends the server'))
    .replace(/\d\d:\d\d:\d\d\.\d{3}/g, 'TIME').replace(/[\d.]+ ms/g, 'N ms').replace(/trace [0-9a-f]{32}/g, 'trace ID')
  t.equal(traces, `Ctrl-C ends the server.

TIME  POST /  200  N ms  trace ID
│ arguments {"body":{"name":"Ada","country_code":"GB","dob":"1815-12-10"}}
├─ fastify.arguments  N ms
└─ fastify.handler  N ms
TIME  POST /  400  N ms  trace ID
│ ✗ body/country_code must match pattern "^[A-Z]{2}$" received "England"
└─ fastify.arguments  N ms
TIME  POST /  400  N ms  trace ID
│ ✗ body is not valid JSON at 1:9
└─ fastify.arguments  N ms
TIME  POST /users/:id  400  N ms  trace ID
│ arguments {"params":{"id":7}}
│ ✗ body/password does not satisfy "minLength" received "[redacted string]"
│ ✗ querystring/notify must be boolean received "no"
└─ fastify.arguments  N ms
TIME  GET /hello  200  N ms  trace ID
│ arguments {"querystring":{"name":"world"}}
├─ fastify.arguments  N ms
└─ fastify.handler  N ms
TIME  GET /items/:item_id  400  N ms  trace ID
│ ✗ params/item_id must be integer received "five"
└─ fastify.arguments  N ms
TIME  GET /failing  500  RangeError  N ms  trace ID
│ ! RangeError: this route always fails
├─ fastify.arguments  N ms
└─ fastify.handler  RangeError  N ms
TIME  GET /slow  200  N ms  trace ID
├─ fastify.arguments  N ms
└─ fastify.handler  N ms
TIME  GET /  200  N ms  trace ID
├─ fastify.arguments  N ms
└─ fastify.handler  N ms
`)
  t.notMatch(program.output().replaceAll(/curl[^\n]*|-d '[^\n]*/g, ''), /hunter2/)
})

t.test('a country code is an attribute of its own, a password only a mark', async (t) => {
  const telemetry = createTestTelemetry()
  t.teardown(() => telemetry.release())
  const app = await buildApp()
  const profile = { address: { city: 'Oslo', country_code: 'NO' }, contact: { phone: '555-0100' }, tags: [], password: 'open sesame, please' }
  await app.inject({ method: 'POST', url: '/users/7', headers: { 'x-tenant': 'acme' }, query: { notify: 'true' }, payload: profile })
  await app.close()
  const span = telemetry.spans.find(({ name }) => name === 'POST /users/:id')!
  t.equal(span.attributes['app.country'], 'NO')
  t.match(span.attributes['fastify.arguments.values'], '"password":"[redacted string]"')
  t.notMatch(JSON.stringify(telemetry.spans), /sesame/)
})

t.test('a taken port and a port that is none get a clear message', async (t) => {
  const first = runProgram(server, { PORT: '0' })
  const [, port] = await first.waitFor(/listens on http:\S+:(\d+)/)
  const second = runProgram(server, { PORT: port })
  t.equal(await second.end(), 1)
  t.equal(second.output(), `Port ${port} is taken. Stop the program that has it, or choose another port: PORT=3001 npm start\n`)
  t.equal(await first.end('SIGTERM'), 0)

  const third = runProgram(server, { PORT: 'many' })
  t.equal(await third.end(), 1)
  t.match(third.output(), 'The server cannot listen on port many: ')
})

t.test('one variable sends the traces to a collector; the last ones arrive after SIGTERM; client and server share a trace', async (t) => {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const program = runProgram(server, { PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  const [, address] = await program.waitFor(/listens on (http:\S+)/)
  const visit = runProgram(client, { SERVER_URL: address, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  t.equal(await visit.end(), 0, visit.output())
  t.equal(await program.end('SIGTERM'), 0)
  t.same(new Set(receiver.spans.map(({ service }) => service)), new Set(['example-server', 'my-client-service']))
  t.equal(new Set(receiver.spans.map(({ traceId }) => traceId)).size, 1)
  t.same(receiver.spans.filter(({ service }) => service === 'example-server').map(({ name }) => name).sort(),
    ['GET /', 'GET /items/:item_id', 'fastify.arguments', 'fastify.arguments', 'fastify.handler', 'fastify.handler'])
  const clientSpans = new Set(receiver.spans.filter(({ service, kind }) => service === 'my-client-service' && kind === 3).map(({ spanId }) => spanId))
  t.equal(clientSpans.size, 2)
  for (const span of receiver.spans.filter(({ kind }) => kind === 2)) t.ok(clientSpans.has(span.parentSpanId!))

  const lonely = runProgram(client, { SERVER_URL: address })
  t.equal(await lonely.end(), 1)
  t.match(lonely.output(), `The example server does not answer at ${address} (ECONNREFUSED). Start it first: npm start`)
})
