/** Why a span was not delivered. */
export type DropReason = 'queue_full' | 'rejected' | 'retry_exhausted' | 'shutdown'

/**
 * Where every span went. At any quiet moment `started` equals `open + unsampled + queued + exported` and all that was dropped; exact after `shutdown()`.
 */
export interface DeliveryStats {
  /** Spans that were begun and recorded. */
  started: number
  ended: number
  /** Begun and not ended. */
  open: number
  /** Ended, but recorded for local use only: not sampled. */
  unsampled: number
  /** Not even begun, since the sampler said so. */
  sampledOut: number
  exported: number
  dropped: Record<DropReason, number>
  /** Ended and not settled, under way included. */
  queued: number
  /** Bytes of these on the wire, estimated. */
  queuedBytes: number
}

export function newStats (): DeliveryStats {
  return {
    started: 0,
    ended: 0,
    open: 0,
    unsampled: 0,
    sampledOut: 0,
    exported: 0,
    dropped: { queue_full: 0, rejected: 0, retry_exhausted: 0, shutdown: 0 },
    queued: 0,
    queuedBytes: 0,
  }
}
