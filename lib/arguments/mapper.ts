import type { AttributeValue } from '@opentelemetry/api'
import { ARGUMENTS_ERRORS, ARGUMENTS_VALUES } from '../semconv.ts'
import { readBack, toAttributeValue } from './attribute-value.ts'
import { writeOpen, writeSecret } from './bounded-walk.ts'
import { isStandardName } from './standard-names.ts'
import { UNREADABLE } from './stand-ins.ts'
import { ValueSink, type CaptureSettings } from './value-sink.ts'

/**
 * Key of a mapper's result for attributes that this package sets itself: `{ [standardAttributes]: { 'url.path': '/users/…' } }`. Among the other keys
 * such names are left out, so that a mapper cannot change by accident what a span says of its request.
 */
export const standardAttributes: unique symbol = Symbol.for('fastify-schema-telemetry.standard-attributes') as never

/** What a mapper's result comes to. */
export interface MappedAttributes {
  /** Attributes to set, in the order in which the mapper returned them. */
  attributes: Array<[name: string, value: AttributeValue]>
  /** Attributes of {@link standardAttributes}: these stay until the span's end. */
  standard: Array<[name: string, value: AttributeValue]>
  /** Names left out because they are standard. */
  refused: string[]
  truncated: boolean
  /** JSON pointers of what was scrubbed. */
  scrubbed: string[]
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
export function toAttributes (result: unknown, settings: CaptureSettings): MappedAttributes | null {
  if (result === null || result === undefined || result === false) return null
  if (!isAttributeHolder(result)) throw new TypeError(`a mapper must return an object of attributes or null, received ${kindOf(result)}`)

  const mapped: MappedAttributes = { attributes: [], standard: [], refused: [], truncated: false, scrubbed: [] }
  let bytesLeft = settings.limits.maxBytes

  function add (holder: object, isStandard: boolean): void {
    for (const key in holder) {
      if (!Object.hasOwn(holder, key) || key === '__proto__' || key === '') continue
      if (!isStandard && isStandardName(key)) {
        if (mapped.refused.length < MAX_ATTRIBUTES) mapped.refused.push(key)
        continue
      }
      const count = mapped.attributes.length + mapped.standard.length
      if (count >= MAX_ATTRIBUTES || bytesLeft <= 0 || key.length > settings.limits.maxKeyLength) {
        mapped.truncated = true
        continue
      }
      const sink = new ValueSink(settings, bytesLeft)
      const attribute = attributeOf(holder as Record<string, unknown>, key, isStandard, sink)
      if (attribute === undefined) continue
      const list = isStandard ? mapped.standard : mapped.attributes
      list.push(attribute)
      bytesLeft -= sink.bytes
      mapped.truncated ||= sink.truncated
      if (sink.scrubbed !== null) mapped.scrubbed.push(...sink.scrubbed)
    }
  }

  add(result, false)
  const standard = (result as { [standardAttributes]?: unknown })[standardAttributes]
  if (isAttributeHolder(standard)) add(standard, true)
  return mapped.attributes.length + mapped.standard.length + mapped.refused.length === 0 ? null : mapped
}

function attributeOf (holder: Record<string, unknown>, key: string, isStandard: boolean, sink: ValueSink): [string, AttributeValue] | undefined {
  const isArguments = !isStandard && (key === 'values' || key === 'errors')
  const name = !isArguments ? key : key === 'values' ? ARGUMENTS_VALUES : ARGUMENTS_ERRORS
  try {
    const value = holder[key]
    if (value === undefined || value === null) return undefined
    // An `await` was forgotten: if it rejects nobody else will look at it.
    if (value instanceof Promise) value.then(undefined, () => {})
    if (isArguments) {
      if (key === 'errors' && Array.isArray(value) && value.length === 0) return undefined
      // Paths inside the values begin with their part, as those of the request do.
      if (key === 'errors') sink.startPart('', '/errors', true, undefined)
      writeOpen(value, sink, 0)
      return [name, sink.text]
    }
    sink.startPart('', `/${key}`, true, undefined)
    const matched = isStandard ? undefined : sink.scrubber.findInName(key)
    if (matched !== undefined) writeSecret(value, matched, sink, 0)
    const attribute = matched === undefined ? toAttributeValue(value, sink) : readBack(sink)
    return attribute === undefined ? undefined : [name, attribute]
  } catch {
    return [name, isArguments ? JSON.stringify(UNREADABLE) : UNREADABLE]
  }
}

function isAttributeHolder (value: unknown): value is object {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && typeof (value as { then?: unknown }).then !== 'function'
}

function kindOf (value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'a promise' : typeof value === 'string' ? 'a string' : `a ${typeof value}`
}
