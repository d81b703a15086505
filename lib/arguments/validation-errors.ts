import type { ArgumentPart, ValidationErrorRecord } from './argument-part.ts'
import type { CaptureNode } from './capture-node.ts'
import { cutText } from './cut-text.ts'
import { findEntries, isWrapper, toEntry, type ErrorEntry } from './error-entries.ts'
import { findPlace, UNDECLARED, type ErrorPlace } from './error-place.ts'
import { hiddenTexts, type HideTexts } from './hidden-texts.ts'
import { MAX_ERROR_TEXT_LENGTH } from './limits.ts'
import { scrubText, type Scrubber } from './scrubber.ts'
import { CLOSING_KEYWORDS } from './schema-leaf.ts'
import { kindMark } from './stand-ins.ts'
import { keywordOf } from './typebox-messages.ts'
import type { CaptureSettings } from './value-sink.ts'

/** A validation failure as Fastify hands it over, whatever validator it comes from. */
export interface ValidationFailure {
  part: ArgumentPart
  /** What the validator reported: usually its list. */
  validation: unknown
  /** The error that Fastify answered with. */
  error: unknown
  /** The part that failed, as it was received or partly coerced. */
  data: unknown
  /** What the part's schema declares; `undefined` when the part has none. */
  node: CaptureNode | undefined
  /** The validator is Ajv's or TypeBox's: of standard keywords it has fixed messages, which quote nothing that was sent. */
  hasFixedMessages?: boolean
}

/** Errors as the span carries them. */
export interface ErrorList {
  records: ValidationErrorRecord[]
  /** How many the validator reported, listed or not. */
  count: number
}

/** Entries of unions that are passed over while looking for those to list. */
const MAX_WRAPPERS = 64

/** Brings a validation failure into one shape: a bounded list, secrets and undeclared names hidden. */
export function describeValidationFailure (failure: ValidationFailure, { limits, scrubber }: CaptureSettings): ErrorList {
  const entries = findEntries(failure.validation, failure.error)
  const hide = hiddenTexts(failure.part, failure.data, failure.node, scrubber)
  if (entries === undefined) {
    return { records: [describeError(failure, toEntry({ message: messageOf(failure.error) }), hide, scrubber)], count: 1 }
  }
  const records: ValidationErrorRecord[] = []
  let wrappers = 0
  let before: ErrorEntry | undefined
  for (let index = 0; index < entries.length && records.length < limits.maxErrors && wrappers < MAX_WRAPPERS; index++) {
    const entry = readEntry(entries, index)
    if (isWrapper(entry, before)) wrappers++
    else records.push(describeError(failure, entry, hide, scrubber))
    before = entry
  }
  return { records, count: entries.length - wrappers }
}

/** What an entry's getters throw costs that entry its details, not the list. */
function readEntry (entries: readonly unknown[], index: number): ErrorEntry {
  try {
    return toEntry(entries[index])
  } catch {
    return toEntry({})
  }
}

function messageOf (error: unknown): unknown {
  try {
    return error !== null && typeof error === 'object' ? (error as { message?: unknown }).message : undefined
  } catch {
    return undefined
  }
}

function describeError ({ part, data, node, hasFixedMessages }: ValidationFailure, entry: ErrorEntry, hideTexts: HideTexts, scrubber: Scrubber): ValidationErrorRecord {
  const place = findPlace(part, entry.segments, data, node, scrubber)
  const keyword = entry.keyword === undefined ? keywordOf(entry.message ?? '') : cutText(entry.keyword, MAX_ERROR_TEXT_LENGTH)
  const hide: HideTexts = hasFixedMessages === true && STANDARD_KEYWORDS.has(keyword) ? asItIs : hideTexts
  const record: ValidationErrorRecord = {
    part,
    path: place.path,
    keyword,
    message: (place.isHidden || keyword === 'propertyNames' ? undefined : describeText(entry.message ?? 'is not valid', hide, scrubber)) ?? `does not satisfy "${keyword}"`,
  }
  // Where nothing is known of the schema, its path may be made of the client's names.
  if (entry.schemaPath !== undefined && node?.isUnknown === false) record.schemaPath = cutText(entry.schemaPath, MAX_ERROR_TEXT_LENGTH)
  const params = place.isHidden ? undefined : describeParams(entry.params, VALUES_IN_PARAMS.has(keyword) ? hideTexts : hide, scrubber)
  if (params !== undefined) record.params = params
  const input = describeInput(keyword, place, scrubber)
  if (input !== undefined) record.input = input
  return record
}

