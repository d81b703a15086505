import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { MissingProgram } from './skip.ts'

/** A span as Jaeger's query API returns it, tags as a plain object. */
export interface JaegerSpan {
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  /** Name of the service that sent it. */
  service: string
  /** Attributes, and what Jaeger makes of the rest: `span.kind`, `otel.scope.name`, `otel.status_code`, `error`. */
  tags: Record<string, unknown>
  /** Attributes of the service that sent it, without its name. */
  resource: Record<string, unknown>
  /** Span events: their attributes, and the name under `event`. */
  events: Array<Record<string, unknown>>
  startMicros: number
  durationMicros: number
}

export interface JaegerTrace {
  traceId: string
  /** By start time. */
  spans: JaegerSpan[]
}

export interface TraceQuery {
  service: string
  operation?: string
  /** Traces in which one span has all these tags. */
  tags?: Record<string, string | number | boolean>
  limit?: number
}

export interface Jaeger {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  otlpUrl: string
  /** Base of the query API. */
  queryUrl: string
  services (): Promise<string[]>
  /** What the search page would list; empty while nothing has arrived. */
  findTraces (query: TraceQuery): Promise<JaegerTrace[]>
  /** For {@link startJaeger}, to start another one in its place. */
  ports: JaegerPorts
  /** Ends the process, with SIGKILL at once; resolves once it is gone. */
  stop (signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

type JaegerPorts = [otlp: number, query: number, queryGrpc: number]

const BUILD_SCRIPT = fileURLToPath(new URL('../jaeger/build.mjs', import.meta.url))
const BUILD_MILLIS = 15 * 60_000
const START_MILLIS = 30_000
const STOP_MILLIS = 10_000
/** Another process can take a free port between our look and Jaeger's start. */
const START_ATTEMPTS = 3
const GO_IS_MISSING = 3

/**
 * Calls `look` until it returns something other than `undefined`, `null` and `false`, and returns that.
 * Errors count as "not yet"; the last one is the cause when the time is over.
 */
export async function eventually<T> (look: () => T | Promise<T>, deadlineMillis = 10_000): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + deadlineMillis
  let failure: unknown
  do {
    try {
      const seen = await look()
      if (seen !== undefined && seen !== null && seen !== false) return seen as Exclude<T, undefined | null | false>
      failure = undefined
    } catch (error) {
      failure = error
    }
    await pause(50)
  } while (performance.now() < deadline)
  throw new Error(`not so within ${deadlineMillis} ms`, { cause: failure })
}

/**
 * A real Jaeger with an empty store, on ports of its own or on those of one that is gone; built on first use.
 * @throws MissingProgram when it is not built yet and Go is missing
 */
export async function startJaeger (ports?: JaegerPorts): Promise<Jaeger> {
  const binary = await findBinary()
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(binary, ports ?? await findFreePorts(3) as JaegerPorts)
    } catch (error) {
      if (attempt === START_ATTEMPTS || !String(error).includes('address already in use')) throw error
    }
  }
}

async function findBinary (): Promise<string> {
  // The first build takes longer than a test file may: the runner is told for as long as that can be the case.
  t.setTimeout(BUILD_MILLIS)
  const build = spawn(process.execPath, [BUILD_SCRIPT], { stdio: ['ignore', 'pipe', 'pipe'] })
  let path = ''
  let report = ''
  build.stdout.setEncoding('utf8').on('data', (text: string) => { path += text })
  build.stderr.setEncoding('utf8').on('data', (text: string) => { report += text })
  const [code] = await once(build, 'close')
  if (code === GO_IS_MISSING) throw new MissingProgram(report.trim())
  if (code !== 0) throw new Error(`Jaeger was not built:\n${report}`)
  return path.trim().split('\n').at(-1) as string
}

