import type { AttributeValue } from '../../wire.ts'
import { ARGUMENTS_ERRORS, ARGUMENTS_SCRUBBED, ARGUMENTS_VALUES, RESPONSE_SERIALIZED } from '../../../semconv.ts'

export interface AttributeGroup {
  title: string
  attributes: Array<[name: string, value: AttributeValue]>
}

/** Shown in a form of their own. */
const SHOWN_ELSEWHERE = new Set([ARGUMENTS_VALUES, ARGUMENTS_ERRORS, ARGUMENTS_SCRUBBED, RESPONSE_SERIALIZED])

/** By meaning; the first group that fits. What fits none is the application's own, and comes first. */
const GROUPS: Array<[title: string, names: RegExp]> = [
  ['Outcome', /^(?:http\.response\.|error\.|otel\.status|rpc\.grpc\.status_code)/],
  ['Validation', /^fastify\.(?:arguments\.(?:error_count|truncated)|telemetry\.|validation\.)/],
  ['Route', /^(?:http\.route$|code\.|fastify\.route\.|fastify\.plugin)/],
  ['Request', /^(?:http\.|url\.|user_agent\.|fastify\.response\.)/],
  ['Network', /^(?:server\.|client\.|network\.|net\.|peer\.|tls\.)/],
  ['Timing', /_timestamp$|^fastify\.(?:arguments|handler)\./],
  ['Database', /^db\./],
  ['Messaging', /^messaging\./],
  ['Remote call', /^(?:rpc|graphql|aws|gcp|azure|faas)\./],
]

/** Attributes of a span by what they are about, in a fixed order; names sorted in each. */
export function groupAttributes (attributes: Record<string, AttributeValue>): AttributeGroup[] {
  const own: AttributeGroup = { title: 'Application', attributes: [] }
  const groups = GROUPS.map(([title]): AttributeGroup => ({ title, attributes: [] }))
  for (const name of Object.keys(attributes).sort()) {
    if (SHOWN_ELSEWHERE.has(name)) continue
    const group = groups[GROUPS.findIndex(([, names]) => names.test(name))] ?? own
    group.attributes.push([name, attributes[name] as AttributeValue])
  }
  return [own, ...groups].filter((group) => group.attributes.length > 0)
}

/** A value in one line: texts as they are, the rest as JSON. */
export function formatAttribute (value: AttributeValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
