import type { ArgumentPart } from './argument-part.ts'
import type { CaptureNode } from './capture-node.ts'
import { MAX_ERROR_TEXT_LENGTH } from './limits.ts'
import type { Scrubber } from './scrubber.ts'
import { isCredentialHeader } from './secret-names.ts'
import { redactedMark, SCRUBBED } from './stand-ins.ts'

/** Stands in a path or a parameter for a name that no schema declares: it was chosen by the client. */
export const UNDECLARED = '*'

/** Where an error is, and what may be told of the value there. */
export interface ErrorPlace {
  /** JSON pointer; only names that the schema declares are repeated. */
  path: string
  /** Neither the validator's words nor its parameters may be repeated: they can quote the value. */
  isHidden: boolean
  /** What stands for a hidden value; `undefined` for what is omitted or was not sent. */
  mark: string | undefined
  /** The schema lets the value be recorded. */
  isDeclared: boolean
  /** What the request has at the path. */
  value: unknown
}

/** Follows a path through data and schema together. */
export function findPlace (
  part: ArgumentPart, segments: readonly string[], data: unknown, root: CaptureNode | undefined, scrubber: Scrubber
): ErrorPlace {
  let path = ''
  let isSecret = false
  let isRedacted = root?.isRedacted === true
  let isOmitted = root?.isOmitted === true
  let value = data
  let node = root
  for (const segment of segments) {
    const isIndex = Array.isArray(value) && /^\d+$/.test(segment)
    const child = node?.child(segment)
    node = child ?? node?.unnamedChild(segment)
    path += `/${child !== undefined || isIndex ? segment.replaceAll('~', '~0').replaceAll('/', '~1') : UNDECLARED}`
    if (!isIndex) {
      isRedacted ||= part === 'headers' && isCredentialHeader(segment)
      isSecret ||= scrubber.findInName(segment) !== undefined
    }
    isRedacted ||= node?.isRedacted === true
    isOmitted ||= node?.isOmitted === true
    value = valueIn(value, segment)
  }
  return {
    path: path.slice(0, MAX_ERROR_TEXT_LENGTH),
    isHidden: isSecret || isRedacted || isOmitted,
    mark: isOmitted || value === undefined ? undefined : isRedacted ? redactedMark(value) : SCRUBBED,
    isDeclared: node !== undefined && !node.isUnknown,
    value,
  }
}

function valueIn (holder: unknown, name: string): unknown {
  try {
    return holder !== null && typeof holder === 'object' && Object.hasOwn(holder, name) ? (holder as Record<string, unknown>)[name] : undefined
  } catch {
    // A getter or a proxy that throws.
    return undefined
  }
}
