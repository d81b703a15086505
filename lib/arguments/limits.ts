/**
 * Bounds on what one span carries and on the work spent on it. One request must not be able to fill a batch: 512 spans of
 * 32 KiB stay below the 20 MiB that a Collector accepts in one post.
 */
export interface Limits {
  /** Bytes of UTF-8 of the values of one span. */
  readonly maxBytes: number
  /** Objects and arrays inside one another. */
  readonly maxDepth: number
  /** Values of any kind that the walk visits in one part. */
  readonly maxNodes: number
  /** Items of one array. */
  readonly maxItems: number
  /** UTF-16 units of one string. */
  readonly maxStringLength: number
  /** UTF-16 units of one property name. */
  readonly maxKeyLength: number
  /**
   * Bytes of a part that may be walked where its schema is open. Past it only `{ type, bytes }` is recorded, since an engine lists
   * all the keys of an object before it yields the first (100,000 keys: 15 ms).
   */
  readonly maxOpenBytes: number
  /** Errors listed on one span. */
  readonly maxErrors: number
  /** Bytes of the JSON text of one span's errors. */
  readonly maxErrorBytes: number
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxBytes: 32 * 1024,
  maxDepth: 8,
  maxNodes: 1000,
  maxItems: 64,
  maxStringLength: 1024,
  maxKeyLength: 128,
  maxOpenBytes: 256 * 1024,
  maxErrors: 10,
  maxErrorBytes: 4 * 1024,
})

/** The range that the option `limits` may choose from. Depth is small because writers call one another. */
export const LIMIT_RANGES: { readonly [Name in keyof Limits]: readonly [least: number, most: number] } = {
  maxBytes: [1024, 1024 * 1024],
  maxDepth: [1, 32],
  maxNodes: [1, 100_000],
  maxItems: [1, 10_000],
  maxStringLength: [16, 64 * 1024],
  maxKeyLength: [16, 1024],
  maxOpenBytes: [0, 16 * 1024 * 1024],
  maxErrors: [1, 100],
  maxErrorBytes: [1024, 64 * 1024],
}

/** UTF-16 units of a message or an input inside an error. */
export const MAX_ERROR_TEXT_LENGTH = 256
