import type { VNode } from 'preact'
import { formatRate, formatShare } from './model/format.ts'
import { html } from './html.ts'
import { Icon } from './icon.ts'
import type { PulseWindow } from './model/pulse.ts'
import { linkTo, useRouter } from './router.ts'
import { currentScheme } from './theme.ts'
import { useClock, useLive } from './use-live.ts'

const CONNECTIONS = {
  loading: ['Connecting', 'Asking the server for its traces'],
  live: ['Live', 'Traces show as they come'],
  reconnecting: ['Reconnecting', 'The server does not answer; the page tries again every few seconds'],
} as const

export function TopBar ({ onHelp, onTheme }: { onHelp: () => void, onTheme: () => void }): VNode {
  const live = useLive(({ connection, pause }) => `${connection} ${pause === null}`)
  const router = useRouter()
  useClock(1000)
  const { page } = router.place
  const isPaused = live.pause !== null
  const [label, hint] = CONNECTIONS[live.connection]
  const tab = (to: 'list' | 'failures', text: string) => html`
    <a class="tab" aria-current=${(page === 'failures') === (to === 'failures') && page !== 'unknown' ? 'page' : undefined}
      ...${linkTo(router, { page: to })}>${text}</a>`
  return html`
    <header class="top">
      <a class="mark" aria-label="All traces" ...${linkTo(router, { page: 'list' })}><${Icon} name="mark" /></a>
      <nav class="tabs" aria-label="Pages">${tab('list', 'Traces')}${tab('failures', 'Failures')}</nav>
      <div class="top-gap"></div>
      <${PulseView} ...${live.pulse.window(Date.now())} isSearching=${router.place.filters.text !== ''} />
      <button type="button" class=${`connection is-${isPaused && live.connection === 'live' ? 'paused' : live.connection}`} aria-pressed=${isPaused}
        title=${isPaused ? 'The list stands still. p goes on' : `${hint}. p stops the list`} onClick=${() => live.togglePause()}>
        <span class="beacon"></span>
        <span class="connection-word">${isPaused && live.connection === 'live' ? 'Paused' : label}</span>
        <${Icon} name=${isPaused ? 'play' : 'pause'} />
      </button>
      <button type="button" class="icon-button" aria-label=${`Switch to the ${currentScheme() === 'dark' ? 'light' : 'dark'} scheme`} title="Dark or light (d)" onClick=${onTheme}><${Icon} name="theme" /></button>
      <button type="button" class="icon-button" aria-label="Keys" title="Keys (?)" onClick=${onHelp}><${Icon} name="help" /></button>
    </header>`
}

const CHART_HEIGHT = 20
const BAR_WIDTH = 2

/** The last minute, a bar for each second, failures from the ground up. */
function PulseView ({ seconds, perSecond, failureShare, isSearching }: PulseWindow & { isSearching: boolean }): VNode {
  const most = Math.max(1, ...seconds.map(({ total }) => total))
  const path = (what: 'total' | 'failed') => seconds.map(({ [what]: count }, index) => {
    const height = count === 0 ? 0 : Math.max(1, Math.round(count / most * CHART_HEIGHT))
    return height === 0 ? '' : `M${index * (BAR_WIDTH + 1)} ${CHART_HEIGHT}v-${height}h${BAR_WIDTH}v${height}z`
  }).join('')
  const share = failureShare === null ? '–' : formatShare(failureShare)
  return html`
    <div class="pulse" title=${`Traces that began in the last minute${isSearching ? ' and match the search' : ''}. Failures: 4xx, 5xx, errors, requests that the caller abandoned`}>
      <svg class="pulse-chart" viewBox=${`0 0 ${seconds.length * (BAR_WIDTH + 1)} ${CHART_HEIGHT}`} width=${seconds.length * (BAR_WIDTH + 1)} height=${CHART_HEIGHT} aria-hidden="true">
        <path class="pulse-ground" d=${`M0 ${CHART_HEIGHT - 0.5}h${seconds.length * (BAR_WIDTH + 1)}`} />
        <path class="pulse-total" d=${path('total')} /><path class="pulse-failed" d=${path('failed')} />
      </svg>
      <dl class="pulse-words">
        <div><dt>${isSearching ? 'matching' : 'rate'}</dt><dd id="rate">${formatRate(perSecond)}</dd></div>
        <div><dt>failed</dt><dd id="share" class=${failureShare !== null && failureShare > 0 ? 'text-failed' : ''}>${share}</dd></div>
      </dl>
    </div>`
}
