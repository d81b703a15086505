import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import { BodyError } from './body-error.ts'

const decoders = new Map([['gzip', promisify(gunzip)], ['deflate', promisify(inflate)]])

/**
 * Undoes the `Content-Encoding` of a body, and stops when it grows beyond the bound.
 *
 * @throws BodyError - 413 when it is too large, 415 for an unknown encoding, 400 for a damaged body
 */
export async function decompress (body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const name = (encoding ?? 'identity').trim().toLowerCase()
  if (name === 'identity') return body
  const decode = decoders.get(name)
  if (decode === undefined) throw new BodyError(415, 'The body must be compressed with gzip or deflate, or not at all.')
  try {
    return await decode(body, { maxOutputLength: maxBytes })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new BodyError(413, `The body is larger than ${maxBytes} bytes.`)
    throw new BodyError(400, 'The body cannot be decompressed.')
  }
}
