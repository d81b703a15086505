import type { FastifyRequest } from 'fastify'
import { ARGUMENT_PARTS, type ArgumentPart, type ValidationErrorRecord } from '../arguments/argument-part.ts'
import { describeParseFailure } from '../arguments/parse-errors.ts'
import { captureValues, nodeOfPart } from '../arguments/request-capture.ts'
import { SCRUBBED } from '../arguments/stand-ins.ts'
import { describeValidationFailure, type ErrorList, type ValidationFailure } from '../arguments/validation-errors.ts'
import type { CapturedArguments, RequestRecord } from '../server-span/request-record.ts'
import { findOtherFailures, isAjv, validatorOf } from './complete-errors.ts'
import { bodyBytes, contentLength, mediaType, partsOf } from './request-parts.ts'
import type { RoutePlan } from './route-plan.ts'

/** Why a request's arguments were refused, or marked as wrong for the handler. */
export interface ArgumentFailure extends ErrorList {
  /** The part that failed validation; `undefined` for a body that did not parse. */
  part: ArgumentPart | undefined
  /** The validator's paths into the schema are made of the schema's names only. */
  hasSchemaPaths: boolean
}

/** What Fastify puts on the error of a failed validation. */
interface FastifyValidationError {
  validation?: unknown
  validationContext: ArgumentPart
}

/** What was wrong with the arguments; `null` when nothing was, or `error` is about something else. */
export function findFailure (record: RequestRecord, plan: RoutePlan, request: FastifyRequest, error: unknown): ArgumentFailure | null {
  if (isValidationError(error)) return validationFailure(plan, request, error)
  if (record.bodyReceived || record.argumentsStartMillis < 0) return null
  const parseError = describeParseFailure({
    error,
    contentType: request.headers['content-type'],
    contentLength: contentLength(request),
    bodyLimit: plan.bodyLimit,
    bodyText: record.bodyChunks === null ? undefined : Buffer.concat(record.bodyChunks).toString(),
  }, record.settings.scrubber)
  return parseError === undefined ? null : { part: undefined, records: [parseError], count: 1, hasSchemaPaths: true }
}

function validationFailure (plan: RoutePlan, request: FastifyRequest, error: FastifyValidationError): ArgumentFailure {
  const part = error.validationContext
  const isKnown = plan.usesTypeBox() || isAjv(validatorOf(request, part))
  return {
    part,
    ...describe(plan, request, part, { validation: error.validation, error, data: partsOf(request)[part], hasFixedMessages: isKnown }),
    hasSchemaPaths: isKnown,
  }
}

function describe (plan: RoutePlan, request: FastifyRequest, part: ArgumentPart, failure: Omit<ValidationFailure, 'part' | 'node'>): ErrorList {
  const node = nodeOfPart(plan.requestCapture[part], part === 'body' ? mediaType(request) : undefined)
  return describeValidationFailure({ ...failure, part, node }, plan.captureSettings)
}

/**
 * Captures the arguments of a request, once: what passed validation, and all that was wrong. Nothing before validation is over.
 *
 * @param failure - what {@link findFailure} found, when it was asked before
 */
export function captureArguments (
  record: RequestRecord, plan: RoutePlan, request: FastifyRequest, failure = failureOf(record, plan, request)
): CapturedArguments {
  if (record.arguments !== null) return record.arguments
  const { settings } = record
  // Of a body that did not parse nothing was validated: even the path parameters are raw.
  const stoppedAt = record.validation === 'pending' || (failure !== null && failure.part === undefined) ? ARGUMENT_PARTS[0] : failure?.part
  const { body } = plan.requestCapture
  const values = captureValues(plan.requestCapture, partsOf(request), stoppedAt, settings, {
    mediaType: body instanceof Map ? mediaType(request) : undefined,
    bodyBytes: body === undefined ? undefined : bodyBytes(request),
  })
  const { records, count } = failure === null ? NO_FAILURE : withOthers(record, plan, request, failure)
  const scrubbedErrors = records.filter(({ input }) => input === SCRUBBED).map(({ part, path }) => `/${part}${path}`)
  const captured: CapturedArguments = {
    valuesJson: values.json,
    errors: records,
    errorCount: count,
    truncated: values.truncated || records.length < count,
    attributes: values.attributes,
    scrubbed: scrubbedErrors.length === 0 ? values.scrubbed : [...new Set([...values.scrubbed, ...scrubbedErrors])],
  }
  if (record.validation !== 'pending') record.arguments = captured
  return captured
}

function failureOf (record: RequestRecord, plan: RoutePlan, request: FastifyRequest): ArgumentFailure | null {
  if (record.validation === 'refused') return findFailure(record, plan, request, record.refusedWith)
  return request.validationError === undefined || request.validationError === null ? null : findFailure(record, plan, request, request.validationError)
}

const NO_FAILURE: ErrorList = { records: [], count: 0 }

/** Also what is wrong in the parts that Fastify did not come to. */
function withOthers (record: RequestRecord, plan: RoutePlan, request: FastifyRequest, { part, records, count }: ArgumentFailure): ErrorList {
  const { completeErrors, limits, guard } = record.settings
  if (!completeErrors || !record.isRecording) return { records, count }
  const all: ValidationErrorRecord[] = [...records]
  try {
    for (const other of findOtherFailures(request, part, plan.usesTypeBox())) {
      const list = describe(plan, request, other.part, { validation: other.validation, error: undefined, data: other.data, hasFixedMessages: true })
      all.push(...list.records)
      count += list.count
    }
  } catch (error) {
    guard.report('complete errors', error)
  }
  return { records: all.slice(0, limits.maxErrors), count }
}

function isValidationError (error: unknown): error is FastifyValidationError {
  return error !== null && typeof error === 'object' && 'validationContext' in error && ARGUMENT_PARTS.includes(error.validationContext as ArgumentPart)
}
