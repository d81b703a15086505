/** What is sent, all of it made of a number: no two requests are alike. */

/** One request of so many on a kept connection fails; where Fastify closes the connection afterwards it says so in `closes`. */
const FAILING_EVERY = 200

const head = (method, path, number, more = '') =>
  `${method} ${path} HTTP/1.1\r\nhost: soak.example\r\nuser-agent: soak\r\ntraceparent: 00-${(number + 1).toString(16).padStart(32, '0')}-00f067aa0ba902b7-01\r\n${more}\r\n`

const withBody = (method, path, number, body) => `${head(method, path, number, `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`)}${body}`

const user = (number) => JSON.stringify({ name: `user ${number}`, email: `u${number}@example.com`, tags: [`t${number}`, 'soak'], password: `secret ${number}` })

const GOOD = [
  (number) => ({ text: head('GET', `/known/${number}?q=${number}`, number), statusCode: 200 }),
  (number) => ({ text: withBody('POST', `/users/${number}`, number, user(number)), statusCode: 200 }),
  (number) => ({ text: head('GET', `/nowhere-${number}/${number}`, number), statusCode: 404 }),
  (number) => ({ text: withBody('POST', `/users/${number}`, number, user(number)), statusCode: 200 }),
  (number) => ({ text: head('GET', `/stream/${number}`, number), statusCode: 200 }),
]

const FAILING = [
  (number) => ({ text: withBody('POST', `/users/${number}`, number, `{"name": "${number}`), statusCode: 400, closes: true }),
  (number) => ({ text: withBody('POST', `/users/${number}`, number, JSON.stringify({ name: number, tags: [{}, number] })), statusCode: 400 }),
  (number) => ({ text: head('GET', `/known/x${number}?q=y${number}`, number), statusCode: 400 }),
  (number) => ({ text: head('GET', `/thrown/${number}`, number), statusCode: 500 }),
  (number) => ({ text: withBody('POST', `/users/${number}`, number, JSON.stringify({ name: 'x'.repeat(3000 + number % 1000) })), statusCode: 413, closes: true }),
]

/** WebSockets that are opened and cut: some after a message, some as soon as they are open, some before. */
export const WEB_SOCKETS = ['message', 'answer', 'written'].map((leaveAt) => (number) => ({
  text: head('GET', `/socket/${number}`, number, 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n'),
  leaveAt,
}))

export function makeRequest (number) {
  const kinds = number % FAILING_EVERY === FAILING_EVERY - 1 ? FAILING : GOOD
  const index = kinds === GOOD ? number : Math.floor(number / FAILING_EVERY)
  return kinds[index % kinds.length](number)
}

/** Requests whose client leaves, or whose answer breaks. `leaveAt` says when: when all is written, or when the first bytes come back. */
export const BROKEN_OFF = [
  (number) => ({ text: head('POST', `/users/b${number}`, number, 'content-type: application/json\r\ncontent-length: 100\r\n') + '{"name":', leaveAt: 'written' }),
  (number) => ({ text: head('GET', `/hang/${number}`, number), leaveAt: 'written' }),
  (number) => ({ text: head('GET', `/endless/${number}`, number), leaveAt: 'answer' }),
  (number) => ({ text: head('GET', `/broken-stream/${number}`, number), leaveAt: 'never' }),
  (number) => ({ text: head('GET', `/hang/${number}`, number) + head('GET', `/known/${number}?q=1`, number) + head('GET', `/endless/${number}`, number), leaveAt: 'written' }),
]
