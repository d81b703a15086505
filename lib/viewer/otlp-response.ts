/** What a request's `Content-Type` says, parameters aside. */
export function isProtobuf (contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/x-protobuf\s*(?:;|$)/i.test(contentType)
}

/**
 * The answer to an export, in the encoding of the request: empty, or with `partial_success` when spans were refused.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success
 */
export function exportResponse (isProtobuf: boolean, refusedSpans: number): Buffer | string {
  const message = `${refusedSpans} spans without valid ids, or that could not be read`
  if (isProtobuf) return refusedSpans === 0 ? Buffer.alloc(0) : field(1, Buffer.concat([Buffer.from([8]), varint(refusedSpans), field(2, Buffer.from(message))]))
  return JSON.stringify(refusedSpans === 0 ? {} : { partialSuccess: { rejectedSpans: String(refusedSpans), errorMessage: message } })
}

/** A `Status` with its message, as failed exports are answered. */
export function statusToProtobuf (message: string): Buffer {
  return field(2, Buffer.from(message))
}

function field (number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([number << 3 | 2]), varint(bytes.length), bytes])
}

function varint (number: number): Buffer {
  const bytes = []
  let rest = number
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push(rest % 128 + 128)
  return Buffer.from([...bytes, rest])
}
