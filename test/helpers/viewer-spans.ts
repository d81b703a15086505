import { toIncomingSpan, toScope, toSource, type IncomingSpan, type SpanDraft } from '../../lib/viewer/incoming-span.ts'
import { spanIdOf, traceIdOf } from './viewer.ts'

/** A span as the store takes it. */
export function incoming (draft: Partial<SpanDraft> = {}, resource: Record<string, unknown> = { 'service.name': 'test' }): IncomingSpan {
  return toIncomingSpan({
    traceId: traceIdOf(1),
    spanId: spanIdOf(1),
    name: 'span',
    kind: 'INTERNAL',
    startMillis: 1000,
    endMillis: 1001,
    status: 'UNSET',
    attributes: [],
    events: [],
    links: [],
    dropped: { attributes: 0, events: 0, links: 0 },
    ...draft,
  }, toSource(Object.entries(resource)), toScope('test', '1.0.0'))
}

/** A request's span as the plugin makes it. */
export function incomingRequest (draft: Partial<SpanDraft> & { route?: string, statusCode?: number, more?: Record<string, unknown> }): IncomingSpan {
  const { route = '/users/:id', statusCode = 200, more = {}, ...rest } = draft
  return incoming({
    name: `GET ${route}`,
    kind: 'SERVER',
    attributes: Object.entries({ 'http.request.method': 'GET', 'http.route': route, 'http.response.status_code': statusCode, ...more }),
    ...rest,
  })
}
