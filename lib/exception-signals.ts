import { say } from './say.ts'

/** What an exception becomes: an event of the span, a log record, both, or neither. */
export type ExceptionSignals = 'event' | 'log' | 'both' | 'none'

/** Variable by which all instrumentations of a process are moved from span events to log records. */
const VARIABLE = 'OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN'

/**
 * What the environment wants exceptions to be: `logs` log records, `logs/dup` both, unset or empty span events. Anything else is said and ignored, as the
 * specification has it of values that are not known.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#enum
 */
export function exceptionSignalsOf (env: NodeJS.ProcessEnv): ExceptionSignals {
  const value = env[VARIABLE]?.trim() ?? ''
  switch (value.toLowerCase()) {
    case '': return 'event'
    case 'logs': return 'log'
    case 'logs/dup': return 'both'
    default:
      say(`${VARIABLE} must be one of logs, logs/dup, received ${JSON.stringify(value.slice(0, 40))}; it is ignored`)
      return 'event'
  }
}
