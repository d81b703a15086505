import { once } from 'node:events'
import { connect } from 'node:net'

const STATUS_LINE = 'HTTP/1.1 '
/** The end of the last chunk is kept, where a status line may begin. */
const OVERLAP = STATUS_LINE.length + 3

/** A connection that is kept, and made anew when the server closes it. */
export async function openConnection (port) {
  let socket = await open(port)
  return {
    /** Sends requests all at once; resolves, when each has its answer, with what was wrong. */
    async ask (requests) {
      // The server closes the connection after some answers: what is behind such a request is sent on the next one.
      const wrong = []
      let rest = requests
      while (rest.length > 0) {
        const closing = rest.findIndex(({ closes }) => closes === true)
        const now = closing === -1 ? rest : rest.slice(0, closing + 1)
        wrong.push(...await exchange(socket, now))
        rest = rest.slice(now.length)
        if (closing !== -1) {
          socket.destroy()
          socket = await open(port)
        }
      }
      return wrong
    },
    close: () => { socket.destroy() },
  }
}

async function open (port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

function exchange (socket, requests) {
  return new Promise((resolve, reject) => {
    const wrong = []
    let answered = 0
    let end = ''
    const onData = (chunk) => {
      const text = end + chunk.toString('latin1')
      let at = text.indexOf(STATUS_LINE)
      let seen = 0
      while (at !== -1 && at + OVERLAP <= text.length) {
        const statusCode = Number(text.slice(at + STATUS_LINE.length, at + OVERLAP))
        const request = requests[answered++]
        if (statusCode !== request?.statusCode) wrong.push(`${request?.text.split('\r\n', 1)[0]}: ${statusCode}`)
        seen = at + OVERLAP
        at = text.indexOf(STATUS_LINE, seen)
      }
      end = text.slice(Math.max(seen, text.length - OVERLAP + 1))
      if (answered < requests.length) return
      stop()
      resolve(wrong)
    }
    const onClose = () => {
      stop()
      if (answered === requests.length) resolve(wrong)
      else reject(new Error(`the connection was closed after ${answered} of ${requests.length} answers`))
    }
    const stop = () => socket.off('data', onData).off('close', onClose)
    socket.on('data', onData).on('close', onClose)
    socket.write(requests.map(({ text }) => text).join(''))
  })
}

/** A text message of two letters, masked as clients do. */
const MESSAGE = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])

/** Sends what will not have a whole answer; resolves when the connection is gone. */
export async function sendBrokenOff (port, { text, leaveAt }) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const isClosed = new Promise((resolve) => socket.once('close', resolve))
  socket.once('data', () => {
    if (leaveAt === 'answer') socket.destroy()
    // What comes back is the server's own message.
    if (leaveAt === 'message') socket.once('data', () => socket.resetAndDestroy()).write(MESSAGE)
  })
  socket.resume()
  socket.write(text, () => { if (leaveAt === 'written') setImmediate(() => socket.destroy()) })
  await isClosed
}
