import { Component, type VNode } from 'preact'
import type { TraceSummary } from '../wire.ts'
import { countOf, formatDuration, formatTime } from './model/format.ts'
import { html } from './html.ts'
import { outcomeOf, statusOutcome } from './model/outcome.ts'

export function traceRowId (traceId: string): string {
  return `trace-${traceId}`
}

interface Props {
  summary: TraceSummary
  height: number
  /** Of the active row, which is read out; those of the others change with each new trace. */
  position: string | undefined
  isActive: boolean
  isNarrow: boolean
  href: string
  onOpen: (traceId: string) => void
}

/** A trace in the list. Drawn again only when something of it changed: a thousand arrive in a second. */
export class TraceRow extends Component<Props> {
  override shouldComponentUpdate (next: Props): boolean {
    const { onOpen, ...rest } = next
    return Object.entries(rest).some(([name, value]) => this.props[name as keyof Props] !== value)
  }

  override render ({ summary, height, position, isActive, isNarrow, href, onOpen }: Props): VNode {
    const { traceId, startMillis, service, services, spanCount, validationErrors } = summary
    const others = services.length - 1
    const onClick = (event: MouseEvent) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      event.preventDefault()
      onOpen(traceId)
    }
    const words = {
      time: html`<span class="cell time">${formatTime(startMillis)}</span>`,
      status: html`<span class="cell status">${statusBadge(summary)}</span>`,
      request: html`<span class="cell request">${requestLine(summary)}${validationErrors > 0 && errorCount(validationErrors)}${requestNote(summary)}</span>`,
      service: html`<span class="cell service" title=${services.join(', ')}>${service}${others > 0 && html`<span class="others"> +${others}</span>`}</span>`,
      spans: html`<span class="cell spans">${spanCount}</span>`,
      duration: html`<span class="cell duration">${durationCell(summary)}</span>`,
    }
    return html`
      <a class=${`row trace-row is-${outcomeOf(summary)}`} id=${traceRowId(traceId)} role="option" tabindex="-1" href=${href} aria-selected=${isActive} aria-description=${position}
        style=${{ height: `${height}px` }} onClick=${onClick}>
        ${isNarrow
          ? html`<span class="line">${words.status}${words.request}</span><span class="line second">${words.time}${words.service}${words.duration}</span>`
          : html`${words.time}${words.status}${words.request}${words.service}${words.spans}${words.duration}`}
      </a>`
  }
}

/** The status code, or what is there instead of one. */
export function statusBadge ({ statusCode, isAborted, isFailed, durationMillis }: TraceSummary): VNode {
  if (isAborted) return html`<span class="badge is-aborted" title="The caller left before the answer was complete">abort</span>`
  if (statusCode !== undefined) return html`<span class=${`badge is-${statusOutcome(statusCode)}`}>${statusCode}</span>`
  if (durationMillis === null) return html`<span class="badge is-running" title="Running">···</span>`
  return isFailed ? html`<span class="badge is-failed" title="A span has an error">error</span>` : html`<span class="badge">–</span>`
}

/** How many validation errors. */
export function errorCount (count: number): VNode {
  return html`<span class="error-count" title=${countOf(count, 'validation error')}><span aria-hidden="true">✗ </span>${count}<span class="visually-hidden"> validation ${count === 1 ? 'error' : 'errors'}</span></span>`
}

/** What else tells traces apart: the class of an error, the name of a root that is no request. */
export function requestNote ({ method, route, name, statusCode, errorType, isAborted }: TraceSummary): VNode | false {
  if (errorType !== undefined && errorType !== String(statusCode) && !isAborted) return html`<span class="row-note text-failed">${errorType}</span>`
  return method !== undefined && route !== undefined && name !== `${method} ${route}` && html`<span class="row-note">${name}</span>`
}

/** Method and route; of other traces their name. */
export function requestLine ({ method, route, name, statusCode }: TraceSummary): VNode {
  if (method !== undefined && route === undefined && statusCode === 404) return html`<span class="method">${method}</span> <span class="faint">no such route</span>`
  if (method === undefined || route === undefined) return html`<span class="route">${name}</span>`
  return html`<span class="method">${method}</span> <span class="route">${routeParts(route)}</span>`
}

const PARAMETER = /(:[^/]+|\*)/

/** Parameters of a route are set apart from its words. */
export function routeParts (route: string): Array<string | VNode> {
  return route.split(PARAMETER).map((part, index) => index % 2 === 1 ? html`<span class="parameter">${part}</span>` : part)
}

/** The same, where a request without a route has an empty one. */
export function routeWords (route: string): Array<string | VNode> | VNode {
  return route === '' ? html`<span class="faint">no such route</span>` : routeParts(route)
}

/** On a scale of powers of ten, from 0.1 ms to 10 s. */
function durationCell ({ durationMillis }: TraceSummary): VNode {
  if (durationMillis === null) return html`<span class="running-word">running</span>`
  const share = Math.max(0, Math.min(1, (Math.log10(Math.max(durationMillis, 0.1)) + 1) / 5))
  return html`<span class="meter" aria-hidden="true"><span style=${{ width: `${(share * 100).toFixed(1)}%` }}></span></span><span class="number">${formatDuration(durationMillis)}</span>`
}
