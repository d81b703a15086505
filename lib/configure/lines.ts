import type { ClientRequest } from 'node:http'
import { createNoopMeter } from '@opentelemetry/api'
import { SDK_INFO } from '@opentelemetry/core'
import { defaultResource } from '@opentelemetry/resources'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { mixedLines } from '../import-errors.ts'
import { installEitherLine, lineOf, type Line } from '../install-lines.ts'
import { SCOPE_NAME } from '../semconv.ts'

/** Attribute of the SDK's own resource. */
const SDK_VERSION = 'telemetry.sdk.version'

/**
 * Refuses packages of both OpenTelemetry lines beside one another, which an `npm i` without versions installs.
 *
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_MIXED_LINES`, with the line to install
 */
export function checkLines (versions: Record<string, string> = installedVersions()): void {
  const lines = new Set(Object.values(versions).map((version) => version.split('.', 1)[0]))
  if (lines.size < 2) return
  throw mixedLines('configure', new Map(Object.entries(versions)), 'configure')
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
    '@opentelemetry/sdk-trace': tracing,
    '@opentelemetry/core': sdkVersion(),
    '@opentelemetry/resources': String(defaultResource().attributes[SDK_VERSION]),
  }
}

function sdkVersion (): string {
  return String((SDK_INFO as Record<string, unknown>)[SDK_VERSION])
}

/** The line of the SDK that is installed, for what is to be installed beside it. An older one does not get past `checkLines`. */
export function installedLine (): Line {
  return lineOf('@opentelemetry/core', sdkVersion())!
}

/** Looks at the first request of an exporter, which names its version, and says in one line when it is of the other OpenTelemetry line. */
export function createExporterCheck (warn: (line: string) => void): (request: ClientRequest) => void {
  let isDone = false
  return function checkExporter (request) {
    if (isDone) return
    isDone = true
    const [, version] = /OTel-OTLP-Exporter-JavaScript\/(0\.\d+\.\S+)/.exec(String(request.getHeader('user-agent'))) ?? []
    if (version === undefined || lineOf('@opentelemetry/exporter-trace-otlp-http', version) === installedLine()) return
    warn(`${SCOPE_NAME}: the exporter ${version} is of another OpenTelemetry line than the SDK ${sdkVersion()}. ${installEitherLine('configure')}\n`)
  }
}
