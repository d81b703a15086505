/**
 * What the tests do in their short form, at length and measured: an outage of 60 s at 1,000 spans a second, and how long the event loop is held up at 10,000
 * spans a second, with a collector that answers and with none. The collector is a thread of its own. How long the loop is held up is told in time and, with
 * Node.js 24 and later, in CPU time of the thread, into which nothing comes of other programs on the machine.
 *
 *     node test/faults/run.mjs [outage | delay]
 *
 * Fails when a span is lost, when the books do not balance, and when more than one in a hundred of the calls that serialise a batch takes
 * more than 5 ms of CPU time. Seconds of each part: FAULT_SECONDS.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** The bound of what one call may take of the event loop. */
const MAX_CALL_MILLIS = 5

const hasCpuTime = typeof process.threadCpuUsage === 'function'

if (isMainThread) await main(process.argv[2])
else await collect(workerData)

/** A collector that only counts: spans by their ids in the JSON text. */
async function collect (port) {
  let spans = 0
  const server = createServer((request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      spans += Buffer.concat(chunks).toString().split('"spanId"').length - 1
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  parentPort.on('message', () => parentPort.postMessage({ spans }))
  parentPort.postMessage({ port: server.address().port })
}

async function startCollector (port = 0) {
  const worker = new Worker(new URL(import.meta.url), { workerData: port })
  const [started] = await once(worker, 'message')
  return {
    port: started.port,
    async count () {
      worker.postMessage('count')
      const [{ spans }] = await once(worker, 'message')
      return spans
    },
    leave: () => worker.terminate(),
  }
}

/** CPU time of this thread in milliseconds; time where Node.js does not tell it. */
function cpuMillis () {
  if (!hasCpuTime) return performance.now()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Ends `perSecond` spans a second, evenly; `turns` gets the CPU time between one tick of a millisecond and the next. */
async function load (tracer, perSecond, seconds, turns = []) {
  const start = performance.now()
  let ended = 0
  let before = cpuMillis()
  while (true) {
    const now = cpuMillis()
    turns.push(now - before)
    before = now
    const elapsed = performance.now() - start
    for (const due = Math.floor(Math.min(elapsed / 1000, seconds) * perSecond); ended < due; ended++) {
      tracer.startSpan('GET /users/:id', {
        root: true,
        attributes: { 'http.request.method': 'GET', 'http.route': '/users/:id', 'url.path': `/users/${ended}`, 'http.response.status_code': 200, 'fastify.arguments.values': `{"params":{"id":${ended}}}` },
      }).end()
    }
    if (elapsed >= seconds * 1000) return ended
    await pause(1)
  }
}

/** Notes how long each call of `export` holds up the event loop: it serialises the batch. */
function timed (exporter) {
  const millis = []
  const cpu = []
  return {
    millis,
    cpu,
    export (spans, callback) {
      const start = performance.now()
      const startCpu = cpuMillis()
      exporter.export(spans, callback)
      cpu.push(cpuMillis() - startCpu)
      millis.push(performance.now() - start)
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  }
}

function at (millis, share) {
  const sorted = millis.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(2)
}

async function main (part) {
  const { configure } = await import('fastify-schema-telemetry/configure')
  const { context, diag, propagation, trace } = await import('@opentelemetry/api')
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const seconds = Number(process.env.FAULT_SECONDS || 60)
  const problems = []

  async function measure (name, { perSecond, seconds, before, during, after }) {
    let collector = await startCollector()
    const { port } = collector
    const exporter = timed(new OTLPTraceExporter({ url: `http://127.0.0.1:${port}/v1/traces` }))
    const telemetry = configure({ serviceName: 'faults', exporter: during === 'dropped' ? 'none' : exporter, flushTimeoutMillis: 120_000 })
    const tracer = telemetry.tracerProvider.getTracer('faults')
    await load(tracer, perSecond, before)
    let taken = 0
    if (during === 'away') {
      await telemetry.forceFlush()
      taken = await collector.count()
      await collector.leave()
    }
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const heap = process.memoryUsage().heapUsed
    delay.enable()
    const cpu = process.cpuUsage()
    const turns = []
    await load(tracer, perSecond, seconds, turns)
    const spent = process.cpuUsage(cpu)
    delay.disable()
    const most = telemetry.stats()
    if (during === 'away') collector = await startCollector(port)
    const back = performance.now()
    await load(tracer, perSecond, after)
    await telemetry.forceFlush()
    const drained = performance.now() - back
    taken += await collector.count()
    await telemetry.shutdown()
    const stats = telemetry.stats()
    const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0)
    const millis = (nanos) => (nanos / 1e6).toFixed(2)
    console.log(`${name}: ${stats.started} spans, ${stats.exported} exported, ${dropped} dropped, ${taken} arrived`)
    console.log(`  event loop delay (1 ms is the timer's own): median ${millis(delay.percentile(50))}, 99 % ${millis(delay.percentile(99))}, 99.9 % ${millis(delay.percentile(99.9))}, longest ${millis(delay.max)} ms; ` +
      `CPU ${((spent.user + spent.system) / 1e4 / seconds).toFixed(0)} %`)
    console.log(`  at the end of it ${most.queued} spans waited, ${(most.queuedBytes / 1e6).toFixed(1)} MB by our count, heap +${((process.memoryUsage().heapUsed - heap) / 1e6).toFixed(0)} MB; delivered ${(drained / 1000).toFixed(1)} s later`)
    if (hasCpuTime) console.log(`  CPU time between ticks of 1 ms: median ${at(turns, 0.5)}, 99 % ${at(turns, 0.99)}, 99.9 % ${at(turns, 0.999)}, longest ${at(turns, 1)} ms`)
    if (exporter.millis.length > 0) {
      console.log(`  the call that serialises a batch, ${exporter.millis.length} times: median ${at(exporter.millis, 0.5)}, 99 % ${at(exporter.millis, 0.99)}, longest ${at(exporter.millis, 1)} ms`)
      if (hasCpuTime) {
        console.log(`  of it CPU time: on average ${(exporter.cpu.reduce((sum, cpu) => sum + cpu, 0) / exporter.cpu.length).toFixed(2)}, 99 % ${at(exporter.cpu, 0.99)}, longest ${at(exporter.cpu, 1)} ms`)
        if (Number(at(exporter.cpu, 0.99)) > MAX_CALL_MILLIS) problems.push(`${name}: serialising a batch took ${at(exporter.cpu, 0.99)} ms of CPU time`)
      }
    }
    if (stats.started !== stats.exported + dropped || (stats.exported !== taken && during !== 'dropped')) problems.push(`${name}: the books do not balance`)
    if (during === 'away' && perSecond <= 1000 && dropped > 0) problems.push(`${name}: ${dropped} spans were lost`)
    await collector.leave()
    for (const api of [trace, propagation, context, diag]) api.disable()
  }

  if (part !== 'delay') await measure(`outage of ${seconds} s at 1,000 spans a second`, { perSecond: 1000, seconds, before: 2, during: 'away', after: 2 })
  if (part !== 'outage') {
    const short = Math.min(seconds, 20)
    await measure(`no export, for comparison: 10,000 spans a second for ${short} s`, { perSecond: 10_000, seconds: short, before: 2, during: 'dropped', after: 1 })
    await measure(`collector that answers, 10,000 spans a second for ${short} s`, { perSecond: 10_000, seconds: short, before: 2, after: 1 })
    await measure(`collector away, 10,000 spans a second for ${short} s`, { perSecond: 10_000, seconds: short, before: 2, during: 'away', after: 1 })
  }
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length === 0 ? 0 : 1
}
