import type { Context, Span } from '@opentelemetry/api'
import Fastify, { type FastifyPluginAsync } from 'fastify'
import otelPlugin, {
  otelPlugin as named, type ArgumentValues, type FastifySchemaTelemetryOptions, type RequestAttributesMapper, type ValidationErrorRecord,
} from 'fastify-schema-telemetry'
import { configure, type Telemetry } from 'fastify-schema-telemetry/configure'
import { createTestTelemetry, type PlainSpan } from 'fastify-schema-telemetry/testing'
import { describe, expect, test } from 'tstyche'

describe('the plugin', () => {
  test('is a Fastify plugin with its options', () => {
    expect(otelPlugin).type.toBeAssignableTo<FastifyPluginAsync<FastifySchemaTelemetryOptions>>()
    expect(named).type.toBe<typeof otelPlugin>()
    const app = Fastify()
    expect(app.register).type.toBeCallableWith(otelPlugin)
    expect(app.register).type.toBeCallableWith(otelPlugin, { capture: 'failure' as const, ignore: ['/health'] })
    expect(app.register).type.not.toBeCallableWith(otelPlugin, { capture: 'sometimes' })
    expect<FastifySchemaTelemetryOptions>().type.not.toBeAssignableFrom<{ ignore: RegExp }>()
  })

  test('mappers get values and errors, and may return attributes or nothing', () => {
    const mapper: RequestAttributesMapper = (request, { values, errors }) => {
      expect(values).type.toBe<ArgumentValues>()
      expect(errors).type.toBe<ValidationErrorRecord[]>()
      expect(request.headers).type.toBeAssignableTo<object>()
      return errors.length > 0 ? { errors, 'app.tenant': request.headers['x-tenant'] } : null
    }
    expect(mapper).type.toBeAssignableTo<RequestAttributesMapper>()
    expect<RequestAttributesMapper>().type.not.toBeAssignableFrom<() => Promise<object>>()
    expect<RequestAttributesMapper>().type.not.toBeAssignableFrom<() => string>()
  })

  test('requests and routes know it', () => {
    const app = Fastify()
    app.get('/', { config: { telemetry: { capture: 'none' } } }, async (request) => {
      expect(request.telemetry.span).type.toBe<Span>()
      expect(request.telemetry.context).type.toBe<Context>()
      expect(request.telemetry.traceId).type.toBe<string>()
      expect(request.telemetry.inject({ a: 'b' })).type.toBe<{ a: string }>()
    })
    app.get('/off', { config: { telemetry: false } }, async () => 'ok')
    // @ts-expect-error Type '{ capture: "sometimes"; }' is not assignable
    app.get('/on', { config: { telemetry: { capture: 'sometimes' } } }, async () => 'ok')
  })
})

describe('the side doors', () => {
  test('configure returns its telemetry at once', () => {
    expect(configure({ serviceName: 'x', console: true })).type.toBe<Telemetry>()
    expect(configure).type.not.toBeCallableWith({ servicename: 'x' })
  })

  test('testing keeps plain spans', () => {
    expect(createTestTelemetry().spans).type.toBe<readonly PlainSpan[]>()
  })
})
