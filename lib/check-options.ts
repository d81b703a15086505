import type { TObject, TProperties } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { TelemetryError } from './error-codes.ts'

/**
 * Checks an options object against a schema whose properties describe what they expect.
 *
 * @param where - names the place in messages: `option`, `route GET /users: config.telemetry option`
 * @param options - as the user wrote them; properties that are `undefined` count as absent
 * @param alsoAllowed - keys of others in the same object, not looked at
 * @throws TelemetryError - `FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION` or `_INVALID_OPTION`; the message names the option, what was
 * expected and what was received
 */
export function checkOptions (where: string, schema: TObject<TProperties>, options: unknown, alsoAllowed: readonly string[] = []): void {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_OPTION', `${where}s must be an object, received ${describeReceived(options)}`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || alsoAllowed.includes(name)) continue
    const expected = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    if (expected === undefined) {
      const known = Object.keys(schema.properties).join(', ')
      throw new TelemetryError('FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION', `${where} "${name}" is not known; known are: ${known}`)
    }
    if (!Value.Check(expected, value)) {
      throw new TelemetryError(
        'FST_SCHEMA_TELEMETRY_INVALID_OPTION',
        `${where} "${name}" must be ${expected.description}, received ${describeReceived(value)}`
      )
    }
  }
}

/** A short text of a value in an error message; names kinds, shows short primitives only. */
function describeReceived (value: unknown): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string': return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
    case 'function': return 'a function'
    case 'object': return Array.isArray(value) ? describeList(value) : 'an object'
    default: return String(value)
  }
}

function describeList (list: unknown[]): string {
  const wrong = list.find((item) => typeof item !== 'string' || !item.startsWith('/'))
  return wrong === undefined || Array.isArray(wrong) ? 'an array' : `an array with ${describeReceived(wrong)}`
}
