import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { FailuresPage } from './failures-page.ts'
import { HelpSheet } from './help-sheet.ts'
import { html } from './html.ts'
import { useKeys } from './keys.ts'
import { ListPage } from './list-page.ts'
import type { LiveTraces } from './live.ts'
import { NoticeContext, type Notify } from './notice.ts'
import { RouterContext, useAddress } from './router.ts'
import { toggleScheme } from './theme.ts'
import { TopBar } from './top-bar.ts'
import { TracePage } from './trace-page.ts'
import { LiveContext, useRedraw } from './use-live.ts'

const NOTICE_MILLIS = 4000
const TITLES = { list: 'Traces', trace: 'Trace', failures: 'Failures', unknown: 'Not here' }

/** The page: its head, and below it what the address says. */
export function App ({ live }: { live: LiveTraces }): VNode {
  const router = useAddress()
  const { place } = router
  const redraw = useRedraw()
  const [isHelpOpen, setHelpOpen] = useState(false)
  const [notice, setNotice] = useState<{ text: string, detail: readonly string[] } | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)

  useEffect(() => { live.open(place.filters.text) }, [place.filters.text])
  useEffect(() => { document.title = `${TITLES[place.page]} · fastify-schema-telemetry` }, [place.page])

  const notify: Notify = (text, detail = []) => {
    clearTimeout(timer.current)
    setNotice({ text, detail })
    timer.current = setTimeout(() => setNotice(null), NOTICE_MILLIS * (detail.length === 0 ? 1 : 2))
  }
  const toggleTheme = () => {
    toggleScheme()
    redraw()
  }
  const search = () => {
    const field = () => document.querySelector<HTMLInputElement>('#search')
    if ((field()?.offsetWidth ?? 0) > 0) {
      field()?.focus()
      return
    }
    // Not on the other pages, and on a small screen not beside a trace.
    router.go({ page: 'list' })
    requestAnimationFrame(() => field()?.focus())
  }
  useKeys({
    '?': () => setHelpOpen(true),
    '/': search,
    p: () => live.togglePause(),
    d: toggleTheme,
    1: () => router.go({ page: 'list' }),
    2: () => router.go({ page: 'failures' }),
  })

  return html`
    <${RouterContext.Provider} value=${router}><${LiveContext.Provider} value=${live}><${NoticeContext.Provider} value=${notify}>
      <${TopBar} onHelp=${() => setHelpOpen(true)} onTheme=${toggleTheme} />
      <main class=${`page page-${place.page}`}>
        ${(place.page === 'list' || place.page === 'trace') && html`<${ListPage} key="list" />`}
        ${place.page === 'trace' && html`<${TracePage} key=${place.traceId} traceId=${place.traceId} />`}
        ${place.page === 'failures' && html`<${FailuresPage} />`}
        ${place.page === 'unknown' && html`
          <section class="blank"><h1>Nothing is here</h1><p>The address leads to no page of the viewer.</p><p><a class="button" href=${router.href({ page: 'list' })}>All traces</a></p></section>`}
      </main>
      <${HelpSheet} isOpen=${isHelpOpen} onClose=${() => setHelpOpen(false)} />
      <div class="notice" role="status" aria-live="polite">
        ${notice !== null && html`<div class="notice-box"><p>${notice.text}</p>${notice.detail.length > 0 && html`<p class="faint">Left out:</p><ul>${notice.detail.map((line) => html`<li>${line}</li>`)}</ul>`}</div>`}
      </div>
    <//><//><//>`
}
