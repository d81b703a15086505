import { diag } from '@opentelemetry/api'
import { createRarely } from './rarely.ts'
import { SCOPE_NAME } from './semconv.ts'

/**
 * The fence around everything that comes from outside: mapper, hooks, samplers, processors, propagators, getters.
 * A failure behind it costs one diagnostic line a minute for each kind, never an answer.
 *
 * @see https://opentelemetry.io/docs/specs/otel/error-handling/
 */
export interface Guard {
  /** Notes a failure of `kind`; says it through the API's `diag`, at most once a minute, with the count since. */
  report (kind: string, error: unknown): void
  /**
   * Calls `fn` and returns what it returns; `undefined` when it throws. What it throws, or what the promise that it returns rejects with,
   * is reported, not passed on.
   */
  run<Args extends unknown[]> (kind: string, fn: (...args: Args) => unknown, ...args: Args): unknown
  /** Failures so far by kind, for tests and diagnosis. */
  readonly counts: ReadonlyMap<string, number>
}

/** UTF-16 units of what a failure says. */
const MAX_TEXT_LENGTH = 300

/**
 * @param clean - takes secrets out of what is said: a failure can quote what it failed at
 */
export function createGuard (clean: (text: string, maxLength: number) => string, now?: () => number): Guard {
  const counts = new Map<string, number>()
  /** Counts at the last line of a kind. */
  const spokenCounts = new Map<string, number>()
  const mayPass = createRarely(now)

  function report (kind: string, error: unknown): void {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    if (!mayPass(kind)) return
    const since = count - (spokenCounts.get(kind) ?? 0)
    spokenCounts.set(kind, count)
    const times = since > 1 ? ` (${since} times since the last such line)` : ''
    try {
      diag.warn(`${SCOPE_NAME}: ${kind} failed${times}; the request is not affected: ${clean(describeThrown(error), MAX_TEXT_LENGTH)}`)
    } catch {
      // A diagnostics logger that throws has nobody left to tell.
    }
  }

  function run<Args extends unknown[]> (kind: string, fn: (...args: Args) => unknown, ...args: Args): unknown {
    try {
      const result = fn(...args)
      if (isThenable(result)) result.then(undefined, (error: unknown) => report(kind, error))
      return result
    } catch (error) {
      report(kind, error)
      return undefined
    }
  }

  return { report, run, counts }
}

/** Whether awaiting `value` would call its `then`. */
export function isThenable (value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function'
}

/** Text of anything that can be thrown, without trusting its getters. */
export function describeThrown (thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  } catch {
    return 'a value that cannot be described'
  }
}
