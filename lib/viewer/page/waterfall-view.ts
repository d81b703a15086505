import { Component, type VNode } from 'preact'
import { ARGUMENTS_ERROR_COUNT, EXCEPTION_EVENT, HTTP_RESPONSE_STATUS_CODE } from '../../semconv.ts'
import { formatDuration, formatExactDuration } from './model/format.ts'
import { html } from './html.ts'
import { Icon } from './icon.ts'
import { spanOutcome, statusOutcome } from './model/outcome.ts'
import { phasesOf } from './model/phases.ts'
import { errorCount } from './trace-row.ts'
import { VirtualRows } from './virtual-rows.ts'
import { barOf, ticksOf, type TimeRange, type WaterfallRow } from './model/waterfall.ts'

const ROW_HEIGHT = 28
const MOST_TICKS = 5
const SMALL_SCREEN = 640
const MAX_INDENT = 16
/** Behind it there is no room for words. */
const LAST_LABEL = 0.93
const LAST_LABEL_SMALL = 0.7

interface Props {
  rows: readonly WaterfallRow[]
  range: TimeRange
  folded: ReadonlySet<string>
  colours: Map<string, number>
  chosenKey: string | undefined
  onChoose: (key: string) => void
  onFold: (key: string, isFolded: boolean) => void
}

/** The spans as bars over time, each on a row of its own below its parent. */
export function WaterfallView ({ rows, range, folded, colours, chosenKey, onChoose, onFold }: Props): VNode {
  const length = range.endMillis - range.startMillis
  const isSmall = innerWidth < SMALL_SCREEN
  const ticks = ticksOf(length, isSmall ? 2 : MOST_TICKS)
  return html`
    <div class="waterfall">
      <div class="axis" aria-hidden="true"><span class="axis-title">Span<span>Duration</span></span>
        <span class="axis-times">${ticks.map((tick) => html`<span class="tick" style=${{ left: percent(length > 0 ? tick / length : 0) }}>${tick === 0 ? '0' : tick < length * (isSmall ? LAST_LABEL_SMALL : LAST_LABEL) ? formatDuration(tick) : ''}</span>`)}</span></div>
      <${VirtualRows} class="spans" role="tree" label="Spans" count=${rows.length} rowHeight=${ROW_HEIGHT} keyOf=${(index: number) => rows[index]?.key ?? ''}
        activeIndex=${rows.findIndex(({ key }) => key === chosenKey)} activeId=${chosenKey === undefined ? undefined : spanRowId(chosenKey)}
        row=${(index: number) => {
          const row = rows[index] as WaterfallRow
          return html`<${SpanRow} key=${row.key} row=${row} start=${range.startMillis} end=${range.endMillis} ticks=${ticks.length} isFolded=${folded.has(row.key)}
            isChosen=${row.key === chosenKey} colour=${colours.get(row.span.service) ?? 0} onChoose=${onChoose} onFold=${onFold} />`
        }} />
    </div>`
}

function spanRowId (key: string): string {
  return `span-${key}`
}

interface RowProps {
  row: WaterfallRow
  start: number
  end: number
  /** Changes with the lines of time. */
  ticks: number
  isFolded: boolean
  isChosen: boolean
  colour: number
  onChoose: (key: string) => void
  onFold: (key: string, isFolded: boolean) => void
}

/** Drawn again only when something of it changed. */
class SpanRow extends Component<RowProps> {
  override shouldComponentUpdate (next: RowProps): boolean {
    const { onChoose, onFold, ...rest } = next
    return Object.entries(rest).some(([name, value]) => this.props[name as keyof RowProps] !== value)
  }

  override render ({ row, start, end, isFolded, isChosen, colour, onChoose, onFold }: RowProps): VNode {
    const { span, key, depth, hasChildren, descendants, isOrphan } = row
    const range = { startMillis: start, endMillis: end }
    const bar = barOf(span, range)
    const errors = Number(span.attributes[ARGUMENTS_ERROR_COUNT] ?? 0)
    const outcome = spanOutcome(span, errors)
    const phases = phasesOf(span)
    const statusCode = span.attributes[HTTP_RESPONSE_STATUS_CODE]
    const onToggle = (event: MouseEvent) => {
      event.stopPropagation()
      onFold(key, !isFolded)
    }
    return html`
      <div class=${`row span-row is-${outcome} ${isChosen ? 'is-chosen' : ''}`} id=${spanRowId(key)} role="treeitem" aria-level=${depth + 1} aria-selected=${isChosen}
        aria-expanded=${hasChildren ? !isFolded : undefined} style=${{ height: `${ROW_HEIGHT}px` }} onClick=${() => onChoose(key)}>
        <span class="span-name" style=${{ paddingLeft: `${Math.min(depth, MAX_INDENT) * 14 + 6}px` }}>
          ${hasChildren
            ? html`<span class=${`toggle ${isFolded ? '' : 'is-open'}`} onClick=${onToggle}><${Icon} name="chevron" /></span>`
            : html`<span class="toggle"></span>`}
          <i class=${`dot service-${colour}`} title=${span.service}></i>
          <span class="span-label" title=${`${span.name} · ${span.service}${isOrphan ? ' · its parent is not in this trace' : ''}`}>${isOrphan && html`<span class="faint">… </span>`}${span.name}</span>
          ${isFolded && html`<span class="count-pill">+${descendants}</span>`}
          ${errors > 0 && errorCount(errors)}
          ${typeof statusCode === 'number' && statusCode >= 400 && html`<span class=${`span-status is-${statusOutcome(statusCode)}`}>${statusCode}</span>`}
          <span class=${`span-duration ${span.endMillis === null ? 'text-running' : ''}`}>${span.endMillis === null ? 'running' : formatExactDuration(span.endMillis - span.startMillis)}</span>
        </span>
        <span class="track">
          <span class=${`bar service-${colour} ${span.endMillis === null ? 'is-running' : ''} ${phases.length > 0 ? 'has-phases' : ''}`} style=${{ left: percent(bar.left), width: percent(bar.width) }}>
            ${phases.map(({ name, bar: { left, width }, millis }) => html`<i class=${`phase service-${colour}`} style=${{ left: percent(left), width: percent(width) }} title=${`${name}: ${formatExactDuration(millis)}`}></i>`)}
          </span>
          ${span.events.slice(0, 50).map((event) => html`<i class=${`event ${event.name === EXCEPTION_EVENT ? 'is-exception' : ''}`} title=${event.name}
            style=${{ left: percent(barOf({ startMillis: event.timeMillis, endMillis: event.timeMillis }, range).left) }}></i>`)}
        </span>
      </div>`
  }
}

function percent (share: number): string {
  return `${(share * 100).toFixed(4)}%`
}
