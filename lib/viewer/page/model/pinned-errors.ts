/** An entry of `fastify.arguments.errors`, if this package wrote it: nothing about it is certain. */
interface ErrorEntry {
  part: string
  path?: unknown
  keyword?: unknown
  message?: unknown
  schemaPath?: unknown
  params?: unknown
  input?: unknown
}

/** A validation error at the field that it is about. */
export interface PinnedError {
  part: string
  /** Names from the part down to the field. */
  segments: string[]
  keyword: string
  message: string
  /** What the schema wants there, in short; `undefined` when the message says all that is known. */
  expected: string | undefined
  /** What came; `undefined` when nothing did, or nothing may be told. */
  received: unknown
  schemaPath: string | undefined
  /** Where in a text that did not parse. */
  position: string | undefined
  /** Nothing was there. */
  isMissing: boolean
}

const MAX_SEGMENTS = 64

/** Reads `fastify.arguments.errors`; what is not an error in the form of this package is left out. */
export function readErrors (json: unknown): PinnedError[] {
  if (typeof json !== 'string') return []
  try {
    const list: unknown = JSON.parse(json)
    return Array.isArray(list) ? list.filter(isRecord).flatMap(pin) : []
  } catch {
    // A mapper or another program wrote it.
    return []
  }
}

function isRecord (error: unknown): error is ErrorEntry {
  return error !== null && typeof error === 'object' && typeof (error as ErrorEntry).part === 'string'
}

/** Errors about missing properties name the object around them, and belong to the properties. */
function pin ({ part, path, keyword, message, schemaPath, params: given, input }: ErrorEntry): PinnedError[] {
  const params = given !== null && typeof given === 'object' ? given as Record<string, unknown> : {}
  const segments = segmentsOf(path)
  const error = {
    part,
    segments,
    keyword: String(keyword ?? 'unknown'),
    message: String(message ?? 'is not valid'),
    expected: expectedOf(String(keyword), params),
    received: input,
    schemaPath: schemaPath === undefined ? undefined : String(schemaPath),
    position: positionOf(params),
    isMissing: keyword === 'required' && input === undefined,
  }
  const missing = missingProperties(params)
  return keyword === 'required' && missing.length > 0 ? missing.map((name) => ({ ...error, segments: [...segments, name], received: undefined, isMissing: true })) : [error]
}

function missingProperties ({ missingProperty, requiredProperties }: Record<string, unknown>): string[] {
  if (typeof missingProperty === 'string') return [missingProperty]
  return Array.isArray(requiredProperties) ? requiredProperties.filter((name) => typeof name === 'string') : []
}

/** Of a JSON pointer: `/a~1b/0` is `a/b`, `0`. */
function segmentsOf (pointer: unknown): string[] {
  if (typeof pointer !== 'string' || pointer === '') return []
  return pointer.replace(/^\//, '').split('/').slice(0, MAX_SEGMENTS).map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const COMPARISONS: Record<string, string> = { minimum: '≥', maximum: '≤', exclusiveMinimum: '>', exclusiveMaximum: '<', multipleOf: 'a multiple of' }
const LENGTHS: Record<string, [sign: string, noun: string]> = {
  minLength: ['≥', 'character'],
  maxLength: ['≤', 'character'],
  minItems: ['≥', 'item'],
  maxItems: ['≤', 'item'],
  minProperties: ['≥', 'property'],
  maxProperties: ['≤', 'property'],
}

/** In the words of the schema: `integer`, `≥ 12 characters`, `one of "NO", "SE"`, `/^[A-Z]{2}$/`. */
function expectedOf (keyword: string, params: Record<string, unknown>): string | undefined {
  const { type, limit, format, pattern, allowedValues, allowedValue } = params
  if (Array.isArray(allowedValues)) return `one of ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}`
  if (allowedValue !== undefined) return JSON.stringify(allowedValue)
  const bound = limit ?? params[keyword]
  if (typeof bound === 'number' || typeof bound === 'string') {
    if (COMPARISONS[keyword] !== undefined) return `${COMPARISONS[keyword]} ${bound}`
    const [sign, noun] = LENGTHS[keyword] ?? []
    if (noun !== undefined) return `${sign} ${bound} ${bound === 1 ? noun : noun.replace(/y$/, 'ie') + 's'}`
  }
  if (keyword === 'type' && type !== undefined) return [type].flat().join(' or ')
  if (typeof format === 'string') return format
  if (typeof pattern === 'string') return `/${pattern}/`
  return keyword === 'required' ? 'a value' : undefined
}

/** Of a body that is not JSON: `line 3, column 1`. */
function positionOf ({ line, column }: Record<string, unknown>): string | undefined {
  return typeof line === 'number' && typeof column === 'number' ? `line ${line}, column ${column}` : undefined
}
