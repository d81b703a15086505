import type { ValidationErrorRecord } from '../arguments/argument-part.ts'
import { toAttributes, type MappedAttributes } from '../arguments/mapper.ts'
import type { CapturedResponse } from '../arguments/response-capture.ts'
import { errorsToJson } from '../arguments/validation-errors.ts'
import { isThenable } from '../guard.ts'
import {
  ARGUMENTS_ERROR_COUNT, ARGUMENTS_ERRORS, ARGUMENTS_SCRUBBED, ARGUMENTS_TRUNCATED, ARGUMENTS_VALUES, MAPPER_FAILED, RESPONSE_SERIALIZED,
} from '../semconv.ts'
import { emitArgumentsSpan, type ArgumentAttribute } from './extra-spans.ts'
import { MAX_SCRUBBED_PATHS } from '../arguments/value-sink.ts'
import type { CapturedArguments, RequestRecord } from './request-record.ts'

/**
 * Puts the arguments on the span, as the mapper wants them.
 *
 * @param map - calls the user's mapper with copies; `null` when there is none
 */
export function noteArguments (record: RequestRecord, captured: CapturedArguments, map: (() => unknown) | null): void {
  const { valuesJson, errors, errorCount } = captured
  if (map === null && isPlain(captured) && !record.route.extraSpans) {
    // By far the most requests: values, or nothing at all.
    if (valuesJson !== undefined) record.span.setAttribute(ARGUMENTS_VALUES, valuesJson)
    return
  }
  const attributes: ArgumentAttribute[] = [...captured.attributes]
  let { truncated, scrubbed } = captured
  if (map === null) {
    record.notedErrors = errors
    if (valuesJson !== undefined) attributes.push([ARGUMENTS_VALUES, valuesJson])
    if (errors.length > 0) {
      const { json, listed } = errorsToJson(errors, record.settings.limits.maxErrorBytes)
      attributes.push([ARGUMENTS_ERRORS, json])
      truncated ||= listed < errors.length
    }
  } else {
    const mapped = askMapper(record, map)
    record.notedErrors = mapped === null ? null : errorsIn(mapped)
    if (mapped !== null) {
      attributes.push(...mapped.attributes)
      record.standardAttributes = mapped.standard
      truncated ||= mapped.truncated
      // What the mapper passed on was scrubbed when it was captured.
      const passedOn = mapped.attributes.some(([name]) => name === ARGUMENTS_VALUES || name === ARGUMENTS_ERRORS)
      scrubbed = [...new Set([...(passedOn ? scrubbed : []), ...mapped.scrubbed])]
    } else {
      truncated &&= captured.attributes.length > 0
      scrubbed = []
    }
  }
  if (errorCount > 0) attributes.push([ARGUMENTS_ERROR_COUNT, errorCount])
  if (truncated) attributes.push([ARGUMENTS_TRUNCATED, true])
  record.notedScrubbed = scrubbed.slice(0, MAX_SCRUBBED_PATHS)
  if (scrubbed.length > 0) attributes.push([ARGUMENTS_SCRUBBED, [...record.notedScrubbed]])
  for (const [name, value] of attributes) record.span.setAttribute(name, value)
  if (record.route.extraSpans) emitArgumentsSpan(record, attributes)
}

function isPlain ({ errorCount, truncated, attributes, scrubbed }: CapturedArguments): boolean {
  return errorCount === 0 && !truncated && attributes.length === 0 && scrubbed.length === 0
}

/** What the mapper wants recorded; `null` for nothing, also when it failed, which the span then says. */
function askMapper (record: RequestRecord, map: () => unknown): MappedAttributes | null {
  const { span, settings } = record
  try {
    const result = map()
    // A promise is no answer, but if it rejects nobody else will look at it.
    if (isThenable(result)) result.then(undefined, () => {})
    const mapped = toAttributes(result, settings)
    if (mapped !== null && mapped.refused.length > 0) {
      settings.guard.report('mapper attribute', new TypeError(`${mapped.refused.join(', ')} can only be set under the key standardAttributes`))
    }
    return mapped
  } catch (error) {
    span.setAttribute(MAPPER_FAILED, true)
    settings.guard.report('mapper', error)
    return null
  }
}

/** Puts the answer, as its schema lets it through, on the span. */
export function noteResponse ({ span, notedScrubbed }: RequestRecord, { json, truncated, scrubbed }: CapturedResponse): void {
  span.setAttribute(RESPONSE_SERIALIZED, json)
  if (truncated) span.setAttribute(ARGUMENTS_TRUNCATED, true)
  if (scrubbed.length > 0) span.setAttribute(ARGUMENTS_SCRUBBED, [...notedScrubbed, ...scrubbed].slice(0, MAX_SCRUBBED_PATHS))
}

/** Adds an error that came after the arguments were noted: the answer could not be serialized. */
export function noteLateError (record: RequestRecord, error: ValidationErrorRecord, errorCount: number): void {
  const { span, notedErrors, settings: { limits } } = record
  span.setAttribute(ARGUMENTS_ERROR_COUNT, errorCount)
  if (notedErrors === null) return
  const errors = [...notedErrors.slice(0, limits.maxErrors - 1), error]
  const { json, listed } = errorsToJson(errors, limits.maxErrorBytes)
  span.setAttribute(ARGUMENTS_ERRORS, json)
  if (listed < notedErrors.length + 1) span.setAttribute(ARGUMENTS_TRUNCATED, true)
}

/** The list of errors that a mapper kept. */
function errorsIn ({ attributes }: MappedAttributes): readonly unknown[] | null {
  const kept = attributes.find(([name]) => name === ARGUMENTS_ERRORS)
  if (kept === undefined) return []
  const errors: unknown = JSON.parse(kept[1] as string)
  return Array.isArray(errors) ? errors : null
}
