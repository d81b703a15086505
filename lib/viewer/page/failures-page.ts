import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { FailuresReport } from '../wire.ts'
import { getJson } from './api.ts'
import { DurationsTable } from './durations-table.ts'
import { FieldCard } from './field-card.ts'
import { countOf, formatClock } from './model/format.ts'
import { html } from './html.ts'
import { useKeys } from './keys.ts'
import { linkTo, useRouter } from './router.ts'
import { useLive } from './use-live.ts'

const PAUSE_MILLIS = 1500

/** What validation refused, by route and field; and how long the routes take. */
export function FailuresPage (): VNode {
  const live = useLive(({ connection, state }) => `${connection} ${state?.storeId} ${state?.revision}`)
  const router = useRouter()
  const report = useReport(live.state === null ? null : `${live.state.storeId} ${live.state.revision}`)
  useKeys({ Escape: () => router.go({ page: 'list' }) })
  if (report === null) {
    return html`<section class="failures">${live.connection === 'reconnecting'
      ? html`<div class="blank"><h1>The server does not answer</h1><p>The page goes on by itself when it does.</p></div>`
      : html`<div class="skeleton" role="status" aria-label="Loading"><div></div><div></div><div></div></div>`}</section>`
  }
  const { fields, routes, bucketStarts, bucketMillis } = report
  const total = fields.reduce((sum, { count }) => sum + count, 0)
  const period = bucketStarts.length === 0 ? '' : `${formatClock(bucketStarts[0] as number)} – ${formatClock((bucketStarts.at(-1) as number) + bucketMillis)}`
  return html`
    <section class="failures" aria-label="Failures">
      ${live.connection === 'reconnecting' && html`<p class="banner is-reconnecting"><span class="beacon"></span>The server does not answer; this is from before. Trying again…</p>`}
      <header class="failures-head"><h1>Fields that requests fail on</h1>
        <p class="faint">${total === 0 ? '' : `${countOf(total, 'validation failure')} in ${countOf(report.state.traces, 'trace')} · ${period}`}</p></header>
      ${fields.length === 0
        ? html`<div class="blank is-short"><h2>No request failed validation</h2><p>Fields that are refused show here, by route, with the traces that they are in.</p>
            <p><a class="button" ...${linkTo(router, { page: 'list' })}>All traces</a></p></div>`
        : html`<ol class="fields" aria-label="Fields">${fields.map((field) => html`
            <${FieldCard} key=${[field.method, field.route, field.part, field.path, field.keyword].join(' ')} field=${field} most=${Math.max(1, ...field.series)} bucketStarts=${bucketStarts} />`)}</ol>`}
      <header class="failures-head"><h2>How long routes take</h2></header>
      ${routes.length === 0 ? html`<p class="faint pad">No request yet.</p>` : html`<${DurationsTable} report=${report} />`}
    </section>`
}

/** Read again when something changed, but not all the time. */
function useReport (version: string | null): FailuresReport | null {
  const [report, setReport] = useState<FailuresReport | null>(null)
  const loadedAt = useRef(-Infinity)
  useEffect(() => {
    if (version === null) return undefined
    let isOver = false
    const timer = setTimeout(async () => {
      loadedAt.current = performance.now()
      try {
        const loaded = await getJson<FailuresReport>('failures')
        if (!isOver) setReport(loaded)
      } catch {
        // The live connection says that the server is away, and brings another version when it is back.
      }
    }, Math.max(0, loadedAt.current + PAUSE_MILLIS - performance.now()))
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [version])
  return report
}
