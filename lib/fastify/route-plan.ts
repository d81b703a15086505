import type { FastifyInstance, RouteOptions } from 'fastify'
import type { CaptureNode } from '../arguments/capture-node.ts'
import { compileRequestCapture, nodeOfPart, type PartOptions, type RequestCapture, type RouteSchemas } from '../arguments/request-capture.ts'
import { compileResponseCapture, type ResponseCapture } from '../arguments/response-capture.ts'
import type { JsonSchema } from '../arguments/schema-leaves.ts'
import type { Scrubber } from '../arguments/scrubber.ts'
import type { CaptureSettings } from '../arguments/value-sink.ts'
import { checkOptions } from '../check-options.ts'
import { TelemetryError } from '../error-codes.ts'
import { routeOptionsSchema, type RouteTelemetryOptions } from '../options.ts'
import type { RouteFacts } from '../server-span/request-record.ts'
import { toRouteSettings, type Settings } from '../settings.ts'
import { kRoutePlan } from '../symbols.ts'

/** Everything about a route that a request would otherwise have to work out; made once, at registration. */
export interface RoutePlan extends RouteFacts {
  /** The route records nothing: `config.telemetry: false`, or its pattern is in the list `ignore`. */
  readonly isIgnored: boolean
  readonly bodyLimit: number
  /** The router takes a semicolon for the beginning of a query. */
  readonly hasSemicolonQuery: boolean
  readonly captureSettings: CaptureSettings
  /** Whether the route's validators come from a TypeBox compiler. */
  usesTypeBox (): boolean
  /**
   * Compiles the schemas into what is recorded of them; not at registration, since `addSchema` may come after the route.
   *
   * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_INVALID_SCHEMA`, naming the route, the part and the path
   */
  compile (): void
  /** What to record of each part; nothing until it is compiled. */
  requestCapture: RequestCapture
  /** What to record of the answers; nothing without `captureResponse`. */
  responseCapture: ResponseCapture
  /** `null` when a request's path may be recorded as it is; else the pattern, and which of its segments hold secrets. */
  secretPath: { readonly pattern: string, readonly segments: readonly boolean[] } | null
}

/** A route as a hook or `onRoute` sees it. */
export interface RouteDescription {
  url: string | undefined
  method: string | string[] | undefined
  schema: unknown
  config: PlannedConfig | undefined
  handler: unknown
  bodyLimit: number | undefined
  validatorCompiler?: { readonly name: string } | undefined
}

interface PlannedConfig {
  telemetry?: false | RouteTelemetryOptions
  [kRoutePlan]?: RoutePlan
}

/** @throws TelemetryError - when the route's `config.telemetry` is not `false` or an object of known options */
export function createRoutePlan (settings: Settings, instance: FastifyInstance, route: RouteDescription): RoutePlan {
  const telemetry = route.config?.telemetry
  const name = `route ${String(route.method)} ${route.url}`
  if (telemetry !== undefined && telemetry !== false) checkOptions(`${name}: config.telemetry option`, routeOptionsSchema, telemetry)
  const schema = route.schema as (RouteSchemas & { operationId?: unknown }) | undefined
  const plan: RoutePlan = {
    ...toRouteSettings(telemetry === undefined || telemetry === false ? {} : telemetry, settings),
    isIgnored: telemetry === false || (route.url !== undefined && settings.ignoresRoute(route.url)),
    route: route.url,
    operationId: typeof schema?.operationId === 'string' ? schema.operationId : undefined,
    // Of a request that no route matched it would be the name of Fastify's own 404 handler.
    functionName: route.url === undefined ? undefined : functionName(route.handler),
    spanNames: new Map(),
    bodyLimit: route.bodyLimit ?? instance.initialConfig.bodyLimit as number,
    hasSemicolonQuery: hasSemicolonQuery(instance.initialConfig),
    captureSettings: settings,
    usesTypeBox: () => (route.validatorCompiler ?? instance.validatorCompiler)?.name === 'TypeBoxValidatorCompiler',
    compile () {
      if (plan.isIgnored) return
      const options: PartOptions = {
        findSchema: (id) => instance.getSchema(id) as JsonSchema | undefined,
        settings,
        captureUnknownSchemas: settings.captureUnknownSchemas,
      }
      try {
        plan.requestCapture = compileRequestCapture(schema, options)
        if (plan.captureResponse) plan.responseCapture = compileResponseCapture(schema?.response, options)
      } catch (error) {
        throw new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_SCHEMA', `${name}: ${error instanceof Error ? error.message : String(error)}`)
      }
      plan.secretPath = secretPath(route.url, settings.scrubber, nodeOfPart(plan.requestCapture.params, undefined))
    },
    requestCapture: {},
    responseCapture: new Map(),
    secretPath: null,
  }
  return plan
}

/** The plan of a route that `onRoute` saw; of others (declared before the plugin, or not found) it is made at their first request. */
export function planOf (settings: Settings, instance: FastifyInstance, route: RouteDescription): RoutePlan {
  const { config } = route
  const known = config?.[kRoutePlan]
  if (known !== undefined) return known
  const plan = createRoutePlan(settings, instance, route)
  try {
    plan.compile()
  } catch (error) {
    // Too late to refuse the route. What cannot be read is not recorded, and of a path nobody knows what in it is secret.
    settings.guard.report('schema', error)
    if (route.url !== undefined) plan.secretPath = { pattern: route.url, segments: [] }
  }
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
    validatorCompiler: route.validatorCompiler,
  })
  route.config = { ...route.config, [kRoutePlan]: plan } as RouteOptions['config']
  return plan
}

function functionName (handler: unknown): string | undefined {
  if (typeof handler !== 'function' || typeof handler.name !== 'string') return undefined
  const name = handler.name.replace(/^bound /, '')
  return name === '' ? undefined : name
}

/** Under its newer and its older name. */
function hasSemicolonQuery (config: FastifyInstance['initialConfig']): boolean {
  const { routerOptions, useSemicolonDelimiter } = config as { routerOptions?: { useSemicolonDelimiter?: unknown }, useSemicolonDelimiter?: unknown }
  return (routerOptions?.useSemicolonDelimiter ?? useSemicolonDelimiter) === true
}

/** Names of the parameters of a pattern, up to what ends them for the router; `::` is a colon that is meant. */
const PARAMETERS = /(?<=(?<!:):(?!:))[^/(.?-]+|\*/g

/** `/reset/:token` has a secret in its second segment: its requests are recorded as `/reset/REDACTED`. */
function secretPath (url: string | undefined, scrubber: Scrubber, params: CaptureNode | undefined): RoutePlan['secretPath'] {
  if (url === undefined) return null
  const isSecret = (name: string): boolean => {
    const node = params?.child(name) ?? params?.unnamedChild(name)
    return scrubber.findInName(name) !== undefined || [params, node].some((hiding) => hiding?.isRedacted === true || hiding?.isOmitted === true)
  }
  const segments = url.split('/').map((segment) => (segment.match(PARAMETERS) ?? []).some(isSecret))
  return segments.includes(true) ? { pattern: url, segments } : null
}
