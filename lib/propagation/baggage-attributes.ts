import type { Attributes, AttributeValue, Baggage } from '@opentelemetry/api'

/** UTF-16 units of a value that are looked at; what a header can bring. */
const MAX_LOOK = 8192

/** Control characters: whoever writes the baggage may not write lines into logs, or colours onto terminals. */
const CONTROLS = /[\p{Cc}]+/gu

/**
 * The attributes that a baggage gives to a span: its entries with the listed names, under their own names, as OpenTelemetry's Baggage Span Processor
 * has it; there is no convention for a prefix.
 *
 * @param baggage - `undefined`: none
 * @param names - exact names; entries with other names are not looked at
 * @param keep - makes of a text what may be recorded, bounded and scrubbed; `undefined` when nothing may
 * @see https://opentelemetry.io/docs/specs/otel/baggage/api/
 */
export function baggageAttributes (
  baggage: Baggage | undefined, names: readonly string[], keep: (name: string, text: string) => AttributeValue | undefined
): Attributes {
  const attributes: Attributes = {}
  if (baggage === undefined) return attributes
  for (const name of names) {
    const value: unknown = baggage.getEntry(name)?.value
    if (typeof value !== 'string') continue
    const kept = keep(name, value.slice(0, MAX_LOOK).replace(CONTROLS, ' '))
    if (kept !== undefined) attributes[name] = kept
  }
  return attributes
}
