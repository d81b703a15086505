import type { ValidationErrorRecord } from './arguments/argument-part.ts'
import type { PlainSpan } from './plain-span.ts'
import {
  ARGUMENTS_ERRORS, ARGUMENTS_TRUNCATED, ARGUMENTS_VALUES, ERROR_TYPE, EXCEPTION_EVENT, EXCEPTION_MESSAGE, EXCEPTION_TYPE,
  HTTP_RESPONSE_STATUS_CODE, MAPPER_FAILED, SPAN_ARGUMENTS,
} from './semconv.ts'

/** A span with the spans made in it. */
export interface SpanNode {
  span: PlainSpan
  children: SpanNode[]
}

/** Puts spans under their parents, siblings by start. Spans whose parent is not among them are roots; every span appears once. */
export function buildTree (spans: readonly PlainSpan[]): SpanNode[] {
  const nodes = new Map<string, SpanNode>()
  for (const span of spans) nodes.set(keyOf(span.traceId, span.spanId), { span, children: [] })
  const roots: SpanNode[] = []
  for (const node of nodes.values()) {
    const parent = parentOf(node, nodes)
    if (parent === undefined || isInside(parent, node, nodes)) roots.push(node)
    else parent.children.push(node)
  }
  for (const { children } of nodes.values()) children.sort(byStart)
  return roots.sort(byStart)
}

function keyOf (traceId: string, spanId: string): string {
  return `${traceId}-${spanId}`
}

function parentOf ({ span }: SpanNode, nodes: Map<string, SpanNode>): SpanNode | undefined {
  return span.parentSpanId === undefined ? undefined : nodes.get(keyOf(span.traceId, span.parentSpanId))
}

/** Whether `node` is `other` or one of its ancestors leads to it: spans sent from outside can claim to be each other's parents. */
function isInside (node: SpanNode, other: SpanNode, nodes: Map<string, SpanNode>): boolean {
  const seen = new Set<SpanNode>()
  for (let current: SpanNode | undefined = node; current !== undefined && !seen.has(current); current = parentOf(current, nodes)) {
    if (current === other) return true
    seen.add(current)
  }
  return false
}

function byStart (first: SpanNode, second: SpanNode): number {
  return first.span.startMillis - second.span.startMillis
}

/** How parts of the text look; on a terminal in colour, elsewhere as they are. */
export interface Paint {
  strong (text: string): string
  faint (text: string): string
  good (text: string): string
  warn (text: string): string
  bad (text: string): string
}

const plain = (text: string): string => text
export const noPaint: Paint = { strong: plain, faint: plain, good: plain, warn: plain, bad: plain }

export interface RenderOptions {
  /** @default no colours */
  paint?: Paint
  /** Time of day at the roots. @default false */
  showTime?: boolean
  /** @default false */
  showDuration?: boolean
  /** At the roots. @default false */
  showTraceId?: boolean
}

/** Renders trees as indented text: a line for each span, below it its arguments in short and a line for each thing that was wrong. */
export function renderTree (roots: readonly SpanNode[], options: RenderOptions = {}): string {
  const lines: string[] = []
  for (const root of roots) renderNode(root, { paint: noPaint, ...options }, '', '', lines)
  return lines.join('\n')
}

const MAX_DEPTH = 50

function renderNode (
  { span, children }: SpanNode, options: RenderOptions & { paint: Paint }, lead: string, indent: string, lines: string[], depth = 0
): void {
  lines.push(`${lead}${headline(span, options, depth === 0)}`)
  const rail = children.length > 0 ? '│ ' : '  '
  for (const line of details(span, options.paint)) lines.push(`${indent}${rail}${line}`)
  if (depth >= MAX_DEPTH && children.length > 0) {
    lines.push(`${indent}└─ …`)
    return
  }
  children.forEach((child, index) => {
    const isLast = index === children.length - 1
    renderNode(child, options, `${indent}${isLast ? '└─ ' : '├─ '}`, `${indent}${isLast ? '   ' : '│  '}`, lines, depth + 1)
  })
}

