import { connect } from 'node:net'
import type { OddRequest } from './odd-requests.ts'

/** Requests that are under way at a time. */
const AT_ONCE = 32

/** How long an answer may take before it counts as none, milliseconds. */
const PATIENCE_MILLIS = 20_000

/** Writes a request to a socket of its own and resolves with every byte that comes back until it closes, the date taken out. */
export function exchange (port: number, { name, pieces }: OddRequest): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const chunks: Buffer[] = []
    let next = 0
    const writeNext = () => { if (next < pieces.length) socket.write(pieces[next++]!) }
    const timer = setTimeout(() => {
      chunks.push(Buffer.from(`no end of ${name}`))
      socket.destroy()
    }, PATIENCE_MILLIS)
    socket.on('connect', writeNext)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      writeNext()
    })
    // A server that closes before it has read everything resets the connection.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks).toString('latin1').replace(/^date: .*\r\n/gmi, ''))
    })
  })
}

/** Sends all of them; the answers are in the same order. */
export async function exchangeAll (port: number, requests: readonly OddRequest[]): Promise<string[]> {
  const answers: string[] = []
  let next = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < requests.length) {
      const index = next++
      answers[index] = await exchange(port, requests[index]!)
    }
  }))
  return answers
}
