/**
 * What the page of the viewer weighs, how soon it is there, whether it stays smooth while traces pour in, and what the watched application has of it.
 * Three minutes.
 *
 *     npm run build && npx tsc -p example-server && node test/viewer/numbers.mjs
 *
 * Long tasks are measured by the clock: on a machine that has other work to do, some are those of others.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { SCRIPT, STYLE } from '../../dist/esm/lib/viewer/page-assets.js'
import { openBrowser } from './open-browser.mjs'
import { startScene } from './scene.mjs'
import { measureWatching } from './watching.mjs'

const SPANS_PER_SECOND = 1000
const SECONDS = 10
const SPANS_PER_TRACE = 4
const BATCHES_PER_SECOND = 20

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`
const print = (what, value, bound) => console.log(`${what.padEnd(64)} ${String(value).padStart(10)}   ${bound}`)

for (const [name, text] of [['script', SCRIPT], ['style sheet', STYLE]]) {
  print(`${name}, as it is / brotli`, `${kilobytes(text.length)} / ${kilobytes(brotliCompressSync(text).length)}`, '')
  print(`${name}, gzip`, kilobytes(gzipSync(text).length), name === 'script' ? '<= 100 kB' : '')
}

const scene = await startScene()
const browser = await openBrowser()
const page = await browser.newPage({ viewport: { width: 1400, height: 860 } })
await page.addInitScript(`
  globalThis.longTasks = []
  new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longTasks.push(duration) }).observe({ type: 'longtask', buffered: true })
`)

const paints = []
for (let attempt = 0; attempt < 5; attempt++) {
  await page.goto(`${scene.address}/telemetry/`)
  await page.locator('.blank, .trace-row').first().waitFor()
  paints.push(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime"))
}
print('first paint, cold', `${paints[0].toFixed(0)} ms`, '<= 300 ms')
print('first paint, middle of five', `${paints.sort((one, other) => one - other)[2].toFixed(0)} ms`, '<= 300 ms')

const session = await page.context().newCDPSession(page)
await session.send('Performance.enable')
const busyBefore = await busySeconds()
await page.evaluate('longTasks.length = 0')
const sent = await pour()
await page.locator('#count', { hasText: sent.traces.toLocaleString('en-US') }).waitFor()
const tasks = await page.evaluate('longTasks')
print(`spans sent in a second, for ${SECONDS} s`, Math.round(sent.spans / sent.seconds), `>= ${SPANS_PER_SECOND}`)
print('long tasks of the page meanwhile', tasks.length, '0')
print('processor time of the page meanwhile, of each second', `${((await busySeconds() - busyBefore) / sent.seconds * 1000).toFixed(0)} ms`, '')
if (tasks.length > 0) print('the longest', `${Math.max(...tasks).toFixed(0)} ms`, '<= 50 ms')
print('behind by, at the end: from the last span sent until it shows', `${(await lag()).toFixed(0)} ms`, '')
await scrollThrough('.traces', '/', '10,000 traces, or as many as there are: frames a second while scrolling')

const big = await postBig()
await page.goto(`${scene.address}/telemetry/traces/${big}`)
await page.locator('.span-row').first().waitFor()
await scrollThrough('.spans', undefined, 'a trace of 5,000 spans: frames a second while scrolling')

await browser.close()
await scene.close()

const { isApart, open, closed } = await measureWatching(openBrowser)
for (const quantile of ['p50Millis', 'p99Millis']) {
  const times = `${closed[quantile].toFixed(2)} ms, ${open[quantile].toFixed(2)} ms`
  const bound = quantile === 'p99Millis' ? '<= 1.10' : ''
  print(`requests, ${quantile.slice(0, 3)}: ${times} with the page open${isApart ? '' : ', on shared cores'}`, (open[quantile] / closed[quantile]).toFixed(2), bound)
}

/** Processor time that the page's main thread took so far; unlike the length of a task it does not grow when others use the machine. */
async function busySeconds () {
  const { metrics } = await session.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'ThreadTime').value
}

