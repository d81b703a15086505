import type { FastifyRequest } from 'fastify'
import type { RequestRecord } from '../server-span/request-record.ts'
import type { Settings } from '../settings.ts'
import { kRecord } from '../symbols.ts'

/** A request with the slot that the plugin declares. `undefined` in contexts that were made before the plugin. */
export type RecordedRequest = FastifyRequest & { [kRecord]?: RequestRecord | null }

/** The record of a request, unless it belongs to another registration of the plugin (root and child can have one each), or it is no request. */
export function recordOf (settings: Settings, candidate: unknown): RequestRecord | null {
  const record = (candidate as { [kRecord]?: RequestRecord | null } | null | undefined)?.[kRecord]
  return record === undefined || record === null || record.settings !== settings ? null : record
}
