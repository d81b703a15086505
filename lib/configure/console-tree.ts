import { styleText } from 'node:util'
import type { Span } from '@opentelemetry/api'
import { toPlainSpan, type PlainSpan, type SdkSpan } from '../plain-span.ts'
import { buildTree, noPaint, renderTree, type Paint } from '../trace-tree.ts'

export interface ConsoleTreeOptions {
  /** Takes one finished tree, with its line end. @default standard output */
  write?: (text: string) => void
  /** @default whether standard output is a terminal that shows colours */
  color?: boolean
}

/** Spans of this process that belong under one root, until the root ends. */
interface OpenTree {
  rootSpanId: string
  spans: PlainSpan[]
  spanIds: string[]
  leftOut: number
}

const MAX_OPEN_TREES = 1000
const MAX_SPANS_PER_TREE = 500
/** Ids are kept for longer than spans, so that what belongs to a full tree is counted with it. */
const MAX_IDS_PER_TREE = 10_000

/**
 * Prints each trace as a tree when its root in this process ends: the span of a request, or any span without a parent here. Children that end
 * later are printed on their own. Bounded: the oldest of more than 1,000 open trees is given up, and a tree shows its first 500 spans.
 */
export class ConsoleTreeProcessor {
  readonly #write: (text: string) => void
  readonly #paint: Paint
  /** Trees by the ids of their spans. */
  readonly #trees = new Map<string, OpenTree>()
  readonly #openTrees = new Set<OpenTree>()

  constructor ({ write, color = process.stdout.isTTY && process.stdout.hasColors() }: ConsoleTreeOptions = {}) {
    this.#write = write ?? ((text) => { process.stdout.write(text) })
    this.#paint = color ? terminalPaint : noPaint
  }

  onStart (started: Span): void {
    const { spanContext, parentSpanContext } = started as unknown as SdkSpan
    const { spanId } = spanContext.call(started)
    const isLocalChild = parentSpanContext !== undefined && parentSpanContext.isRemote !== true
    let tree = isLocalChild ? this.#trees.get(parentSpanContext.spanId) : undefined
    if (tree === undefined) {
      tree = { rootSpanId: spanId, spans: [], spanIds: [], leftOut: 0 }
      this.#openTrees.add(tree)
      if (this.#openTrees.size > MAX_OPEN_TREES) this.#forget(this.#openTrees.values().next().value!)
    }
    if (tree.spanIds.length < MAX_IDS_PER_TREE) {
      tree.spanIds.push(spanId)
      this.#trees.set(spanId, tree)
    }
  }

  onEnd (ended: SdkSpan): void {
    const span = toPlainSpan(ended)
    const tree = this.#trees.get(span.spanId)
    if (tree === undefined) {
      this.#print([span], 0)
    } else if (tree.spans.length < MAX_SPANS_PER_TREE || span.spanId === tree.rootSpanId) {
      tree.spans.push(span)
    } else {
      tree.leftOut++
    }
    if (tree !== undefined && span.spanId === tree.rootSpanId) {
      this.#forget(tree)
      this.#print(tree.spans, tree.leftOut)
    }
  }

  #forget (tree: OpenTree): void {
    this.#openTrees.delete(tree)
    for (const spanId of tree.spanIds) this.#trees.delete(spanId)
  }

  #print (spans: PlainSpan[], leftOut: number): void {
    const text = renderTree(buildTree(spans), { paint: this.#paint, showTime: true, showDuration: true, showTraceId: true })
    this.#write(`${text}\n${leftOut > 0 ? `  … and ${leftOut} more spans\n` : ''}`)
  }

  async forceFlush (): Promise<void> {}

  async shutdown (): Promise<void> {}
}

const terminalPaint: Paint = {
  strong: (text) => styleText('bold', text),
  faint: (text) => styleText('dim', text),
  good: (text) => styleText('green', text),
  warn: (text) => styleText('yellow', text),
  bad: (text) => styleText('red', text),
}
