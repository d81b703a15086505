import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { html } from './html.ts'
import { scrollTopFor, windowOf } from './model/virtual-window.ts'

export interface VirtualRowsProps {
  count: number
  rowHeight: number
  keyOf: (index: number) => string
  /** A row. It is not told where it is: rows that come in above would change every one. */
  row: (index: number) => VNode
  /** The row that the keyboard is at, or -1: it is kept in view when it changes. */
  activeIndex: number
  activeId: string | undefined
  role: 'listbox' | 'tree'
  label: string
  class?: string
  /** Below the last row. */
  footer?: ComponentChildren
  onScroll?: (scrollTop: number) => void
}

/** A list of any length of which only what is in view exists. Rows that come in above do not move what is being read. */
export function VirtualRows (props: VirtualRowsProps): VNode {
  const { count, rowHeight, keyOf, row, activeIndex, activeId, role, label, footer, onScroll } = props
  const element = useRef<HTMLDivElement>(null)
  const anchor = useRef<{ key: string, index: number } | null>(null)
  const [{ top, height }, setView] = useState({ top: 0, height: 800 })

  const look = () => {
    const { scrollTop = 0, clientHeight = 0 } = element.current ?? {}
    setView((before) => before.top === scrollTop && before.height === clientHeight ? before : { top: scrollTop, height: clientHeight })
  }
  useLayoutEffect(look, [])
  useEffect(() => {
    const observer = new ResizeObserver(look)
    observer.observe(element.current as Element)
    return () => observer.disconnect()
  }, [])

  useLayoutEffect(() => {
    const { current } = element
    const held = anchor.current
    if (current === null || held === null || current.scrollTop < rowHeight) return
    if (held.index < count && keyOf(held.index) === held.key) return
    for (let index = 0; index < count; index++) {
      if (keyOf(index) !== held.key) continue
      current.scrollTop += (index - held.index) * rowHeight
      look()
      return
    }
  })
  useLayoutEffect(() => {
    const index = Math.floor((element.current?.scrollTop ?? 0) / rowHeight)
    anchor.current = index < count ? { key: keyOf(index), index } : null
  })
  useLayoutEffect(() => {
    const { current } = element
    if (current === null || activeIndex < 0) return
    current.scrollTop = scrollTopFor(activeIndex, rowHeight, current.scrollTop, current.clientHeight)
    look()
  }, [activeId])

  const { first, end } = windowOf(count, rowHeight, top, height)
  const rows: VNode[] = []
  for (let index = first; index < end; index++) rows.push(row(index))
  const onScrolled = () => {
    look()
    onScroll?.(element.current?.scrollTop ?? 0)
  }
  return html`
    <div class=${`virtual ${props.class ?? ''}`} ref=${element} role=${role} aria-label=${label} tabindex="0"
      aria-activedescendant=${activeIndex >= first && activeIndex < end ? activeId : undefined} onScroll=${onScrolled}>
      <div class="virtual-body" role="presentation" style=${{ height: `${count * rowHeight}px` }}>
        <div class="virtual-rows" role="presentation" style=${{ transform: `translateY(${first * rowHeight}px)` }}>${rows}</div>
      </div>
      ${footer}
    </div>`
}
