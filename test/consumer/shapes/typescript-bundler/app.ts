import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { configure } from 'fastify-schema-telemetry/configure'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'

configure({ serviceName: 'app' })
const app = Fastify()
app.register(otelPlugin, { tracerProvider: createTestTelemetry().tracerProvider })
app.get('/', { config: { telemetry: false } }, async (request): Promise<string> => request.telemetry.traceId)
