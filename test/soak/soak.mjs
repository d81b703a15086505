/**
 * A long run: whether anything is left behind by very many requests of all kinds, good and broken. A server in a process of its own, with the real SDK and
 * an exporter that drops; this process sends, pipelined on connections that are kept, no two requests with the same URL, trace id or body, and one in a
 * hundred fails or is broken off. Then the same without the plugin.
 *
 *     npm run soak -- [requests] [requests | websockets]
 *
 * With `websockets` each request is the upgrade of a connection that is cut.
 *
 * Ends with 1 when a span is still open at the end, or an answer was not the one expected. The random requests of test/flow/answers.test.ts can be made
 * more by FST_RUNS.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fitLine } from '../bench/fit-line.mjs'
import { table } from '../bench/table.mjs'
import { openConnection, sendBrokenOff } from './client.mjs'
import { BROKEN_OFF, makeRequest, WEB_SOCKETS } from './requests.mjs'

const CONNECTIONS = 32
/** Requests on one connection that are sent at a time. */
const PIPELINED = 16
const CHECKPOINTS = 40
/** The engine compiles and fills its caches at first: these checkpoints are not counted. */
const WARM_UP = 10
/** One request of so many is broken off, on a connection of its own; as many fail on the kept ones. */
const BROKEN_OFF_EVERY = 200

const [count = '200000', kind = 'requests'] = process.argv.slice(2)
const rows = []
for (const subject of ['plugin', 'bare']) rows.push(await soak(subject, Number(count)))
console.log(`Node ${process.version}\n`)
console.log(table(['', 'requests', 'broken off', 'a second', 'spans', 'open spans', 'bytes a request', '± (95 %)', 'MiB at first', 'MiB at last', 'rss MiB'], rows.map(({ cells }) => cells)))
for (const { problems } of rows) for (const problem of problems) console.error(problem)
process.exitCode = rows.some(({ problems }) => problems.length > 0) ? 1 : 0

async function soak (subject, requestCount) {
  const server = fork(new URL('./server.mjs', import.meta.url), [subject], { execArgv: ['--expose-gc'] })
  const ask = async (question) => {
    server.send(question)
    const [answer] = await once(server, 'message')
    return answer
  }
  const [port] = await once(server, 'message')
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(port)))
  const heap = []
  const problems = []
  let sent = 0
  let brokenOff = 0
  const startMillis = performance.now()
  let measuringMillis = 0

  async function cutUntil (last) {
    while (sent < last) await sendBrokenOff(port, WEB_SOCKETS[brokenOff++ % WEB_SOCKETS.length](++sent))
  }

  async function sendUntil (last, connection) {
    while (sent < last) {
      const requests = []
      while (requests.length < PIPELINED && sent < last) requests.push(makeRequest(sent++))
      const isDue = Math.floor(sent / BROKEN_OFF_EVERY) > Math.floor((sent - requests.length) / BROKEN_OFF_EVERY)
      const [wrong] = await Promise.all([connection.ask(requests), isDue ? sendBrokenOff(port, BROKEN_OFF[brokenOff++ % BROKEN_OFF.length](sent)) : undefined])
      problems.push(...wrong)
      if (problems.length > 20) throw new Error(problems.join('\n'))
    }
  }

  const requests = () => kind === 'websockets' ? sent : sent + brokenOff

  const step = Math.ceil(requestCount / CHECKPOINTS)
  for (let last = step; sent < requestCount; last += step) {
    const until = Math.min(last, requestCount)
    await Promise.all(connections.map((connection) => kind === 'websockets' ? cutUntil(until) : sendUntil(until, connection)))
    const pauseMillis = performance.now()
    heap.push({ x: requests(), y: await ask('heap') })
    measuringMillis += performance.now() - pauseMillis
  }
  const seconds = (performance.now() - startMillis - measuringMillis) / 1000
  for (const connection of connections) connection.close()
  const { open, ended, exported, rss } = await ask('end')
  const [code] = await once(server, 'exit')

  if (code !== 0) problems.push(`${subject}: the server ended with ${code}`)
  if (open !== 0) problems.push(`${subject}: ${open} spans are open`)
  if (exported !== ended) problems.push(`${subject}: of ${ended} spans that have ended ${exported} were exported`)
  const counted = heap.slice(WARM_UP)
  const { slope, margin } = fitLine(counted)
  const inMiB = (bytes) => (bytes / 1024 / 1024).toFixed(2)
  return {
    problems,
    cells: [subject, String(requests()), String(brokenOff), (requests() / seconds).toFixed(0), String(ended), String(open),
      slope.toFixed(3), margin.toFixed(3), inMiB(counted[0].y), inMiB(counted.at(-1).y), inMiB(rss)],
  }
}
