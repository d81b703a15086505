import type { Socket } from 'node:net'

/** Looks after the replies that wait behind others. */
export interface QueuedReplies {
  /** Calls `end` when the socket closes, unless `forget` was called before. */
  watch (socket: Socket, end: () => void): void
  forget (socket: Socket, end: () => void): void
}

/**
 * A pipelined reply that waits behind one that hangs never gets a `close` of its own when the socket dies, and its request's has come long before. So the
 * socket is listened to, once for all of its replies that wait: most requests never do.
 */
export function createQueuedReplies (): QueuedReplies {
  const waiting = new WeakMap<Socket, Set<() => void>>()
  return {
    watch (socket, end) {
      const known = waiting.get(socket)
      if (known !== undefined) {
        known.add(end)
        return
      }
      const ends = new Set([end])
      waiting.set(socket, ends)
      socket.once('close', () => {
        waiting.delete(socket)
        for (const end of ends) end()
      })
    },
    forget (socket, end) {
      waiting.get(socket)?.delete(end)
    },
  }
}
