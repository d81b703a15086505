import type { ClientRequest } from 'node:http'
import { createNoopMeter } from '@opentelemetry/api'
import { SDK_INFO } from '@opentelemetry/core'
import { defaultResource } from '@opentelemetry/resources'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { TelemetryError } from '../error-codes.ts'
import { SCOPE_NAME } from '../semconv.ts'

/** Attribute of the SDK's own resource. */
const SDK_VERSION = 'telemetry.sdk.version'

const INSTALL = 'Install one of them, with versions: 2.x is npm i @opentelemetry/api@1.9 and @opentelemetry/{sdk-trace,core,resources,sdk-metrics,context-async-hooks}@2.12 ' +
  'with exporters @0.223; 3.x is npm i @opentelemetry/api@1.10 and the others @3.1 with exporters @0.301'

/**
 * Refuses packages of both OpenTelemetry lines beside one another, which an `npm i` without versions installs.
 *
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_MIXED_LINES`, with the line to install
 */
export function checkLines (versions: Record<string, string> = installedVersions()): void {
  const lines = new Set(Object.values(versions).map((version) => version.split('.', 1)[0]))
  if (lines.size < 2) return
  const found = Object.entries(versions).map(([name, version]) => `@opentelemetry/${name} ${version}`).join(', ')
  throw new TelemetryError('FST_SCHEMA_TELEMETRY_MIXED_LINES', `configure: packages of two OpenTelemetry lines are installed: ${found}. ${INSTALL}`)
}

/** Asked of the packages themselves: which file a package was loaded from cannot be told in a source that is built for ESM and for CommonJS. */
function installedVersions (): Record<string, string> {
  let tracing = ''
  // A tracer asks for its meter by the version of its package.
  new TracerProvider({
    meterProvider: {
      getMeter (_name, version = '') {
        tracing = version
        return createNoopMeter()
      },
    },
  }).getTracer(SCOPE_NAME)
  return {
    'sdk-trace': tracing,
    core: String((SDK_INFO as Record<string, unknown>)[SDK_VERSION]),
    resources: String(defaultResource().attributes[SDK_VERSION]),
  }
}

/** Looks at the first request of an exporter, which names its version, and says in one line when it is of the other OpenTelemetry line. */
export function createExporterCheck (warn: (line: string) => void): (request: ClientRequest) => void {
  const sdkVersion = String((SDK_INFO as Record<string, unknown>)[SDK_VERSION])
  let isDone = false
  return function checkExporter (request) {
    if (isDone) return
    isDone = true
    const [, version, minor] = /OTel-OTLP-Exporter-JavaScript\/(0\.(\d+)\.\S+)/.exec(String(request.getHeader('user-agent'))) ?? []
    if (version === undefined || (Number(minor) >= 300) === (Number(sdkVersion.split('.', 1)[0]) >= 3)) return
    warn(`${SCOPE_NAME}: the exporter ${version} is of another OpenTelemetry line than the SDK ${sdkVersion}. ${INSTALL}\n`)
  }
}
