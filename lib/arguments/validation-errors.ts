import type { ArgumentPart, ValidationErrorRecord } from './argument-part.ts'
import type { CaptureNode } from './capture-node.ts'
import { MAX_ERROR_BYTES, MAX_ERROR_TEXT_LENGTH, MAX_ERRORS } from './limits.ts'
import { cutText, isCredentialHeader, isSecretName, scrubText, SCRUBBED } from './scrub.ts'
import { unescapeSegment } from './schema-leaves.ts'

/** Stands in a path or a parameter for a name that no schema declares: it was chosen by the client. */
const UNDECLARED = '*'

/** A validation failure as Fastify hands it over, whatever validator it comes from. */
export interface ValidationFailure {
  part: ArgumentPart
  /** Usually the validator's list; a validator may put anything here. */
  errors: unknown
  /** Message of the error that Fastify answered with: the only thing known when `errors` is no list. */
  message: string
  /** The part that failed, as it was received or partly coerced. */
  data: unknown
  /** What the part's schema declares; `undefined` when it is not JSON Schema. */
  node: CaptureNode | undefined
}

/** The fields of one entry that validators are known to give; none of them is sure to be there. */
interface ValidatorError {
  instancePath?: unknown
  path?: unknown
  keyword?: unknown
  message?: unknown
  schemaPath?: unknown
  params?: unknown
}

/** Errors as the span carries them. */
export interface ErrorList {
  records: ValidationErrorRecord[]
  /** How many the validator reported, listed or not. */
  count: number
}

/** Brings a validation failure into one shape: at most ten records, secrets and undeclared names hidden. */
export function describeValidationFailure ({ part, errors, message, data, node }: ValidationFailure): ErrorList {
  if (!Array.isArray(errors) || errors.length === 0) {
    return { records: [{ part, path: '', keyword: 'unknown', message: scrubText(message, MAX_ERROR_TEXT_LENGTH) }], count: 1 }
  }
  const records: ValidationErrorRecord[] = []
  for (let index = 0; index < errors.length && index < MAX_ERRORS; index++) {
    records.push(describeError(part, toValidatorError(errors[index]), data, node))
  }
  return { records, count: errors.length }
}

function toValidatorError (entry: unknown): ValidatorError {
  return entry !== null && typeof entry === 'object' ? entry : { message: String(entry) }
}

function describeError (part: ArgumentPart, error: ValidatorError, data: unknown, node: CaptureNode | undefined): ValidationErrorRecord {
  const place = locate(part, toSegments(error), data, node)
  const message = typeof error.message === 'string' ? error.message : 'is not valid'
  const keyword = typeof error.keyword === 'string' ? cutText(error.keyword, MAX_ERROR_TEXT_LENGTH) : keywordOf(message)
  const record: ValidationErrorRecord = {
    part,
    path: place.path,
    keyword,
    // A validator may quote the value in its message.
    message: place.isSecret ? `does not satisfy "${keyword}"` : scrubText(message, MAX_ERROR_TEXT_LENGTH),
  }
  if (typeof error.schemaPath === 'string') record.schemaPath = error.schemaPath.slice(0, MAX_ERROR_TEXT_LENGTH)
  const params = describeParams(error.params, place)
  if (params !== undefined) record.params = params
  const input = describeInput(record.keyword, place)
  if (input !== undefined) record.input = input
  return record
}

