import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TelemetryError } from '../error-codes.ts'
import { TraceStore, type TraceStoreOptions } from './trace-store.ts'

/** A `preHandler` hook, asynchronous or with a callback. */
export type ViewerGuard = (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => unknown

/** Options of the viewer; all optional. */
export interface ViewerOptions extends TraceStoreOptions {
  /**
   * A store of {@link createTraceStore}, whose `spanProcessor` was given to the OpenTelemetry SDK; its bounds are its own.
   * @default one of its own, which `configure({ viewer: true })` fills
   */
  store?: TraceStore
  /**
   * A `preHandler` hook of Fastify that lets in who may see the traces, and answers the others itself. With it the viewer answers other machines, and under
   * any name. @default only requests from this machine are answered
   */
  guard?: ViewerGuard
}

export const storeOptionSchemas = {
  maxTraces: Type.Integer({ minimum: 1, maximum: 100_000, description: 'an integer from 1 to 100000' }),
  maxBytes: Type.Integer({ minimum: 1024 * 1024, description: 'an integer of bytes, 1048576 or more' }),
}

export const viewerOptionsSchema = Type.Partial(Type.Object({
  ...storeOptionSchemas,
  store: Type.Object({ storeId: Type.String(), spanProcessor: Type.Object({}) }, { description: 'a store of createTraceStore()' }),
  guard: Type.Function([], Type.Unknown(), { description: 'a preHandler hook (request, reply) => Promise<void>' }),
}))

/** What the schema cannot say. */
export function checkTogether (where: string, { store, maxTraces, maxBytes, guard }: ViewerOptions): void {
  if (store !== undefined && (maxTraces ?? maxBytes) !== undefined) {
    throw new TelemetryError('FST_SCHEMA_TELEMETRY_INVALID_OPTION', `${where}s "maxTraces" and "maxBytes" are those of the store, give them to createTraceStore()`)
  }
  if (guard === undefined && process.env.NODE_ENV === 'production') {
    throw new TelemetryError(
      'FST_SCHEMA_TELEMETRY_INVALID_OPTION',
      `${where} "guard" must be a preHandler hook (request, reply) => Promise<void> when NODE_ENV is "production", received undefined: the viewer shows what requests carried; say who may see it`
    )
  }
}
