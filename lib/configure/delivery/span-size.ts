import type { ReadableSpan } from '@opentelemetry/sdk-trace'

/** What a span has on the wire besides its texts: ids, times, kind, status, punctuation. */
const FIXED_BYTES = 400
const BYTES_PER_ENTRY = 40

/** Texts are counted by UTF-16 units: a guess, but one that costs little and holds for ASCII. */
export function estimateBytes ({ name, attributes, events, links }: Pick<ReadableSpan, 'name' | 'attributes' | 'events' | 'links'>): number {
  let bytes = FIXED_BYTES + name.length + bytesOf(attributes)
  for (const event of events) bytes += BYTES_PER_ENTRY + event.name.length + bytesOf(event.attributes)
  for (const link of links) bytes += 2 * BYTES_PER_ENTRY + bytesOf(link.attributes)
  return bytes
}

function bytesOf (attributes: object | undefined): number {
  let bytes = 0
  for (const key in attributes) bytes += BYTES_PER_ENTRY + key.length + lengthOf((attributes as Record<string, unknown>)[key])
  return bytes
}

function lengthOf (value: unknown): number {
  if (typeof value === 'string') return value.length
  if (Array.isArray(value)) return value.reduce((bytes: number, item) => bytes + BYTES_PER_ENTRY + lengthOf(item), 0)
  // Objects, which only the 3.x line takes.
  return value !== null && typeof value === 'object' ? bytesOf(value) : 8
}
