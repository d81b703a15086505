import type { AttributeValue, Attributes } from '@opentelemetry/api'
import { toAttributeValue } from './attribute-value.ts'
import { ValueSink, type CaptureSettings } from './value-sink.ts'

/** A header that is recorded, and the attribute that it becomes. */
export interface CapturedHeader {
  readonly name: string
  readonly attribute: string
}

/**
 * Headers as attributes: lists of strings, each bounded and scrubbed. Headers that are not there have none.
 *
 * @param read - the header's values, by its name in lower case
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/ `http.request.header.<key>`
 */
export function headerAttributes (headers: readonly CapturedHeader[], read: (name: string) => unknown, settings: CaptureSettings, attributes: Attributes): Attributes {
  for (const { name, attribute } of headers) {
    const value = read(name)
    if (value === undefined || value === null) continue
    const list: unknown[] = Array.isArray(value) ? value : [value]
    const kept = keepText(attribute, list.map(String), settings)
    if (kept !== undefined) attributes[attribute] = kept
  }
  return attributes
}

/** Texts under a name of their own, bounded and scrubbed as what schemas declare. */
export function keepText (name: string, text: string | string[], settings: CaptureSettings): AttributeValue | undefined {
  const sink = new ValueSink(settings)
  sink.startPart('', `/${name}`, true, undefined)
  return toAttributeValue(text, sink)
}
