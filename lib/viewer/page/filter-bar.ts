import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { hasFilters, NO_FILTERS, STATUS_CLASSES } from './model/filters.ts'
import { html } from './html.ts'
import { Icon } from './icon.ts'
import { focusOn } from './keys.ts'
import { useRouter } from './router.ts'

/** Typing asks the server once it pauses. */
const TYPING_MILLIS = 180

export function FilterBar ({ services }: { services: readonly string[] }): VNode {
  const { place: { filters }, filter } = useRouter()
  const toggleClass = (name: string) => filter({
    statusClasses: filters.statusClasses.includes(name) ? filters.statusClasses.filter((other) => other !== name) : [...filters.statusClasses, name],
  })
  const onSlower = ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
    filter({ slowerThanMillis: currentTarget.value === '' ? null : Math.max(0, Number(currentTarget.value)) })
  }
  const names = filters.service === '' || services.includes(filters.service) ? services : [...services, filters.service]
  return html`
    <div class="filters" role="search" aria-label="Filter traces">
      <${SearchField} />
      <div class="chips">
        <div class="segments" role="group" aria-label="Status">
          ${STATUS_CLASSES.map((name) => html`
            <button type="button" class=${`chip status-${name[0]}`} aria-pressed=${filters.statusClasses.includes(name)} onClick=${() => toggleClass(name)}>${name}</button>`)}
        </div>
        <button type="button" class="chip chip-refused" aria-pressed=${filters.onlyInvalid} onClick=${() => filter({ onlyInvalid: !filters.onlyInvalid })}>Invalid</button>
        <button type="button" class="chip chip-aborted" aria-pressed=${filters.onlyAborted} onClick=${() => filter({ onlyAborted: !filters.onlyAborted })}>Aborted</button>
        <label class=${`chip chip-field ${filters.slowerThanMillis === null ? '' : 'is-on'}`}>
          <span>slower than</span>
          <input id="slower" type="number" min="0" step="any" inputmode="decimal" placeholder="–" value=${filters.slowerThanMillis ?? ''} onChange=${onSlower} />
          <span>ms</span>
        </label>
        <label class=${`chip chip-field ${filters.service === '' ? '' : 'is-on'}`}>
          <span class="visually-hidden">Service</span>
          <select id="service" value=${filters.service} onChange=${({ currentTarget }: { currentTarget: HTMLSelectElement }) => filter({ service: currentTarget.value })}>
            <option value="">All services</option>
            ${names.map((name) => html`<option value=${name} selected=${name === filters.service}>${name}</option>`)}
          </select>
        </label>
        ${hasFilters(filters) && html`<button type="button" class="chip chip-clear" onClick=${() => filter(NO_FILTERS)}>Clear</button>`}
      </div>
    </div>`
}

function SearchField (): VNode {
  const { place: { filters }, filter } = useRouter()
  const [typed, setTyped] = useState(filters.text)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const field = useRef<HTMLInputElement>(null)
  const asked = useRef(filters.text)
  // Back, forward and "Clear" change it too; what was asked for here has no say in what is being typed on.
  useEffect(() => {
    if (filters.text === asked.current) return
    asked.current = filters.text
    setTyped(filters.text)
  }, [filters.text])
  const search = (text: string) => {
    clearTimeout(timer.current)
    asked.current = text.trim()
    filter({ text: asked.current }, 'replace')
  }
  const onInput = ({ currentTarget: { value } }: { currentTarget: HTMLInputElement }) => {
    setTyped(value)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => search(value), TYPING_MILLIS)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') search(typed)
    if (event.key !== 'Escape') return
    event.preventDefault()
    if (typed !== '') search('')
    setTyped('')
    field.current?.blur()
    focusOn('.traces')
  }
  return html`
    <label class="search">
      <${Icon} name="search" /><span class="visually-hidden">Search route, status, trace id, attributes</span>
      <input id="search" ref=${field} type="text" autocomplete="off" spellcheck=${false} placeholder="Route, status, trace id, attribute…" value=${typed} onInput=${onInput} onKeyDown=${onKeyDown} />
      <kbd>/</kbd>
    </label>`
}
