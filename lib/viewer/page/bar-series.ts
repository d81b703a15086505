import type { VNode } from 'preact'
import { html } from './html.ts'

const HEIGHT = 28
const WIDTH = 4
const GAP = 1

interface Props {
  bars: ReadonlyArray<{ height: number, title: string }>
  most: number
  label: string
}

/** Small bars over time or size. What is not nothing can be seen. */
export function BarSeries ({ bars, most, label }: Props): VNode {
  const width = bars.length * (WIDTH + GAP)
  return html`
    <svg class="series" viewBox=${`0 0 ${width} ${HEIGHT}`} width=${width} height=${HEIGHT} role="img" aria-label=${label}>
      <path class="series-ground" d=${`M0 ${HEIGHT - 0.5}h${width}`} />
      ${bars.map(({ height, title }, index) => {
        const drawn = height === 0 ? 0 : Math.max(2, Math.round(height / most * HEIGHT))
        return html`<rect class="series-bar" x=${index * (WIDTH + GAP)} y=${HEIGHT - drawn} width=${WIDTH} height=${drawn}><title>${title}</title></rect>`
      })}
    </svg>`
}
