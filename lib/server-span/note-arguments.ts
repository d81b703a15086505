import type { ValidationErrorRecord } from '../arguments/argument-part.ts'
import { toAttributes } from '../arguments/mapper.ts'
import { errorsToJson } from '../arguments/validation-errors.ts'
import { isThenable } from '../guard.ts'
import { ARGUMENTS_ERROR_COUNT, ARGUMENTS_ERRORS, ARGUMENTS_TRUNCATED, ARGUMENTS_VALUES, MAPPER_FAILED } from '../semconv.ts'
import { emitArgumentsSpan, type ArgumentAttribute } from './extra-spans.ts'
import type { RequestRecord } from './request-record.ts'

/** A request's arguments, captured. */
export interface NotedArguments {
  /** JSON text of the values; `undefined` when no part was recorded. */
  valuesJson: string | undefined
  errors: readonly ValidationErrorRecord[]
  /** Errors in all, listed or not. */
  errorCount: number
  truncated: boolean
}

/**
 * Puts the arguments on the span, as the mapper wants them.
 *
 * @param map - calls the user's mapper with copies; `null` when there is none
 */
export function noteArguments (record: RequestRecord, noted: NotedArguments, map: ((noted: NotedArguments) => unknown) | null): void {
  if (map === null && noted.errorCount === 0 && !noted.truncated && !record.route.extraSpans) {
    // By far the most requests: values, or nothing at all.
    if (noted.valuesJson !== undefined) record.span.setAttribute(ARGUMENTS_VALUES, noted.valuesJson)
    return
  }
  const attributes: ArgumentAttribute[] = []
  let truncated = noted.truncated
  if (map === null) {
    if (noted.valuesJson !== undefined) attributes.push([ARGUMENTS_VALUES, noted.valuesJson])
    if (noted.errors.length > 0) {
      const { json, listed } = errorsToJson(noted.errors)
      attributes.push([ARGUMENTS_ERRORS, json])
      truncated ||= listed < noted.errorCount
    }
  } else {
    try {
      const result = map(noted)
      // A promise is no answer, but if it rejects nobody else will look at it.
      if (isThenable(result)) result.then(undefined, () => {})
      const mapped = toAttributes(result)
      if (mapped !== null) attributes.push(...mapped.attributes)
      truncated = mapped !== null && (truncated || mapped.truncated)
    } catch (error) {
      record.span.setAttribute(MAPPER_FAILED, true)
      record.settings.guard.report('mapper', error)
      truncated = false
    }
  }
  if (noted.errorCount > 0) attributes.push([ARGUMENTS_ERROR_COUNT, noted.errorCount])
  if (truncated) attributes.push([ARGUMENTS_TRUNCATED, true])
  for (const [name, value] of attributes) record.span.setAttribute(name, value)
  if (record.route.extraSpans) emitArgumentsSpan(record, attributes)
}
