const QUIET_MILLIS = 60_000

/** Kinds that are remembered; beyond it all are forgotten, so that no flood of kinds fills the memory. */
const MAX_KINDS = 100

/**
 * Makes a gate for lines: it lets one of each kind pass in a minute.
 *
 * @param now - milliseconds of any clock
 */
export function createRarely (now: () => number = Date.now): (kind: string) => boolean {
  const passed = new Map<string, number>()

  return function mayPass (kind) {
    const atMillis = now()
    const last = passed.get(kind)
    if (last !== undefined && atMillis - last < QUIET_MILLIS) return false
    if (passed.size >= MAX_KINDS) passed.clear()
    passed.set(kind, atMillis)
    return true
  }
}
