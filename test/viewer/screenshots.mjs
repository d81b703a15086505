/**
 * Makes the pictures of the documentation, docs/images/*.png, of the example server with real requests.
 *
 *     npm run build && npx tsc -p example-server && node test/viewer/screenshots.mjs [folder]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openBrowser } from './open-browser.mjs'
import { exampleRequests } from '../../dist/example-server/index-page-requests.js'
import { requests, runClient, send, startScene } from './scene.mjs'

const MAX_BYTES = 300_000
const folder = process.argv[2] ?? 'docs/images'
mkdirSync(folder, { recursive: true })

const scene = await startScene()
const { address } = scene
const browser = await openBrowser()

const rounds = ['hello', 'addUser', 'order', 'wrongUser', 'item', 'noJson', 'update', 'wrongItem', 'order', 'item', 'failing', 'hello', 'abandoned', 'missing', 'wrongOrder', 'item', 'order', 'update']
for (let round = 0; round < 3; round++) for (const name of rounds) await requests[name](address)
await runClient(address)
await requests.order(address)
// What the page's button sends.
const { method, path, headers, body } = exampleRequests.find(({ title }) => title === 'Two wrong parts at once')
await send(address, method, path, { headers, body })
await requests.hello(address)

// Under way in all pictures.
const report = requests.report(address)

const { traces } = await (await fetch(`${address}/telemetry/api/traces?text=`)).json()
const idOf = (test) => traces.find(test).traceId
const pictures = {
  list: '',
  trace: `traces/${idOf(({ route, statusCode }) => route === '/orders' && statusCode === 200)}`,
  services: `traces/${idOf(({ services }) => services.length > 1)}`,
  errors: `traces/${idOf(({ route, statusCode }) => route === '/users/:id' && statusCode === 400)}`,
  failures: 'failures',
}
for (const colorScheme of ['light', 'dark']) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 720 }, deviceScaleFactor: 1.5, colorScheme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  for (const [name, path] of Object.entries(pictures)) {
    await page.goto(`${address}/telemetry/${path}`)
    await page.locator(name === 'list' ? '.trace-row.is-running' : '.details, .durations').first().waitFor()
    await page.locator('.connection.is-live').waitFor()
    await shoot(page, `viewer-${name}-${colorScheme}`)
  }
  await page.setViewportSize({ width: 360, height: 720 })
  await page.goto(`${address}/telemetry/${pictures.errors}`)
  await page.locator('.pin').first().waitFor()
  await shoot(page, `viewer-small-${colorScheme}`)
  await context.close()
}
scene.release()
await report
await scene.close()
await shootIndexPage()
await browser.close()

/** The page of `npm start`. */
async function shootIndexPage () {
  const server = spawn(process.execPath, ['dist/example-server/server.js'], { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
  const [output] = await once(server.stdout.setEncoding('utf8'), 'data')
  server.stdout.resume()
  const [, url] = /listens on (\S+)/.exec(output)
  for (const colorScheme of ['light', 'dark']) {
    const context = await browser.newContext({ viewport: { width: 1180, height: 720 }, deviceScaleFactor: 1.5, colorScheme, reducedMotion: 'reduce' })
    const page = await context.newPage()
    await page.goto(url)
    await shoot(page, `example-${colorScheme}`, { fullPage: true })
    await context.close()
  }
  server.kill()
  await once(server, 'exit')
}

async function shoot (page, name, options = {}) {
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path, ...options })
  const { size } = statSync(path)
  console.log(`${path}  ${(size / 1000).toFixed(0)} kB`)
  if (size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`)
}
