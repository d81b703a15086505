import type { AttributeValue } from '@opentelemetry/api'
import { writeOpen } from './bounded-walk.ts'
import { kindOf, NO_KIND } from './value-kinds.ts'
import type { ValueSink } from './value-sink.ts'

/**
 * A value as a span attribute can have it: strings, numbers, booleans and lists of one of them natively, dates and bigints as strings, anything
 * else as JSON text; bounded and scrubbed as it goes through the sink. `undefined` for what is nothing.
 */
export function toAttributeValue (value: unknown, sink: ValueSink): AttributeValue | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) {
    sink.bytes += 8
    return value
  }
  writeOpen(value, sink, 0)
  return readBack(sink)
}

/** What was written, as an attribute value; without the original's getters, length or proxies. */
export function readBack ({ text }: ValueSink): AttributeValue | undefined {
  if (text.startsWith('{')) return text
  const copy: unknown = JSON.parse(text)
  if (copy === null) return undefined
  // A list that ran into a bound ends with a mark, which makes two kinds of a list of numbers.
  return !Array.isArray(copy) || isListOfOneKind(copy, Infinity) ? copy as AttributeValue : text
}

export function isListOfOneKind (value: unknown, maxItems: number): value is string[] | number[] | boolean[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > maxItems) return false
  const kind = kindOf(value[0])
  return kind !== NO_KIND && value.every((item) => kindOf(item) === kind && typeof item !== 'bigint' && (typeof item !== 'number' || Number.isFinite(item)))
}
