/** The kinds of primitives that a schema lets through, as bits. */
export const NO_KIND = 0
const STRING = 1
const NUMBER = 2
const BOOLEAN = 4
export const ALL_KINDS = STRING | NUMBER | BOOLEAN

const KINDS_BY_TYPE: Record<string, number | undefined> = {
  string: STRING, number: NUMBER, integer: NUMBER, boolean: BOOLEAN, null: NO_KIND, object: NO_KIND, array: NO_KIND,
}

/** Keywords that ask something of a value of one kind only; without `type`, they tell what is meant. */
const KINDS_BY_KEYWORD: Array<[kinds: number, keywords: string[]]> = [
  [STRING, ['minLength', 'maxLength', 'pattern', 'format', 'contentEncoding', 'contentMediaType']],
  [NUMBER, ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
]

/** The kinds of primitives that one plain schema lets through. */
export function kindsOf (schema: { readonly [keyword: string]: unknown }): number {
  // What a TypeBox transform decodes to is anybody's guess: `~codec` is that of TypeBox 1.x.
  if (TRANSFORM in schema || '~codec' in schema) return ALL_KINDS
  const { type, enum: list, const: only } = schema
  if (typeof type === 'string') return kindsOfType(type)
  if (Array.isArray(type)) return type.reduce((kinds: number, name) => kinds | kindsOfType(name as string), NO_KIND)
  if ('const' in schema) return kindOf(only)
  if (Array.isArray(list)) return list.reduce((kinds: number, value) => kinds | kindOf(value), NO_KIND)
  let kinds = NO_KIND
  for (const [kind, keywords] of KINDS_BY_KEYWORD) if (keywords.some((keyword) => keyword in schema)) kinds |= kind
  return kinds
}

/** Types beyond JSON Schema are TypeBox's own (`Date`, `bigint`): what stands for them is not ours to judge. */
function kindsOfType (type: string): number {
  return Object.hasOwn(KINDS_BY_TYPE, type) ? KINDS_BY_TYPE[type]! : ALL_KINDS
}

/** The bit of a primitive; 0 of `null`, which says nothing but its kind, and of what is no primitive. */
export function kindOf (value: unknown): number {
  switch (typeof value) {
    case 'string': return STRING
    case 'number': case 'bigint': return NUMBER
    case 'boolean': return BOOLEAN
    default: return NO_KIND
  }
}

const TRANSFORM = Symbol.for('TypeBox.Transform')
