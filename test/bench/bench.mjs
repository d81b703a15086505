/**
 * What the plugin adds to a request, beside what @fastify/otel adds.
 *
 *     npm run bench -- [--rounds 1] [--slices 80] [scenario...]
 */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { measure, quantile } from './measure.mjs'
import { report } from './report.mjs'
import { scenarios } from './scenarios.mjs'
import { subjectNames } from './subjects.mjs'

/**
 * The young generation at its full size from the start. It would begin with 1 MiB, which the requests in flight fill: some grow old, and
 * dead old objects keep young ones alive, which makes a process slower for as long as it runs. This makes it rarer; `--rounds 3` tells.
 */
const ENGINE_FLAGS = ['--min-semi-space-size=16', '--max-semi-space-size=16']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '1' }, slices: { type: 'string', default: '80' } },
})
const keys = positionals.length > 0 ? positionals : Object.keys(scenarios)
const unknown = keys.filter((key) => !Object.hasOwn(scenarios, key))
if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}; there are ${Object.keys(scenarios).join(', ')}`)

/** Lists of costs by scenario: one for each round. */
const runs = new Map(keys.map((key) => [key, []]))
for (let round = 0; round < Number(values.rounds); round++) {
  for (const key of keys) runs.get(key).push(await runScenario(key))
}
console.log(report(new Map([...runs].map(([key, costs]) => [key, middle(costs)]))))

/**
 * Each subject in a process of its own, as in life: in one that runs several Fastify applications the engine no longer treats their objects as of one
 * kind, which costs more than what is measured. They take turns slice by slice, in an order that rotates, so that a slow spell of the machine meets
 * all of them alike.
 */
async function runScenario (key) {
  const scenario = scenarios[key]
  const subjects = []
  for (const name of scenario.subjects ?? subjectNames) subjects.push(await startSubject(key, name))
  for (const { answer } of subjects) assert.equal(answer, subjects[0].answer, 'the answers differ')
  const costs = await measure(subjects, scenario.slices ?? Number(values.slices))
  for (const { child } of subjects) child.disconnect()
  return costs
}

async function startSubject (key, name) {
  const child = fork(new URL('./run-subject.mjs', import.meta.url), [key, name], { execArgv: ENGINE_FLAGS })
  const failed = once(child, 'exit').then(([code, signal]) => { throw new Error(`${key}, ${name}: exit ${code ?? signal}`) })
  const hear = async () => (await Promise.race([once(child, 'message'), failed]))[0]
  failed.catch(() => {})
  const answer = await hear()
  async function runSlice () {
    child.send('slice')
    return await hear()
  }
  return { name, child, answer, runSlice }
}

/** The median over the rounds, subject by subject. */
function middle (costs) {
  return Object.fromEntries(Object.keys(costs[0]).map((name) => [name, quantile(costs.map((cost) => cost[name]), 0.5)]))
}
