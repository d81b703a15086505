import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ValidationErrorRecord } from '../arguments/argument-part.ts'
import { captureResponse, nodeOfResponse } from '../arguments/response-capture.ts'
import { describeSerializationFailure } from '../arguments/serialization-errors.ts'
import { countFailure } from '../metrics.ts'
import type { ArgumentValues } from '../options.ts'
import { noteArguments, noteLateError, noteResponse } from '../server-span/note-arguments.ts'
import type { CapturedArguments, RequestRecord } from '../server-span/request-record.ts'
import { captureArguments, findFailure, type ArgumentFailure } from './capture-arguments.ts'
import type { RoutePlan } from './route-plan.ts'

/** Notes the arguments of a request that passed validation, or whose route looks at `validationError` itself. */
export function noteValidated (record: RequestRecord, plan: RoutePlan, request: FastifyRequest): void {
  record.validation = 'passed'
  const { validationError } = request
  const failure = validationError === undefined || validationError === null ? null : findFailure(record, plan, request, validationError)
  if (failure !== null) record.refusedWith = validationError
  note(record, plan, request, failure)
}

/** Notes the arguments of a request that Fastify refused; `false` when the error is not about its arguments. */
export function noteRefused (record: RequestRecord, plan: RoutePlan, request: FastifyRequest, error: unknown): boolean {
  const failure = findFailure(record, plan, request, error)
  if (failure === null) return false
  record.validation = 'refused'
  record.refusedWith = error
  note(record, plan, request, failure)
  return true
}

/** Asks the mapper for a request that ended before its arguments were looked at (a hook answered, a client left). */
export function noteUnvalidated (record: RequestRecord, plan: RoutePlan, request: FastifyRequest): void {
  note(record, plan, request, null)
}

function note (record: RequestRecord, plan: RoutePlan, request: FastifyRequest, failure: ArgumentFailure | null): void {
  record.argumentsNoted = true
  if (failure !== null) countFailures(record, failure.records, failure.hasSchemaPaths)
  if (!record.isRecording || plan.capture === 'none' || (plan.capture === 'failure' && failure === null)) return
  const captured = captureArguments(record, plan, request, failure)
  const { mapper } = plan
  noteArguments(record, captured, mapper === null ? null : () => mapper(request, copyArguments(captured)))
}

function countFailures (record: RequestRecord, records: readonly ValidationErrorRecord[], hasSchemaPaths: boolean): void {
  const instruments = record.settings.findInstruments()
  if (instruments === null) return
  const { request: { method }, route: { route } } = record
  for (const { part, keyword, schemaPath } of records.slice(0, MAX_COUNTED)) {
    countFailure(instruments.failures, { method, route, part, keyword, schemaPath: hasSchemaPaths ? schemaPath : undefined }, record.context)
  }
}

/** Failures of one request that are counted. */
const MAX_COUNTED = 10

/** Notes that the answer could not be serialized; the arguments were noted before. */
export function noteSerializationFailure (record: RequestRecord, plan: RoutePlan, request: FastifyRequest, error: { message?: unknown }): void {
  const failure = describeSerializationFailure(error, record.settings.scrubber)
  countFailures(record, [failure], false)
  if (!record.isRecording || plan.capture === 'none') return
  const captured = captureArguments(record, plan, request)
  record.arguments = { ...captured, errors: [...captured.errors, failure], errorCount: captured.errorCount + 1 }
  noteLateError(record, failure, record.arguments.errorCount)
}

/** Notes what the answer's schema lets through. */
export function noteSerialized (record: RequestRecord, plan: RoutePlan, reply: FastifyReply, payload: unknown): void {
  if (typeof payload !== 'string') return
  const contentType = String(reply.getHeader('content-type') ?? '')
  const node = nodeOfResponse(plan.responseCapture, reply.statusCode, contentType.split(';', 1)[0]!.trim().toLowerCase())
  if (node === undefined || node.isOmitted) return
  const response = captureResponse(node, payload, record.settings)
  if (response !== undefined) noteResponse(record, response)
}

/** Copies for the mapper: read back from the bounded, scrubbed text, so that nothing in them belongs to the request. */
export function copyArguments ({ valuesJson, errors }: Pick<CapturedArguments, 'valuesJson' | 'errors'>): { values: ArgumentValues, errors: ValidationErrorRecord[] } {
  return {
    values: valuesJson === undefined ? {} : JSON.parse(valuesJson) as ArgumentValues,
    errors: structuredClone(errors) as ValidationErrorRecord[],
  }
}
