import type { ViewerSpan } from '../../wire.ts'

/** A span in its place in the tree of the trace. */
export interface WaterfallRow {
  span: ViewerSpan
  /** Unique in the trace; the id of the span, unless the trace has that id twice. */
  key: string
  depth: number
  /** Place of the parent among the rows; -1 for a root. */
  parent: number
  /** How many rows below belong to it. */
  descendants: number
  hasChildren: boolean
  /** It names a parent that is not here: lost, dropped, not ended yet or elsewhere. */
  isOrphan: boolean
}

/** Every span once, parents before children, siblings by start. Of spans that claim to be each other's parents the first one is a root. */
export function layOut (spans: readonly ViewerSpan[]): WaterfallRow[] {
  const indexById = new Map<string, number>()
  spans.forEach(({ spanId }, index) => { if (!indexById.has(spanId)) indexById.set(spanId, index) })
  const children = new Map<number, number[]>()
  const roots: number[] = []
  spans.forEach(({ parentSpanId }, index) => {
    const parent = parentSpanId === undefined ? undefined : indexById.get(parentSpanId)
    if (parent === undefined || parent === index) {
      roots.push(index)
      return
    }
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [index])
    else siblings.push(index)
  })
  const byStart = (first: number, second: number) => (spans[first] as ViewerSpan).startMillis - (spans[second] as ViewerSpan).startMillis
  roots.sort(byStart)
  for (const siblings of children.values()) siblings.sort(byStart)

  const rows: WaterfallRow[] = []
  const placed = new Set<number>()
  // A stack of our own: spans from outside can be nested deeper than calls.
  const place = (root: number) => {
    const stack = [{ index: root, depth: 0, parent: -1 }]
    while (stack.length > 0) {
      const { index, depth, parent } = stack.pop() as typeof stack[number]
      if (placed.has(index)) continue
      placed.add(index)
      const span = spans[index] as ViewerSpan
      const row = rows.push({
        span,
        key: indexById.get(span.spanId) === index ? span.spanId : `${span.spanId}~${index}`,
        depth,
        parent,
        descendants: 0,
        hasChildren: false,
        isOrphan: parent === -1 && span.parentSpanId !== undefined,
      }) - 1
      for (const child of (children.get(index) ?? []).toReversed()) stack.push({ index: child, depth: depth + 1, parent: row })
    }
  }
  for (const root of roots) place(root)
  // What is left is in a circle.
  spans.map((_, index) => index).sort(byStart).forEach(place)
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index] as WaterfallRow
    const parent = rows[row.parent]
    if (parent === undefined) continue
    parent.hasChildren = true
    parent.descendants += row.descendants + 1
  }
  return rows
}

/** Without the rows below those that are folded. */
export function unfolded (rows: readonly WaterfallRow[], folded: ReadonlySet<string>): WaterfallRow[] {
  if (folded.size === 0) return [...rows]
  const shown: WaterfallRow[] = []
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as WaterfallRow
    shown.push(row)
    if (folded.has(row.key)) index += row.descendants
  }
  return shown
}

/** The time that the picture spans. */
export interface TimeRange {
  startMillis: number
  endMillis: number
}

/** From the first start to the last end; to now while something is running. */
export function rangeOf (spans: readonly ViewerSpan[], nowMillis: number): TimeRange {
  let startMillis = Infinity
  let endMillis = -Infinity
  for (const span of spans) {
    startMillis = Math.min(startMillis, span.startMillis)
    endMillis = Math.max(endMillis, span.endMillis ?? Math.max(nowMillis, span.startMillis), span.startMillis)
  }
  return spans.length === 0 ? { startMillis: nowMillis, endMillis: nowMillis } : { startMillis, endMillis }
}

/** A bar as shares of the range: where it begins, and how long it is. */
export interface Bar {
  left: number
  width: number
}

export function barOf ({ startMillis, endMillis }: { startMillis: number, endMillis: number | null }, range: TimeRange): Bar {
  const length = range.endMillis - range.startMillis
  if (length <= 0) return { left: 0, width: 1 }
  const left = (startMillis - range.startMillis) / length
  const right = ((endMillis ?? range.endMillis) - range.startMillis) / length
  return { left, width: Math.max(0, right - left) }
}

/** Where to draw lines of time: at round numbers, at most `most` of them, the start included. */
export function ticksOf (lengthMillis: number, most: number): number[] {
  if (!(lengthMillis > 0)) return [0]
  const rough = lengthMillis / most
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) as number
  return Array.from({ length: Math.floor(lengthMillis / step + 1e-9) + 1 }, (_, index) => index * step)
}
