import type { Guard } from './guard.ts'
import { say } from './say.ts'
import { SCHEMA_URL, SCOPE_NAME, SCOPE_VERSION } from './semconv.ts'

/** What is needed of a logger of OpenTelemetry; its API for logs is not imported: applications that send no logs do without it. */
export interface Logger {
  emit (record: object): void
}

/**
 * A logger provider of OpenTelemetry, such as that of `@opentelemetry/sdk-logs`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/logs/api/
 */
export interface LoggerProvider {
  getLogger (name: string, version?: string, options?: { schemaUrl?: string }): Logger
}

/** Where `@opentelemetry/api-logs` keeps the global provider: behind a function of the API's compatibility version. */
const LOGS_API = Symbol.for('io.opentelemetry.js.api.logs')
const LOGS_API_VERSION = 1

/** Where `@opentelemetry/api` keeps its globals; from 1.10 on the logger provider is one of them. */
const API = Symbol.for('opentelemetry.js.api.1')

interface Globals {
  [LOGS_API]?: (version: number) => LoggerProvider | undefined
  [API]?: { logs?: LoggerProvider }
}

/** Where log records go. */
export interface LoggerSource {
  /** The logger; `null` without a provider, which is said once, or when it failed. */
  find (): Logger | null
  /** The provider that the logger is of; `null` while there is none. */
  readonly provider: LoggerProvider | null
}

/**
 * Finds the logger when it is first needed: without a provider of the user's own it looks for a global one at each call until there is one, which may
 * be registered after the plugin was.
 */
export function createLoggerSource (given: LoggerProvider | undefined, guard: Guard): LoggerSource {
  let logger: Logger | null = null
  let provider: LoggerProvider | null = null
  let hasFailed = false
  let hasSaid = false

  function find (): Logger | null {
    if (logger !== null || hasFailed) return logger
    try {
      const found = given ?? globalLoggerProvider()
      if (found !== undefined) {
        logger = found.getLogger(SCOPE_NAME, SCOPE_VERSION, { schemaUrl: SCHEMA_URL })
        provider = found
      } else if (!hasSaid) {
        hasSaid = true
        say('exceptions are to be log records, and no logger provider is registered; until one is, they are span events')
      }
    } catch (error) {
      hasFailed = true
      guard.report('logger provider', error)
    }
    return logger
  }

  return {
    find,
    get provider () {
      return provider
    },
  }
}

function globalLoggerProvider (): LoggerProvider | undefined {
  const globals = globalThis as Globals
  return globals[LOGS_API]?.(LOGS_API_VERSION) ?? globals[API]?.logs
}
