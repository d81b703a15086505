import type { VNode } from 'preact'
import type { FailuresReport, RouteDurations } from '../wire.ts'
import { BarSeries } from './bar-series.ts'
import { formatCount, formatDuration, formatShare } from './model/format.ts'
import { html } from './html.ts'
import { routeWords } from './trace-row.ts'

/** Each route with its histogram, from fast to slow. */
export function DurationsTable ({ report: { routes, durationBounds } }: { report: FailuresReport }): VNode {
  return html`
    <div class="table-box" tabindex="0" role="region" aria-label="Durations by route"><table class="durations">
      <thead><tr><th scope="col">Route</th><th scope="col">Requests</th><th scope="col">Failed</th><th scope="col">Distribution</th><th scope="col">p50</th><th scope="col">p95</th><th scope="col">p99</th></tr></thead>
      <tbody>${routes.map((route) => html`<${Row} key=${`${route.method} ${route.route}`} route=${route} bounds=${durationBounds} />`)}</tbody>
    </table></div>`
}

function Row ({ route: { method, route, requests, failures, counts, p50Millis, p95Millis, p99Millis }, bounds }: { route: RouteDurations, bounds: readonly number[] }): VNode {
  const bars = counts.map((height, index) => ({
    height,
    title: `${index < bounds.length ? `up to ${formatDuration(bounds[index] as number)}` : `above ${formatDuration(bounds.at(-1) ?? 0)}`}: ${formatCount(height)}`,
  }))
  return html`
    <tr>
      <th scope="row"><span class="method">${method}</span> <span class="route">${routeWords(route)}</span></th>
      <td>${formatCount(requests)}</td>
      <td class=${failures > 0 ? 'text-failed' : 'faint'}>${failures === 0 ? '–' : formatShare(failures / requests)}</td>
      <td class="histogram"><${BarSeries} bars=${bars} most=${Math.max(1, ...counts)} label=${`Durations of ${method} ${route}`} /></td>
      <td>${formatDuration(p50Millis)}</td><td>${formatDuration(p95Millis)}</td><td>${formatDuration(p99Millis)}</td>
    </tr>`
}
