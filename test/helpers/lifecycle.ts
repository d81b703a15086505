import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { diag, DiagLogLevel } from '@opentelemetry/api'
import Fastify, { type FastifyInstance } from 'fastify'
import otelPlugin, { type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry, type TestTelemetry } from 'fastify-schema-telemetry/testing'
import type { Test } from 'tap'
import { listen } from './http.ts'
import { normalize, requestAttributes, type ExpectedSpan } from './spans.ts'

/** An application whose requests are watched. */
export interface Subject {
  app: FastifyInstance
  telemetry: TestTelemetry
  /** What the SDK and the plugin complain of: each write to a span that has ended is one line. */
  complaints: string[]
  /** The server's ends of the connections, in their order. */
  connections: Socket[]
  /** Starts the server, the first time. */
  port (): Promise<number>
  /** Waits for so many ends, closes, and checks that these were all, that none came too soon, and that nothing was written later. */
  expectSpans (expected: readonly ExpectedSpan[]): Promise<void>
  /** The same for one request, which proves a row of the documentation. */
  expectRow (rows: ProvenRows, happening: string, expected: ExpectedSpan, answered: number | undefined): Promise<void>
}

export interface SetUpOptions {
  server?: object
  plugin?: FastifySchemaTelemetryOptions
  /** Is called before the plugin is registered. */
  before?: (app: FastifyInstance) => unknown
}

export async function setUp (t: Test, { server = {}, plugin = {}, before }: SetUpOptions = {}): Promise<Subject> {
  const telemetry = createTestTelemetry()
  const complaints: string[] = []
  const complain = (...words: unknown[]): void => { complaints.push(words.join(' ')) }
  diag.setLogger({ error: complain, warn: complain, info () {}, debug () {}, verbose () {} }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  const app = Fastify(server) as FastifyInstance
  let closing: Promise<unknown> | undefined
  const close = (): Promise<unknown> => {
    closing ??= app.close()
    // What a test has left open must not keep it waiting.
    app.server.closeAllConnections?.()
    return closing
  }
  t.teardown(async () => {
    await close()
    telemetry.release()
    diag.disable()
  })
  await before?.(app)
  await app.register(otelPlugin, { tracerProvider: telemetry.tracerProvider, ...plugin })

  const connections: Socket[] = []
  app.server.on('connection', (socket) => { connections.push(socket) })

  let tooSoon = 0
  app.addHook('onRequest', (request, reply, done) => {
    // First of its listeners, so before anything that comes of the last byte.
    reply.raw.prependListener('finish', () => { if (telemetry.openCount === 0) tooSoon++ })
    done()
  })

  async function expectSpans (expected: readonly ExpectedSpan[]): Promise<void> {
    await telemetry.waitForSpans(expected.length)
    await close()
    t.same(normalize(telemetry.spans), expected)
    t.equal(telemetry.openCount, 0, 'every span has ended')
    t.equal(tooSoon, 0, 'none ended before its last byte')
    t.same(complaints, [], 'nothing was written to a span after its end')
  }

  let port: Promise<number> | undefined
  return {
    app,
    telemetry,
    complaints,
    connections,
    port () {
      port ??= listen(app)
      return port
    },
    expectSpans,
    async expectRow (rows, happening, expected, answered) {
      await expectSpans([expected])
      rows.add(t, happening, expected, answered)
    },
  }
}

export interface ExpectedRequest extends Record<string, unknown> {
  /** Absent: the path; `null`: none. */
  route?: string | null
  /** Absent: no head was sent. */
  status?: number
  error?: string
  /** Of the exception event; a type alone when it has no more. */
  exception?: { type: string, message?: string }
  times?: object
}

/** The span of one request, without what all have in common. */
export function requestSpan (
  method: string, path: string, { route = path, status, error, exception, times = {}, ...attributes }: ExpectedRequest
): ExpectedSpan {
  return {
    name: route === null ? method : `${method} ${route}`,
    kind: 'SERVER',
    attributes: {
      ...requestAttributes(method, path, route ?? undefined),
      ...(status === undefined ? {} : { 'http.response.status_code': status }),
      ...(error === undefined ? {} : { 'error.type': error }),
      ...times,
      ...attributes,
    },
    ...(error === undefined ? {} : { status: 'ERROR' as const }),
    ...(exception === undefined ? {} : { events: [exceptionEvent(exception)] }),
  }
}

function exceptionEvent ({ type, message }: { type: string, message?: string }) {
  return {
    name: 'exception',
    attributes: {
      'exception.type': type,
      ...(message === undefined ? {} : { 'exception.message': message, 'exception.stacktrace': 'string' }),
    },
  }
}

/** A promise with its key. */
export function defer<T = void> (): { promise: Promise<T>, resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((_resolve) => { resolve = _resolve })
  return { promise, resolve }
}

type Row = [statusCode: string, errorType: string, spanStatus: string]

/** Holds a table of docs/lifecycle.md equal to what its tests saw: each row of the table is proven by at least one test, and says what that test saw. */
export class ProvenRows {
  readonly #rows = new Map<string, Row>()

  /** @param answered - the status code that the client saw; `undefined` when no head came */
  add (t: Test, happening: string, span: ExpectedSpan, answered: number | undefined): void {
    const { 'http.response.status_code': status } = span.attributes
    const row: Row = [status === undefined ? 'none' : status === answered ? 'as sent' : String(status), describeErrorType(span), span.status ?? 'UNSET']
    t.same(row, this.#rows.get(happening) ?? row, `the same as other tests of "${happening}"`)
    this.#rows.set(happening, row)
  }

  check (t: Test, heading: string): void {
    const byName = ([one]: string[], [other]: string[]): number => one! < other! ? -1 : 1
    t.same(readRows(heading).sort(byName), [...this.#rows].map(([happening, row]) => [happening, ...row]).sort(byName))
  }
}

/** How a table says it: what is another for each request is described. */
function describeErrorType ({ attributes, events }: ExpectedSpan): string {
  const error = attributes['error.type']
  if (error === undefined) return 'none'
  if (error === events?.[0]?.attributes['exception.type']) return 'class of the exception'
  if (error === String(attributes['http.response.status_code'])) return 'the status code'
  if (error === String(attributes['fastify.websocket.close_code'])) return 'the close code'
  return `\`${error}\``
}

/** The rows of one section of docs/lifecycle.md, as it was shipped. */
function readRows (heading: string): string[][] {
  const manifest = createRequire(import.meta.url).resolve('fastify-schema-telemetry/package.json')
  const text = readFileSync(join(dirname(manifest), 'docs/lifecycle.md'), 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  return section.split('\n').filter((line) => line.startsWith('| ')).slice(1).map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim()))
}
