import type { TObject, TProperties, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { TelemetryError } from './error-codes.ts'

/**
 * Checks an options object against a schema whose properties describe what they expect. A property whose value is an object of options has
 * their schema as its keyword `options`; what is wrong is then said of `limits.maxDepth`, not of `limits`.
 *
 * @param where - names the place in messages: `option`, `route GET /users: config.telemetry option`
 * @param options - as the user wrote them; properties that are `undefined` count as absent
 * @param alsoAllowed - keys of others in the same object, not looked at
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION` or `_INVALID_OPTION`; the message names the option, what was
 * expected and what was received
 */
export function checkOptions (
  where: string, schema: TObject<TProperties>, options: unknown, alsoAllowed: readonly string[] = [], prefix = ''
): void {
  if (!isRecord(options)) {
    throw new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_OPTION', `${where}s must be an object, received ${describeReceived(options)}`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || alsoAllowed.includes(name)) continue
    const expected = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    if (expected === undefined) {
      const known = Object.keys(schema.properties).map((name) => prefix + name).join(', ')
      throw new TelemetryError('FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION', `${where} "${prefix}${name}" is not known; known are: ${known}`)
    }
    if (expected.options !== undefined && isRecord(value)) {
      checkOptions(where, expected.options as TObject<TProperties>, value, [], `${prefix}${name}.`)
    } else if (!Value.Check(expected, value)) {
      throw new TelemetryError(
        'FST_SCHEMA_TELEMETRY_INVALID_OPTION',
        `${where} "${prefix}${name}" must be ${expected.description}, received ${describeReceived(value, expected)}`
      )
    }
  }
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** A short text of a value in an error message; names kinds, shows short primitives only, and of a list the item that is wrong. */
function describeReceived (value: unknown, expected?: TSchema): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string': return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
    case 'function': return 'a function'
    case 'object': return Array.isArray(value) ? describeList(value, expected) : 'an object'
    default: return String(value)
  }
}

function describeList (list: unknown[], expected: TSchema | undefined): string {
  const choices: TSchema[] = (expected?.anyOf as TSchema[] | undefined) ?? (expected === undefined ? [] : [expected])
  const item = choices.find(({ items }) => items !== undefined)?.items as TSchema | undefined
  const wrong = item === undefined ? undefined : list.find((received) => !Value.Check(item, received))
  return wrong === undefined || Array.isArray(wrong) ? 'an array' : `an array with ${describeReceived(wrong)}`
}
