import type { VNode } from 'preact'
import type { FieldFailures } from '../wire.ts'
import { BarSeries } from './bar-series.ts'
import { formatAgo, formatClock, formatCount } from './model/format.ts'
import { html } from './html.ts'
import { linkTo, useRouter } from './router.ts'
import { routeWords } from './trace-row.ts'

interface Props {
  field: FieldFailures
  /** The highest bar. */
  most: number
  bucketStarts: readonly number[]
}

const FIRST_TRACES = 3

/** One field: where it is, what was wrong, how often and when; each of its traces is a link. */
export function FieldCard ({ field, most, bucketStarts }: Props): VNode {
  const router = useRouter()
  const { method, route, part, path, keyword, message, count, lastMillis, traceIds, series } = field
  const links = (ids: readonly string[]) => ids.map((traceId) => html`<a class="number trace-link" ...${linkTo(router, { page: 'trace', traceId })}>${traceId.slice(0, 8)}</a> `)
  const bars = series.map((height, index) => ({ height, title: `${formatClock(bucketStarts[index] ?? 0)}: ${formatCount(height)}` }))
  return html`
    <li class="field">
      <span class="field-count number">${formatCount(count)}</span>
      <div class="field-words">
        <p class="field-place"><b class="field-path">${part === '' ? 'errors that were not recorded' : `${part}${path}`}</b><span class="field-route"><span class="method">${method}</span> ${routeWords(route)}</span></p>
        <p class="field-message">${message}${keyword !== '' && html`<code class="pin-keyword">${keyword}</code>`}</p>
      </div>
      <${BarSeries} bars=${bars} most=${most} label=${`Failures over time, ${formatCount(count)} in all`} />
      <div class="field-traces">
        <span class="faint">${formatAgo(lastMillis, Date.now())}</span> ${links(traceIds.slice(0, FIRST_TRACES))}
        ${traceIds.length > FIRST_TRACES && html`<details class="more"><summary>${traceIds.length - FIRST_TRACES} more</summary>${links(traceIds.slice(FIRST_TRACES))}</details>`}
      </div>
    </li>`
}