/** Ajv and TypeBox give a JSON pointer, zod and joi a list of keys. */
function toSegments (error: ValidatorError): string[] {
  if (typeof error.instancePath === 'string') {
    return error.instancePath === '' ? [] : error.instancePath.replace(/^\//, '').split('/', MAX_PATH_SEGMENTS).map(unescapeSegment)
  }
  return Array.isArray(error.path) ? error.path.slice(0, MAX_PATH_SEGMENTS).map(String) : []
}

const MAX_PATH_SEGMENTS = 32

interface Place {
  path: string
  isSecret: boolean
  /** Each name on the way is the schema's. */
  isDeclared: boolean
  /** What the request has at the path. */
  value: unknown
}

/** Follows a path through data and schema together; only names that the schema declares are repeated. */
function locate (part: ArgumentPart, segments: string[], data: unknown, root: CaptureNode | undefined): Place {
  let path = ''
  let isSecret = false
  let isDeclared = root !== undefined
  let value = data
  let node = root
  for (const segment of segments) {
    const isIndex = Array.isArray(value) && /^\d+$/.test(segment)
    node = node?.child(segment)
    const isNamed = node !== undefined || isIndex
    isDeclared &&= isNamed
    path += `/${isNamed ? segment.replaceAll('~', '~0').replaceAll('/', '~1') : UNDECLARED}`
    isSecret ||= !isIndex && (isSecretName(segment) || (part === 'headers' && isCredentialHeader(segment)))
    value = value !== null && typeof value === 'object' && Object.hasOwn(value, segment) ? (value as Record<string, unknown>)[segment] : undefined
  }
  return { path: path.slice(0, MAX_ERROR_TEXT_LENGTH), isSecret, isDeclared, value }
}

/** Parameters that validators fill with names from the client's data. */
const CLIENT_NAMED = new Set(['additionalProperty', 'additionalProperties', 'unevaluatedProperty', 'unevaluatedProperties', 'propertyName', 'keys'])

function describeParams (params: unknown, place: Place): Record<string, unknown> | undefined {
  if (params === null || typeof params !== 'object' || place.isSecret) return undefined
  const described: Record<string, unknown> = {}
  let isEmpty = true
  for (const [name, value] of Object.entries(params).slice(0, MAX_ERRORS)) {
    if (value === undefined || name === '__proto__') continue
    described[name] = CLIENT_NAMED.has(name) ? UNDECLARED : describeParam(value)
    isEmpty = false
  }
  return isEmpty ? undefined : described
}

function describeParam (value: unknown): unknown {
  if (typeof value === 'string') return scrubText(value, MAX_ERROR_TEXT_LENGTH)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  if (!Array.isArray(value)) return kindOf(value)
  return value.slice(0, MAX_ERRORS).map((item: unknown) => typeof item === 'object' && item !== null ? kindOf(item) : describeParam(item))
}

/** Keywords of missing and superfluous properties: the path names the object around them, or a value that no schema declares. */
const WITHOUT_INPUT = new Set(['required', 'additionalProperties', 'unevaluatedProperties', 'propertyNames', 'boolean', 'false schema'])

/** What stands at the path, if the schema declares that anything may. */
function describeInput (keyword: string, { value, isSecret, isDeclared }: Place): unknown {
  if (value === undefined || !isDeclared || WITHOUT_INPUT.has(keyword)) return undefined
  if (isSecret) return SCRUBBED
  if (typeof value === 'string') return scrubText(value, MAX_ERROR_TEXT_LENGTH)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return typeof value === 'boolean' || value === null ? value : kindOf(value)
}

function kindOf (value: unknown): string {
  return Array.isArray(value) ? `[array of ${value.length}]` : `[${typeof value}]`
}

/** The TypeBox compiler of `@sinclair/typebox` gives no keyword, but a fixed set of messages. */
const KEYWORDS_BY_MESSAGE: Array<[RegExp, string]> = [
  [/^Expected required property/, 'required'],
  [/^Unexpected property/, 'additionalProperties'],
  [/^Expected union value/, 'anyOf'],
  [/^Expected all values to match$/, 'allOf'],
  [/^Expected ['"\d-]|^Expected (?:true|false)$/, 'const'],
  [/^Unknown format|' format$/, 'format'],
  [/ to match /, 'pattern'],
  [/string length greater/, 'minLength'],
  [/string length less/, 'maxLength'],
  [/array length to be greater/, 'minItems'],
  [/array length to be less/, 'maxItems'],
  [/elements to be unique/, 'uniqueItems'],
  [/at least one matching value$/, 'contains'],
  [/at least \d+ matching values$/, 'minContains'],
  [/no more than \d+ matching values$/, 'maxContains'],
  [/at least \d+ properties$/, 'minProperties'],
  [/no more than \d+ properties$/, 'maxProperties'],
  [/^Never$|should not match$/, 'not'],
  [/ multiple of/, 'multipleOf'],
  [/greater or equal|greater than or equal/, 'minimum'],
  [/less or equal|less than or equal/, 'maximum'],
  [/ to be greater than/, 'exclusiveMinimum'],
  [/ to be less than/, 'exclusiveMaximum'],
  [/^Expected /, 'type'],
]

function keywordOf (message: string): string {
  return KEYWORDS_BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? 'unknown'
}

/** The JSON text of as many records as fit into the bound. */
export function errorsToJson (records: readonly ValidationErrorRecord[]): { json: string, listed: number } {
  let json = '['
  let bytes = 2
  let listed = 0
  for (const record of records) {
    const text = JSON.stringify(record)
    bytes += Buffer.byteLength(text) + 1
    if (bytes > MAX_ERROR_BYTES) break
    json += listed === 0 ? text : `,${text}`
    listed++
  }
  return { json: `${json}]`, listed }
}
