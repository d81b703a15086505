// repository only
import { execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import otelPlugin, { redact } from 'fastify-schema-telemetry'
import { configure, type Telemetry } from 'fastify-schema-telemetry/configure'
import type { ViewerOptions } from 'fastify-schema-telemetry/viewer'
import type { Browser, Locator } from 'playwright-core'
import t, { type Test } from 'tap'
import { openPage, seriousIssues, startBrowser } from '../helpers/browser.ts'
import { listen, send } from '../helpers/http.ts'
import { startOrSkip } from '../helpers/skip.ts'
import { otlpJson, otlpSpan, spanIdOf, traceIdOf } from '../helpers/viewer.ts'

t.jobs = 1

let telemetry: Telemetry

t.before(async () => {
  execFileSync(process.execPath, ['.ci/build-page.mjs'], { stdio: 'inherit' })
  telemetry = configure({ serviceName: 'shop', exporter: 'none', viewer: true })
})

t.teardown(async () => {
  await telemetry.shutdown()
  for (const api of [trace, metrics, propagation, context]) api.disable()
})

interface Shop {
  app: FastifyInstance
  port: number
  base: string
  /** Lets the requests to `/held` go on. */
  release: () => void
  post (spans: object[], resource?: object[]): Promise<void>
}

/** An app of several routes with a viewer. */
async function startShop (t: Test, options: ViewerOptions = {}, port?: number): Promise<Shop> {
  // After `configure`, which reads the bundle that was just made.
  const { viewer } = await import('fastify-schema-telemetry/viewer')
  let release = () => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  const app = Fastify()
  await app.register(otelPlugin, { extraSpans: true })
  await app.register(viewer, { prefix: '/telemetry', ...options })
  app.get('/', async () => 'ok')
  app.get('/held', async () => {
    await held
    return 'ok'
  })
  app.get('/failing', async () => { throw new RangeError('always') })
  app.post('/orders/:id', {
    schema: {
      params: Type.Object({ id: Type.Integer() }),
      body: Type.Object({ items: Type.Array(Type.Object({ sku: Type.String({ minLength: 3 }) })), password: redact(Type.String()), note: Type.Optional(Type.String()) }),
      querystring: Type.Object({ express: Type.Boolean({ default: false }) }),
    },
  }, async function placeOrder () { return 'ok' })
  if (port === undefined) port = await listen(app)
  else await app.listen({ port, host: '127.0.0.1' })
  t.teardown(async () => {
    release()
    await app.close()
  })
  return {
    app,
    port,
    base: `http://127.0.0.1:${port}/telemetry`,
    release,
    async post (spans, resource) {
      const { statusCode, body } = await send(port, 'POST', '/telemetry/v1/traces', { body: otlpJson(spans, resource) })
      if (statusCode !== 200) throw new Error(`${statusCode} ${body}`)
    },
  }
}

const good = { items: [{ sku: 'lamp' }], password: 'open sesame', note: "it's late" }
const order = (port: number, body: unknown = good, query = '') => send(port, 'POST', `/orders/7${query}`, { body })

/** Times of OTLP: nanoseconds from a fixed moment on. */
const nanos = (millis: number) => String(1_795_235_424_000_000_000n + BigInt(Math.round(millis * 1000)) * 1000n)
const text = (key: string, value: string) => ({ key, value: { stringValue: value } })

type Case = (t: Test, browser: Browser) => Promise<void>
const cases: Array<[name: string, run: Case]> = []

/** Without a browser, all of them are skipped with one line. */
function inBrowser (name: string, run: Case): void {
  cases.push([name, run])
}

const boxOf = async (locator: Locator) => (await locator.boundingBox())!
/** Waits until there are so many. */
async function countIs (locator: Locator, count: number): Promise<void> {
  if (count > 0) await locator.nth(count - 1).waitFor({ state: 'attached' })
  await locator.nth(count).waitFor({ state: 'detached' })
}
const textsOf = async (locator: Locator) => (await locator.allTextContents()).map((words) => words.replace(/\s+/g, ' ').trim())

inBrowser('the list is live: running requests, then their ends; rate and share; it stands still on p, and goes on', async (t, browser) => {
  const shop = await startShop(t)
  const { page, complaints } = await openPage(t, browser, `${shop.base}/`)
  await page.getByText('Waiting for the first request').waitFor()
  await page.getByText(`curl http://127.0.0.1:${shop.port}/`).waitFor()

  const answered = send(shop.port, 'GET', '/held')
  await page.locator('.trace-row.is-running', { hasText: '/held' }).waitFor()
  shop.release()
  await answered
  const row = page.locator('.trace-row.is-fine', { hasText: '/held' })
  await row.waitFor()
  t.match((await textsOf(row.locator('.status, .method, .route, .service, .duration .number'))), ['200', 'GET', '/held', 'shop', /ms|s$/])

  await order(shop.port, { items: [{ sku: 'x' }], password: 'p' }, '?express=maybe')
  await page.locator('.trace-row.is-refused .error-count').waitFor()
  t.match(await page.locator('.trace-row').first().textContent(), /400.*\/orders\/:id.*2 validation errors/, 'the newest is the first')
  await page.locator('#share', { hasText: '50 %' }).waitFor()
  await page.locator('#rate', { hasText: /^0\.[1-9]\/s$/ }).waitFor()

  await page.keyboard.press('p')
  await page.getByText('The list stands still.').waitFor()
  await send(shop.port, 'GET', '/failing')
  await page.getByText('1 new trace since.').waitFor()
  t.equal(await page.locator('.trace-row').count(), 2)
  await page.keyboard.press('p')
  await page.locator('.trace-row.is-failed', { hasText: 'RangeError' }).waitFor()
  t.equal(await page.locator('.trace-row').count(), 3)

  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByText('Waiting for the first request').waitFor()
  t.same(await complaints(), [])
})

inBrowser('each filter and the search show what they say, and stand in the address', async (t, browser) => {
  const shop = await startShop(t)
  await shop.post([otlpSpan(1, { name: 'GET /slow', startTimeUnixNano: nanos(0), endTimeUnixNano: nanos(2000), attributes: [text('http.request.method', 'GET'), text('http.route', '/slow'), text('app.colour', 'ultramarine')] })])
  await send(shop.port, 'GET', '/')
  await send(shop.port, 'GET', '/failing')
  await send(shop.port, 'GET', '/nowhere')
  await order(shop.port, { items: [{ sku: 'x' }], password: '' })
  const abandoned = connect(shop.port, '127.0.0.1')
  abandoned.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n')
  const { page, complaints } = await openPage(t, browser, `${shop.base}/`)
  await page.locator('.trace-row.is-running').waitFor()
  abandoned.destroy()
  await page.locator('.trace-row.is-aborted', { hasText: '/held' }).waitFor()
  const counted = (count: string) => page.locator('#count', { hasText: new RegExp(`^${count}$`) }).waitFor()
  await counted('6 traces')

  const cases: Array<[name: string, press: () => Promise<unknown>, query: string, rows: RegExp[]]> = [
    ['Invalid', () => page.getByRole('button', { name: 'Invalid' }).click(), '?invalid=1', [/orders/]],
    ['Aborted', () => page.getByRole('button', { name: 'Aborted' }).click(), '?aborted=1', [/held/]],
    ['4xx', () => page.getByRole('button', { name: '4xx' }).click(), '?status=4xx', [/orders/, /no such route/]],
    ['5xx', () => page.getByRole('button', { name: '5xx' }).click(), '?status=5xx', [/failing/]],
    ['slower', () => page.locator('#slower').fill('1500').then(() => page.locator('#slower').press('Enter')), '?slower=1500', [/slow/]],
    ['service', () => page.locator('#service').selectOption('other'), '?service=other', [/slow/]],
    ['attribute text', () => page.locator('#search').fill('ULTRAmarine'), '?q=ULTRAmarine', [/slow/]],
    ['route', () => page.locator('#search').fill('/orders'), '?q=%2Forders', [/orders/]],
    ['trace id', () => page.locator('#search').fill(traceIdOf(1)), `?q=${traceIdOf(1)}`, [/slow/]],
  ]
  for (const [name, press, query, rows] of cases) {
    await press()
    await page.waitForURL(`${shop.base}/${query}`)
    await countIs(page.locator('.trace-row'), rows.length)
    const shown = await textsOf(page.locator('.trace-row'))
    rows.forEach((row, index) => t.match(shown[index], row, name))
    await page.getByRole('button', { name: 'Clear', exact: true }).first().click()
    await countIs(page.locator('.trace-row'), 6)
  }

  await page.locator('#search').fill('nothing has this')
  await page.getByText('No trace matches').waitFor()
  await page.getByRole('button', { name: 'Clear the filters' }).click()
  await counted('6 traces')
  // Whoever types slowly is not interrupted by the search.
  await page.locator('#search').pressSequentially('GET ')
  await page.waitForURL(`${shop.base}/?q=GET`)
  await counted('5 traces')
  await page.locator('#search').pressSequentially('/nowhere')
  await counted('0 traces')
  t.equal(await page.locator('#search').inputValue(), 'GET /nowhere')
  await page.getByRole('button', { name: 'Clear the filters' }).click()
  await counted('6 traces')
  t.equal(await page.locator('#search').inputValue(), '')
  // New traces are searched too, while they come.
  await page.locator('#search').fill('/failing')
  await counted('1 trace')
  await send(shop.port, 'GET', '/')
  await send(shop.port, 'GET', '/failing')
  await counted('2 traces')
  t.same(await complaints(), [])
})

inBrowser('keyboard, deep links, back and forward', async (t, browser) => {
  const shop = await startShop(t)
  for (const path of ['/?1', '/failing', '/nowhere']) await send(shop.port, 'GET', path)
  const { page, complaints } = await openPage(t, browser, `${shop.base}/?status=2xx,4xx,5xx`)
  await page.locator('.trace-row').nth(2).waitFor()
  const active = page.locator('.trace-row[aria-selected="true"]')

  await page.keyboard.press('j')
  t.match(await active.textContent(), /404/)
  await page.keyboard.press('ArrowDown')
  t.match(await active.textContent(), /failing/)
  await page.keyboard.press('G')
  t.match(await active.textContent(), /200/)
  await page.keyboard.press('k')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/telemetry\/traces\/[0-9a-f]{32}\?status=2xx%2C4xx%2C5xx$/)
  await page.locator('.trace-title h1', { hasText: '/failing' }).waitFor()
  await page.locator('.exception', { hasText: 'RangeErroralways' }).waitFor()

  const chosen = page.locator('.span-row.is-chosen')
  await page.keyboard.press('j')
  await page.locator('.span-row.is-chosen', { hasText: 'fastify.arguments' }).waitFor()
  await page.keyboard.press('ArrowLeft')
  await page.locator('.span-row.is-chosen', { hasText: 'GET /failing' }).waitFor()
  await page.keyboard.press('ArrowLeft')
  t.equal(await page.locator('.span-row').count(), 1, 'folded')
  await page.keyboard.press('ArrowRight')
  t.equal(await page.locator('.span-row').count(), 3)
  await page.locator('.span-row', { hasText: 'fastify.handler' }).click()
  await page.waitForURL(/span=/)
  const deepLink = page.url()
  await page.keyboard.press('[')
  await page.locator('.trace-title', { hasText: '404' }).waitFor()
  await page.goBack()
  await page.locator('.trace-title h1', { hasText: '/failing' }).waitFor()
  t.match(await chosen.textContent(), /fastify\.handler/)
  await page.goBack()
  t.match(await chosen.textContent(), /GET \/failing/)
  await page.goForward()
  t.match(await chosen.textContent(), /fastify\.handler/)
  await page.keyboard.press('Escape')
  await page.waitForURL(/telemetry\/\?status/)
  t.equal(await active.count(), 1, 'the list knows where it was')

  await page.keyboard.press('2')
  await page.getByText('No request failed validation').waitFor()
  await page.keyboard.press('1')
  await page.keyboard.press('?')
  const sheet = page.getByRole('dialog', { name: 'Keys' })
  await sheet.waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('Escape')
  await sheet.waitFor({ state: 'hidden' })
  await page.keyboard.press('/')
  await page.keyboard.type('jkp?')
  t.equal(await page.locator('#search').inputValue(), 'jkp?', 'keys in a field are text')
  await page.keyboard.press('Escape')
  t.equal(await page.locator('#search').inputValue(), '')
  await page.keyboard.press('Tab')
  t.match(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid', 'focus can be seen')

  const linked = await openPage(t, browser, deepLink)
  await linked.page.locator('.span-row.is-chosen', { hasText: 'fastify.handler' }).waitFor()
  const gone = await openPage(t, browser, `${shop.base}/traces/${traceIdOf(404)}`)
  await gone.page.getByText('This trace is not here').waitFor()
  t.same([await complaints(), await linked.complaints()], [[], []])
})

inBrowser('waterfall: children inside parents, overlapping siblings below one another, services told apart, times to the microsecond', async (t, browser) => {
  const shop = await startShop(t)
  const span = (number: number, name: string, parent: number | undefined, start: number, end: number, more: object = {}) => otlpSpan(number, {
    traceId: traceIdOf(1), name, startTimeUnixNano: nanos(start), endTimeUnixNano: nanos(end), ...(parent === undefined ? {} : { parentSpanId: spanIdOf(parent) }), ...more,
  })
  await shop.post([
    span(1, 'root', undefined, 0, 100),
    span(2, 'first', 1, 10, 60.123, { events: [{ timeUnixNano: nanos(35), name: 'halfway' }] }),
    span(3, 'second', 1, 30, 99.999),
    span(5, 'instant', 2, 60.1, 60.101),
  ], [text('service.name', 'front')])
  await shop.post([span(4, 'elsewhere', 3, 40, 50)], [text('service.name', 'back')])
  const { page, complaints } = await openPage(t, browser, `${shop.base}/traces/${traceIdOf(1)}`)
  await page.locator('.span-row').nth(4).waitFor()
  t.same(await textsOf(page.locator('.span-label')), ['root', 'first', 'instant', 'second', 'elsewhere'])
  t.same(await textsOf(page.locator('.span-duration')), ['100.000 ms', '50.123 ms', '1 µs', '69.999 ms', '10.000 ms'])
  t.same(await textsOf(page.locator('.trace-facts .service-name')), ['front', 'back'])

  const bar = (name: string) => boxOf(page.locator('.span-row', { hasText: name }).locator('.bar'))
  const [root, first, instant, second, elsewhere] = await Promise.all(['root', 'first', 'instant', 'second', 'elsewhere'].map(bar)) as [Box, Box, Box, Box, Box]
  for (const [parent, child] of [[root, first], [root, second], [first, instant], [second, elsewhere]] as Array<[Box, Box]>) {
    t.ok(child.x >= parent.x - 1 && child.x + child.width <= parent.x + parent.width + 1, 'inside, to the pixel')
    t.ok(child.y >= parent.y + parent.height, 'below')
  }
  t.ok(second.x < first.x + first.width && second.y > first.y + first.height, 'they overlap in time, not in place')
  t.ok(Math.abs(first.x - root.x - root.width * 0.1) < 1 && Math.abs(first.width - root.width * 0.50123) < 1, 'places are times')
  const event = await boxOf(page.locator('.span-row', { hasText: 'first' }).locator('.event'))
  t.ok(Math.abs(event.x + event.width / 2 - (root.x + root.width * 0.35)) < 1.5)
  t.notMatch(await page.locator('.span-row', { hasText: 'elsewhere' }).locator('.bar').getAttribute('class'), /service-0/)
  t.same(await complaints(), [])
})

interface Box { x: number, y: number, width: number, height: number }

inBrowser('a running trace is shown as running, and goes on by itself', async (t, browser) => {
  const shop = await startShop(t)
  const answered = send(shop.port, 'GET', '/held')
  const { page, complaints } = await openPage(t, browser, `${shop.base}/`)
  await page.locator('.trace-row.is-running').click()
  await page.locator('.trace-duration', { hasText: /running, .* so far/ }).waitFor()
  await page.locator('.span-row.is-running .bar.is-running').first().waitFor()
  shop.release()
  await answered
  await page.locator('.trace-duration', { hasText: /^\s*[\d.]+ (ms|s)\s*$/ }).waitFor()
  await countIs(page.locator('.is-running .bar'), 0)
  await countIs(page.locator('.span-row'), 3)
  t.same(await complaints(), [])
})

inBrowser('errors stand at their fields; what was hidden is marked; the request can be copied as curl', async (t, browser) => {
  const shop = await startShop(t)
  await order(shop.port)
  await order(shop.port, { items: [{ sku: 'lamp' }, { sku: 'x' }], password: 'p', note: 'n' }, '?express=maybe')
  await order(shop.port, { items: [] })
  const { page, complaints } = await openPage(t, browser, `${shop.base}/`, { permissions: ['clipboard-read', 'clipboard-write'] })
  const rows = page.locator('.trace-row')
  await rows.nth(2).waitFor()

  await rows.nth(1).click()
  await page.locator('.pin').nth(1).waitFor()
  t.same(await page.locator('.leaf.has-errors').evaluateAll((fields) => fields.map((field) => (field as unknown as { dataset: Record<string, string> }).dataset.pointer)),
    ['/body/items/1/sku', '/querystring/express'])
  const sku = page.locator('[data-pointer="/body/items/1/sku"]')
  t.match(await sku.locator('.pin-message').textContent(), /must NOT have fewer than 3 characters/)
  t.equal(await sku.locator('.pin-expected').textContent(), '≥ 3 characters')
  t.equal(await sku.locator('.pin-received').textContent(), '"x"')
  t.equal(await page.locator('[data-pointer="/querystring/express"] .pin-received').textContent(), '"maybe"')
  t.equal(await page.locator('[data-pointer="/params/id"] .leaf-value').textContent(), '7', 'the part that passed has its values')
  t.match(await page.locator('[data-pointer="/body"]').textContent(), /not recorded/)

  await rows.nth(0).click()
  await page.locator('[data-pointer="/body/password"] .absent', { hasText: 'missing' }).waitFor()
  t.equal(await page.locator('[data-pointer="/body/password"] .pin-received').textContent(), 'nothing')

  await rows.nth(2).click()
  await page.locator('[data-pointer="/body/password"] .mark-chip', { hasText: 'redacted string' }).waitFor()
  t.equal(await page.locator('.pin').count(), 0)
  await page.getByRole('button', { name: 'Copy as curl' }).click()
  await page.locator('.notice', { hasText: 'body: redacted values' }).waitFor()
  const copied = String(await page.evaluate('navigator.clipboard.readText()'))
  t.match(copied, `curl -X 'POST' 'http://127.0.0.1:${shop.port}/orders/7?express=false'`)
  t.match(copied, String.raw`--data-raw '{"items":[{"sku":"lamp"}],"password":"[redacted string]","note":"it'\''s late"}'`)
  t.match(copied, /# left out - body: redacted values/)
  t.notMatch(copied, /open sesame/)
  await page.keyboard.press('t')
  await page.locator('.notice', { hasText: 'Trace id copied' }).waitFor()
  t.equal(await page.evaluate('navigator.clipboard.readText()'), /traces\/([0-9a-f]{32})/.exec(page.url())![1])

  await page.keyboard.press('2')
  const field = page.locator('.field', { hasText: 'body/items/1/sku' })
  await field.waitFor()
  t.equal(await field.locator('.series-bar').evaluateAll((bars) => bars.filter((bar) => Number(bar.getAttribute('height')) > 0).length), 1)
  t.same((await textsOf(page.locator('.durations tr', { hasText: '/orders/:id' }).locator('td'))).slice(0, 2), ['3', '67 %'])
  await field.locator('.trace-link').click()
  await sku.locator('.pin').waitFor()
  t.same(await complaints(), [])
})

inBrowser('everything in a trace is text', async (t, browser) => {
  const shop = await startShop(t)
  const evil = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>{{7*7}}'
  const values = JSON.stringify({ [evil]: { [evil]: evil }, body: { [evil]: [evil], html: evil } })
  const errors = JSON.stringify([{ part: evil, path: `/${evil}`, keyword: evil, message: evil, schemaPath: evil, params: { pattern: evil }, input: evil }])
  await shop.post([otlpSpan(1, {
    name: evil,
    status: { code: 2, message: evil },
    attributes: [
      text('http.request.method', 'GET'), text('http.route', `/${evil}/:${evil}`), text('url.path', evil), text(evil, evil), text('error.type', evil),
      text('fastify.arguments.values', values), text('fastify.arguments.errors', errors), { key: 'fastify.arguments.error_count', value: { intValue: '1' } },
      text('fastify.response.serialized', values), text('__proto__', evil), text('style', 'background:url(//evil)'),
    ],
    events: [{ timeUnixNano: nanos(123), name: 'exception', attributes: [text('exception.type', evil), text('exception.message', evil), text('exception.stacktrace', `${evil}\n    at ${evil}`)] }, { timeUnixNano: nanos(124), name: evil }],
    links: [{ traceId: traceIdOf(2), spanId: spanIdOf(2) }],
  })], [text('service.name', evil), text(evil, evil)])
  for (const path of [`/traces/${traceIdOf(1)}`, '/', '/failures', `/?q=${encodeURIComponent(evil)}&service=${encodeURIComponent(evil)}`, `/traces/${traceIdOf(1)}?span=${encodeURIComponent(evil)}`]) {
    const { page, complaints } = await openPage(t, browser, shop.base + path)
    await page.locator('.trace-row, .details, .field').first().waitFor({ state: 'attached' })
    await page.getByText('<img src=x').first().waitFor({ state: 'attached' })
    t.equal(await page.locator('img, script:not([src])').count(), 0, path)
    t.not(await page.title(), 'owned')
    t.same(await complaints(), [], path)
  }
})

inBrowser('10,000 traces: what is out of sight does not exist, and everything can be reached', async (t, browser) => {
  const shop = await startShop(t)
  for (let batch = 0; batch < 10; batch++) {
    await shop.post(Array.from({ length: 1000 }, (_, index) => {
      const number = batch * 1000 + index + 1
      return otlpSpan(number, { name: `trace number ${number}`, startTimeUnixNano: nanos(number), endTimeUnixNano: nanos(number + 1) })
    }))
  }
  const { page, complaints } = await openPage(t, browser, `${shop.base}/`)
  await page.locator('#count', { hasText: '10,000 traces' }).waitFor()
  const rows = page.locator('.trace-row')
  t.ok(await rows.count() < 60)
  t.match(await rows.first().textContent(), /number 10000/)
  for (const [share, name] of [[0.5, /number (49|50)\d\d/], [1, /number 1\D/], [0, /number 10000/]] as const) {
    await page.evaluate(`{ const list = document.querySelector('.traces'); list.scrollTop = list.scrollHeight * ${share} }`)
    await page.locator('.trace-row', { hasText: name }).first().waitFor()
    t.ok(await rows.count() < 60)
  }
  await page.keyboard.press('G')
  await page.locator('.trace-row[aria-selected="true"]', { hasText: 'number 1' }).waitFor()
  // What comes in above does not move what is read; the oldest have to go.
  await page.evaluate("document.querySelector('.traces').scrollTop -= 5000")
  await page.locator('.trace-row[aria-selected="true"]').waitFor({ state: 'detached' })
  const read = page.locator('.trace-row').nth(20)
  const [id, before] = [await read.getAttribute('id'), await boxOf(read)]
  await shop.post([otlpSpan(20_001, { name: 'newest', startTimeUnixNano: nanos(20_001), endTimeUnixNano: nanos(20_002) })])
  await page.locator('.dropped', { hasText: '1 older dropped' }).waitFor()
  t.equal(Math.round((await boxOf(page.locator(`#${id}`))).y), Math.round(before.y))
  await page.getByRole('button', { name: 'Newest' }).click()
  await page.locator('.trace-row', { hasText: 'newest' }).waitFor()
  await page.keyboard.press('G')
  await page.getByText('1 older trace was dropped to make room').waitFor()
  t.same(await complaints(), [])
})

inBrowser('a trace of 5,000 spans: bounded too, and every span can be reached', async (t, browser) => {
  const shop = await startShop(t)
  for (let batch = 0; batch < 5; batch++) {
    await shop.post(Array.from({ length: 1000 }, (_, index) => {
      const number = batch * 1000 + index + 1
      return otlpSpan(number, {
        traceId: traceIdOf(1),
        name: `span number ${number}`,
        startTimeUnixNano: nanos(number),
        endTimeUnixNano: nanos(number === 1 ? 6000 : number + 1),
        ...(number === 1 ? {} : { parentSpanId: spanIdOf(Math.ceil(number / 10)) }),
      })
    }))
  }
  const { page, complaints } = await openPage(t, browser, `${shop.base}/traces/${traceIdOf(1)}`)
  await page.locator('.trace-facts', { hasText: '5,000 spans' }).waitFor()
  const rows = page.locator('.span-row')
  t.ok(await rows.count() < 60)
  await page.keyboard.press('End')
  await page.locator('.span-row.is-chosen[aria-level="2"], .span-row.is-chosen').waitFor()
  t.ok(await rows.count() < 60)
  await page.locator('.details h2', { hasText: 'span number' }).waitFor()
  await page.goto(`${shop.base}/traces/${traceIdOf(1)}?span=${spanIdOf(4321)}`)
  await page.locator('.span-row.is-chosen', { hasText: 'span number 4321' }).waitFor()
  const [row, list] = [await boxOf(page.locator('.span-row.is-chosen')), await boxOf(page.locator('.spans'))]
  t.ok(row.y >= list.y - 1 && row.y + row.height <= list.y + list.height + 1, 'in view')
  t.same(await complaints(), [])
})

inBrowser('when the server goes away the page says so; when it is back the page goes on', async (t, browser) => {
  const shop = await startShop(t)
  await send(shop.port, 'GET', '/failing')
  const { page } = await openPage(t, browser, `${shop.base}/`)
  await page.locator('.trace-row', { hasText: '/failing' }).waitFor()
  await shop.app.close()
  await page.getByText('The server does not answer; these are the traces from before.').waitFor()
  t.equal(await page.locator('.connection-word').textContent(), 'Reconnecting')
  t.equal(await page.locator('.trace-row').count(), 1, 'what was there can still be read')
  const again = await startShop(t, {}, shop.port)
  await page.locator('.connection.is-live').waitFor()
  await page.getByText('Waiting for the first request').waitFor()
  await page.getByText('server restarted').waitFor()
  await send(again.port, 'GET', '/')
  await page.locator('.trace-row', { hasText: 'GET' }).waitFor()
})

inBrowser('both schemes, small screens, and nothing serious for axe', async (t, browser) => {
  const shop = await startShop(t, { maxTraces: 6 })
  const empty = await openPage(t, browser, `${shop.base}/`)
  await empty.page.getByText('Waiting for the first request').waitFor()
  t.same(await seriousIssues(empty.page), [])
  await order(shop.port)
  await send(shop.port, 'GET', '/failing')
  await send(shop.port, 'GET', '/')
  await send(shop.port, 'GET', '/nowhere')
  const running = send(shop.port, 'GET', '/held')
  const abandoned = connect(shop.port, '127.0.0.1')
  abandoned.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n')
  await empty.page.locator('.trace-row.is-running').nth(1).waitFor()
  abandoned.destroy()
  await empty.page.locator('.trace-row.is-aborted').waitFor()
  await order(shop.port, { items: [{ sku: 'x' }], password: 'p' }, '?express=maybe')
  await empty.page.locator('.trace-row.is-refused').first().click()
  const refused = /traces\/[0-9a-f]{32}/.exec(empty.page.url())![0]
  const { traces } = JSON.parse((await send(shop.port, 'GET', '/telemetry/api/traces?text=')).body) as { traces: Array<{ traceId: string, isAborted: boolean, isFailed: boolean, statusCode?: number }> }
  const pathOf = (test: (trace: typeof traces[number]) => boolean) => `traces/${traces.find(test)!.traceId}`
  const paths = ['', 'failures', refused, pathOf(({ statusCode }) => statusCode === 500), pathOf(({ isAborted }) => isAborted), pathOf(({ statusCode }) => statusCode === undefined)]

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of [{ width: 1400, height: 800 }, { width: 360, height: 740 }]) {
      for (const path of paths) {
        const { page, complaints } = await openPage(t, browser, `${shop.base}/${path}`, { colorScheme, viewport, reducedMotion: 'reduce' })
        await page.locator('.trace-row:visible, .details, .durations').first().waitFor()
        const where = `${path} ${colorScheme} ${viewport.width}`
        // Colours do not depend on the width, nor names on the scheme.
        if (viewport.width > 1000 || (colorScheme === 'light' && paths.indexOf(path) < 3)) t.same(await seriousIssues(page), [], where)
        t.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, `${where}: nothing sticks out`)
        t.same(await complaints(), [], where)
        await page.context().close()
      }
    }
  }
  shop.release()
  await running

  const { page } = await openPage(t, browser, `${shop.base}/`, { colorScheme: 'light' })
  const ground = async () => await page.evaluate('getComputedStyle(document.body).backgroundColor')
  await page.locator('.trace-row').first().waitFor()
  const light = await ground()
  await page.keyboard.press('d')
  const dark = await ground()
  t.not(dark, light)
  await page.reload()
  await page.locator('.trace-row').first().waitFor()
  t.equal(await ground(), dark, 'it is remembered')
  await page.getByRole('button', { name: 'Switch to the light scheme' }).click()
  t.equal(await ground(), light)
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  t.same(await seriousIssues(page), [])
})

t.test('the page in a browser', async (t) => {
  const browser = await startOrSkip(t, startBrowser)
  if (browser === undefined) return
  t.teardown(() => browser.close())
  for (const [name, run] of cases) await t.test(name, async (t) => await run(t, browser))
})
