import Fastify from 'fastify'
import otelPlugin, { otelPlugin as named, type FastifySchemaTelemetryOptions } from 'fastify-schema-telemetry'
import { configure } from 'fastify-schema-telemetry/configure'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import telemetry = require('fastify-schema-telemetry')

async function main (): Promise<void> {
  const options: FastifySchemaTelemetryOptions = { extraSpans: true, mapper: (_request, { errors }) => (errors.length > 0 ? { errors } : null) }
  const { tracerProvider } = createTestTelemetry()
  for (const plugin of [otelPlugin, named, telemetry.otelPlugin, telemetry.default]) {
    const app = Fastify()
    await app.register(plugin, { ...options, tracerProvider })
    app.get('/quiet', { config: { telemetry: false } }, async () => 'ok')
    app.get('/', { config: { telemetry: { capture: 'none' } } }, async (request): Promise<string> => request.telemetry.traceId)
    await app.listen({ port: 0, host: '127.0.0.1' })
    await app.close()
  }
  if (Math.random() > 1) await configure({ serviceName: 'app' }).shutdown()
}

main()
