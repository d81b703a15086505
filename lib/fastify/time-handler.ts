import { context, type Context } from '@opentelemetry/api'
import type { RouteHandlerMethod } from 'fastify'
import { isThenable } from '../guard.ts'
import { currentContext } from '../server-span/current-context.ts'
import { endHandlerSpan, startHandlerSpan } from '../server-span/extra-spans.ts'
import { NEVER, type RequestRecord } from '../server-span/request-record.ts'
import type { Settings } from '../settings.ts'
import { recordOf } from './recorded-request.ts'

type AnyHandler = (this: unknown, first: unknown, second: unknown) => unknown

/**
 * Wraps a route handler so that its time is known. It is called with the same arguments and its result is passed on as it is.
 * The end of a synchronous handler is its return. For promises and callbacks it is the first that Fastify does with the result (`preSerialization`,
 * `onSend` or `onError`): a `then` of our own would cost a promise for each request, and make a library's lazy thenable do its work twice.
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
      if (record.webSocket !== null) noteThrown(record, error)
      throw error
    }
    if (!isFirstCall) return result
    // What it returned at once is the end, unless it is a promise or nothing yet: then the reply is. A WebSocket has none.
    if (record.webSocket !== null) endWebSocketHandler(settings, record, result)
    else if (result !== undefined && !isThenable(result)) endHandler(settings, record)
    return result
  }
  Object.defineProperty(timed, 'name', { value: handler.name })
  return timed as unknown as RouteHandlerMethod
}

/** A connection has no reply and no `onError`: its handler ends when it returns, or when its promise settles. */
function endWebSocketHandler (settings: Settings, record: RequestRecord, result: unknown): void {
  if (!(result instanceof Promise)) return endHandler(settings, record)
  result.then(() => endHandler(settings, record), (error: unknown) => {
    noteThrown(record, error)
    endHandler(settings, record, { error })
  })
}

function noteThrown (record: RequestRecord, error: unknown): void {
  record.thrown = error
  record.hasThrown = true
  record.thrownMillis = record.now()
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

/** Marks the handler's end, the first time it is seen, and ends its span; nothing when the handler never ran. */
export function endHandler (settings: Settings, record: RequestRecord, thrown?: { error: unknown }): void {
  if (record.handlerStartMillis === NEVER || record.ended || record.handlerEndMillis !== NEVER) return
  record.handlerEndMillis = record.now()
  try {
    endHandlerSpan(record, record.handlerEndMillis, thrown)
  } catch (error) {
    settings.guard.report('handler span', error)
  }
}
