import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { checkOptions } from '../check-options.ts'
import { spanWatchers } from '../span-watchers.ts'
import { addIngestRoute } from './ingest.ts'
import { checkTogether, storeOptionSchemas, viewerOptionsSchema, type ViewerOptions } from './options.ts'
import { addViewRoutes } from './routes.ts'
import { addSafety, routeDefaults } from './safety.ts'
import { TraceStore, type TraceStoreOptions } from './trace-store.ts'

export type { ViewerGuard, ViewerOptions } from './options.ts'
export type { TraceStore, TraceStoreOptions } from './trace-store.ts'
export type { StoreState } from './wire.ts'

/** What Fastify, `@fastify/autoload` and `fastify-cli` put among a plugin's options. */
const REGISTER_OPTIONS = ['prefix', 'logLevel', 'logSerializers']

const storeOptionsSchema = Type.Partial(Type.Object(storeOptionSchemas))

/**
 * Makes a store to be given to both sides: its `spanProcessor` to the OpenTelemetry SDK, itself to the viewer as `store`.
 *
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION`, `FST_SCHEMA_TELEMETRY_INVALID_OPTION`
 */
export function createTraceStore (options: TraceStoreOptions = {}): TraceStore {
  checkOptions('createTraceStore: option', storeOptionsSchema, options)
  return new TraceStore(options)
}

/**
 * Serves a page that shows traces as they come, below the `prefix` that it is registered with: those of this process, and those that others post to
 * `<prefix>/v1/traces` as OTLP/HTTP. For development; see {@link ViewerOptions} for who may see it.
 *
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION`, `FST_SCHEMA_TELEMETRY_INVALID_OPTION`; also with NODE_ENV=production and no `guard`
 */
export const viewer: FastifyPluginAsync<ViewerOptions> = async function viewer (app: FastifyInstance, options: ViewerOptions): Promise<void> {
  checkOptions('viewer: option', viewerOptionsSchema, options, REGISTER_OPTIONS)
  checkTogether('viewer: option', options)

  const store = options.store ?? new TraceStore(options)
  const defaults = routeDefaults(options)
  addSafety(app, options)
  addViewRoutes(app, store, defaults)
  addIngestRoute(app, store, defaults)

  if (options.store === undefined) {
    const watchers = spanWatchers()
    watchers.add(store.spanProcessor)
    app.addHook('onClose', async () => { watchers.delete(store.spanProcessor) })
  }
}

export default viewer
