import type { VNode } from 'preact'
import { useContext } from 'preact/hooks'
import type { TraceDetail, ViewerSpan } from '../wire.ts'
import { curlOf } from './model/curl.ts'
import { countOf, formatDuration, formatExactDuration, formatExactTime } from './model/format.ts'
import { html } from './html.ts'
import { Icon } from './icon.ts'
import { NoticeContext, useCopy } from './notice.ts'
import { linkTo, useRouter } from './router.ts'
import { requestLine, requestNote, statusBadge } from './trace-row.ts'
import type { TimeRange, WaterfallRow } from './model/waterfall.ts'

export interface TraceCopies {
  copyTraceId: () => void
  copyCurl: () => void
  canCurl: boolean
}

/** The request of the chosen span, or of the first one that is a request. */
export function useTraceCopies (traceId: string, chosen: ViewerSpan | undefined, rows: readonly WaterfallRow[]): TraceCopies {
  const copy = useCopy()
  const notify = useContext(NoticeContext)
  const curl = (chosen === undefined ? undefined : curlOf(chosen)) ?? first(rows, ({ span }) => curlOf(span))
  return {
    canCurl: curl !== undefined,
    copyTraceId: () => { copy(traceId, 'Trace id') },
    copyCurl: () => {
      if (curl === undefined) notify('No span of this trace is a request')
      else copy(curl.text, 'Request', curl.leftOut)
    },
  }
}

function first<Item, Found> (items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

interface Props {
  detail: TraceDetail
  colours: Map<string, number>
  copies: TraceCopies
  range: TimeRange
}

export function TraceHead ({ detail: { summary, spans }, colours, copies, range }: Props): VNode {
  const router = useRouter()
  const { traceId, startMillis, durationMillis, services } = summary
  return html`
    <header class="trace-head">
      <div class="trace-title">
        <a class="icon-button back" aria-label="Back to the list" title="Back to the list (Esc)" ...${linkTo(router, { page: 'list' })}><${Icon} name="back" /></a>
        ${statusBadge(summary)}
        <h1>${requestLine(summary)}${requestNote(summary)}</h1>
        <span class=${`trace-duration ${durationMillis === null ? 'text-running' : ''}`}>
          ${durationMillis === null ? html`running, ${formatDuration(range.endMillis - range.startMillis)} so far` : formatExactDuration(durationMillis)}</span>
      </div>
      <div class="trace-facts">
        <span class="number" title="Start">${formatExactTime(startMillis)}</span>
        <span>${countOf(spans.length, 'span')}</span>
        <span class="services">${services.map((name) => html`<span class="service-name"><i class=${`dot service-${colours.get(name) ?? 0}`}></i>${name}</span>`)}</span>
        <span class="top-gap"></span>
        <button type="button" class="quiet-button id-button" title="Copy the trace id (t)" onClick=${copies.copyTraceId}><span class="number">${traceId}</span><${Icon} name="copy" /></button>
        <button type="button" class="quiet-button" title="Copy the request as curl (c)" disabled=${!copies.canCurl} onClick=${copies.copyCurl}><${Icon} name="terminal" />Copy as curl</button>
      </div>
    </header>`
}
