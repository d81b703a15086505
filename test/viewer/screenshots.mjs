/**
 * Makes the pictures of the documentation, docs/images/viewer-*.png, of the example server with real requests.
 *
 *     npm run build && npx tsc -p example-server && node test/viewer/screenshots.mjs [folder]
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openBrowser } from './open-browser.mjs'
import { requests, runClient, startScene } from './scene.mjs'

const MAX_BYTES = 300_000
const folder = process.argv[2] ?? 'docs/images'
mkdirSync(folder, { recursive: true })

const scene = await startScene()
const { address } = scene
const browser = await openBrowser()

const rounds = ['root', 'hello', 'addUser', 'order', 'wrongUser', 'item', 'noJson', 'update', 'wrongItem', 'order', 'item', 'failing', 'hello', 'abandoned', 'missing', 'wrongOrder', 'item', 'order', 'update']
for (let round = 0; round < 3; round++) for (const name of rounds) await requests[name](address)
await runClient(address)
await requests.order(address)
await requests.wrongUpdate(address)
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
await browser.close()
await scene.close()

async function shoot (page, name) {
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path })
  const { size } = statSync(path)
  console.log(`${path}  ${(size / 1000).toFixed(0)} kB`)
  if (size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`)
}
