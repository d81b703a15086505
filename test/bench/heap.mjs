/**
 * Whether requests leave anything behind: the slope of the used heap over 100,000 requests on real sockets, no two with the same URL and
 * half of them for no route.
 *
 *     npm run bench:heap -- [--requests 100000] [subject...]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { parseArgs } from 'node:util'
import { fitLine } from './fit-line.mjs'
import { table } from './table.mjs'

const CHECKPOINTS = 20
/** The engine compiles and fills its caches at first: these checkpoints are not counted. */
const SETTLING = 5

const { values, positionals } = parseArgs({ allowPositionals: true, options: { requests: { type: 'string', default: '100000' } } })
const names = positionals.length > 0 ? positionals : ['bare', 'plugin']

const rows = []
for (const name of names) {
  const heap = await watch(name, Number(values.requests))
  const [first, last] = [heap[0], heap.at(-1)].map(({ y: bytes }) => (bytes / 1024 / 1024).toFixed(2))
  rows.push([name, fitLine(heap).slope.toFixed(2), first, last])
}
console.log(`Node ${process.version}: heap in use after garbage collection, ${values.requests} requests\n`)
console.log(table(['', 'bytes a request', 'MiB at first', 'MiB at last'], rows))

/** Resolves to `{ x, y }` at each checkpoint: requests, bytes. */
async function watch (name, requestCount) {
  const server = fork(new URL('./heap-server.mjs', import.meta.url), [name], { execArgv: ['--expose-gc'] })
  const [port] = await once(server, 'message')
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const heap = []
  const step = Math.ceil(requestCount / (CHECKPOINTS + SETTLING))
  for (let sent = 0; sent < requestCount; sent += step) {
    await sendAll(port, agent, sent, sent + step)
    server.send('measure')
    const [bytes] = await once(server, 'message')
    heap.push({ x: sent + step, y: bytes })
  }
  agent.destroy()
  server.send('close')
  const [code] = await once(server, 'exit')
  if (code !== 0) throw new Error(`${name}: exit ${code}`)
  return heap.slice(SETTLING)
}

async function sendAll (port, agent, from, to) {
  let next = from
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (next < to) await send(port, agent, next++)
  }))
}

function send (port, agent, number) {
  const path = number % 2 === 0 ? `/known/${number}?q=${number}` : `/unknown-${number}/${number}`
  const expected = number % 2 === 0 ? 200 : 404
  return new Promise((resolve, reject) => {
    get({ port, agent, path, headers: { traceparent: `00-${String(number + 1).padStart(32, '0')}-00f067aa0ba902b7-01` } }, (response) => {
      if (response.statusCode !== expected) reject(new Error(`${path}: ${response.statusCode}`))
      response.resume().once('end', resolve).once('error', reject)
    }).once('error', reject)
  })
}
