import FastifyOtel from '@fastify/otel'
import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { createCountedTracing, createMetering } from './open-telemetry.mjs'

export const subjectNames = ['bare', 'rival', 'plugin']

/** Makes the app of a scenario, with the named telemetry. Resolves to `{ name, app, counter }`; the counter is of its spans. */
export async function createSubject (name, scenario) {
  const app = Fastify()
  const { counter, tracerProvider } = scenario.sdk === 'none'
    ? { counter: { ended: 0, attributes: {} }, tracerProvider: undefined }
    : createCountedTracing({ sampled: scenario.sdk === 'on' })
  await register[name](app, scenario, tracerProvider)
  if (scenario.userHooks) addUserHooks(app)
  scenario.routes().declare(app)
  await app.ready()
  return { name, app, counter }
}

const register = {
  bare () {},

  async rival (app, _scenario, tracerProvider) {
    const instrumentation = new FastifyOtel.FastifyOtelInstrumentation()
    if (tracerProvider !== undefined) instrumentation.setTracerProvider(tracerProvider)
    await app.register(instrumentation.plugin())
  },

  async plugin (app, { options, metrics }, tracerProvider) {
    await app.register(otelPlugin, { ...options, tracerProvider, meterProvider: metrics ? createMetering() : undefined })
  },
}

function addUserHooks (app) {
  app.addHook('onRequest', function noteStart (request, reply, done) {
    done()
  })
  app.addHook('preHandler', async function authorize () {})
}
