// repository only
import { execFileSync, spawnSync } from 'node:child_process'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import t from 'tap'
import { buildApp } from '../../example-server/app.ts'
import { openPage, seriousIssues, startBrowser } from '../helpers/browser.ts'
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
  t.equal(curlLines.length, 9)
  const answers = curlLines.map((line) => execFileSync('sh', ['-c', line], { encoding: 'utf8' }))
  t.equal(answers.pop(), 'three\ntwo\none\ngo\n')
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
  t.match(await (await fetch(`${address}/`)).text(), '<title>Example server</title>', 'which leaves none either')
  await program.waitFor(/GET \/stream {2}200[^]*└─ fastify\.handler/)
  t.equal(await program.end('SIGINT'), 0)

  const traces = program.output().slice(program.output().indexOf('Ctrl-C ends the server'))
    .replace(/\d\d:\d\d:\d\d\.\d{3}/g, 'TIME').replace(/[\d.]+ m?s(?= |$)/gm, 'N ms').replace(/trace [0-9a-f]{32}/g, 'trace ID')
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
TIME  GET /stream  200  N ms  trace ID
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

t.test('one variable sends the traces to a collector, and the viewer has them too; the last ones arrive after SIGTERM; client and server share a trace', async (t) => {
  const receiver = await startOtlpReceiver()
  t.teardown(() => receiver.close())
  const program = runProgram(server, { PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  const [, address] = await program.waitFor(/listens on (http:\S+)/)
  const visit = runProgram(client, { SERVER_URL: address, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  t.equal(await visit.end(), 0, visit.output())
  for (const path of ['/', '/index.js', '/index.css']) t.equal((await fetch(address + path)).status, 200)
  const { traces: shown } = await (await fetch(`${address}/telemetry/api/traces`)).json() as { traces: Array<{ traceId: string, spanCount: number }> }
  t.equal(await program.end('SIGTERM'), 0)
  t.same(new Set(receiver.spans.map(({ service }) => service)), new Set(['example-server', 'my-client-service']))
  t.same(new Set(receiver.spans.map(({ traceId }) => traceId)), new Set(shown.map(({ traceId }) => traceId)))
  t.equal(shown.length, 1)
  t.same(receiver.spans.filter(({ service }) => service === 'example-server').map(({ name }) => name).sort(),
    ['GET /hello', 'GET /items/:item_id', 'fastify.arguments', 'fastify.arguments', 'fastify.handler', 'fastify.handler'])
  const clientSpans = new Set(receiver.spans.filter(({ service, kind }) => service === 'my-client-service' && kind === 3).map(({ spanId }) => spanId))
  t.equal(clientSpans.size, 2)
  for (const span of receiver.spans.filter(({ kind }) => kind === 2)) t.ok(clientSpans.has(span.parentSpanId!))

  const lonely = runProgram(client, { SERVER_URL: address })
  t.equal(await lonely.end(), 1)
  t.match(lonely.output(), `The example server does not answer at ${address} (ECONNREFUSED). Start it first: npm start`)
})

/** Of each button: the head of the trace that it leads to, and what stands there, by selector. */
const buttons: Array<[title: string, head: RegExp, shown: Array<[selector: string, text: string]>]> = [
  ['A wrong field', /^400 ?POST \/$/, [
    ['[data-pointer="/body/country_code"] .pin-message', 'must match pattern "^[A-Z]{2}$"'],
    ['[data-pointer="/body/country_code"] .pin-received', '"England"'],
  ]],
  ['Two wrong parts at once', /^400 ?POST \/users\/:id$/, [
    ['[data-pointer="/body/address/country_code"] .pin-received', '"Norway"'],
    ['[data-pointer="/querystring/notify"] .pin-received', '"no"'],
  ]],
  ['A secret', /^200 ?POST \/users\/:id$/, [['[data-pointer="/body/password"]', 'redacted'], ['[data-pointer="/headers/x-tenant"]', 'acme']]],
  ['A good request', /^200 ?POST \/$/, [['[data-pointer="/body/country_code"]', 'GB']]],
  ['Not JSON', /^400 ?POST \/$/, [['[data-pointer="/body"] .pin-message', 'at line 1, column 9']]],
  ['A handler that throws', /^500 ?GET \/failing ?RangeError$/, [['.exception', 'this route always fails']]],
  ['A slow answer', /^200 ?GET \/slow$/, [['.trace-duration', 'ms']]],
  ['A stream', /^200 ?GET \/stream$/, [['.trace-duration', ' s']]],
  ['An abandoned request', /^abort ?GET \/slow$/, [['.attributes', 'client_disconnected']]],
]

t.test('the page: one click, and what was wrong is on the screen; every button leads to its trace', async (t) => {
  const browser = await startOrSkip(t, startBrowser)
  if (browser === undefined) return
  t.teardown(() => browser.close())
  const program = runProgram(server, { PORT: '0' })
  t.teardown(() => program.end('SIGKILL'))
  const [, address] = await program.waitFor(/listens on (http:\S+)\n[^]*All traces, live: \1\/telemetry\n/)

  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, complaints } = await openPage(t, browser, `${address}/`, { colorScheme })
    t.same(await seriousIssues(page), [], `${colorScheme}: the page`)
    const cards = page.locator('.card')
    t.same(await cards.locator('h2').allTextContents(), buttons.map(([title]) => title))

    for (const [title, head, shown] of buttons) {
      const card = cards.filter({ has: page.getByRole('heading', { name: title, exact: true }) })
      const start = performance.now()
      await card.getByRole('button', { name: 'Send and see its trace' }).click()
      for (const [selector, text] of shown) await page.locator(selector, { hasText: text }).first().waitFor()
      t.comment(`${colorScheme}, ${title}: on the screen ${Math.round(performance.now() - start)} ms after the click`)
      await page.locator('.trace-title:not(:has(.text-running)) h1').waitFor()
      t.match((await page.locator('.trace-title > :not(a, .trace-duration)').allTextContents()).join(' ').replace(/\s+/g, ' ').trim(), head)
      if (shown.length === 2) t.same(await seriousIssues(page), [], `${colorScheme}: the trace of "${title}"`)
      await page.goBack()
      await cards.first().waitFor()
    }

    // "Send only" stays; the answer has a link to the trace.
    for (const card of await cards.all()) {
      await card.getByRole('button', { name: 'Send only' }).click()
      await card.locator('button:enabled').last().waitFor()
    }
    t.same(await cards.locator('.status').allTextContents(), ['400', '400', '200', '200', '400', '500', '200', '200', 'abort'])
    t.match(await cards.locator('.answer code').allTextContents(), [/country_code must match/, /address\/country_code must match/, /"user 7 of acme updated"/, /"Ada added"/, /not valid JSON/, /always fails/, /at last/, 'three\ntwo\none\ngo', 'The page gave up after 100 ms.'])
    t.same(await seriousIssues(page), [], `${colorScheme}: the page with answers`)
    await cards.last().getByRole('link', { name: 'See its trace' }).click()
    await page.locator('.trace-title', { hasText: 'abort' }).waitFor()
    // Of each 4xx and 5xx the console has a line.
    t.same((await complaints()).filter((line) => !/^Failed to load resource: the server responded with a status of [45]00/.test(line)), [])
  }
  t.equal(await program.end('SIGTERM'), 0)
})

t.test('in production there is no viewer, and the rest works', async (t) => {
  const program = runProgram(server, { PORT: '0', NODE_ENV: 'production' })
  const [, address] = await program.waitFor(/listens on (http:\S+)\nThe viewer is left out, since NODE_ENV is production\.\n/)
  t.equal((await fetch(`${address}/telemetry`)).status, 404)
  const page = await (await fetch(`${address}/`)).text()
  t.match(page, 'The viewer is left out')
  t.notMatch(page, /see its trace|\/telemetry/)
  t.equal((await fetch(`${address}/hello?name=`)).status, 400)
  await program.waitFor(/✗ querystring\/name must NOT have fewer than 1 characters/)
  t.equal(await program.end('SIGTERM'), 0)
})
