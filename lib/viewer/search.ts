import type { StoredTrace } from './stored-trace.ts'
import type { AttributeValue, TraceSummary, ViewerSpan } from './wire.ts'

/** UTF-16 units of a text to search for; what is beyond is not looked at. */
const MAX_SEARCH_LENGTH = 200

/** Whether a trace has the text that was asked for. */
export type TraceFilter = (trace: StoredTrace) => boolean

/**
 * Makes a filter for a text, in capitals or not: in name, route, status, trace id, services, and in names, status messages and attributes of all spans and events.
 * `key=value` finds an attribute of that key whose value begins so. Without a text everything passes.
 */
export function createFilter (text: string | undefined): TraceFilter | undefined {
  const wanted = (text ?? '').trim().slice(0, MAX_SEARCH_LENGTH)
  if (wanted === '') return undefined
  // An expression makes no second copy of what it looks at, as lower-casing would.
  const literal = new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'i')
  const separator = wanted.indexOf('=')
  const pair = separator < 1 ? undefined : { key: wanted.slice(0, separator).toLowerCase(), value: wanted.slice(separator + 1).toLowerCase() }

  const inValue = (value: AttributeValue): boolean => {
    switch (typeof value) {
      case 'string': return literal.test(value)
      case 'object': return value !== null && (Array.isArray(value) ? value.some(inValue) : inAttributes(value))
      default: return literal.test(String(value))
    }
  }
  const inAttributes = (attributes: Record<string, AttributeValue>): boolean => {
    for (const key in attributes) {
      const value = attributes[key]!
      if (literal.test(key) || inValue(value) || (pair !== undefined && isPair(key, value, pair))) return true
    }
    return false
  }
  const inSpan = ({ spanId, name, statusMessage, attributes, events }: ViewerSpan): boolean =>
    literal.test(name) || literal.test(spanId) || (statusMessage !== undefined && literal.test(statusMessage)) || inAttributes(attributes) ||
    events.some((event) => literal.test(event.name) || inAttributes(event.attributes))
  const inSummary = ({ traceId, name, method, route, statusCode, errorType, services }: TraceSummary): boolean =>
    literal.test([traceId, name, [method, route, statusCode].join(' '), errorType, ...services].join('\n'))

  return (trace) => {
    if (inSummary(trace.summary)) return true
    for (const { span } of trace.spans.values()) if (inSpan(span)) return true
    return false
  }
}

function isPair (key: string, value: AttributeValue, pair: { key: string, value: string }): boolean {
  return key.toLowerCase() === pair.key && String(value).slice(0, pair.value.length).toLowerCase() === pair.value
}