async function run (binary: string, ports: JaegerPorts): Promise<Jaeger> {
  const [otlp, query, queryGrpc] = ports
  const otlpUrl = `http://127.0.0.1:${otlp}`
  const queryUrl = `http://127.0.0.1:${query}`
  const folder = await mkdtemp(join(tmpdir(), 'fastify-schema-telemetry-jaeger-'))
  const configFile = join(folder, 'jaeger.yaml')
  await writeFile(configFile, configuration(otlp, query, queryGrpc))
  // A bare environment: OTEL_* variables of a test are for the test's own SDK.
  const jaeger = spawn(binary, ['--config', configFile], { cwd: folder, env: { OTEL_TRACES_SAMPLER: 'always_off' }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => { jaeger.once('close', () => resolve()) })
  let output = ''
  let failure: unknown
  jaeger.once('error', (error) => { failure = error })
  for (const stream of [jaeger.stdout, jaeger.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const killNow = () => { jaeger.kill('SIGKILL') }
  process.once('exit', killNow)

  async function stop (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await end(jaeger, ended, signal)
    process.off('exit', killNow)
    await rm(folder, { recursive: true, force: true })
  }

  const isUp = async () => {
    if (jaeger.exitCode !== null || failure !== undefined) return 'ended'
    await readJson(`${queryUrl}/api/services`)
    // The receiver opens after the query API; that it answers at all is enough.
    await fetch(otlpUrl).then((answer) => answer.arrayBuffer())
    return 'up'
  }
  const state = await eventually(isUp, START_MILLIS).catch(() => 'silent')
  if (state !== 'up') {
    await stop()
    throw new Error(`Jaeger did not start (${state}):\n${output.slice(-4_000)}`, { cause: failure })
  }

  return {
    otlpUrl,
    queryUrl,
    services: async () => (await readJson<string[] | null>(`${queryUrl}/api/services`) ?? []).sort(),
    async findTraces ({ service, operation, tags, limit = 100 }) {
      const search = new URLSearchParams({ service, limit: String(limit) })
      if (operation !== undefined) search.set('operation', operation)
      // The API takes tags as texts and compares them with the text of any type.
      if (tags !== undefined) search.set('tags', JSON.stringify(Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, String(value)]))))
      return (await readJson<ApiTrace[] | null>(`${queryUrl}/api/traces?${search}`) ?? []).map(toTrace)
    },
    ports,
    stop,
  }
}

/** One process that takes OTLP/HTTP, keeps it in memory and serves the query API. */
function configuration (otlp: number, query: number, queryGrpc: number): string {
  return `
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter] } }
  telemetry: { metrics: { level: none } }
extensions:
  jaeger_storage: { backends: { memory: { memory: { max_traces: 100000 } } } }
  jaeger_query: { storage: { traces: memory }, http: { endpoint: "127.0.0.1:${query}" }, grpc: { endpoint: "127.0.0.1:${queryGrpc}" } }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${otlp}" } } } }
processors: { batch: { timeout: 100ms } }
exporters: { jaeger_storage_exporter: { trace_storage: memory } }
`
}

async function findFreePorts (count: number): Promise<number[]> {
  // All are held at the same time, or the same port could come twice.
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

async function end (child: ChildProcess, ended: Promise<void>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal)
  const isGone = await Promise.race([ended.then(() => true), pause(STOP_MILLIS, false, { ref: false })])
  if (!isGone) child.kill('SIGKILL')
  await ended
}

interface ApiSpan {
  traceID: string
  spanID: string
  operationName: string
  references: Array<{ refType: string, traceID: string, spanID: string }>
  startTime: number
  duration: number
  tags: ApiTag[]
  logs: Array<{ fields: ApiTag[] }>
  processID: string
}

interface ApiTrace {
  traceID: string
  spans: ApiSpan[]
  processes: Record<string, { serviceName: string, tags?: ApiTag[] }>
}

interface ApiTag {
  key: string
  value: unknown
}

async function readJson<T> (url: string): Promise<T> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return ((await answer.json()) as { data: T }).data
}

function toTrace ({ traceID, spans, processes }: ApiTrace): JaegerTrace {
  return {
    traceId: traceID,
    spans: spans.map((span) => toSpan(span, processes)).sort((one, other) => one.startMicros - other.startMicros),
  }
}

function toSpan (span: ApiSpan, processes: ApiTrace['processes']): JaegerSpan {
  const sender = processes[span.processID]
  return {
    traceId: span.traceID,
    spanId: span.spanID,
    parentSpanId: span.references.find(({ refType, traceID }) => refType === 'CHILD_OF' && traceID === span.traceID)?.spanID,
    name: span.operationName,
    service: sender?.serviceName ?? '',
    tags: toObject(span.tags),
    resource: toObject(sender?.tags ?? []),
    events: span.logs.map(({ fields }) => toObject(fields)),
    startMicros: span.startTime,
    durationMicros: span.duration,
  }
}

function toObject (tags: ApiTag[]): Record<string, unknown> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]))
}