const asItIs: HideTexts = (text) => text

/** Keywords that validators come with, whose messages are therefore known. */
const STANDARD_KEYWORDS = new Set([
  ...CLOSING_KEYWORDS, 'allOf', 'anyOf', 'oneOf', 'if', 'boolean', 'false schema', 'discriminator',
  'formatMinimum', 'formatMaximum', 'formatExclusiveMinimum', 'formatExclusiveMaximum',
])

/** Keywords whose parameters can hold another value of the request: with Ajv's `$data`, `const` compares with it. */
const VALUES_IN_PARAMS = new Set(['const', 'enum', 'discriminator'])

/** The validator's words without what they quote of it that may not be recorded; `undefined` when that is not known. */
function describeText (text: string, hide: HideTexts, scrubber: Scrubber): string | undefined {
  const clean = hide(text)
  return clean === undefined ? undefined : scrubText(scrubber, clean, MAX_ERROR_TEXT_LENGTH)
}

/** Parameters that validators fill with names from the client's data. */
const CLIENT_NAMED = new Set(['additionalProperty', 'additionalProperties', 'unevaluatedProperty', 'unevaluatedProperties', 'propertyName', 'propertyNames', 'keys', 'child'])

/** Parameters that hold the value, or stand elsewhere in the record. */
const NOT_PARAMS = new Set(['value', 'originalValue', 'label', 'key', 'path', 'input', 'received', 'errors', 'issue', '__proto__'])

const MAX_PARAMS = 10
const MAX_PARAM_BYTES = 512

function describeParams (params: object | undefined, hide: HideTexts, scrubber: Scrubber): Record<string, unknown> | undefined {
  const described: Record<string, unknown> = {}
  for (const [name, value] of entriesOf(params)) {
    if (value === undefined || NOT_PARAMS.has(name)) continue
    described[name] = CLIENT_NAMED.has(name) ? UNDECLARED : describeParam(value, hide, scrubber)
  }
  const json = JSON.stringify(described)
  return json === '{}' || Buffer.byteLength(json) > MAX_PARAM_BYTES ? undefined : described
}

/** The first parameters; none when one of them cannot be read. */
function entriesOf (params: object | undefined): Array<[string, unknown]> {
  try {
    return Object.entries(params ?? {}).slice(0, MAX_PARAMS)
  } catch {
    return []
  }
}

function describeParam (value: unknown, hide: HideTexts, scrubber: Scrubber): unknown {
  if (typeof value === 'string') return describeText(value, hide, scrubber) ?? HIDDEN
  if (typeof value === 'number') return hide(String(value)) === String(value) ? value : HIDDEN
  if (typeof value === 'boolean' || value === null) return value
  if (!Array.isArray(value)) return kindMark(value)
  return value.slice(0, MAX_PARAMS).map((item: unknown) => typeof item === 'object' && item !== null ? kindMark(item) : describeParam(item, hide, scrubber))
}

const HIDDEN = '…'

/** Keywords of missing and superfluous properties: the path names the object around them, or a value that no schema declares. */
const WITHOUT_INPUT = new Set(['required', 'additionalProperties', 'unevaluatedProperties', 'propertyNames', 'boolean', 'false schema'])

/** What stands at the path, if the schema declares that anything may. */
function describeInput (keyword: string, { value, isHidden, mark, isDeclared }: ErrorPlace, scrubber: Scrubber): unknown {
  if (value === undefined || WITHOUT_INPUT.has(keyword)) return undefined
  if (isHidden) return mark
  if (!isDeclared) return undefined
  if (typeof value === 'string') return scrubText(scrubber, value, MAX_ERROR_TEXT_LENGTH)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return typeof value === 'boolean' || value === null ? value : kindMark(value)
}

/** The JSON text of as many records as fit into the bound, and how many these are. */
export function errorsToJson (records: readonly unknown[], maxBytes: number): { json: string, listed: number } {
  let json = '['
  let bytes = 2
  let listed = 0
  for (const record of records) {
    const text = JSON.stringify(record)
    const added = Buffer.byteLength(text) + 1
    if (bytes + added > maxBytes) continue
    bytes += added
    json += listed === 0 ? text : `,${text}`
    listed++
  }
  return { json: `${json}]`, listed }
}
