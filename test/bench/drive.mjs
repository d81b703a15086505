import { FakeRequest, FakeResponse } from './fake-http.mjs'

/**
 * Sends `count` requests, `inFlight` at a time, each started outside of any other's asynchronous context (a request started where another
 * one ends would become its child). Rejects at the first answer that is not the expected one.
 */
export async function drive (app, requests, count, inFlight) {
  for (let sent = 0; sent < count; sent += inFlight) await driveBatch(app, requests, sent, inFlight)
}

function driveBatch (app, requests, offset, size) {
  return new Promise((resolve, reject) => {
    let open = size
    const onClosed = ({ statusCode, payload }) => {
      if (statusCode !== 200) reject(new Error(`status ${statusCode}: ${payload}`))
      if (--open === 0) resolve()
    }
    for (let index = 0; index < size; index++) {
      const request = new FakeRequest(requests[(offset + index) % requests.length])
      app.routing(request, new FakeResponse(request, onClosed))
    }
  })
}

/** Sends one request and resolves to its answer. */
export function ask (app, requestSpec) {
  return new Promise((resolve) => {
    const request = new FakeRequest(requestSpec)
    app.routing(request, new FakeResponse(request, resolve))
  })
}
