import { gzipSync } from 'node:zlib'
import { ANSWERS, hookPaths } from './odd-app.ts'
import { ODD_VALUES, THROWN } from './odd-values.ts'

/** What is written to a socket, in one piece or in several. */
export interface OddRequest {
  name: string
  /** The next piece is written when something has come back. */
  pieces: Array<string | Buffer>
}

type Headers = Array<[name: string, value: string]>

const JSON_TYPE: Headers = [['content-type', 'application/json']]
const TRACE = '0af7651916cd43dd8448eb211c80319c'

/** The bytes of a request; the connection closes after its answer, unless `isLast` is false. */
function toBytes (method: string, target: string, headers: Headers = [], body?: string | Buffer, isLast = true): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, 'host: test.example:8080', 'user-agent: test', ...headers.map(([name, value]) => `${name}: ${value}`)]
  if (body !== undefined && !headers.some(([name]) => ['content-length', 'transfer-encoding'].includes(name))) lines.push(`content-length: ${Buffer.byteLength(body)}`)
  if (isLast) lines.push('connection: close')
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body ?? '')])
}

function one (method: string, target: string, headers?: Headers, body?: string | Buffer, name = `${method} ${target.slice(0, 80)}`): OddRequest {
  return { name, pieces: [toBytes(method, target, headers, body)] }
}

const post = (target: string, body: unknown, name?: string, headers = JSON_TYPE): OddRequest =>
  one('POST', target, headers, typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body), name === undefined ? undefined : `POST ${target}: ${name}`)

function chunked (chunks: string[]): string {
  return `${chunks.map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`
}

const CHUNKED: Headers = [...JSON_TYPE, ['transfer-encoding', 'chunked']]

const answers = Object.keys(ANSWERS).flatMap((path) => [one('GET', path), one('HEAD', path)])
const hooks = hookPaths.map(({ path }) => post(path, { a: 1 }))
const thrown = Object.keys(THROWN).flatMap((name) => [
  ...(THROWN[name]!.isFor === 'every handler' ? ['/thrown', '/thrown/sync', '/thrown/hook'] : []), '/handled', '/handled/sync', '/handled/hook',
].map((prefix) => one('GET', `${prefix}/${name}`)))
const badlyHandled = ['/badly-handled', '/child/worse-handled'].flatMap((prefix) => ['', '/sync', '/hook'].map((kind) => one('GET', `${prefix}${kind}/an-error`)))

