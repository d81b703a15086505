import type { Socket } from 'node:net'

/** Knows which sockets were idle for longer than the server's `connectionTimeout`. */
export interface IdleSockets {
  /** Listens to a socket, the first time that it is seen; nothing when the server has no such timeout. */
  watch (socket: Socket): void
  hasTimedOut (socket: Socket | undefined): boolean
}

/**
 * Node.js destroys an idle socket without a word to the response. A listener on the socket (one on request, response or server would keep it from being
 * destroyed) remembers; an `onTimeout` hook would do the same, but stops `injectWS` of @fastify/websocket.
 */
export function createIdleSockets (): IdleSockets {
  const timedOut = new WeakMap<Socket, boolean>()
  return {
    watch (socket) {
      if (!(socket.timeout! > 0) || timedOut.has(socket)) return
      timedOut.set(socket, false)
      // Not destroyed, when the application looks after its timeouts itself.
      socket.on('timeout', () => timedOut.set(socket, socket.destroyed))
    },
    hasTimedOut: (socket) => socket !== undefined && timedOut.get(socket) === true,
  }
}
