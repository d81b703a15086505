import type { VNode } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { clearTraces } from './api.ts'
import { EmptyList } from './empty-list.ts'
import { FilterBar } from './filter-bar.ts'
import { passes } from './model/filters.ts'
import { countOf, formatBytes, formatCount } from './model/format.ts'
import { html } from './html.ts'
import { Icon } from './icon.ts'
import { focusOn, useKeys, type KeyMap } from './keys.ts'
import type { LiveTraces } from './live.ts'
import { NoticeContext } from './notice.ts'
import { useRouter } from './router.ts'
import { traceRowId, TraceRow } from './trace-row.ts'
import { useLive } from './use-live.ts'
import { VirtualRows } from './virtual-rows.ts'

const WIDE_ROW = 32
const NARROW_ROW = 54
/** Narrower than this, a row has two lines. */
const NARROW_WIDTH = 640
/** Pixels from which on the way back is offered. */
const SCROLLED = 40

/** The list of traces; beside an open trace it is narrow, or out of sight. */
export function ListPage (): VNode {
  const live = useLive()
  const router = useRouter()
  const { place } = router
  const [activeId, setActiveId] = useState(place.traceId)
  const [isScrolled, setScrolled] = useState(false)
  const section = useRef<HTMLElement>(null)
  const isNarrow = useNarrow(section)
  const isBeside = place.page === 'trace'
  useEffect(() => { if (place.traceId !== undefined) setActiveId(place.traceId) }, [place.traceId])

  const now = Date.now()
  const traces = live.shown((summary) => passes(summary, place.filters, now))
  const activeIndex = activeId === undefined ? -1 : traces.findIndex(({ traceId }) => traceId === activeId)
  const open = (traceId: string) => router.go({ page: 'trace', traceId })
  const move = (to: number) => {
    const trace = traces[Math.max(0, Math.min(to, traces.length - 1))]
    if (trace === undefined) return
    setActiveId(trace.traceId)
    if (isBeside) open(trace.traceId)
    else focusOn('.traces')
  }
  const next = () => move(activeIndex + 1)
  const previous = () => move(activeIndex - 1)
  const keys: KeyMap = isBeside
    ? { '[': previous, ']': next }
    : {
        j: next,
        ArrowDown: next,
        k: previous,
        ArrowUp: previous,
        g: () => move(0),
        Home: () => move(0),
        G: () => move(traces.length - 1),
        End: () => move(traces.length - 1),
        PageDown: () => move(activeIndex + 15),
        PageUp: () => move(activeIndex - 15),
        Enter: () => { if (activeIndex >= 0) open(activeId as string) },
        Escape: () => setActiveId(undefined),
      }
  useKeys(keys)

  const rowHeight = isNarrow ? NARROW_ROW : WIDE_ROW
  const isEmpty = traces.length === 0
  return html`
    <section class=${`list ${isNarrow ? 'is-narrow' : ''} ${isBeside ? 'is-beside' : ''}`} ref=${section} aria-label="Traces">
      <${FilterBar} services=${live.store.services()} />
      ${live.connection === 'reconnecting' && html`
        <p class="banner is-reconnecting"><span class="beacon"></span>${live.state === null ? 'The server does not answer.' : 'The server does not answer; these are the traces from before.'} Trying again…</p>`}
      ${live.pause !== null && html`
        <p class="banner is-paused">The list stands still.${live.pause.unseen > 0 ? ` ${countOf(live.pause.unseen, 'new trace')} since.` : ''}
          <button type="button" class="link" onClick=${() => live.togglePause()}>Go on</button></p>`}
      ${!isNarrow && !isEmpty && html`
        <div class="columns" aria-hidden="true"><span>Time</span><span>Status</span><span>Request</span><span>Service</span><span>Spans</span><span>Duration</span></div>`}
      ${isEmpty
        ? html`<${EmptyList} live=${live} />`
        : html`<div class="list-body">
          <${VirtualRows} class="traces" role="listbox" label="Traces, newest first" count=${traces.length} rowHeight=${rowHeight}
            keyOf=${(index: number) => traces[index]?.traceId ?? ''} activeIndex=${activeIndex} activeId=${activeId === undefined ? undefined : traceRowId(activeId)}
            onScroll=${(top: number) => setScrolled(top > SCROLLED)} footer=${html`<${Bottom} live=${live} />`}
            row=${(index: number) => html`
              <${TraceRow} key=${traces[index]?.traceId} summary=${traces[index]} height=${rowHeight} position=${index === activeIndex ? `${index + 1} of ${traces.length}` : undefined}
                isActive=${index === activeIndex} isNarrow=${isNarrow} href=${router.href({ page: 'trace', traceId: traces[index]?.traceId ?? '' })} onOpen=${open} />`} />
          ${isScrolled && html`<button type="button" class="to-top" onClick=${() => { section.current?.querySelector('.traces')?.scrollTo({ top: 0 }) }}><${Icon} name="up" /> Newest</button>`}</div>`}
      <${StatusLine} live=${live} shown=${traces.length} />
    </section>`
}

function useNarrow (section: { current: HTMLElement | null }): boolean {
  const [isNarrow, setNarrow] = useState(() => innerWidth < NARROW_WIDTH)
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      const width = section.current?.clientWidth ?? 0
      if (width > 0) setNarrow(width < NARROW_WIDTH)
    })
    observer.observe(section.current as HTMLElement)
    return () => observer.disconnect()
  }, [])
  return isNarrow
}

function Bottom ({ live }: { live: LiveTraces }): VNode | null {
  const dropped = live.state?.droppedTraces ?? 0
  if (dropped === 0) return null
  return html`<p class="bottom">${countOf(dropped, 'older trace')} ${dropped === 1 ? 'was' : 'were'} dropped to make room</p>`
}

function StatusLine ({ live, shown }: { live: LiveTraces, shown: number }): VNode {
  const notify = useContext(NoticeContext)
  const { state } = live
  const clear = async () => {
    // What stands still would hide that they are gone.
    if (live.pause !== null) live.togglePause()
    try {
      await clearTraces()
    } catch {
      notify('The server did not clear its traces')
    }
  }
  return html`
    <footer class="status-line">
      <span id="count">${shown === live.store.size ? countOf(shown, 'trace') : `${formatCount(shown)} of ${countOf(live.store.size, 'trace')}`}</span>
      ${state !== null && html`<span class="faint" title="Memory that the kept traces take, and may take">${formatBytes(state.bytes)} of ${formatBytes(state.maxBytes)}</span>`}
      ${state !== null && state.droppedTraces > 0 && html`<span class="dropped" title=${`The viewer keeps ${formatCount(state.maxTraces)} traces, ${formatBytes(state.maxBytes)} at most`}>${formatCount(state.droppedTraces)} older dropped</span>`}
      ${state !== null && state.droppedSpans > 0 && html`<span class="dropped" title="Spans over a bound, and parts of what was sent that could not be read">${countOf(state.droppedSpans, 'span')} left out</span>`}
      ${live.wasRestarted && html`<span class="faint" title="What it kept before is gone">server restarted</span>`}
      <span class="top-gap"></span>
      <button type="button" class="link" disabled=${live.store.size === 0} onClick=${clear}>Clear</button>
    </footer>`
}
