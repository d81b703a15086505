import type { AttributeValue, ViewerSpan } from '../../wire.ts'
import {
  ARGUMENTS_ERRORS, ARGUMENTS_TRUNCATED, ARGUMENTS_VALUES, HTTP_METHOD_OTHER, HTTP_REQUEST_METHOD, HTTP_REQUEST_METHOD_ORIGINAL, SERVER_ADDRESS,
  SERVER_PORT, URL_PATH, URL_SCHEME,
} from '../../../semconv.ts'
import { markOf } from './marks.ts'
import { readErrors } from './pinned-errors.ts'

export interface Curl {
  /** For a POSIX shell; what was left out stands below as comments. */
  text: string
  leftOut: string[]
}

/**
 * The request of a SERVER span, as far as its trace knows it; `undefined` of other spans.
 *
 * The trace has what the schema declares, after validation: defaults are in it, secrets are not. Whatever the request carried, the shell takes it
 * as text, and no character in it steers the terminal that it is pasted into.
 */
export function curlOf ({ kind, attributes }: Pick<ViewerSpan, 'kind' | 'attributes'>): Curl | undefined {
  const path = attributes[URL_PATH]
  if (kind !== 'SERVER' || typeof path !== 'string') return undefined
  const values = readValues(attributes[ARGUMENTS_VALUES])
  const leftOut = new Set<string>()
  const query = queryOf(values.querystring, leftOut)
  const method = methodOf(attributes)
  const lines = [`curl ${method === 'GET' ? '' : `-X ${quote(method)} `}${quote(`${originOf(attributes)}${cleanPath(path)}${query}`)}`]
  for (const [name, value] of headersOf(values.headers, leftOut)) lines.push(`-H ${quote(`${name}: ${value}`)}`)
  if (values.body !== undefined) {
    if (!Object.hasOwn(values.headers, 'content-type')) lines.push("-H 'content-type: application/json'")
    noteMarks(values.body, 'body', attributes[ARGUMENTS_TRUNCATED] === true, leftOut)
    lines.push(`--data-raw ${quote(escapeControls(JSON.stringify(values.body)))}`)
  }
  if (/REDACTED/.test(path)) leftOut.add('path: secret parameters stand as REDACTED')
  for (const part of new Set(readErrors(attributes[ARGUMENTS_ERRORS]).map((error) => error.part))) {
    if (part !== 'response' && !Object.hasOwn(values.recorded, part)) leftOut.add(`${word(part)}: did not pass validation, its values are not in the trace`)
  }
  if (attributes[ARGUMENTS_TRUNCATED] === true) leftOut.add('values that were cut by a limit')
  leftOut.add('everything that no schema declares: other headers, query parameters and fields')
  return { text: `${lines.join(' \\\n  ')}\n${[...leftOut].map((line) => `# left out - ${line}\n`).join('')}`, leftOut: [...leftOut] }
}

interface Values {
  recorded: Record<string, unknown>
  body: unknown
  querystring: Record<string, unknown>
  headers: Record<string, unknown>
}

function readValues (json: AttributeValue | undefined): Values {
  const recorded = typeof json === 'string' ? asObject(parse(json)) : {}
  return { recorded, body: recorded.body, querystring: asObject(recorded.querystring), headers: asObject(recorded.headers) }
}

function parse (json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // A mapper or another program wrote it.
    return undefined
  }
}

function asObject (value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value as Record<string, unknown> : {}
}

function methodOf (attributes: ViewerSpan['attributes']): string {
  const known = attributes[HTTP_REQUEST_METHOD]
  const method = known === HTTP_METHOD_OTHER ? attributes[HTTP_REQUEST_METHOD_ORIGINAL] : known
  return typeof method === 'string' && /^[A-Z][A-Z-]*$/.test(method) ? method : 'GET'
}

function originOf (attributes: ViewerSpan['attributes']): string {
  const scheme = attributes[URL_SCHEME] === 'https' ? 'https' : 'http'
  const address = String(attributes[SERVER_ADDRESS] ?? 'localhost').replace(/[^\w.:[\]-]/g, '')
  const port = attributes[SERVER_PORT]
  return `${scheme}://${address.includes(':') && !address.startsWith('[') ? `[${address}]` : address}${typeof port === 'number' ? `:${port}` : ''}`
}

/** Only what may stand in a path; the rest as percent codes. */
function cleanPath (path: string): string {
  return `/${path.replace(/^\/+/, '')}`.replace(/[^\w\-.~!$&'()*+,;=:@%/]/gu, percentCode)
}

function percentCode (character: string): string {
  // Half a pair has no code.
  return /\p{Surrogate}/u.test(character) ? '%EF%BF%BD' : encodeURIComponent(character)
}

function queryOf (query: Record<string, unknown>, leftOut: Set<string>): string {
  const pairs = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const item of [value].flat()) {
      if (noteMarks(item, 'querystring', false, leftOut)) continue
      pairs.append(name, typeof item === 'object' ? JSON.stringify(item) : String(item))
    }
  }
  return pairs.size === 0 ? '' : `?${pairs.toString()}`
}

function * headersOf (headers: Record<string, unknown>, leftOut: Set<string>): Generator<[name: string, value: string]> {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\w-]+$/.test(name) || noteMarks(value, 'headers', false, leftOut)) continue
    yield [name, String(value).replace(CONTROLS, '')]
  }
}

/** Whether marks stand in a value, or it is one; each kind is noted once. */
function noteMarks (value: unknown, part: string, isCut: boolean, leftOut: Set<string>): boolean {
  if (value !== null && typeof value === 'object') {
    let found = false
    for (const item of Object.values(value)) found = noteMarks(item, part, isCut, leftOut) || found
    return found
  }
  const mark = markOf(value, isCut)
  if (mark === undefined || mark.kind === 'truncated') return false
  leftOut.add(`${part}: ${mark.kind === 'unknown' ? 'values of which only the kind is known' : `${mark.kind} values`}`)
  return true
}

function word (text: string): string {
  return text.replace(/[^\w-]/g, '').slice(0, 32)
}

/** One word for the shell, whatever is in it. */
function quote (text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** In JSON text, an escape says the same. */
function escapeControls (json: string): string {
  return json.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
