import type { FastifyRequest } from 'fastify'
import { ARGUMENT_PARTS, type ArgumentPart } from '../arguments/argument-part.ts'
import { bodyBytes, mediaType, partsOf } from './request-parts.ts'

/** What one more part has wrong. */
export interface OtherFailure {
  part: ArgumentPart
  /** The validator's list. */
  validation: unknown
  /** The copy that was validated. */
  data: unknown
}

/** Bytes of a body that is copied and validated once more. */
const MAX_BODY_BYTES = 64 * 1024

type Validator = ((data: unknown, place?: object) => unknown) & { schemaEnv?: { $async?: unknown }, errors?: unknown }

/** The validator of a part, of `body.content` that of the request's media type. */
export function validatorOf (request: FastifyRequest, part: ArgumentPart): Validator | undefined {
  const found: unknown = request.getValidationFunction(part)
  const validator = found !== null && typeof found === 'object' ? (found as Record<string, unknown>)[mediaType(request) ?? ''] : found
  return typeof validator === 'function' ? validator as Validator : undefined
}

/** Fastify itself knows Ajv's functions by this mark. */
export function isAjv (validator: Validator | undefined): boolean {
  return validator?.schemaEnv !== undefined
}

/**
 * What is wrong in the parts that Fastify did not come to, since it stops at the first that fails. Only validators that are known to be pure are run, and on
 * copies: those of Ajv and of the TypeBox compilers, never asynchronous or custom ones.
 *
 * @param failed - what stopped Fastify; `undefined` for a body that did not parse, before anything was validated
 */
export function findOtherFailures (request: FastifyRequest, failed: ArgumentPart | undefined, usesTypeBox: boolean): OtherFailure[] {
  const parts = partsOf(request)
  const remaining = failed === undefined
    ? ARGUMENT_PARTS.filter((part) => part !== 'body')
    : ARGUMENT_PARTS.slice(ARGUMENT_PARTS.indexOf(failed) + 1)
  return remaining.flatMap((part) => {
    const validator = validatorOf(request, part)
    if (validator === undefined || (!usesTypeBox && (!isAjv(validator) || validator.schemaEnv!.$async === true))) return []
    if (part === 'body' && !((bodyBytes(request) ?? Infinity) <= MAX_BODY_BYTES)) return []
    const data = copyOf(parts[part])
    const validation = data === UNCOPIED ? undefined : validate(validator, data)
    return validation === undefined ? [] : [{ part, validation, data }]
  })
}

const UNCOPIED = Symbol('uncopied')

/** Streams and functions, as the files of @fastify/multipart have them, cannot be copied: such a part is left out. */
function copyOf (value: unknown): unknown {
  try {
    return structuredClone(value) ?? null
  } catch {
    return UNCOPIED
  }
}

/** The validator's list; `undefined` when the data is valid. */
function validate (validator: Validator, data: unknown): unknown {
  // Ajv can coerce a root value only where it stands in something.
  const holder = { data }
  const result = validator(data, isAjv(validator) ? { parentData: holder, parentDataProperty: 'data' } : undefined)
  if (result === false) return validator.errors
  return result !== null && typeof result === 'object' ? (result as { error?: unknown }).error : undefined
}
