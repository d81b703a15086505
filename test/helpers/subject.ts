import Fastify, { type FastifyInstance, type FastifyServerOptions, type RouteOptions } from 'fastify'
import otelPlugin, { type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { createTestTelemetry, type PlainSpan, type TestTelemetry } from 'fastify-schema-telemetry/testing'
import type { Test } from 'tap'
import { listen, send, type Answer } from './http.ts'

type Request = Parameters<typeof send>[3]

export interface Subject {
  app: FastifyInstance
  telemetry: TestTelemetry
  port: () => Promise<number>
}

/** An app with the plugin, recorded in memory; closed with the test. */
export async function setUp (
  t: Test, options: FastifySchemaTelemetryOptions = {}, serverOptions: FastifyServerOptions = {}, telemetry = createTestTelemetry()
): Promise<Subject> {
  const app = Fastify(serverOptions)
  t.teardown(async () => {
    await app.close()
    telemetry.release()
  })
  await app.register(otelPlugin, { tracerProvider: telemetry.tracerProvider, ...options })
  return { app, telemetry, port: () => listen(app) }
}

/** One route, one request. */
export interface Probe {
  options?: FastifySchemaTelemetryOptions
  server?: FastifyServerOptions
  /** What the app needs before the route: added schemas, plugins, error handlers. */
  prepare?: (app: FastifyInstance) => unknown
  /** Method POST, URL `/` and a handler that answers `ok`, unless it says otherwise. */
  route: Omit<Partial<RouteOptions>, 'schema'> & { schema?: object }
  request?: Request & { path?: string }
}

export interface Probed {
  answer: Answer
  /** The request's own span. */
  span: PlainSpan
  spans: readonly PlainSpan[]
}

/** Sends one request to an app with the plugin and to the same app without it, and fails when the answers differ. */
export async function probe (t: Test, name: string, { options, server, prepare, route, request: { path = '/', ...request } = {} }: Probe): Promise<Probed> {
  const telemetry = createTestTelemetry()
  const answers: Answer[] = []
  try {
    for (const withPlugin of [false, true]) {
      const app = Fastify(server)
      try {
        if (withPlugin) await app.register(otelPlugin, { tracerProvider: telemetry.tracerProvider, ...options })
        await prepare?.(app)
        app.route({ method: 'POST', url: '/', handler: async () => 'ok', ...route } as RouteOptions)
        answers.push(await send(await listen(app), String(route.method ?? 'POST'), path, request))
      } finally {
        await app.close()
      }
    }
    t.same(comparable(answers[1]!), comparable(answers[0]!), `${name}: the same answer as without the plugin`)
    const span = telemetry.spans.find(({ kind }) => kind === 'SERVER')
    if (span === undefined) throw new Error(`${name}: no span was recorded`)
    return { answer: answers[1]!, span, spans: [...telemetry.spans] }
  } finally {
    telemetry.release()
  }
}

function comparable ({ statusCode, headers: { date, ...headers }, body }: Answer) {
  return { statusCode, headers, body }
}

/** What a span says of its arguments, JSON texts as data; what it does not say is absent. */
export function argumentsOf ({ attributes }: PlainSpan) {
  const json = (name: string) => attributes[name] === undefined ? undefined : JSON.parse(String(attributes[name]))
  const found = {
    values: json('fastify.arguments.values'),
    errors: json('fastify.arguments.errors'),
    errorCount: attributes['fastify.arguments.error_count'],
    truncated: attributes['fastify.arguments.truncated'],
    scrubbed: attributes['fastify.arguments.scrubbed'],
    response: json('fastify.response.serialized'),
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<Record<keyof typeof found, any>>
}
