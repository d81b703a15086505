const base = document.querySelector<HTMLMetaElement>('meta[name="viewer-base"]')?.content ?? './'

/** Where the viewer is mounted, without a slash at the end. The server says it relative to the address that was asked for. */
export const PREFIX = new URL(base, location.href).pathname.replace(/\/+$/, '')

/** An answer that is not 200. */
export class ApiError extends Error {
  readonly statusCode: number

  constructor (statusCode: number) {
    super(`the viewer's server answered ${statusCode}`)
    this.statusCode = statusCode
  }
}

export async function getJson<T> (path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(`${PREFIX}/api/${path}`, { headers: { accept: 'application/json' }, ...(signal === undefined ? {} : { signal }) })
  if (!response.ok) throw new ApiError(response.status)
  return await response.json() as T
}

export async function clearTraces (): Promise<void> {
  const response = await fetch(`${PREFIX}/api/traces`, { method: 'DELETE' })
  if (!response.ok) throw new ApiError(response.status)
}
