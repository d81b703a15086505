import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longest work without a turn for others, milliseconds: requests of the application wait behind it. */
const TURN_MILLIS = 5
/** Readings of the clock are spared between. */
const STEPS_PER_READING = 16

/** Makes a function to be awaited between the steps of long work; mostly it returns at once, and now and then lets the event loop go round. */
export function createTurns (): () => Promise<void> | undefined {
  let startMillis = performance.now()
  let steps = 0
  return function turn () {
    if (++steps % STEPS_PER_READING !== 0 || performance.now() - startMillis < TURN_MILLIS) return undefined
    return nextTurn().then(() => { startMillis = performance.now() })
  }
}
