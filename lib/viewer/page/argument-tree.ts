import type { VNode } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { foldedAtFirst, linesOf, previewOf, receivedAt, type ArgumentLine, type ArgumentNode } from './model/argument-nodes.ts'
import { html } from './html.ts'
import { Icon } from './icon.ts'
import type { PinnedError } from './model/pinned-errors.ts'

/** Lines that are drawn at first; the rest on demand. */
const LINES_AT_ONCE = 400

/** Values as a tree, errors pinned to their fields. @param isSectioned - the topmost nodes are headings */
export function ArgumentTree ({ nodes, label, isSectioned = false }: { nodes: readonly ArgumentNode[], label: string, isSectioned?: boolean }): VNode {
  const [changed, setChanged] = useState<ReadonlyMap<string, boolean>>(new Map())
  const [most, setMost] = useState(LINES_AT_ONCE)
  const folded = useMemo(() => {
    const set = foldedAtFirst(nodes)
    for (const [pointer, isFolded] of changed) set[isFolded ? 'add' : 'delete'](pointer)
    return set
  }, [nodes, changed])
  const lines = linesOf(nodes, folded)
  const toggle = (pointer: string) => setChanged((before) => new Map(before).set(pointer, !folded.has(pointer)))
  return html`
    <ul class=${`tree ${isSectioned ? 'is-sectioned' : ''}`} aria-label=${label}>
      ${lines.slice(0, most).map((line) => html`<${Line} key=${line.node.pointer} ...${line} isSection=${isSectioned && line.depth === 0} onToggle=${toggle} />`)}
    </ul>
    ${lines.length > most && html`<button type="button" class="quiet-button" onClick=${() => setMost(most + 5 * LINES_AT_ONCE)}>Show more of ${lines.length - most} lines</button>`}` as VNode
}

function Line ({ node, depth, isFolded, isSection, onToggle }: ArgumentLine & { isSection: boolean, onToggle: (pointer: string) => void }): VNode {
  const { key, pointer, children, errors, mark, kind } = node
  const preview = previewOf(node)
  const isContainer = children.length > 0
  return html`
    <li class=${`leaf ${isSection ? 'is-section' : ''} ${errors.length > 0 ? 'has-errors' : ''}`} data-pointer=${pointer} style=${{ paddingLeft: `${Math.min(depth, 24) * 16}px` }}>
      <div class="leaf-line">
        ${isContainer
          ? html`<button type="button" class=${`toggle ${isFolded ? '' : 'is-open'}`} aria-expanded=${!isFolded} aria-label=${`${isFolded ? 'Unfold' : 'Fold'} ${key}`} onClick=${() => onToggle(pointer)}><${Icon} name="chevron" /></button>`
          : html`<span class="toggle"></span>`}
        ${key !== '' && html`<span class="leaf-key">${key}</span>`}
        ${preview !== '' && (!isContainer || isFolded || !isSection) && html`<span class=${`leaf-value is-${valueKind(node)}`}>${preview}</span>`}
        ${mark !== undefined && html`<span class=${`mark-chip is-${mark.kind}`} title=${mark.hint}>${mark.text}</span>`}
        ${kind === 'missing' && html`<span class="absent">missing</span>`}
        ${kind === 'unrecorded' && errors.length === 0 && html`<span class="absent is-faint" title="Its part did not pass validation, so that its values are not recorded">not recorded</span>`}
      </div>
      ${errors.map((error) => html`<${Pin} node=${node} error=${error} />`)}
    </li>`
}

function valueKind ({ kind, value }: ArgumentNode): string {
  return kind === 'value' ? value === null ? 'null' : typeof value : 'container'
}

/** What was wrong, what was expected, what came. */
function Pin ({ node, error }: { node: ArgumentNode, error: PinnedError }): VNode {
  const { message, expected, keyword, schemaPath, position, isMissing } = error
  const received = receivedAt(node, error)
  return html`
    <div class="pin" title=${schemaPath}>
      <p class="pin-message"><${Icon} name="pin" /><span>${message}${position !== undefined && html` <span class="faint">at ${position}</span>`}</span><code class="pin-keyword">${keyword}</code></p>
      ${(expected !== undefined || received !== undefined || isMissing) && html`
        <dl class="pin-facts">
          ${expected !== undefined && html`<div><dt>expected</dt><dd class="pin-expected">${expected}</dd></div>`}
          <div><dt>received</dt><dd class="pin-received">${received ?? html`<span class="absent">${isMissing ? 'nothing' : 'not recorded'}</span>`}</dd></div>
        </dl>`}
    </div>`
}
