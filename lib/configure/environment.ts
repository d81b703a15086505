import { SCOPE_NAME } from '../semconv.ts'

/** What the environment decides and the SDK's own classes do not read. */
export interface Environment {
  tracesExporter: 'otlp' | 'none'
  console: boolean
  metrics: boolean
  /** Where the exporter will send, for messages. */
  tracesUrl: string
}

/**
 * A value that is not known is said in one line and counts as unset, as the specification wants it.
 *
 * @param warn - takes one line with its end
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function readEnvironment (env: NodeJS.ProcessEnv, warn: (line: string) => void): Environment {
  const traces = readChoice(env, 'OTEL_TRACES_EXPORTER', ['otlp', 'console', 'none'], warn)
  const metrics = readChoice(env, 'OTEL_METRICS_EXPORTER', ['otlp', 'none'], warn)
  const base = (env.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://localhost:4318').replace(/\/+$/, '')
  return {
    tracesExporter: traces === 'console' || traces === 'none' ? 'none' : 'otlp',
    console: traces === 'console',
    metrics: metrics === 'otlp',
    tracesUrl: env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || `${base}/v1/traces`,
  }
}

/** An empty variable counts as unset, as the specification says. */
function readChoice (
  env: NodeJS.ProcessEnv, name: string, choices: readonly string[], warn: (line: string) => void
): string | undefined {
  const value = env[name]?.trim()
  if (value === undefined || value === '') return undefined
  if (choices.includes(value)) return value
  warn(`${SCOPE_NAME}: ${name} must be one of ${choices.join(', ')}, received ${JSON.stringify(value.slice(0, 40))}; it is ignored.\n`)
  return undefined
}
