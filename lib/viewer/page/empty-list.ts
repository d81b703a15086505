import type { VNode } from 'preact'
import { PREFIX } from './api.ts'
import { hasFilters, NO_FILTERS } from './model/filters.ts'
import { html } from './html.ts'
import type { LiveTraces } from './live.ts'
import { useRouter } from './router.ts'

/** What stands in the place of the list while there is none: each case says what to do. */
export function EmptyList ({ live }: { live: LiveTraces }): VNode {
  const { place: { filters }, filter } = useRouter()
  if (live.connection === 'loading') {
    return html`<div class="skeleton" role="status" aria-label="Loading"><div></div><div></div><div></div><div></div><div></div><div></div></div>`
  }
  if (live.state === null) {
    return html`<div class="blank"><h2>The server does not answer</h2><p>Is the application running? The page goes on by itself when it is.</p></div>`
  }
  if (hasFilters(filters)) {
    return html`
      <div class="blank"><h2>No trace matches</h2><p>New ones that match will show here as they come.</p>
        <p><button type="button" class="button" onClick=${() => filter(NO_FILTERS)}>Clear the filters</button></p></div>`
  }
  return html`
    <div class="blank is-waiting">
      <div class="waiting" aria-hidden="true"><span></span><span></span><span></span><span></span></div>
      <h2>Waiting for the first request</h2>
      <p>Send one to the application, and its trace shows here while it runs:</p>
      <pre tabindex="0"><code>curl ${location.origin}/</code></pre>
      <p>Another service shows here too when it sends its spans over OTLP/HTTP:</p>
      <pre tabindex="0"><code>OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin}${PREFIX}</code></pre>
    </div>`
}
