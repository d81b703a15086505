/**
 * Bounds on what one span carries and on the work spent on it. One request must not be able to fill a batch: 512 spans of
 * 32 KiB stay below the 20 MiB that a Collector accepts in one post.
 */
export interface Limits {
  /** Bytes of UTF-8 of one JSON text of values. */
  maxBytes: number
  /** Objects and arrays inside one another. */
  maxDepth: number
  /** Values of any kind that the walk visits. */
  maxNodes: number
  /** Items of one array. */
  maxItems: number
  /** UTF-16 units of one string. */
  maxStringLength: number
  /** UTF-16 units of one property name. */
  maxKeyLength: number
  /**
   * Bytes of a part that may be walked where its schema is open. Past it only `{ type, bytes }` is recorded, since an engine lists
   * all the keys of an object before it yields the first (100,000 keys: 15 ms).
   */
  maxOpenBytes: number
}

export const VALUE_LIMITS: Limits = Object.freeze({
  maxBytes: 32 * 1024,
  maxDepth: 8,
  maxNodes: 1000,
  maxItems: 64,
  maxStringLength: 1024,
  maxKeyLength: 128,
  maxOpenBytes: 256 * 1024,
})

/** Errors listed on one span. */
export const MAX_ERRORS = 10

/** Bytes of the JSON text of one span's errors. */
export const MAX_ERROR_BYTES = 4 * 1024

/** UTF-16 units of a message or an input inside an error. */
export const MAX_ERROR_TEXT_LENGTH = 256
