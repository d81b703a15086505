import type { VNode } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { ARGUMENTS_ERRORS, ARGUMENTS_ERROR_COUNT } from '../../semconv.ts'
import type { TraceSummary, ViewerSpan } from '../wire.ts'
import { countOf } from './model/format.ts'
import { html } from './html.ts'
import { focusOn, useKeys } from './keys.ts'
import { linkTo, useRouter } from './router.ts'
import { serviceColours } from './model/service-colours.ts'
import { SpanDetails } from './span-details.ts'
import { TraceHead, useTraceCopies } from './trace-head.ts'
import { useClock } from './use-live.ts'
import { useTrace } from './use-trace.ts'
import { layOut, rangeOf, unfolded, type WaterfallRow } from './model/waterfall.ts'
import { WaterfallView } from './waterfall-view.ts'

const RUNNING_BEAT_MILLIS = 200

/** One trace: its head, its waterfall, and the span that is chosen. */
export function TracePage ({ traceId }: { traceId: string }): VNode {
  const router = useRouter()
  const { detail, problem } = useTrace(traceId)
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set())
  const spans = detail?.spans ?? []
  const rows = useMemo(() => layOut(spans), [detail])
  const shown = useMemo(() => unfolded(rows, folded), [rows, folded])
  const colours = useMemo(() => serviceColours(rows.map(({ span }) => span.service)), [rows])
  const isRunning = spans.some(({ endMillis }) => endMillis === null)
  useClock(RUNNING_BEAT_MILLIS, isRunning)
  const range = rangeOf(spans, Date.now())
  const chosen = rows.find(({ key }) => key === router.place.spanId) ?? tellingRow(rows)
  const copies = useTraceCopies(traceId, chosen?.span, rows)

  const choose = (key: string, how: 'push' | 'replace') => router.go({ page: 'trace', traceId, spanId: key }, how)
  const move = (step: number) => {
    const row = shown[Math.max(0, Math.min(shown.findIndex(({ key }) => key === chosen?.key) + step, shown.length - 1))]
    if (row !== undefined) choose(row.key, 'replace')
    focusOn('.spans')
  }
  const fold = (key: string, isFolded: boolean) => setFolded((before) => {
    const after = new Set(before)
    if (isFolded) after.add(key)
    else after.delete(key)
    return after
  })
  useKeys({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    PageDown: () => move(10),
    PageUp: () => move(-10),
    Home: () => move(-shown.length),
    End: () => move(shown.length),
    ArrowLeft: () => {
      if (chosen === undefined) return
      if (chosen.hasChildren && !folded.has(chosen.key)) fold(chosen.key, true)
      else choose(rows[chosen.parent]?.key ?? chosen.key, 'replace')
    },
    ArrowRight: () => { if (chosen !== undefined) fold(chosen.key, false) },
    Enter: () => focusOn('.details'),
    c: copies.copyCurl,
    t: copies.copyTraceId,
    Escape: () => {
      // One step at a time: from what is read to the spans, from there to the list.
      if (document.activeElement?.closest('.details') != null) focusOn('.spans')
      else router.go({ page: 'list' })
    },
  })
  // A link can lead into what is folded.
  useEffect(() => {
    for (let row = rows[chosen?.parent ?? -1]; row !== undefined; row = rows[row.parent]) if (folded.has(row.key)) fold(row.key, false)
  }, [chosen?.key])

  const title = detail === null ? 'Trace' : titleOf(detail.summary)
  useEffect(() => { document.title = title }, [title])

  if (detail === null) {
    return html`<section class="trace" aria-label="Trace">${problem === null
      ? html`<div class="skeleton" role="status" aria-label="Loading"><div></div><div></div><div></div></div>`
      : html`<div class="blank"><h1>${problem === 'gone' ? 'This trace is not here' : 'The server does not answer'}</h1>
          <p>${problem === 'gone' ? 'It was dropped to make room, cleared, or is of an application that has been restarted since.' : 'The page goes on by itself when it does.'}</p>
          <p><a class="button" ...${linkTo(router, { page: 'list' })}>All traces</a></p></div>`}</section>`
  }
  return html`
    <section class="trace" aria-label="Trace">
      <${TraceHead} detail=${detail} colours=${colours} copies=${copies} range=${range} />
      ${problem === 'gone' && html`<p class="banner">The server does not have this trace any more; this is what was loaded before.</p>`}
      ${detail.droppedSpans > 0 && html`<p class="banner">${countOf(detail.droppedSpans, 'more span')} of this trace ${detail.droppedSpans === 1 ? 'was' : 'were'} left out: one trace has a bound.</p>`}
      <${WaterfallView} rows=${shown} range=${range} folded=${folded} colours=${colours} chosenKey=${chosen?.key}
        onChoose=${(key: string) => choose(key, 'push')} onFold=${fold} />
      ${chosen !== undefined && html`<${SpanDetails} key=${chosen.key} span=${chosen.span} range=${range} colour=${colours.get(chosen.span.service)} isOrphan=${chosen.isOrphan} />`}
    </section>`
}

function titleOf ({ method, route, name, statusCode }: TraceSummary): string {
  const words = method !== undefined && route !== undefined ? `${method} ${route}` : name
  return statusCode === undefined ? words : `${statusCode} ${words}`
}

/** The span that says most: with errors of its own arguments, else with an exception, else the first. */
function tellingRow (rows: readonly WaterfallRow[]): WaterfallRow | undefined {
  const has = (test: (span: ViewerSpan) => boolean) => rows.find(({ span }) => test(span))
  return has(({ kind, attributes }) => kind === 'SERVER' && (attributes[ARGUMENTS_ERRORS] !== undefined || attributes[ARGUMENTS_ERROR_COUNT] !== undefined)) ??
    has(({ kind, status }) => kind === 'SERVER' && status === 'ERROR') ?? has(({ kind }) => kind === 'SERVER') ?? rows[0]
}
