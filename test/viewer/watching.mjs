import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { fileURLToPath } from 'node:url'

const REQUESTS_PER_SECOND = 300
const SLICE_SECONDS = 4
const ROUNDS = 12
/** Left out of each slice: the page loads what is there already. */
const WARM_UP_SECONDS = 1

/**
 * Durations of requests to an application in a process of its own, while the page is open and while it is not, slice by slice in turn. The browser has a
 * core of its own, where `taskset` can give it one: who watches from the same core takes time from the application, whatever is watched.
 *
 * @param {() => Promise<import('playwright-core').Browser>} openBrowser
 * @returns {Promise<{ isApart: boolean, open: Quantiles, closed: Quantiles }>}
 *
 * @typedef {{ p50Millis: number, p99Millis: number }} Quantiles
 */
export async function measureWatching (openBrowser) {
  // Processes are born where their parent is.
  const isApart = moveTo(1)
  const browser = await openBrowser()
  if (isApart) moveTo(0)
  const app = fork(fileURLToPath(new URL('watched-app.mjs', import.meta.url)))
  const [address] = await once(app, 'message')
  const page = await browser.newPage({ viewport: { width: 1400, height: 860 } })
  const slices = { open: [], closed: [] }
  for (let round = 0; round < ROUNDS; round++) {
    // Neither is always the first.
    for (const state of round % 2 === 0 ? ['open', 'closed'] : ['closed', 'open']) {
      await page.goto(state === 'open' ? `${address}/telemetry/` : 'about:blank')
      await load(address, WARM_UP_SECONDS)
      slices[state].push(quantiles(await load(address, SLICE_SECONDS)))
    }
  }
  await browser.close()
  app.disconnect()
  await once(app, 'exit')
  return { isApart, open: middle(slices.open), closed: middle(slices.closed) }
}

/** Moves all threads of this process to a core; tells whether that could be done. */
function moveTo (core) {
  return spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(process.pid)]).status === 0
}

/** Sends at a steady rate, whatever the answers take. */
async function load (address, seconds) {
  const agent = new Agent({ keepAlive: true })
  const durations = []
  const pending = []
  const begun = performance.now()
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - begun
      while (pending.length < elapsed / 1000 * REQUESTS_PER_SECOND) pending.push(ask(`${address}/hello?name=world`, agent, durations))
      if (elapsed < seconds * 1000) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  await Promise.all(pending)
  agent.destroy()
  return durations
}

function ask (url, agent, durations) {
  return new Promise((resolve, reject) => {
    const begun = performance.now()
    get(url, { agent }, (response) => {
      response.resume().once('end', () => {
        durations.push(performance.now() - begun)
        if (response.statusCode === 200) resolve()
        else reject(new Error(`the application answered ${response.statusCode}`))
      })
    }).once('error', reject)
  })
}

function quantiles (durations) {
  const sorted = durations.toSorted((first, second) => first - second)
  const at = (share) => sorted[Math.ceil(sorted.length * share) - 1]
  return { p50Millis: at(0.5), p99Millis: at(0.99) }
}

/** One slice in which the machine had something else to do is not the measure of all. */
function middle (slices) {
  const of = (name) => slices.map((slice) => slice[name]).sort((first, second) => first - second)[Math.floor(slices.length / 2)]
  return { p50Millis: of('p50Millis'), p99Millis: of('p99Millis') }
}
