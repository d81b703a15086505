import { render } from 'preact'
import { App } from './app.ts'
import { html } from './html.ts'
import { LiveTraces } from './live.ts'
import { applyScheme } from './theme.ts'

applyScheme()
render(html`<${App} live=${new LiveTraces()} />`, document.getElementById('viewer') as HTMLElement)
