import { existsSync, readFileSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { MissingProgram } from './skip.ts'

const places: string[] = JSON.parse(readFileSync(new URL('browser-places.json', import.meta.url), 'utf8'))

/** Starts a Chromium of this machine; `FST_CHROMIUM` names one that is elsewhere. */
export async function startBrowser (): Promise<Browser> {
  const executablePath = [process.env.FST_CHROMIUM, ...places].find((place) => place !== undefined && existsSync(place))
  if (executablePath === undefined) throw new MissingProgram('Chromium is missing (FST_CHROMIUM names one): the page is not tried in a browser')
  return await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}

declare global {
  // Of the page, where `addInitScript` puts it.
  var policyViolations: string[]
}

export interface OpenPage {
  page: Page
  /** Exceptions, errors of the console, what the policy refused, and requests to other places. */
  complaints (): Promise<string[]>
}

/** A page in a context of its own, closed with the test. */
export async function openPage (t: Test, browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 800 }, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => { if (message.type() === 'error' && !message.text().includes('ERR_CONNECTION_REFUSED')) complaints.push(message.text()) })
  page.on('request', (request) => { if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith('data:')) complaints.push(`asked for ${request.url()}`) })
  await page.addInitScript(`
    globalThis.policyViolations = []
    addEventListener('securitypolicyviolation', (event) => policyViolations.push(event.violatedDirective + ' ' + event.blockedURI))
  `)
  await page.goto(url)
  return { page, complaints: async () => [...complaints, ...await page.evaluate(() => globalThis.policyViolations)] }
}

/** What axe finds that is serious or critical, in short. */
export async function seriousIssues (page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 5).map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary?.split('\n').at(-1)?.trim()}`).join('; ')}`)
}
