const KEY = 'fastify-schema-telemetry-viewer-scheme'

export type Scheme = 'dark' | 'light'

/** The scheme that the reader chose, or `undefined`: that of the system. */
function chosen (): Scheme | undefined {
  try {
    const scheme = localStorage.getItem(KEY)
    return scheme === 'dark' || scheme === 'light' ? scheme : undefined
  } catch {
    // Storage can be forbidden.
    return undefined
  }
}

export function currentScheme (): Scheme {
  return chosen() ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
}

export function applyScheme (): void {
  const scheme = chosen()
  if (scheme === undefined) delete document.documentElement.dataset.scheme
  else document.documentElement.dataset.scheme = scheme
}

/** Back to that of the system when the two are the same. */
export function toggleScheme (): void {
  const next: Scheme = currentScheme() === 'dark' ? 'light' : 'dark'
  const ofSystem: Scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  try {
    if (next === ofSystem) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, next)
  } catch {
    // Then it holds until the page is left.
  }
  document.documentElement.dataset.scheme = next
}
