import { isWholeValue, markOf, PARTLY_SCRUBBED, type Mark } from './marks.ts'
import type { PinnedError } from './pinned-errors.ts'

/** A value of the arguments, or the place where one should be. */
export interface ArgumentNode {
  key: string
  /** JSON pointer from the part: `/body/contact/0`. Unique. */
  pointer: string
  /**
   * `missing`: nothing came. `unrecorded`: something came, or may have, and is not among the values, since its part did not pass.
   */
  kind: 'object' | 'array' | 'value' | 'missing' | 'unrecorded'
  /** Only of the kind `value`. */
  value?: string | number | boolean | null
  mark?: Mark
  errors: PinnedError[]
  children: ArgumentNode[]
}

/** In the order in which Fastify validates them. */
const PARTS = ['params', 'body', 'querystring', 'headers']

/** Far above the recorder's limits: other programs can set these attributes too. */
const MAX_NODES = 20_000
const MAX_DEPTH = 100

export interface ArgumentFacts {
  /** JSON text of the values, or whatever an attribute of that name holds. */
  values: unknown
  errors: readonly PinnedError[]
  /** JSON pointers of what was scrubbed. */
  scrubbed: unknown
  isTruncated: boolean
}

/** The parts of a request, each with its values, and every error at its field; `undefined` when the values are no JSON object. */
export function buildArguments ({ values, errors, scrubbed, isTruncated }: ArgumentFacts): ArgumentNode[] | undefined {
  const recorded = values === undefined ? {} : parseObject(values)
  if (recorded === undefined) return undefined
  const scrubbedPointers = new Set(Array.isArray(scrubbed) ? scrubbed : [])
  const builder = new NodeBuilder(scrubbedPointers, isTruncated)
  const parts = Object.entries(recorded).map(([part, value]) => builder.build(part, `/${escape(part)}`, value, 0))
  for (const error of errors) pinTo(parts, error)
  return parts.sort((first, second) => rank(first.key) - rank(second.key))
}

/** A text of JSON alone, such as that of an answer; `undefined` when it is none. */
export function buildJson (text: unknown): ArgumentNode | undefined {
  try {
    return typeof text === 'string' ? new NodeBuilder(new Set(), true).build('', '', JSON.parse(text), 0) : undefined
  } catch {
    return undefined
  }
}

function rank (part: string): number {
  const index = PARTS.indexOf(part)
  return index === -1 ? PARTS.length : index
}

function parseObject (text: unknown): object | undefined {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

class NodeBuilder {
  readonly #scrubbed: ReadonlySet<unknown>
  readonly #isTruncated: boolean
  #count = 0

  constructor (scrubbed: ReadonlySet<unknown>, isTruncated: boolean) {
    this.#scrubbed = scrubbed
    this.#isTruncated = isTruncated
  }

  build (key: string, pointer: string, value: unknown, depth: number): ArgumentNode {
    this.#count++
    if (value === null || typeof value !== 'object') return this.#leaf(key, pointer, value as ArgumentNode['value'])
    const node: ArgumentNode = { key, pointer, kind: Array.isArray(value) ? 'array' : 'object', errors: [], children: [] }
    for (const [name, child] of Object.entries(value)) {
      if (this.#count >= MAX_NODES || depth >= MAX_DEPTH) {
        node.mark = { kind: 'truncated', text: 'more', hint: 'There is more here than the viewer shows.' }
        break
      }
      node.children.push(this.build(name, `${pointer}/${escape(name)}`, child, depth + 1))
    }
    return node
  }

  #leaf (key: string, pointer: string, value: ArgumentNode['value']): ArgumentNode {
    const mark = markOf(value, this.#isTruncated) ?? (this.#scrubbed.has(pointer) ? PARTLY_SCRUBBED : undefined)
    return { key, pointer, kind: 'value', value, ...(mark === undefined ? {} : { mark }), errors: [], children: [] }
  }
}

/** Puts an error at its field; fields that are not among the values get a place of their own. */
function pinTo (parts: ArgumentNode[], error: PinnedError): void {
  let node = childOf(parts, error.part, '', error.segments.length === 0 ? error : undefined)
  error.segments.forEach((segment, index) => {
    node = childOf(node.children, segment, node.pointer, index === error.segments.length - 1 ? error : undefined)
  })
  node.errors.push(error)
}

function childOf (siblings: ArgumentNode[], key: string, parentPointer: string, error: PinnedError | undefined): ArgumentNode {
  const found = siblings.find((sibling) => sibling.key === key)
  if (found !== undefined) return found
  const added: ArgumentNode = { key, pointer: `${parentPointer}/${escape(key)}`, kind: error?.isMissing === true ? 'missing' : 'unrecorded', errors: [], children: [] }
  siblings.push(added)
  return added
}

function escape (segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** What was received at an error's place: its own word for it, else the recorded value. */
export function receivedAt (node: ArgumentNode, { received, isMissing }: PinnedError): string | undefined {
  if (received !== undefined) return JSON.stringify(received)
  if (isMissing || node.kind !== 'value') return undefined
  return JSON.stringify(node.value)
}

/** A line of the tree. */
export interface ArgumentLine {
  node: ArgumentNode
  depth: number
  isFolded: boolean
}

/** The lines that are shown: what is folded hides what is in it. */
export function linesOf (nodes: readonly ArgumentNode[], folded: ReadonlySet<string>): ArgumentLine[] {
  const lines: ArgumentLine[] = []
  const add = (node: ArgumentNode, depth: number) => {
    const isFolded = folded.has(node.pointer)
    lines.push({ node, depth, isFolded })
    if (!isFolded) for (const child of node.children) add(child, depth + 1)
  }
  for (const node of nodes) add(node, 0)
  return lines
}

const MANY_CHILDREN = 24

/** What is folded at first: long lists and deep values, but never the way to an error. */
export function foldedAtFirst (nodes: readonly ArgumentNode[]): Set<string> {
  const folded = new Set<string>()
  const visit = (node: ArgumentNode, depth: number): boolean => {
    let leadsToError = false
    for (const child of node.children) leadsToError = visit(child, depth + 1) || child.errors.length > 0 || leadsToError
    if (!leadsToError && node.children.length > 0 && (depth >= 4 || (depth >= 1 && node.children.length > MANY_CHILDREN))) folded.add(node.pointer)
    return leadsToError
  }
  for (const node of nodes) visit(node, 0)
  return folded
}

/** What a value looks like in one line: `"Oslo"`, `{ 3 }`, `[ 2 ]`; of a marked one only what was cut. */
export function previewOf ({ kind, value, mark, children }: ArgumentNode): string {
  if (kind === 'object') return children.length === 0 ? '{}' : `{ ${children.length} }`
  if (kind === 'array') return children.length === 0 ? '[]' : `[ ${children.length} ]`
  if (kind !== 'value' || (mark !== undefined && isWholeValue(mark) && mark !== PARTLY_SCRUBBED)) return ''
  return JSON.stringify(value)
}
