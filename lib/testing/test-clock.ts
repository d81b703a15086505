import type { Clock } from '../clock.ts'

/** Where test clocks begin: before any real span, so that a time tells which clock it is from. */
export const TEST_EPOCH_MILLIS = Date.UTC(2000, 0, 1)

export interface TestClock extends Clock {
  /** One reading, as milliseconds since the Unix epoch. */
  tick (): number
  /** Begins again at 2000-01-01T00:00:00Z. */
  reset (): void
}

/** A clock that goes on by one millisecond each time it is read, from 2000-01-01T00:00:00Z. */
export function createTestClock (): TestClock {
  let readings = 0
  return {
    monotonicMillis: () => ++readings,
    epochMillis: () => TEST_EPOCH_MILLIS + readings,
    tick: () => TEST_EPOCH_MILLIS + ++readings,
    reset () {
      readings = 0
    },
  }
}
