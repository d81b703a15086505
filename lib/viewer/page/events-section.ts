import type { VNode } from 'preact'
import { EXCEPTION_EVENT, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from '../../semconv.ts'
import type { AttributeValue, SpanEvent } from '../wire.ts'
import { AttributeTable } from './attribute-table.ts'
import { formatExactDuration } from './model/format.ts'
import { html } from './html.ts'

const IN_WORDS = new Set([EXCEPTION_TYPE, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE])

/** What happened in a span, in the order of time; of an exception its class, message and stack. */
export function EventsSection ({ title, events, startMillis }: { title: string, events: readonly SpanEvent[], startMillis: number }): VNode | null {
  if (events.length === 0) return null
  return html`<section><h3>${title}</h3><ol class="events">${events.map((event) => html`<li>${event.name === EXCEPTION_EVENT ? exception(event) : html`<p><b>${event.name}</b></p>`}
    <p class="event-time number">+${formatExactDuration(event.timeMillis - startMillis)}</p>
    <${AttributeTable} title="" attributes=${Object.entries(event.attributes).filter(([name]) => event.name !== EXCEPTION_EVENT || !IN_WORDS.has(name))} /></li>`)}</ol></section>`
}

function exception ({ attributes }: SpanEvent): VNode {
  const { [EXCEPTION_TYPE]: type, [EXCEPTION_MESSAGE]: message, [EXCEPTION_STACKTRACE]: stack } = attributes
  return html`
    <p class="exception"><b>${textOf(type) || 'Exception'}</b>${message !== undefined && html`<span>${textOf(message)}</span>`}</p>
    ${stack !== undefined && html`<pre class="stack" tabindex="0"><code>${stackLines(textOf(stack))}</code></pre>`}` as VNode
}

/** The application's own lines stand out. */
function stackLines (stack: string): VNode[] {
  const lines = stack.split('\n')
  // The first one repeats class and message.
  const frames = /^\s+at /.test(lines[0] ?? '') ? lines : lines.slice(lines.findIndex((line) => /^\s+at /.test(line)))
  return frames.map((line) => html`<span class=${/node:|node_modules/.test(line) ? 'frame-foreign' : 'frame-own'}>${line.trim()}</span>`)
}

function textOf (value: AttributeValue | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}
