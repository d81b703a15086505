import { filterQuery, parseFilters, type Filters } from './filters.ts'

/** What the address says. */
export interface Place {
  page: 'list' | 'trace' | 'failures' | 'unknown'
  /** Only of the page `trace`. */
  traceId?: string
  spanId?: string
  /** Kept on every page, so that the way back to the list leads to the same list. */
  filters: Filters
}

const TRACE = /^\/traces\/([^/]+)\/?$/

/** @param prefix - where the viewer is mounted, without a slash at the end */
export function parsePlace (prefix: string, path: string, search: string): Place {
  const query = new URLSearchParams(search)
  const filters = parseFilters(query)
  const rest = path.startsWith(prefix) ? path.slice(prefix.length) : path
  if (rest === '' || rest === '/' || rest === '/traces' || rest === '/traces/') return { page: 'list', filters }
  if (rest === '/failures' || rest === '/failures/') return { page: 'failures', filters }
  const traceId = decode(TRACE.exec(rest)?.[1])
  if (traceId === undefined) return { page: 'unknown', filters }
  const spanId = query.get('span')
  return { page: 'trace', traceId, ...(spanId === null ? {} : { spanId }), filters }
}

function decode (text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    // `%` and no code: no link of ours.
    return undefined
  }
}

export function formatPlace (prefix: string, { page, traceId = '', spanId, filters }: Place): string {
  const query = filterQuery(filters)
  if (page === 'trace' && spanId !== undefined) query.set('span', spanId)
  const path = page === 'trace' ? `/traces/${encodeURIComponent(traceId)}` : page === 'failures' ? '/failures' : '/'
  return `${prefix}${path}${query.size === 0 ? '' : `?${query.toString()}`}`
}
