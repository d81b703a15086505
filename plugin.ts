import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { checkOptions } from './lib/check-options.ts'
import { createFlush } from './lib/fastify/close.ts'
import { createHooks } from './lib/fastify/hooks.ts'
import { asksMixin, createLogMarker } from './lib/fastify/request-log.ts'
import { attachRoutePlan, type RoutePlan } from './lib/fastify/route-plan.ts'
import { telemetryOf, type RequestTelemetry } from './lib/fastify/request-telemetry.ts'
import { timeHandler } from './lib/fastify/time-handler.ts'
import { optionsSchema, type FastifySchemaTelemetryOptions, type RouteTelemetryOptions } from './lib/options.ts'
import { SCOPE_NAME } from './lib/semconv.ts'
import { toSettings } from './lib/settings.ts'
import { kRecord } from './lib/symbols.ts'

export { asAttribute, omit, redact } from './lib/arguments/annotations.ts'
export type { ArgumentPart, ValidationErrorRecord } from './lib/arguments/argument-part.ts'
export type { Limits } from './lib/arguments/limits.ts'
export { standardAttributes } from './lib/arguments/mapper.ts'
export type { ScrubbingOptions, ScrubMatch } from './lib/arguments/scrubber.ts'
export type { TelemetryErrorCode } from './lib/error-codes.ts'
export type { RequestTelemetry } from './lib/fastify/request-telemetry.ts'
export type {
  ArgumentValues, CaptureMode, FastifySchemaTelemetryOptions, RecordedArguments, RequestAttributesMapper, RouteTelemetryOptions,
} from './lib/options.ts'
export type { ExceptionSignals } from './lib/exception-signals.ts'
export type { Logger, LoggerProvider } from './lib/logger-source.ts'
export { routeMapper, type RouteValues } from './lib/route-mapper.ts'
export { traceMixin, type TraceFields } from './lib/trace-mixin.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** See {@link RequestTelemetry}. */
    readonly telemetry: RequestTelemetry
  }
  interface FastifyContextConfig {
    /** `false`: requests of this route record nothing; an object: options that differ for this route. */
    telemetry?: false | RouteTelemetryOptions
  }
}

/** What Fastify, `@fastify/autoload` and `fastify-cli` put among a plugin's options. */
const REGISTER_OPTIONS = ['prefix', 'logLevel', 'logSerializers']

async function telemetry (app: FastifyInstance, options: FastifySchemaTelemetryOptions): Promise<void> {
  checkOptions(`${SCOPE_NAME}: option`, optionsSchema, options, REGISTER_OPTIONS)
  // Registered twice here, or by a parent: one SERVER span a request is enough.
  if (app.hasRequestDecorator(kRecord)) return

  const settings = toSettings(options)
  const hooks = createHooks(settings)
  const plans: RoutePlan[] = []

  app.decorateRequest(kRecord, null)
  app.decorateRequest('telemetry', { getter: telemetryOf })

  // Only an improvement: routes that were declared before the plugin get their plan at their first request, and no handler time.
  app.addHook('onRoute', function planRoute (route) {
    const plan = attachRoutePlan(settings, this, route)
    plans.push(plan)
    if (plan.isIgnored) return
    route.handler = timeHandler(settings, route.handler)
    // Of a route of @fastify/websocket that takes requests and upgrades.
    const webSocketRoute = route as { wsHandler?: typeof route.handler }
    if (typeof webSocketRoute.wsHandler === 'function') webSocketRoute.wsHandler = timeHandler(settings, webSocketRoute.wsHandler)
  })
  app.addHook('onReady', async function compilePlans () {
    for (const plan of plans.splice(0)) plan.compile()
  })

  if (asksMixin(app.log)) app.addHook('onRequest', createLogMarker(app.log))
  app.addHook('onRequest', hooks.onRequest)
  app.addHook('preParsing', hooks.preParsing)
  app.addHook('preValidation', hooks.preValidation)
  app.addHook('preHandler', hooks.preHandler)
  app.addHook('preSerialization', hooks.preSerialization)
  app.addHook('onError', hooks.onError)
  app.addHook('onSend', hooks.onSend)

  const flush = options.flushOnClose === false ? async () => {} : createFlush(options, settings.guard, settings.logs)
  app.addHook('preClose', async function closeTelemetry () {
    hooks.preClose()
    await flush()
  })
  // `onClose` hooks run last-registered first: ours is among the first, so it runs when other plugins have ended their spans.
  app.addHook('onClose', async function endTelemetry () {
    await hooks.onClose()
    await flush()
  })
}

/**
 * One `register` gives each request a SERVER span that continues the caller's trace and carries the validated arguments or the
 * validation errors. See {@link FastifySchemaTelemetryOptions}.
 */
export const otelPlugin = fp(telemetry, { name: SCOPE_NAME, fastify: '>=5.0.0 <7' })

export default otelPlugin