const BODIES: Record<string, unknown> = {
  valid: { name: 'Ada' },
  'more than declared': { name: 'Ada', tags: ['a'], extra: 1, any: { deep: [{ token: 't' }] }, password: 'secret', choice: { a: 1 } },
  'of a wrong type': { name: { not: 'a text' } },
  'with many errors': { name: '', tags: Array(200).fill({}), choice: { a: 'x' } },
  'not an object': 'null',
  'a list': '[1,2]',
  'a number': '1e400',
  'cut off': '{"name"',
  empty: '',
  'white space': '  \n ',
  'with a byte order mark': '\ufeff{"name":"Ada"}',
  'with a prototype': '{"name":"Ada","__proto__":{"polluted":true}}',
  'with a constructor': '{"name":"Ada","constructor":{"prototype":{"polluted":true}}}',
  'with the same name twice': '{"name":"Ada","name":7}',
  'very deep': `{"name":"Ada","any":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  'deep in objects': `{"name":"Ada","any":${'{"a":'.repeat(6000)}1${'}'.repeat(6000)}}`,
  wide: { name: 'Ada', any: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index])) },
  long: { name: 'x'.repeat(150_000) },
  'too long': { name: 'x'.repeat(300_000) },
  'with lone surrogates and NUL': '{"name":"\\ud800 \\u0000 \\udfff"}',
  'not UTF-8': Buffer.from([0x7b, 0x22, 0x6e, 0x61, 0x6d, 0x65, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  'with odd numbers': '{"name":"Ada","any":[1e400,-0,1E-400,123456789012345678901234567890]}',
}

const users = Object.entries(BODIES).flatMap(([name, body]) => ['/users/7?n=5', '/attached/7', '/open'].map((target) => post(target, body, name)))

const CONTENT_TYPES = [
  'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;charset=utf-16', ' application/json ; a="b;c"', 'application/json, text/plain',
  'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/octet-stream', 'application/xml', 'image/png\tx', '', '/', 'json',
  'application/x-failing', 'application/problem+json', 'application/vnd.a+json', 'x'.repeat(2000),
]
const contentTypes = CONTENT_TYPES.flatMap((type) => ['/users/7', '/undeclared'].map((target) =>
  post(target, { name: 'Ada' }, `content type ${type.slice(0, 40)}`, [['content-type', type]])))

const odd = Object.keys(ODD_VALUES).flatMap((name) => ['/odd/open', '/odd/closed', '/odd/refused', '/odd/undeclared'].map((target) =>
  post(target, name, name, [['content-type', 'application/x-odd']])))

const streams = ['iterate', 'begin', 'readable', 'pipe', 'late', 'unread'].flatMap((kind) => [
  post(`/stream/${kind}`, '{"a":"streamed"}', 'whole', [['content-type', 'application/vnd.stream+json']]),
  post(`/stream/${kind}`, chunked(['{"a":', '"streamed"', '}']), 'chunked', [['content-type', 'application/vnd.stream+json'], ['transfer-encoding', 'chunked']]),
  post(`/stream/${kind}`, 'x'.repeat(100_000), 'long', [['content-type', 'application/vnd.stream+json']]),
])

const targets = [
  ...['/users/x', '/users/9007199254740993', '/users/%37', '/users/7?n=x', '/users/7?n=1&n=2', '/users/7?list=a&list=b', '/users/7?__proto__[a]=1&constructor=1'].map((target) => post(target, { name: 'Ada' })),
  ...['/search', '/search?n=%zz', `/search?n=1&q=${'x'.repeat(8000)}`, '/search?list=a', '/files/a/b/c?x=%20', '/files/%2e%2e/secret', '/reset/secret-token', '/nowhere', '/%zz', '/%00', '//nowhere', '/text/',
    '/text?a=1#b', 'http://user:password@other.example:81/echo-headers?a=b', '*', 'text', `/${'x'.repeat(9000)}`].map((target) => one('GET', target)),
  ...['PUT', 'DELETE', 'PATCH', 'PURGE', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'NONSENSE'].flatMap((method) => ['/users/7', '/cache', '/nowhere'].map((target) => one(method, target))),
  ...['/text', '/users/7', '*', '/nowhere', '/no-head'].map((target) => one('OPTIONS', target)),
  one('HEAD', '/nowhere'), one('HEAD', '/users/7'), one('GET', '/users/7'), one('CONNECT', 'test.example:443'),
  one('PUT', '/users/7', JSON_TYPE, '{"name":"Ada"}'), one('DELETE', '/users/7', JSON_TYPE, '{"a":1}'), one('GET', '/text', JSON_TYPE, '{"a":1}', 'GET with a body'),
  post('/child/users/x', {}), post('/child/nowhere', {}),
]

const HEADERS: Record<string, Headers> = {
  'trace context': [['traceparent', `00-${TRACE}-b7ad6b7169203331-01`], ['tracestate', 'a=b'], ['baggage', 'tenant=acme']],
  'trace context twice': [['traceparent', `00-${TRACE}-b7ad6b7169203331-01`], ['traceparent', `00-${TRACE}-b7ad6b7169203332-01`]],
  'trace context, bad': [['traceparent', '00-zz'], ['tracestate', ','.repeat(3000)], ['baggage', ';'.repeat(8000)]],
  unsampled: [['traceparent', `00-${TRACE}-b7ad6b7169203331-00`]],
  many: Array.from({ length: 200 }, (_, index) => [`x-${index}`, String(index)]),
  repeated: [['cookie', 'a=1'], ['cookie', 'b=2'], ['accept', 'a'], ['accept', 'b'], ['user-agent', 'again'], ['x-a', '1'], ['x-a', '2']],
  'two hosts': [['host', 'other.example']],
  forwarded: [['x-forwarded-for', '6.6.6.6'], ['x-forwarded-host', 'evil.example'], ['x-forwarded-proto', 'https'], ['forwarded', 'for=6.6.6.6']],
  bytes: [['x-latin', '\xe9\xff'], ['x-tab', 'a\tb']],
  credentials: [['authorization', 'Bearer secret'], ['x-api-key', 'secret'], ['cookie', 'session=secret']],
  'a long user agent': [['user-agent', 'u'.repeat(8000)]],
  'a number': [['x-number', '7']],
  'no number': [['x-number', 'seven']],
  'a hook that waits': [['x-wait', '1']],
  'control characters': [['x-bad', 'a\x01b']],
  'too large': [['x-large', 'x'.repeat(20_000)]],
  prototype: [['__proto__', 'a'], ['constructor', 'b']],
}
const headers = Object.entries(HEADERS).flatMap(([name, list]) => [
  one('GET', '/echo-headers', list, undefined, `headers: ${name}`), post('/users/7', { name: 'Ada' }, `headers: ${name}`, [...JSON_TYPE, ...list]),
])

const RAW: Record<string, Array<string | Buffer>> = {
  'no host': ['GET /text HTTP/1.1\r\nconnection: close\r\n\r\n'],
  'HTTP/1.0': ['GET /echo-headers HTTP/1.0\r\n\r\n'],
  'HTTP/1.0, a stream': ['GET /stream HTTP/1.0\r\n\r\n'],
  'not HTTP': ['hello\r\n\r\n'],
  'a bad version': ['GET / HTTP/3.7\r\nhost: a\r\n\r\n'],
  'two lengths': [toBytes('POST', '/open', [...JSON_TYPE, ['content-length', '2'], ['content-length', '3']], '{} ')],
  'length and chunks': [toBytes('POST', '/open', [...CHUNKED, ['content-length', '2']], chunked(['{}']))],
  'a length that is none': [toBytes('POST', '/open', [...JSON_TYPE, ['content-length', 'x']], '{}')],
  chunks: [toBytes('POST', '/users/7', CHUNKED, chunked(['{"na', 'me":"A', 'da"}']))],
  'chunks and trailers': [toBytes('POST', '/users/7', [...CHUNKED, ['trailer', 'x-sum']], '2\r\n{}\r\n0\r\nx-sum: 1\r\n\r\n')],
  'bad chunks': [toBytes('POST', '/users/7', CHUNKED, 'zz\r\n{}\r\n')],
  'too much in chunks': [toBytes('POST', '/users/7', CHUNKED, chunked(Array(30).fill('x'.repeat(10_000))))],
  compressed: [toBytes('POST', '/users/7', [...JSON_TYPE, ['content-encoding', 'gzip']], gzipSync('{"name":"Ada"}'))],
  '100-continue': [toBytes('POST', '/users/7', [...JSON_TYPE, ['expect', '100-continue'], ['content-length', '14']]), '{"name":"Ada"}'],
  '100-continue, at once': [toBytes('POST', '/users/7', [...JSON_TYPE, ['expect', '100-continue']], '{"name":"Ada"}')],
  '100-continue, refused': [toBytes('POST', '/users/7', [...JSON_TYPE, ['expect', '100-continue'], ['content-length', '999999']])],
  'an odd expectation': [toBytes('POST', '/users/7', [...JSON_TYPE, ['expect', 'miracles']], '{"name":"Ada"}')],
  'an upgrade that nobody wants': [toBytes('GET', '/text', [['upgrade', 'websocket'], ['connection', 'upgrade']])],
  pipelined: [Buffer.concat([...['/later', '/text', '/callback', '/nowhere', '/stream', '/thrown/an-error'].map((path) => toBytes('GET', path, [], undefined, false)),
    toBytes('POST', '/users/7', JSON_TYPE, '{"name":""}', false), toBytes('POST', '/users/7', JSON_TYPE, '{"name"', false), toBytes('GET', '/trailers')])],
  'pipelined, one of them raw': [Buffer.concat([...['/later', '/hijack-in-parts', '/large', '/echo-headers'].map((path) => toBytes('GET', path, [], undefined, false)), toBytes('HEAD', '/later')])],
  'kept alive': [toBytes('GET', '/text', [], undefined, false), toBytes('POST', '/users/7', JSON_TYPE, '{"name":"Ada"}', false), toBytes('GET', '/stream', [], undefined, false), toBytes('GET', '/null')],
}

export const oddRequests: OddRequest[] = [
  ...answers, ...hooks, ...thrown, ...badlyHandled, ...users, ...contentTypes, ...odd, ...streams, ...targets, ...headers,
  ...Object.entries(RAW).map(([name, pieces]) => ({ name, pieces })),
]
