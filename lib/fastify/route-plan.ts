import type { FastifyInstance, RouteOptions } from 'fastify'
import { compileRequestCapture, type RequestCapture, type RouteArgumentSchemas } from '../arguments/request-capture.ts'
import { isSecretName } from '../arguments/scrub.ts'
import type { JsonSchema } from '../arguments/schema-leaves.ts'
import { checkOptions } from '../check-options.ts'
import { routeOptionsSchema, type RouteTelemetryOptions } from '../options.ts'
import type { RouteFacts } from '../server-span/request-record.ts'
import { toRouteSettings, type Settings } from '../settings.ts'
import { kRoutePlan } from '../symbols.ts'

/** Everything about a route that a request would otherwise have to work out; made once, at registration. */
export interface RoutePlan extends RouteFacts {
  /** The route records nothing: `config.telemetry: false`, or its pattern is in the list `ignore`. */
  readonly isIgnored: boolean
  /** `null` when a request's path may be recorded as it is; else the pattern, and which of its segments hold secrets. */
  readonly secretPath: { readonly pattern: string, readonly segments: readonly boolean[] } | null
  /** What to record of each part. Compiled when first asked for, since `addSchema` may come after the route. */
  argumentCapture (): RequestCapture
  readonly bodyLimit: number
}

/** A route as a hook or `onRoute` sees it. */
export interface RouteDescription {
  url: string | undefined
  method: string | string[] | undefined
  schema: unknown
  config: PlannedConfig | undefined
  handler: unknown
  bodyLimit: number | undefined
}

interface PlannedConfig {
  telemetry?: false | RouteTelemetryOptions
  [kRoutePlan]?: RoutePlan
}

/** @throws TelemetryError - when the route's `config.telemetry` is not `false` or an object of known options */
export function createRoutePlan (settings: Settings, instance: FastifyInstance, route: RouteDescription): RoutePlan {
  const telemetry = route.config?.telemetry
  if (telemetry !== undefined && telemetry !== false) {
    checkOptions(`route ${String(route.method)} ${route.url}: config.telemetry option`, routeOptionsSchema, telemetry)
  }
  const schema = route.schema as (RouteArgumentSchemas & { operationId?: unknown }) | undefined
  let capture: RequestCapture | undefined
  return {
    ...toRouteSettings(telemetry === undefined || telemetry === false ? {} : telemetry, settings),
    isIgnored: telemetry === false || (route.url !== undefined && settings.ignoredRoutes.has(route.url)),
    route: route.url,
    operationId: typeof schema?.operationId === 'string' ? schema.operationId : undefined,
    // Of a request that no route matched it would be the name of Fastify's own 404 handler.
    functionName: route.url === undefined ? undefined : functionName(route.handler),
    spanNames: new Map(),
    secretPath: secretPath(route.url),
    bodyLimit: route.bodyLimit ?? instance.initialConfig.bodyLimit as number,
    argumentCapture () {
      if (capture !== undefined) return capture
      try {
        capture = compileRequestCapture(schema, (id) => instance.getSchema(id) as JsonSchema | undefined)
      } catch (error) {
        // What cannot be read is not recorded.
        settings.guard.report(`schema of ${String(route.method)} ${route.url}`, error)
        capture = {}
      }
      return capture
    },
  }
}

/** The plan of a route that `onRoute` saw; of others (declared before the plugin, or not found) it is made at their first request. */
export function planOf (settings: Settings, instance: FastifyInstance, route: RouteDescription): RoutePlan {
  const { config } = route
  const known = config?.[kRoutePlan]
  if (known !== undefined) return known
  const plan = createRoutePlan(settings, instance, route)
  if (config !== undefined) config[kRoutePlan] = plan
  return plan
}

/** Keeps the plan where requests of the route find it without a look-up. */
export function attachRoutePlan (settings: Settings, instance: FastifyInstance, route: RouteOptions & { url: string }): RoutePlan {
  const plan = createRoutePlan(settings, instance, {
    url: route.url,
    method: route.method,
    schema: route.schema,
    config: route.config as PlannedConfig | undefined,
    handler: route.handler,
    bodyLimit: route.bodyLimit,
  })
  route.config = { ...route.config, [kRoutePlan]: plan } as RouteOptions['config']
  return plan
}

function functionName (handler: unknown): string | undefined {
  if (typeof handler !== 'function' || typeof handler.name !== 'string') return undefined
  const name = handler.name.replace(/^bound /, '')
  return name === '' ? undefined : name
}

/** `/reset/:token` has a secret in its second segment: its requests are recorded as `/reset/REDACTED`. */
function secretPath (url: string | undefined): RoutePlan['secretPath'] {
  if (url === undefined) return null
  const segments = url.split('/').map((segment) => {
    const names = segment.match(/(?<=(?<!:):)\w+/g) ?? []
    return names.some(isSecretName)
  })
  return segments.includes(true) ? { pattern: url, segments } : null
}
