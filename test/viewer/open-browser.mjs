import { existsSync, readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const places = JSON.parse(readFileSync(new URL('../helpers/browser-places.json', import.meta.url), 'utf8'))

/** Starts a Chromium of this machine. */
export async function openBrowser () {
  const executablePath = [process.env.FST_CHROMIUM, ...places].find((place) => place !== undefined && existsSync(place))
  if (executablePath === undefined) throw new Error('no Chromium on this machine; FST_CHROMIUM names one')
  return await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}
