import type { Test } from 'tap'

/** A program that the tests need and that is not part of the package's dependencies is not on this machine. */
export class MissingProgram extends Error {
  override readonly name = 'MissingProgram'
}

/**
 * Starts what a test needs from outside. When the program is missing, the test is skipped with one line and gets `undefined`;
 * with FST_REQUIRE_ALL=1 in the environment it fails instead, so that CI cannot pass by skipping.
 *
 *     const jaeger = await startOrSkip(t, startJaeger)
 *     if (jaeger === undefined) return
 */
export async function startOrSkip<T> (t: Test, start: () => Promise<T>): Promise<T | undefined> {
  try {
    return await start()
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error
    if (process.env.FST_REQUIRE_ALL === '1') t.fail(`FST_REQUIRE_ALL=1, but ${error.message}`)
    else t.pass(error.message, { skip: true })
    return undefined
  }
}
