import { isSchema, type CheckSchema } from './schema-leaves.ts'

const expectSchema = (value: unknown) => isSchema(value) ? undefined : 'a schema'
const expectSchemas = (value: unknown) => Array.isArray(value) && value.every(isSchema) ? undefined : 'a list of schemas'
const expectSchemasByName = (value: unknown) =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && Object.values(value).every(isSchema) ? undefined : 'schemas by name'
const expectPatterns = (value: unknown) => expectSchemasByName(value) ?? Object.keys(value as object).map(patternProblem).find((problem) => problem !== undefined)
const expectText = (value: unknown) => typeof value === 'string' ? undefined : 'a string'

function patternProblem (pattern: string): string | undefined {
  try {
    toRegExp(pattern)
    return undefined
  } catch {
    return `schemas by regular expression, and ${JSON.stringify(pattern)} is none`
  }
}

/**
 * The regular expression of a schema: by code points, as Ajv reads it; where that is no regular expression (`[\w-.]`), as TypeBox reads it.
 *
 * @throws SyntaxError - when it is none either way
 */
export function toRegExp (pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return new RegExp(pattern)
  }
}

/** What a keyword that captures depend on must be; a validator may be more generous. */
const EXPECTATIONS: Record<string, (value: unknown) => string | undefined> = {
  $ref: expectText,
  type: (value) => typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string')) ? undefined : 'a type or a list of types',
  properties: expectSchemasByName,
  patternProperties: expectPatterns,
  additionalProperties: expectSchema,
  unevaluatedProperties: expectSchema,
  items: (value) => Array.isArray(value) ? expectSchemas(value) : expectSchema(value),
  prefixItems: expectSchemas,
  additionalItems: expectSchema,
  allOf: expectSchemas,
  anyOf: expectSchemas,
  oneOf: expectSchemas,
  if: expectSchema,
  then: expectSchema,
  else: expectSchema,
}

/** @throws TypeError - naming the first keyword whose value is not what JSON Schema expects of it */
export const checkSchema: CheckSchema = function checkSchema (schema) {
  for (const keyword in EXPECTATIONS) {
    const value = schema[keyword]
    if (value === undefined) continue
    const expected = EXPECTATIONS[keyword]!(value)
    if (expected !== undefined) throw new TypeError(`"${keyword}" must be ${expected}, received ${describe(value)}`)
  }
}

function describe (value: unknown): string {
  switch (typeof value) {
    case 'string': case 'number': case 'boolean': return JSON.stringify(value)
    case 'object': return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object'
    default: return `a ${typeof value}`
  }
}
