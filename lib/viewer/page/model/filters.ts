import type { TraceSummary } from '../../wire.ts'

export const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const

/** What the list shows; every member stands in the query of the address. */
export interface Filters {
  /** Searched for by the server, in every attribute of every span. */
  text: string
  /** `''` for all. */
  service: string
  /** Empty for all. */
  statusClasses: readonly string[]
  onlyInvalid: boolean
  onlyAborted: boolean
  /** `null` for all. */
  slowerThanMillis: number | null
}

export const NO_FILTERS: Filters = { text: '', service: '', statusClasses: [], onlyInvalid: false, onlyAborted: false, slowerThanMillis: null }

export function parseFilters (query: URLSearchParams): Filters {
  const slower = Number(query.get('slower') ?? Number.NaN)
  const classes = (query.get('status') ?? '').split(',')
  return {
    text: query.get('q') ?? '',
    service: query.get('service') ?? '',
    statusClasses: STATUS_CLASSES.filter((statusClass) => classes.includes(statusClass)),
    onlyInvalid: query.has('invalid'),
    onlyAborted: query.has('aborted'),
    slowerThanMillis: Number.isFinite(slower) && slower >= 0 && query.get('slower') !== '' ? slower : null,
  }
}

/** The query for these filters, without those that are off. */
export function filterQuery ({ text, service, statusClasses, onlyInvalid, onlyAborted, slowerThanMillis }: Filters): URLSearchParams {
  const query = new URLSearchParams()
  if (text !== '') query.set('q', text)
  if (service !== '') query.set('service', service)
  if (statusClasses.length > 0) query.set('status', statusClasses.join(','))
  if (onlyInvalid) query.set('invalid', '1')
  if (onlyAborted) query.set('aborted', '1')
  if (slowerThanMillis !== null) query.set('slower', String(slowerThanMillis))
  return query
}

export function hasFilters (filters: Filters): boolean {
  return filterQuery(filters).size > 0
}

/** Whether a trace passes; the text is the server's business. A running trace is as slow as it is old. */
export function passes (summary: TraceSummary, filters: Filters, nowMillis: number): boolean {
  const { service, statusClasses, onlyInvalid, onlyAborted, slowerThanMillis } = filters
  if (service !== '' && !summary.services.includes(service)) return false
  if (statusClasses.length > 0 && !statusClasses.includes(statusClassOf(summary))) return false
  if (onlyInvalid && summary.validationErrors === 0) return false
  if (onlyAborted && !summary.isAborted) return false
  return slowerThanMillis === null || (summary.durationMillis ?? nowMillis - summary.startMillis) > slowerThanMillis
}

function statusClassOf ({ statusCode }: TraceSummary): string {
  return statusCode === undefined ? '' : `${Math.floor(statusCode / 100)}xx`
}
