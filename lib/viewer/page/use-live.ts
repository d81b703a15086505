import { createContext } from 'preact'
import { useContext, useEffect, useReducer, useRef } from 'preact/hooks'
import type { LiveTraces } from './live.ts'

export const LiveContext = createContext<LiveTraces>(undefined as unknown as LiveTraces)

/**
 * The live traces; the component is drawn again when they change.
 *
 * @param part - what of them matters; without it everything does
 */
export function useLive (part?: (live: LiveTraces) => unknown): LiveTraces {
  const live = useContext(LiveContext)
  const redraw = useRedraw()
  const drawn = useRef<unknown>(undefined)
  drawn.current = part?.(live)
  useEffect(() => {
    const check = () => { if (part === undefined || part(live) !== drawn.current) redraw() }
    // It may have changed since it was drawn.
    check()
    return live.subscribe(check)
  }, [live])
  return live
}

export function useRedraw (): () => void {
  const [, redraw] = useReducer((count: number, _action?: void) => count + 1, 0)
  return redraw as () => void
}

/** Draws the component again in a steady beat, for what depends on the time of day. @param isOn - otherwise it rests */
export function useClock (everyMillis: number, isOn = true): void {
  const redraw = useRedraw()
  useEffect(() => {
    if (!isOn) return undefined
    const timer = setInterval(redraw, everyMillis)
    return () => clearInterval(timer)
  }, [everyMillis, isOn])
}
