import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { html } from './html.ts'
import { Icon } from './icon.ts'

const KEYS: Array<[title: string, keys: Array<[keys: string[], what: string]>]> = [
  ['Everywhere', [
    [['/'], 'search'],
    [['p'], 'pause, go on'],
    [['Esc'], 'one step back'],
    [['1'], 'traces'],
    [['2'], 'failures'],
    [['d'], 'dark or light'],
    [['?'], 'this sheet'],
  ]],
  ['List', [
    [['j', '↓'], 'next trace'],
    [['k', '↑'], 'previous trace'],
    [['g', 'G'], 'newest, oldest'],
    [['Enter'], 'open'],
  ]],
  ['Trace', [
    [['j', '↓'], 'next span'],
    [['k', '↑'], 'previous span'],
    [['←', '→'], 'fold, unfold'],
    [['Enter'], 'read the span; Esc leads back'],
    [['[', ']'], 'newer, older trace'],
    [['c'], 'copy as curl'],
    [['t'], 'copy the trace id'],
  ]],
]

export function HelpSheet ({ isOpen, onClose }: { isOpen: boolean, onClose: () => void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  const onBackdrop = (event: MouseEvent) => { if (event.target === dialog.current) onClose() }
  return html`
    <dialog class="sheet" ref=${dialog} aria-label="Keys" onClose=${onClose} onClick=${onBackdrop}>
      ${isOpen && html`
        <div class="sheet-head"><h2>Keys</h2><button type="button" class="icon-button" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button></div>
        <div class="sheet-columns">
          ${KEYS.map(([title, keys]) => html`
            <section><h3>${title}</h3><dl>
              ${keys.map(([names, what]) => html`<div><dt>${names.map((name) => html`<kbd>${name}</kbd>`)}</dt><dd>${what}</dd></div>`)}
            </dl></section>`)}
        </div>`}
    </dialog>`
}
