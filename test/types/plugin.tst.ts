import type { Context, Span } from '@opentelemetry/api'
import Fastify, { type FastifyPluginAsync } from 'fastify'
import type { LoggerProvider } from '@opentelemetry/sdk-logs'
import { Type } from '@sinclair/typebox'
import { Type as Type1 } from 'typebox'
import otelPlugin, {
  asAttribute, omit, redact, routeMapper, standardAttributes, traceMixin,
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

describe('logs', () => {
  test('the mixin fits pino, alone and within another', () => {
    expect(Fastify).type.toBeCallableWith({ logger: { mixin: traceMixin } })
    Fastify({ logger: { mixin: (mergeObject, level, logger) => ({ ...traceMixin(mergeObject, level, logger), more: 1 }) } })
    expect(traceMixin().trace_id).type.toBe<string | undefined>()
  })

  test('logger providers are known by their shape', () => {
    expect<FastifySchemaTelemetryOptions>().type.toBeAssignableFrom<{ exceptions: 'log', loggerProvider: LoggerProvider }>()
    expect<FastifySchemaTelemetryOptions>().type.not.toBeAssignableFrom<{ loggerProvider: { getTracer: () => void } }>()
    expect<FastifySchemaTelemetryOptions>().type.not.toBeAssignableFrom<{ exceptions: 'logs' }>()
  })
})

describe('schemas', () => {
  const schema = {
    params: Type.Object({ id: Type.Integer() }),
    body: Type.Object({ name: asAttribute('app.name', Type.String()), age: redact(Type.Optional(Type.Number())) }),
    querystring: { type: 'object', properties: { q: { type: 'string' } } },
    response: { 200: Type.Object({ ok: Type.Boolean() }) },
  }

  test('annotations keep the static type', () => {
    expect(redact(Type.String())).type.toBe<ReturnType<typeof Type.String>>()
    expect(omit(Type1.String())).type.toBe<ReturnType<typeof Type1.String>>()
    expect(asAttribute('app.a', { type: 'string' } as const)).type.toBe<{ readonly type: 'string' }>()
    expect(redact).type.not.toBeCallableWith('string')
    expect(asAttribute).type.not.toBeCallableWith(Type.String())
  })

  test('a mapper knows the values of its route', () => {
    const mapper = routeMapper(schema, (request, { values, errors }) => {
      expect(values.params).type.toBe<{ id: number } | undefined>()
      expect(values.body).type.toBe<{ age?: number, name: string } | undefined>()
      expect(values.querystring).type.toBe<unknown>()
      expect(errors).type.toBe<ValidationErrorRecord[]>()
      expect(values).type.not.toHaveProperty('headers')
      return { 'app.name': values.body?.name, [standardAttributes]: { 'url.path': request.url } }
    })
    expect(mapper).type.toBe<RequestAttributesMapper>()
    routeMapper({ query: Type.Object({ q: Type.String() }) }, (_request, { values }) => {
      expect(values.querystring).type.toBe<{ q: string } | undefined>()
      return null
    })
    Fastify().post('/:id', { schema, config: { telemetry: { mapper, captureResponse: true } } }, async () => ({ ok: true }))
  })

  test('options of scrubbing and bounds', () => {
    expect<FastifySchemaTelemetryOptions>().type.toBeAssignableFrom<{ scrubbing: { extraPatterns: RegExp[], callback: () => undefined }, limits: { maxDepth: number } }>()
    expect<FastifySchemaTelemetryOptions>().type.not.toBeAssignableFrom<{ limits: { maxDepth: string } }>()
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
