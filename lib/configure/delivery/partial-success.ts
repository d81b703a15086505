/** What a collector says of the spans that it did not take. */
export interface PartialSuccess {
  rejectedSpans: number
  errorMessage: string
}

const ALL_TAKEN: PartialSuccess = Object.freeze({ rejectedSpans: 0, errorMessage: '' })
const MAX_MESSAGE_LENGTH = 200

/**
 * Reads `partial_success` of an ExportTraceServiceResponse, JSON or protobuf; what cannot be read counts as success, as the specification says.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
export function readPartialSuccess (contentType: string | undefined, body: Buffer): PartialSuccess {
  try {
    if (contentType?.startsWith('application/json') === true) return readJson(body.toString())
    if (contentType?.startsWith('application/x-protobuf') === true) return readProtobuf(body)
  } catch {
    // Rubbish after a 200.
  }
  return ALL_TAKEN
}

function readJson (text: string): PartialSuccess {
  const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown, errorMessage?: unknown } }
  const rejectedSpans = Number(partialSuccess?.rejectedSpans ?? 0)
  return toPartialSuccess(rejectedSpans, partialSuccess?.errorMessage)
}

/** Field 1 of the response is the message; its field 1 the count, a varint, and field 2 the text. */
function readProtobuf (bytes: Uint8Array): PartialSuccess {
  const message = fieldsOf(bytes).get(1)
  if (!(message instanceof Uint8Array)) return ALL_TAKEN
  const fields = fieldsOf(message)
  const text = fields.get(2)
  return toPartialSuccess(Number(fields.get(1) ?? 0), text instanceof Uint8Array ? Buffer.from(text).toString() : '')
}

function toPartialSuccess (rejectedSpans: number, errorMessage: unknown): PartialSuccess {
  if (!Number.isSafeInteger(rejectedSpans) || rejectedSpans < 0) return ALL_TAKEN
  return { rejectedSpans, errorMessage: typeof errorMessage === 'string' ? errorMessage.slice(0, MAX_MESSAGE_LENGTH) : '' }
}

/** Varints and length-delimited fields by number; throws at anything else. @see https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf (bytes: Uint8Array): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 56; shift += 7) {
      if (at >= bytes.length) throw new RangeError('the message ends inside a number')
      const byte = bytes[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a number has too many bytes')
  }
  while (at < bytes.length) {
    const tag = varint()
    if ((tag & 7) === 0) {
      fields.set(tag >>> 3, varint())
    } else if ((tag & 7) === 2) {
      const length = varint()
      if (at + length > bytes.length) throw new RangeError('the message ends inside a field')
      fields.set(tag >>> 3, bytes.subarray(at, at += length))
    } else {
      throw new RangeError('not a field of this message')
    }
  }
  return fields
}