function headline (span: PlainSpan, { paint, showTime, showDuration, showTraceId }: RenderOptions & { paint: Paint }, isRoot: boolean): string {
  const words = []
  if (showTime === true && isRoot) words.push(paint.faint(new Date(span.startMillis).toISOString().slice(11, 23)))
  words.push(isRoot ? paint.strong(clean(span.name)) : clean(span.name))
  const statusCode = span.attributes[HTTP_RESPONSE_STATUS_CODE]
  if (typeof statusCode === 'number') words.push(paintStatus(statusCode, paint))
  const errorType = span.attributes[ERROR_TYPE]
  if (errorType !== undefined && errorType !== String(statusCode)) words.push(paint.bad(clean(String(errorType))))
  if (showDuration === true) words.push(formatDuration(span.endMillis - span.startMillis))
  if (showTraceId === true && isRoot) words.push(paint.faint(`trace ${span.traceId}`))
  return words.join('  ')
}

function paintStatus (statusCode: number, paint: Paint): string {
  const text = String(statusCode)
  if (statusCode >= 500) return paint.bad(text)
  return statusCode >= 400 ? paint.warn(text) : paint.good(text)
}

/** `0.42 ms`, `12.3 ms`, `1.50 s`. */
export function formatDuration (millis: number): string {
  if (millis >= 1000) return `${(millis / 1000).toFixed(2)} s`
  return `${millis.toFixed(millis >= 10 ? 1 : 2)} ms`
}

const MAX_LINE_LENGTH = 240

function * details ({ name, attributes, events }: PlainSpan, paint: Paint): Generator<string> {
  // The child span repeats what its parent says.
  if (name !== SPAN_ARGUMENTS) {
    const values = attributes[ARGUMENTS_VALUES]
    const note = attributes[ARGUMENTS_TRUNCATED] === true ? ' (truncated)' : ''
    if (typeof values === 'string') yield `${paint.faint('arguments')} ${shorten(clean(values), MAX_LINE_LENGTH)}${paint.faint(note)}`
    for (const error of readErrors(attributes[ARGUMENTS_ERRORS])) yield errorLine(error, paint)
    if (attributes[MAPPER_FAILED] === true) yield paint.warn('! the mapper failed: no arguments were recorded')
  }
  for (const event of events) {
    if (event.name !== EXCEPTION_EVENT) continue
    const message = event.attributes[EXCEPTION_MESSAGE]
    yield paint.bad(`! ${clean(String(event.attributes[EXCEPTION_TYPE]))}${message === undefined ? '' : `: ${shorten(clean(String(message)), MAX_LINE_LENGTH)}`}`)
  }
}

function readErrors (json: unknown): ValidationErrorRecord[] {
  if (typeof json !== 'string') return []
  try {
    const errors: unknown = JSON.parse(json)
    return Array.isArray(errors) ? errors.filter((error) => error !== null && typeof error === 'object') as ValidationErrorRecord[] : []
  } catch {
    // A mapper or another program wrote it.
    return []
  }
}

/** `✗ body/country_code  must match pattern "^[A-Z]{2}$"  received "france"`: part and path, what was expected, what came; of bad JSON its line and column. */
function errorLine ({ part, path, message, params, input }: ValidationErrorRecord, paint: Paint): string {
  const words = [paint.bad('✗'), paint.strong(clean(`${part}${path}`)), clean(String(message))]
  if (typeof params?.line === 'number' && typeof params.column === 'number') words.push(paint.faint('at'), `${params.line}:${params.column}`)
  const allowed = params?.allowedValues ?? params?.allowedValue
  if (allowed !== undefined) words.push(paint.faint('expected'), clean(shorten(JSON.stringify(allowed), 120)))
  if (input !== undefined) words.push(paint.faint('received'), clean(shorten(JSON.stringify(input), 120)))
  return words.join(' ')
}

function shorten (text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`
}

/** Text from outside must not be able to steer a terminal. */
function clean (text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '·')
}
