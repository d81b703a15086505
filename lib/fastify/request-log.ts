import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { kLoggedRequest } from '../symbols.ts'

/** Pino keeps its option `mixin` under a symbol of this name. */
const MIXIN = 'pino.mixin'

/** Whether the lines of a logger can have fields of {@link traceMixin}. If not, requests need not be found by their loggers. */
export function asksMixin (log: object): boolean {
  for (let link: object | null = log; link !== null; link = Object.getPrototypeOf(link) as object | null) {
    const key = Object.getOwnPropertySymbols(link).find(({ description }) => description === MIXIN)
    if (key !== undefined) return typeof (link as Record<symbol, unknown>)[key] === 'function'
  }
  return false
}

/**
 * Makes the hook that tells a request's logger its request; loggers that are made of it inherit that. One that serves several requests, made by a
 * `childLoggerFactory`, tells none.
 */
export function createLogMarker (applicationLog: object) {
  return function markLog (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const log = request.log as { [kLoggedRequest]?: FastifyRequest | null }
    if (log !== applicationLog) {
      const isShared = Object.hasOwn(log, kLoggedRequest) && log[kLoggedRequest] !== request
      // Not an assignment: a frozen logger would throw.
      Reflect.set(log, kLoggedRequest, isShared ? null : request)
    }
    done()
  }
}
