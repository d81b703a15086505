import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyRequest } from 'fastify'
import otelPlugin, { otelPlugin as named, type FastifySchemaTelemetryOptions, type RequestAttributesMapper, type RouteTelemetryOptions, type ValidationErrorRecord } from 'fastify-schema-telemetry'
import { configure } from 'fastify-schema-telemetry/configure'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'

const mapper: RequestAttributesMapper = (request: FastifyRequest, { values, errors }) => {
  const first: ValidationErrorRecord | undefined = errors[0]
  return first === undefined ? null : { errors, 'app.part': first.part, 'app.parts': Object.keys(values).length, 'app.method': request.method }
}
const options: FastifySchemaTelemetryOptions = { extraSpans: true, mapper, capture: 'failure' }
const routeOptions: RouteTelemetryOptions = { capture: 'all', mapper: () => ({ 'app.name': 'value' }) }

const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
const { tracerProvider } = createTestTelemetry()
await app.register(otelPlugin, { ...options, tracerProvider })
// @ts-expect-error an option that does not exist
if (Math.random() > 1) app.register(named, { extraSpan: true })
// @ts-expect-error a value that an option does not take
if (Math.random() > 1) app.register(named, { capture: 'some' })

app.get('/quiet', { config: { telemetry: false } }, async () => 'ok')
app.get('/users/:id', { schema: { params: Type.Object({ id: Type.Integer() }) }, config: { telemetry: routeOptions } }, async (request) => {
  const id: number = request.params.id
  request.telemetry.setAttributes({ 'app.id': id })
  request.telemetry.span.addEvent('seen')
  const carrier: Record<string, string> = request.telemetry.inject({})
  const traceId: string = request.telemetry.traceId
  return { id, traceId, names: Object.keys(carrier) }
})
// @ts-expect-error a value that a route's option does not take
if (Math.random() > 1) app.get('/wrong', { config: { telemetry: { capture: 'some' } } }, async () => 'ok')

await app.listen({ port: 0, host: '127.0.0.1' })
await app.close()
if (Math.random() > 1) await configure({ serviceName: 'app' }).shutdown()
