import { useEffect, useRef } from 'preact/hooks'

/** Puts the focus on a part of the page, where a reader of the screen follows it. */
export function focusOn (selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true })
}

export type KeyMap = Record<string, (event: KeyboardEvent) => void>

/** Keys of the whole page. A key in a field, in a dialog or with a modifier is none of them. */
export function useKeys (keys: KeyMap): void {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isBusy(event)) return
      const handle = Object.hasOwn(current.current, event.key) ? current.current[event.key] : undefined
      if (handle === undefined) return
      event.preventDefault()
      handle(event)
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
}

function isBusy ({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false
  // A dialog that was closed just now may still have the focus.
  if (target.closest('input, textarea, select, dialog[open]') !== null) return true
  // What is read is scrolled.
  if (/^(?:Arrow|Page|Home$|End$)/.test(key) && target.closest('.details') !== null) return true
  // Enter and Space belong to what is focused.
  return (key === 'Enter' || key === ' ') && target.closest('button, summary, a[href]:not([role="option"])') !== null
}
