import type { CaptureNode } from './capture-node.ts'
import { cutText } from './cut-text.ts'
import { UNDECLARED } from './error-place.ts'
import type { Scrubber } from './scrubber.ts'

/**
 * Parameters of signed URLs, whose values the conventions want out, in these letters.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/ `url.query`
 */
const SIGNED_URL_PARAMETERS = new Set(['X-Amz-Signature', 'X-Amz-Credential', 'X-Amz-Security-Token', 'AWSAccessKeyId', 'Signature', 'sig', 'X-Goog-Signature'])

/** The word of the conventions for a value that was taken out. */
export const REDACTED = 'REDACTED'

/** Longest text, UTF-16 units; also of one parameter's value, which is not looked at when it is longer. */
const MAX_QUERY_LENGTH = 1024

/** Longest name that is looked up, as sent. */
const MAX_NAME_LENGTH = 256

/**
 * A query as it may be recorded: of parameters that the route's schema declares by their names what was sent; of all others that they came
 * (`*=REDACTED`), and of signed URLs the known names. Fails closed: what was sent must be what Fastify's parser found under the name.
 *
 * @param query - what stands behind the `?`
 * @param parsed - the same, as Fastify's parser read it
 * @param root - what the schema of the query says; `undefined` without one
 * @param showsValues - the route records values of arguments; else all that is told of a parameter is its name
 */
export function describeQuery (query: string, parsed: unknown, root: CaptureNode | undefined, scrubber: Scrubber, showsValues: boolean): string {
  const node = root === undefined || isHidden(root) ? undefined : root
  let text = ''
  for (let start = 0; start <= query.length && text.length <= MAX_QUERY_LENGTH;) {
    const separator = query.indexOf('&', start)
    const end = separator === -1 ? query.length : separator
    text += start === 0 ? '' : '&'
    text += describeParameter(query.slice(start, end), parsed, node, scrubber, showsValues)
    start = end + 1
  }
  return cutText(text, MAX_QUERY_LENGTH)
}

function describeParameter (parameter: string, parsed: unknown, node: CaptureNode | undefined, scrubber: Scrubber, showsValues: boolean): string {
  const equals = parameter.indexOf('=')
  const sentName = equals === -1 ? parameter : parameter.slice(0, equals)
  if (parameter === '') return ''
  const name = sentName.length > MAX_NAME_LENGTH ? undefined : decode(sentName)
  const isSigned = name !== undefined && SIGNED_URL_PARAMETERS.has(name)
  const declared = name === undefined ? undefined : node?.child(name)
  const shownName = isSigned || declared !== undefined ? sentName : UNDECLARED
  if (equals === -1) return shownName
  const value = parameter.slice(equals + 1)
  const mayShow = showsValues && !isSigned && declared !== undefined && !isHidden(declared) && scrubber.findInName(name!) === undefined &&
    isHarmless(value, name!, parsed, declared, scrubber)
  return `${shownName}=${mayShow ? value : REDACTED}`
}

function isHarmless (sent: string, name: string, parsed: unknown, declared: CaptureNode, scrubber: Scrubber): boolean {
  const value = sent.length > MAX_QUERY_LENGTH ? undefined : decode(sent)
  if (value === undefined) return false
  const index = indexIn(parsed, name, value)
  const item = declared.child(String(index))
  if (index === -1 || (item !== undefined && isHidden(item))) return false
  return !scrubber.mayHoldSecret(value) || scrubber.findInText(value) === undefined
}

function isHidden (node: CaptureNode): boolean {
  return node.isRedacted || node.isOmitted || node.isUnknown
}

/** Where the value stands among those of the name, 0 when it is the only one; -1 when the parser read something else. */
function indexIn (parsed: unknown, name: string, value: string): number {
  try {
    const found = Object.hasOwn(parsed as object, name) ? (parsed as Record<string, unknown>)[name] : undefined
    return Array.isArray(found) ? found.indexOf(value) : found === value ? 0 : -1
  } catch {
    // A parser of the application's own can return anything.
    return -1
  }
}

/** As a form is decoded; `undefined` when that is not possible. */
function decode (sent: string): string | undefined {
  if (!sent.includes('%') && !sent.includes('+')) return sent
  try {
    return decodeURIComponent(sent.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
