import type { Attributes, HrTime } from '@opentelemetry/api'
import { EXCEPTION_LOG } from '../semconv.ts'
import type { RequestRecord } from './request-record.ts'

/** Severity number of an exception that nobody handled. @see https://opentelemetry.io/docs/specs/semconv/http/http-exceptions/ */
const ERROR = 17

/**
 * Hands an exception to the logger provider, as a log record in the context of the request's span.
 *
 * @returns whether a logger took it
 */
export function logException ({ settings, context }: RequestRecord, attributes: Attributes, timestamp: HrTime): boolean {
  const logger = settings.logs.find()
  if (logger === null) return false
  let isTaken = false
  settings.guard.run('exception log', () => {
    const result: unknown = logger.emit({ eventName: EXCEPTION_LOG, timestamp, severityNumber: ERROR, severityText: 'ERROR', attributes: { ...attributes }, context })
    isTaken = true
    return result
  })
  return isTaken
}
