import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { context, SpanKind, trace } from '@opentelemetry/api'
import { Type, type Static } from '@sinclair/typebox'
import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { configure } from 'fastify-schema-telemetry/configure'

/** What the harness asks for: a POST to each `url`, with its `arguments` as the body. */
const Tasks = Type.Array(Type.Object({ url: Type.String(), arguments: Type.Unknown() }))

/**
 * The service that the W3C's trace context harness tests: an application with the plugin, set up by `configure()`, that calls back with the context of the
 * request injected.
 *
 * @see https://github.com/w3c/trace-context/tree/main/test
 */
export async function startService (port = 0): Promise<{ url: string, close (): Promise<void> }> {
  const telemetry = configure({ serviceName: 'w3c', exporter: 'none' })
  const app = Fastify()
  await app.register(otelPlugin)
  app.post('/test', { schema: { body: Tasks } }, async ({ body, telemetry }) => {
    for (const task of body as Static<typeof Tasks>) {
      const span = telemetry.tracer.startSpan('POST', { kind: SpanKind.CLIENT })
      const headers = context.with(trace.setSpan(telemetry.context, span), () => telemetry.inject({ 'content-type': 'application/json' }))
      await post(task.url, headers, JSON.stringify(task.arguments))
      span.end()
    }
    return []
  })
  const address = await app.listen({ port, host: '127.0.0.1' })
  return {
    url: `${address}/test`,
    async close () {
      await app.close()
      await telemetry.shutdown()
    },
  }
}

/** No `fetch`: what instruments it would send headers of its own. */
async function post (url: string, headers: Record<string, string>, body: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    request(url, { method: 'POST', headers, agent: false }, (response) => {
      response.resume().on('end', resolve).on('error', reject)
    }).on('error', reject).end(body)
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startService(Number(process.argv[2] ?? 0))
  process.stdout.write(`${url}\n`)
}
