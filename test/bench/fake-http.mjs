import { EventEmitter } from 'node:events'

const SOCKET = { remoteAddress: '192.0.2.17', remotePort: 50123, encrypted: false, destroyed: false, writable: true }

/**
 * As much of a request and a response of `node:http` as Fastify reads, without the socket and the parser: they would cost ten times what
 * is to be measured, and vary more than that. The events come as in a real server: body and end of the answer in later ticks,
 * `finish` before `close`, the tick inside the asynchronous context of who asked for it.
 */
export class FakeRequest extends EventEmitter {
  httpVersion = '1.1'
  httpVersionMajor = 1
  httpVersionMinor = 1
  socket = SOCKET
  destroyed = false
  aborted = false
  complete = true

  constructor ({ method, url, headers, chunks }) {
    super()
    this.method = method
    this.url = url
    this.headers = headers
    this.chunks = chunks
  }

  resume () {
    process.nextTick(deliver, this)
  }
}

function deliver (request) {
  for (const chunk of request.chunks) request.emit('data', chunk)
  request.emit('end')
}

export class FakeResponse extends EventEmitter {
  statusCode = 200
  headersSent = false
  writableEnded = false
  writableFinished = false
  destroyed = false
  headers = {}
  payload = undefined

  constructor (request, onClosed) {
    super()
    this.req = request
    this.onClosed = onClosed
  }

  writeHead (statusCode, headers) {
    this.statusCode = statusCode
    this.headers = headers
    this.headersSent = true
    return this
  }

  end (payload) {
    this.payload = payload
    this.writableEnded = true
    process.nextTick(close, this)
    return this
  }

  setHeader (name, value) {
    this.headers[name] = value
  }

  getHeader (name) {
    return this.headers[name]
  }

  getHeaders () {
    return this.headers
  }

  hasHeader (name) {
    return name in this.headers
  }

  removeHeader (name) {
    delete this.headers[name]
  }
}

function close (response) {
  response.writableFinished = true
  response.emit('finish')
  response.destroyed = true
  response.emit('close')
  response.req.emit('close')
  response.onClosed(response)
}
