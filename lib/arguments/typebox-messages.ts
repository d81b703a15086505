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

/** The keyword that a message of TypeBox speaks of; `unknown` for other messages. */
export function keywordOf (message: string): string {
  return KEYWORDS_BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? 'unknown'
}
