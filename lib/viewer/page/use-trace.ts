import { useEffect, useRef, useState } from 'preact/hooks'
import type { TraceDetail } from '../wire.ts'
import { ApiError, getJson } from './api.ts'
import { useLive } from './use-live.ts'

export interface TraceState {
  detail: TraceDetail | null
  /** `gone`: the server has it no more. What was loaded before stays. */
  problem: 'gone' | 'unreachable' | null
}

/** Between two readings of a trace that changes all the time. */
const PAUSE_MILLIS = 250
/** A running trace, and a server that does not answer, are asked again after this time. */
const AGAIN_MILLIS = 1000

/** A trace with its spans, read again when it changes. */
export function useTrace (traceId: string): TraceState {
  const live = useLive(({ store, state }) => `${store.get(traceId)?.revision} ${state?.storeId}`)
  const [state, setState] = useState<TraceState>({ detail: null, problem: null })
  const loadedAt = useRef(-Infinity)
  const [attempt, setAttempt] = useState(0)
  const known = live.store.get(traceId)
  const isStale = state.detail === null || (known !== undefined && known.revision > state.detail.summary.revision)
  const isRunning = state.detail?.summary.durationMillis === null

  useEffect(() => {
    if (!isStale && attempt === 0) return undefined
    const abort = new AbortController()
    const timer = setTimeout(async () => {
      loadedAt.current = performance.now()
      try {
        const detail = await getJson<TraceDetail>(`traces/${encodeURIComponent(traceId)}`, abort.signal)
        setState({ detail, problem: null })
      } catch (error) {
        if (!abort.signal.aborted) setState((before) => ({ ...before, problem: error instanceof ApiError && error.statusCode === 404 ? 'gone' : 'unreachable' }))
      }
    }, Math.max(0, loadedAt.current + PAUSE_MILLIS - performance.now()))
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [traceId, known?.revision, attempt, live.state?.storeId])

  useEffect(() => {
    // Of a trace that is not there, the live connection tells when it comes.
    if (!isRunning && state.problem !== 'unreachable') return undefined
    const timer = setTimeout(() => setAttempt((count) => count + 1), AGAIN_MILLIS)
    return () => clearTimeout(timer)
  }, [isRunning, state, attempt])
  return state
}
