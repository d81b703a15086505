import type { AttributeValue } from '@opentelemetry/api'
import { ARGUMENTS_ERRORS, ARGUMENTS_VALUES } from '../semconv.ts'
import { writeOpen } from './bounded-walk.ts'
import { VALUE_LIMITS } from './limits.ts'
import { isSecretName, SCRUBBED } from './scrub.ts'
import { ValueSink } from './value-sink.ts'

/** Attributes to set, in the order in which the mapper returned them. */
export interface MappedAttributes {
  attributes: Array<[name: string, value: AttributeValue]>
  truncated: boolean
}

/** Attributes that one mapper result may add. */
const MAX_ATTRIBUTES = 64

/**
 * Turns what a mapper returned into attributes: `values` and `errors` become `fastify.arguments.*`, other keys stand as they are,
 * and what is not an attribute value becomes JSON text; all of it bounded and scrubbed like what the schema lets through.
 *
 * @returns `null` when there is nothing to record
 * @throws TypeError when the result is a promise, an array, a function or a primitive
 */
export function toAttributes (result: unknown): MappedAttributes | null {
  if (result === null || result === undefined || result === false) return null
  if (typeof result !== 'object' || Array.isArray(result) || typeof (result as { then?: unknown }).then === 'function') {
    throw new TypeError(`a mapper must return an object of attributes or null, received ${kindOf(result)}`)
  }
  const attributes: MappedAttributes['attributes'] = []
  let truncated = false
  let bytesLeft = VALUE_LIMITS.maxBytes
  for (const key in result) {
    if (!Object.hasOwn(result, key) || key === '__proto__' || key === '') continue
    const value = (result as Record<string, unknown>)[key]
    if (value === undefined || value === null) continue
    if (attributes.length >= MAX_ATTRIBUTES || bytesLeft <= 0 || key.length > VALUE_LIMITS.maxKeyLength) {
      truncated = true
      continue
    }
    const sink = new ValueSink(VALUE_LIMITS, bytesLeft)
    if (key === 'errors' && Array.isArray(value) && value.length === 0) continue
    const attribute = toAttribute(key, value, sink)
    attributes.push(attribute)
    bytesLeft -= sink.bytes
    truncated ||= sink.truncated
  }
  return attributes.length === 0 ? null : { attributes, truncated }
}

function toAttribute (key: string, value: unknown, sink: ValueSink): [string, AttributeValue] {
  if (key === 'values' || key === 'errors') {
    writeOpen(value, sink, 0)
    return [key === 'values' ? ARGUMENTS_VALUES : ARGUMENTS_ERRORS, sink.text]
  }
  if (isSecretName(key)) return [key, SCRUBBED]
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return [key, value]
  writeOpen(value, sink, 0)
  if (typeof value !== 'string' && !isListOfOneKind(value)) return [key, sink.text]
  // The text is JSON of a bounded copy: reading it back gives the attribute without the original's getters, length or proxies.
  const copy: unknown = JSON.parse(sink.text)
  // A list that ran into a bound ends with a mark, which makes two kinds of a list of numbers.
  return [key, typeof copy === 'string' || isListOfOneKind(copy) ? copy as AttributeValue : sink.text]
}

function isListOfOneKind (value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > VALUE_LIMITS.maxItems) return false
  return value.every((item) => typeof item === 'string') ||
    value.every((item) => typeof item === 'boolean') ||
    value.every((item) => Number.isFinite(item))
}

function kindOf (value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'a promise' : typeof value === 'string' ? 'a string' : `a ${typeof value}`
}
