import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Attributes } from '@opentelemetry/api'
import {
  defaultResource, detectResources, envDetector, hostDetector, osDetector, processDetector, resourceFromAttributes, type Resource,
} from '@opentelemetry/resources'
import { DEPLOYMENT_ENVIRONMENT_NAME, SCOPE_NAME, SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION } from '../semconv.ts'
import type { ConfigureOptions } from './options.ts'

/** What is kept of what the SDK's detectors find. Not the command line, which holds secrets, nor what has to be waited for. */
const DETECTED = [
  'host.name', 'host.arch', 'os.type', 'os.version', 'process.pid', 'process.executable.name', 'process.runtime.name', 'process.runtime.version',
]

/**
 * What the telemetry says of this process: arguments over OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES over what is detected. A service that nobody named has
 * the name in its package.json, which is said in one line.
 */
export function createResource (
  { serviceName, serviceVersion, environment, resourceAttributes }: ConfigureOptions, warn: (line: string) => void, mainFile = process.argv[1] ?? ''
): Resource {
  const own: Attributes = { ...resourceAttributes }
  if (serviceName !== undefined) own[SERVICE_NAME] = serviceName
  if (serviceVersion !== undefined) own[SERVICE_VERSION] = serviceVersion
  if (environment !== undefined) own[DEPLOYMENT_ENVIRONMENT_NAME] = environment

  const fromEnvironment = detectResources({ detectors: [envDetector] })
  if (own[SERVICE_NAME] === undefined && fromEnvironment.attributes[SERVICE_NAME] === undefined) {
    // What lies in a folder of packages only runs the service, as `fastify start` does.
    const name = packageName(/[\\/]node_modules[\\/]/.test(mainFile) ? process.cwd() : dirname(mainFile))
    if (name !== undefined) {
      own[SERVICE_NAME] = name
      warn(`${SCOPE_NAME}: service.name is "${name}", from package.json; set OTEL_SERVICE_NAME or configure({ serviceName }) to choose it.\n`)
    }
  }
  return defaultResource()
    .merge(resourceFromAttributes({ ...detected(), [SERVICE_INSTANCE_ID]: randomUUID() }))
    .merge(fromEnvironment)
    .merge(resourceFromAttributes(own))
}

function detected (): Attributes {
  const found: Record<string, unknown> = {}
  for (const detector of [hostDetector, osDetector, processDetector]) Object.assign(found, detector.detect().attributes)
  return Object.fromEntries(DETECTED.filter((name) => ['string', 'number'].includes(typeof found[name])).map((name) => [name, found[name] as string | number]))
}

/** The name in the nearest package.json from `directory` upwards; `undefined` without one. */
function packageName (directory: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { name?: unknown }
    if (typeof name === 'string' && name !== '') return name
  } catch {
    // None here.
  }
  const above = dirname(directory)
  return above === directory ? undefined : packageName(above)
}
