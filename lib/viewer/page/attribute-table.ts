import type { VNode } from 'preact'
import type { AttributeValue } from '../wire.ts'
import { formatAttribute } from './model/attribute-groups.ts'
import { html } from './html.ts'
import { Icon } from './icon.ts'

interface Props {
  title: string
  attributes: Array<[name: string, value: AttributeValue]>
  /** Opens with a click. @default false */
  isFolded?: boolean
}

export function AttributeTable ({ title, attributes, isFolded = false }: Props): VNode | null {
  if (attributes.length === 0) return null
  const table = html`
    <dl class="attributes">
      ${attributes.map(([name, value]) => html`
        <div key=${name}><dt>${nameParts(name)}</dt><dd class=${`attribute-value is-${typeof value}`}>${formatAttribute(value)}</dd></div>`)}
    </dl>`
  if (!isFolded) return html`<section><h3>${title}</h3>${table}</section>`
  return html`<details class="fold"><summary><${Icon} name="chevron" /><h3>${title}</h3><span class="faint">${attributes.length}</span></summary>${table}</details>`
}

/** What tells the names of a group apart is their last word. */
function nameParts (name: string): Array<VNode | string> {
  const end = name.lastIndexOf('.') + 1
  return [html`<span class="faint">${name.slice(0, end)}</span>`, name.slice(end)]
}
