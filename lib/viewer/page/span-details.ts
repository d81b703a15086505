import type { VNode } from 'preact'
import { EXCEPTION_EVENT, RESPONSE_SERIALIZED } from '../../semconv.ts'
import type { ViewerSpan } from '../wire.ts'
import { buildJson } from './model/argument-nodes.ts'
import { ArgumentsSection } from './arguments-section.ts'
import { AttributeTable } from './attribute-table.ts'
import { groupAttributes } from './model/attribute-groups.ts'
import { ArgumentTree } from './argument-tree.ts'
import { EventsSection } from './events-section.ts'
import { countOf, formatExactDuration } from './model/format.ts'
import { html } from './html.ts'
import { linkTo, useRouter } from './router.ts'
import type { TimeRange } from './model/waterfall.ts'

interface Props {
  span: ViewerSpan
  range: TimeRange
  colour: number | undefined
  isOrphan: boolean
}

/** Everything that is known of one span: what it was about first, what it ran on last. */
export function SpanDetails ({ span, range, colour, isOrphan }: Props): VNode {
  const router = useRouter()
  const { name, kind, service, scope, startMillis, endMillis, statusMessage, events, links, dropped } = span
  const response = buildJson(span.attributes[RESPONSE_SERIALIZED])
  const lost = [[dropped.attributes, 'attribute'], [dropped.events, 'event'], [dropped.links, 'link']] as const
  const exceptions = events.filter((event) => event.name === EXCEPTION_EVENT)
  return html`
    <section class="details" tabindex="-1" aria-label="Chosen span">
      <header class="details-head">
        <h2><i class=${`dot service-${colour ?? 0}`}></i>${name}</h2>
        <div class="details-facts">
          <span>${service}</span><span>${kind.toLowerCase()}</span>
          <span class="number">${endMillis === null ? 'running' : formatExactDuration(endMillis - startMillis)}</span>
          <span class="number" title="After the start of the trace">+${formatExactDuration(startMillis - range.startMillis)}</span>
          <span class="faint">${scope.name}${scope.version === undefined ? '' : ` ${scope.version}`}</span>
          ${isOrphan && html`<span class="faint">its parent is not in this trace</span>`}
        </div>
        ${statusMessage !== undefined && statusMessage !== '' && html`<p class="text-failed">${statusMessage}</p>`}
      </header>
      <div class="details-columns">
        <div class="details-main">
          <${ArgumentsSection} span=${span} />
          ${exceptions.length > 0 && html`<${EventsSection} title=${exceptions.length === 1 ? 'Exception' : 'Exceptions'} events=${exceptions} startMillis=${range.startMillis} />`}
          ${response !== undefined && html`<section><h3>Response</h3><${ArgumentTree} nodes=${response.kind === 'value' ? [response] : response.children} label="Response" /></section>`}
          <${EventsSection} title="Events" events=${events.filter((event) => event.name !== EXCEPTION_EVENT)} startMillis=${range.startMillis} />
          ${links.length > 0 && html`
            <section><h3>Links</h3><ul class="plain">${links.map(({ traceId, spanId }) => html`
              <li><a class="number" ...${linkTo(router, { page: 'trace', traceId, spanId })}>${traceId} ${spanId}</a></li>`)}</ul></section>`}
        </div>
        <div class="details-side">
          ${groupAttributes(span.attributes).map(({ title, attributes }) => html`<${AttributeTable} key=${title} title=${title} attributes=${attributes} />`)}
          ${lost.some(([count]) => count > 0) && html`
            <p class="note">Left out of this span: ${lost.filter(([count]) => count > 0).map(([count, noun]) => countOf(count, noun)).join(', ')}.</p>`}
          <${AttributeTable} title="Resource" attributes=${Object.entries(span.resource).sort(([first], [second]) => first < second ? -1 : 1)} isFolded=${true} />
        </div>
      </div>
    </section>`
}
