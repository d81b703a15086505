import { DecodeError } from './body-error.ts'

/** How a value stands on the wire; groups are long gone from the format. */
export const VARINT = 0
export const FIXED64 = 1
export const LENGTH = 2
export const FIXED32 = 5

/**
 * Reads one message of the Protocol Buffers wire format: `next()` goes to a field, then one of the readers, or `skip()`, takes its value.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufReader {
  readonly #bytes: Buffer
  readonly #end: number
  #position: number
  /** Number of the field, three bits to the left, and how its value stands there: what a reader of a message switches on. */
  tag = 0

  constructor (bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#position = start
    this.#end = end
  }

  /** Goes to the next field; `false` at the end. */
  next (): boolean {
    if (this.#position === this.#end) return false
    this.tag = this.varint()
    return true
  }

  /** Exact up to 2^53, and for tags, lengths and counts no more is meant. */
  varint (): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    throw new DecodeError('a number is too long')
  }

  /** A number, or, beyond what a number holds exactly, its digits. */
  int64 (): number | string {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        const signed = BigInt.asIntN(64, value)
        const number = Number(signed)
        return Number.isSafeInteger(number) ? number : String(signed)
      }
    }
    throw new DecodeError('a number is too long')
  }

  fixed64 (): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8))
  }

  double (): number {
    return this.#bytes.readDoubleLE(this.#take(8))
  }

  text (): string {
    const length = this.varint()
    const start = this.#take(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  /** Lower-case hexadecimal digits of so many bytes; `''` when there are more or fewer. */
  hex (byteLength: number): string {
    const length = this.varint()
    const start = this.#take(length)
    return length === byteLength ? this.#bytes.toString('hex', start, start + length) : ''
  }

  /** The bytes themselves: they are those of the whole request, not a copy. */
  bytes (): Buffer {
    const length = this.varint()
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** A reader of the message that the field holds. */
  message (): ProtobufReader {
    const length = this.varint()
    const start = this.#take(length)
    return new ProtobufReader(this.#bytes, start, start + length)
  }

  skip (): void {
    switch (this.tag & 7) {
      case VARINT:
        this.varint()
        break
      case FIXED64:
        this.#take(8)
        break
      case LENGTH:
        this.#take(this.varint())
        break
      case FIXED32:
        this.#take(4)
        break
      default: throw new DecodeError('a field of an unknown kind')
    }
  }

  #byte (): number {
    if (this.#position >= this.#end) throw new DecodeError('it ends too early')
    return this.#bytes[this.#position++]!
  }

  /** Position of the next bytes, which are passed over. */
  #take (length: number): number {
    const start = this.#position
    if (length > this.#end - start) throw new DecodeError('it ends too early')
    this.#position = start + length
    return start
  }
}
