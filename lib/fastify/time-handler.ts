import { types } from 'node:util'
import { context, type Context } from '@opentelemetry/api'
import type { RouteHandlerMethod } from 'fastify'
import { isThenable } from '../guard.ts'
import { currentContext } from '../server-span/current-context.ts'
import { endHandlerSpan, startHandlerSpan } from '../server-span/extra-spans.ts'
import { NEVER, type RequestRecord } from '../server-span/request-record.ts'
import type { Settings } from '../settings.ts'
import { kRecord } from '../symbols.ts'

type AnyHandler = (this: unknown, first: unknown, second: unknown) => unknown

/**
 * Wraps a route handler so that its time is known. It is called with the same arguments and its result is passed on as it is.
 * The end is the return of a synchronous handler, the settling of a native promise, and else (callback handlers, and thenables of
 * libraries, which may do their work once for each `then`) the reply.
 */
export function timeHandler (settings: Settings, handler: RouteHandlerMethod): RouteHandlerMethod {
  const original = handler as unknown as AnyHandler

  const timed: AnyHandler = function (first, second) {
    // @fastify/websocket calls the handlers of its routes with (socket, request).
    const record = recordOf(settings, first) ?? recordOf(settings, second)
    if (record === null) return original.call(this, first, second)
    const isFirstCall = record.isRecording && !record.ended && record.handlerStartMillis === NEVER
    const active = context.active()
    const handlerContext = isFirstCall ? beginHandler(settings, record, active) : currentContext(record, active)
    let result
    try {
      result = active === handlerContext
        ? original.call(this, first, second)
        : context.with(handlerContext, original, this, first, second)
    } catch (error) {
      if (isFirstCall) endHandler(settings, record, { error })
      throw error
    }
    if (!isFirstCall) return result
    if (isNativePromise(result)) {
      // A side branch: the promise itself goes on to Fastify. Its rejection is handled there, and here only looked at.
      result.then(() => endHandler(settings, record), (error: unknown) => endHandler(settings, record, { error }))
    } else if (result !== undefined && !isThenable(result)) {
      endHandler(settings, record)
    }
    return result
  }
  Object.defineProperty(timed, 'name', { value: handler.name })
  return timed as unknown as RouteHandlerMethod
}

/** What an async function returns; not a subclass or a thenable, whose `then` may do more than tell of the end. */
function isNativePromise (value: unknown): value is Promise<unknown> {
  return types.isPromise(value) && Object.getPrototypeOf(value) === Promise.prototype && !Object.hasOwn(value, 'then')
}

function recordOf (settings: Settings, candidate: unknown): RequestRecord | null {
  const record = (candidate as { [kRecord]?: RequestRecord | null } | null | undefined)?.[kRecord]
  return record === undefined || record === null || record.settings !== settings ? null : record
}

function beginHandler (settings: Settings, record: RequestRecord, active: Context): Context {
  record.handlerStartMillis = record.now()
  const requestContext = currentContext(record, active)
  if (!record.route.extraSpans) return requestContext
  try {
    return startHandlerSpan(record, requestContext)
  } catch (error) {
    settings.guard.report('handler span', error)
    return requestContext
  }
}

/** Marks the handler's end, the first time it is seen, and ends its span. */
export function endHandler (settings: Settings, record: RequestRecord, thrown?: { error: unknown }): void {
  if (record.ended || record.handlerEndMillis !== NEVER) return
  record.handlerEndMillis = record.now()
  try {
    endHandlerSpan(record, record.handlerEndMillis, thrown)
  } catch (error) {
    settings.guard.report('handler span', error)
  }
}
