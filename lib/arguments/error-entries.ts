import { unescapeSegment } from './schema-leaves.ts'

/** One entry of a validator's list, in one form. What the validator does not give is `undefined`. */
export interface ErrorEntry {
  /** Names and indices that lead to the value. */
  segments: string[]
  keyword: string | undefined
  message: string | undefined
  schemaPath: string | undefined
  params: object | undefined
  /** Of a `oneOf`: several of its branches let the value in. */
  hasSeveral: boolean
}

/** Names of a path that are looked at. */
const MAX_SEGMENTS = 32

/** The fields of an entry that validators are known to give; none of them is sure to be there. */
interface KnownFields {
  message?: unknown
  /** Ajv, both TypeBoxes, fastify-type-provider-zod. */
  instancePath?: unknown
  keyword?: unknown
  schemaPath?: unknown
  params?: unknown
  /** zod and joi: a list of keys; yup: `list[0].name`. */
  path?: unknown
  /** zod. */
  code?: unknown
  /** joi and yup. */
  type?: unknown
  context?: unknown
}

/**
 * The validator's list: as Fastify hands it over in `validation`, or where the error of an async Ajv (`errors`), zod (`issues`), joi (`details`)
 * or yup (`inner`) keeps it; `undefined` when there is none.
 */
export function findEntries (validation: unknown, error: unknown): readonly unknown[] | undefined {
  try {
    return listIn(validation, error)
  } catch {
    // A getter or a proxy that throws.
    return undefined
  }
}

function listIn (validation: unknown, error: unknown): readonly unknown[] | undefined {
  const { errors, issues, details, inner, path, type } = error !== null && typeof error === 'object' ? error as Record<string, unknown> : {}
  const listed = [validation, issues, details, inner].find((list): list is unknown[] => Array.isArray(list) && list.length > 0)
  if (listed !== undefined) return listed
  // With `abortEarly`, the error of yup is its only entry.
  if (typeof path === 'string' && typeof type === 'string') return [error]
  return Array.isArray(errors) && errors.length > 0 ? errors as unknown[] : undefined
}

/** Brings an entry of any known validator into one form. */
export function toEntry (value: unknown): ErrorEntry {
  const fields = (value !== null && typeof value === 'object' ? value : { message: String(value) }) as KnownFields
  const { message, keyword, code, type, schemaPath, params, context } = fields
  const holder = [params, context].find((holder): holder is object => holder !== null && typeof holder === 'object')
  return {
    segments: segmentsOf(fields),
    keyword: [keyword, code, type].find((name): name is string => typeof name === 'string'),
    message: typeof message === 'string' ? message : undefined,
    schemaPath: typeof schemaPath === 'string' ? schemaPath : undefined,
    params: holder,
    hasSeveral: Array.isArray((holder as { passingSchemas?: unknown } | undefined)?.passingSchemas),
  }
}

function segmentsOf ({ instancePath, path }: KnownFields): string[] {
  if (typeof instancePath === 'string') {
    // `/` is the part itself with fastify-type-provider-zod; a property without a name is nobody's.
    return instancePath === '' || instancePath === '/' ? [] : instancePath.replace(/^\//, '').split('/', MAX_SEGMENTS).map(unescapeSegment)
  }
  if (Array.isArray(path)) return path.slice(0, MAX_SEGMENTS).map(String)
  return typeof path === 'string' ? path.slice(0, 1024).split(/[.[\]]+/, MAX_SEGMENTS).filter((segment) => segment !== '') : []
}

/**
 * Whether an entry only says that a union failed, after the entries of its branches said why. One that says that several branches of a `oneOf` matched
 * stands for itself.
 */
export function isWrapper (entry: ErrorEntry, before: ErrorEntry | undefined): boolean {
  if (before === undefined || (entry.keyword !== 'anyOf' && entry.keyword !== 'oneOf')) return false
  return !entry.hasSeveral && entry.segments.every((segment, index) => before.segments[index] === segment)
}
