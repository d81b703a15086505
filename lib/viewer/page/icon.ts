import type { VNode } from 'preact'
import { html } from './html.ts'

/** Drawn on a grid of 16 by 16, in the colour of the text. */
const PATHS = {
  pause: 'M5.5 4v8M10.5 4v8',
  play: 'M5.5 3.8v8.4l6.5-4.2z',
  help: 'M6 6.2a2 2 0 1 1 3 1.7c-.7.4-1 .8-1 1.6M8 12v.2',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.2 3.2',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  back: 'M9.5 3.5L5 8l4.5 4.5',
  chevron: 'M6 4l4 4-4 4',
  pin: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  terminal: 'M3 4.5L6.5 8 3 11.5M8.5 11.5H13',
  up: 'M8 13V3.5M4 7.5l4-4 4 4',
} as const

export function Icon ({ name }: { name: keyof typeof PATHS | 'mark' | 'theme' }): VNode {
  if (name === 'mark') {
    return html`
      <svg class="icon icon-mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
        <rect class="mark-one" x="1" y="3" width="18" height="3.5" rx="1.2" /><rect class="mark-two" x="4" y="8.25" width="8" height="3.5" rx="1.2" />
        <rect class="mark-three" x="11" y="13.5" width="6" height="3.5" rx="1.2" />
      </svg>`
  }
  if (name === 'theme') {
    return html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><circle cx="8" cy="8" r="5.5" /><path class="solid" d="M8 2.5a5.5 5.5 0 0 1 0 11z" /></svg>`
  }
  return html`<svg class=${`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d=${PATHS[name]} /></svg>`
}
