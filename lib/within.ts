/** Waits for `work`, but not longer than `millis`; tells whether it was done. Never rejects: a failure counts as done. */
export function within (millis: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), Math.max(0, millis))
    const done = () => {
      clearTimeout(timer)
      resolve(true)
    }
    work.then(done, done)
  })
}