/** Sends spans at a steady rate, as another service would. */
async function pour () {
  const begun = performance.now()
  let spans = 0
  for (let batch = 0; batch < SECONDS * BATCHES_PER_SECOND; batch++) {
    const traces = SPANS_PER_SECOND / BATCHES_PER_SECOND / SPANS_PER_TRACE
    const list = []
    for (let trace = 0; trace < Math.ceil(traces); trace++) list.push(...trace4(batch * 100 + trace))
    await post(list)
    spans += list.length
    await delay(Math.max(0, begun + (batch + 1) * 1000 / BATCHES_PER_SECOND - performance.now()))
  }
  return { spans, traces: spans / SPANS_PER_TRACE, seconds: (performance.now() - begun) / 1000 }
}

/** A request with three spans in it. */
function trace4 (number) {
  const traceId = `c${number.toString(16).padStart(31, '0')}`
  const start = BigInt(Date.now()) * 1_000_000n
  return Array.from({ length: SPANS_PER_TRACE }, (_, index) => ({
    traceId,
    spanId: `d${(number * 10 + index).toString(16).padStart(15, '0')}`,
    ...(index === 0 ? {} : { parentSpanId: `d${(number * 10).toString(16).padStart(15, '0')}` }),
    name: index === 0 ? 'GET /users/:id' : `step ${index}`,
    kind: index === 0 ? 2 : 1,
    startTimeUnixNano: String(start + BigInt(index) * 1_000_000n),
    endTimeUnixNano: String(start + BigInt(index === 0 ? 12 : index + 2) * 1_000_000n),
    attributes: index === 0
      ? [
          { key: 'http.request.method', value: { stringValue: 'GET' } },
          { key: 'http.route', value: { stringValue: '/users/:id' } },
          { key: 'http.response.status_code', value: { intValue: number % 10 === 0 ? '500' : '200' } },
          { key: 'fastify.arguments.values', value: { stringValue: JSON.stringify({ params: { id: number } }) } },
        ]
      : [],
  }))
}

async function post (spans) {
  const { ok, status } = await fetch(`${scene.address}/telemetry/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'load' } }] }, scopeSpans: [{ scope: { name: 'load' }, spans }] }] }),
  })
  if (!ok) throw new Error(`the viewer answered ${status}`)
}

async function lag () {
  const begun = performance.now()
  const shown = page.locator('.trace-row', { hasText: 'the last one' }).waitFor()
  await post([{ ...trace4(999_999)[0], name: 'the last one', attributes: [] }])
  await shown
  return performance.now() - begun
}

async function postBig () {
  const traceId = 'e'.repeat(32)
  const start = BigInt(Date.now()) * 1_000_000n
  const id = (number) => `f${number.toString(16).padStart(15, '0')}`
  for (let from = 1; from <= 5000; from += 1000) {
    await post(Array.from({ length: 1000 }, (_, index) => ({
      traceId,
      spanId: id(from + index),
      ...(from + index === 1 ? {} : { parentSpanId: id(Math.ceil((from + index) / 8)) }),
      name: `span ${from + index}`,
      kind: 1,
      startTimeUnixNano: String(start + BigInt(from + index) * 1000n),
      endTimeUnixNano: String(start + BigInt(from + index + 400) * 1000n),
      attributes: [],
    })))
  }
  return traceId
}

/** Frames a second over two seconds of scrolling, and long tasks in them. */
async function scrollThrough (selector, path, what) {
  if (path !== undefined && !page.url().endsWith(path)) await page.goto(`${scene.address}/telemetry${path}`)
  await page.locator(selector).waitFor()
  const { frames, longest, count } = await page.evaluate(`new Promise((resolve) => {
    longTasks.length = 0
    const list = document.querySelector('${selector}')
    const begun = performance.now()
    let frames = 0
    const step = (now) => {
      const share = (now - begun) / 2000
      if (share >= 1) return resolve({ frames, longest: Math.max(0, ...longTasks), count: longTasks.length })
      frames++
      list.scrollTop = Math.abs(Math.sin(share * 6)) * (list.scrollHeight - list.clientHeight)
      requestAnimationFrame(step)
    }
    requestAnimationFrame(step)
  })`)
  print(what, Math.round(frames / 2), `long tasks: ${count}${count > 0 ? `, the longest ${longest.toFixed(0)} ms` : ''}`)
}
