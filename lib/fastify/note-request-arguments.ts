import type { FastifyRequest } from 'fastify'
import { ARGUMENT_PARTS, type ArgumentPart, type ValidationErrorRecord } from '../arguments/argument-part.ts'
import { describeParseFailure } from '../arguments/parse-errors.ts'
import { captureValues, type RequestParts } from '../arguments/request-capture.ts'
import { describeValidationFailure, type ErrorList } from '../arguments/validation-errors.ts'
import type { ArgumentValues } from '../options.ts'
import { noteArguments, type NotedArguments } from '../server-span/note-arguments.ts'
import { NO_ERRORS, type RequestRecord } from '../server-span/request-record.ts'
import type { RoutePlan } from './route-plan.ts'

/** What Fastify puts on the error of a failed validation. */
interface FastifyValidationError {
  validation?: unknown
  validationContext?: unknown
  message?: unknown
}

const NO_FAILURE: ErrorList = { records: [], count: 0 }

/** Records the arguments of a request that passed validation, or whose route looks at `validationError` itself. */
export function noteValidated (record: RequestRecord, plan: RoutePlan, request: FastifyRequest): void {
  const validationError = request.validationError as FastifyValidationError | undefined
  if (validationError === undefined || validationError === null) return note(record, plan, request, undefined, NO_FAILURE)
  const failed = partOf(validationError)
  note(record, plan, request, failed, validationFailure(plan, request, validationError, failed))
}

/** Records the arguments of a request that Fastify refused; `false` when the error is not about its arguments. */
export function noteRefused (record: RequestRecord, plan: RoutePlan, request: FastifyRequest, error: unknown): boolean {
  if (isValidationError(error)) {
    const failed = partOf(error)
    note(record, plan, request, failed, validationFailure(plan, request, error, failed))
    return true
  }
  if (record.bodyReceived || record.argumentsStartMillis < 0) return false
  const parseError = describeParseFailure({
    error,
    contentType: request.headers['content-type'],
    contentLength: contentLength(request),
    bodyLimit: plan.bodyLimit,
  })
  if (parseError === undefined) return false
  // Nothing was validated yet: even the path parameters are raw.
  note(record, plan, request, ARGUMENT_PARTS[0], { records: [parseError], count: 1 })
  return true
}

/** Asks the mapper for a request that ended before its arguments were looked at (a hook answered, a client left). */
export function noteUnvalidated (record: RequestRecord, plan: RoutePlan, request: FastifyRequest): void {
  note(record, plan, request, ARGUMENT_PARTS[0], NO_FAILURE)
}

function note (
  record: RequestRecord, plan: RoutePlan, request: FastifyRequest, failed: ArgumentPart | undefined, { records, count }: ErrorList
): void {
  record.argumentsNoted = true
  if (plan.capture === 'none' || (plan.capture === 'failure' && count === 0)) return
  const { json, truncated } = captureValues(plan.argumentCapture(), partsOf(request), failed, bodyBytes(request))
  record.valuesJson = json
  record.errors = records.length === 0 ? NO_ERRORS : records
  const noted = { valuesJson: json, errors: record.errors, errorCount: count, truncated: truncated || records.length < count }
  const { mapper } = plan
  noteArguments(record, noted, mapper === null ? null : (args) => mapper(request, copyArguments(args)))
}

/** Copies for the mapper: read back from the bounded, scrubbed text, so that nothing in them belongs to the request. */
export function copyArguments ({ valuesJson, errors }: Pick<NotedArguments, 'valuesJson' | 'errors'>): { values: ArgumentValues, errors: ValidationErrorRecord[] } {
  return {
    values: valuesJson === undefined ? {} : JSON.parse(valuesJson) as ArgumentValues,
    errors: structuredClone(errors) as ValidationErrorRecord[],
  }
}

function validationFailure (plan: RoutePlan, request: FastifyRequest, error: FastifyValidationError, part: ArgumentPart): ErrorList {
  return describeValidationFailure({
    part,
    errors: error.validation,
    message: typeof error.message === 'string' ? error.message : 'is not valid',
    data: partsOf(request)[part],
    node: plan.argumentCapture()[part],
  })
}

function isValidationError (error: unknown): error is FastifyValidationError {
  return error !== null && typeof error === 'object' && 'validationContext' in error && isPart(error.validationContext)
}

function partOf ({ validationContext }: FastifyValidationError): ArgumentPart {
  return isPart(validationContext) ? validationContext : 'body'
}

function isPart (name: unknown): name is ArgumentPart {
  return ARGUMENT_PARTS.includes(name as ArgumentPart)
}

function partsOf ({ params, body, query, headers }: FastifyRequest): RequestParts {
  return { params, body, querystring: query, headers }
}

function contentLength ({ headers }: FastifyRequest): number | undefined {
  const length = Number(headers['content-length'])
  return Number.isSafeInteger(length) ? length : undefined
}

/** Size of the parsed body as far as the headers tell it: not for chunked or compressed ones. */
function bodyBytes (request: FastifyRequest): number | undefined {
  return request.headers['content-encoding'] === undefined ? contentLength(request) : undefined
}
