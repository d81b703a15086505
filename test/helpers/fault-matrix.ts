import { OK, type Behaviour } from './bad-collector.ts'

/** Spans that each case sends, in one batch. */
export const SPANS = 8

/** One way in which a collector behaves, and what becomes of {@link SPANS} spans. */
export interface FaultCase {
  /** Stands in the first column of the table in docs/reliability.md. */
  name: string
  /** Answers, in order; the last one stays. `'away'`: nobody listens. `'untrusted'`: its certificate is unknown. */
  behaviours: Behaviour[] | 'away' | 'untrusted'
  /**
   * `delivered`: all arrive. `waits`: they wait for the collector, and are dropped and counted when the process ends before it is back. `refused`: so many are
   * lost, since the collector will not have them.
   */
  fate: 'delivered' | 'waits' | { refused: number }
  /** What a line on standard error says of the trouble; absent: nothing is said. */
  says?: RegExp
}

const status = (code: number, headers: Record<string, string> = {}): Behaviour => ({ status: code, headers, body: 'no' })
const json = { 'content-type': 'application/json' }
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString()

export const faultCases = (): FaultCase[] => [
  { name: 'nobody listens', behaviours: 'away', fate: 'waits', says: /no trace collector answers at .* \(ECONNREFUSED\)/ },
  { name: 'its certificate is unknown', behaviours: 'untrusted', fate: 'waits', says: /no trace collector answers at .* \(\w*CERT\w*\)/ },
  { name: 'hangs', behaviours: ['hang'], fate: 'waits', says: /no trace collector answers at / },
  { name: 'resets once', behaviours: ['reset', OK], fate: 'delivered' },
  { name: 'resets always', behaviours: ['reset'], fate: 'waits', says: /no trace collector answers at .* \(ECONNRESET\)/ },
  { name: 'answers with noise', behaviours: ['noise'], fate: 'waits', says: /no trace collector answers at / },
  { name: '400', behaviours: [status(400)], fate: { refused: SPANS }, says: /refuses spans \(400\); they are lost/ },
  { name: '401', behaviours: [status(401)], fate: { refused: SPANS }, says: /refuses spans \(401\); they are lost/ },
  { name: '413 for more than two spans', behaviours: [status(413), status(413), OK], fate: 'delivered' },
  { name: '413 always', behaviours: [status(413)], fate: { refused: SPANS }, says: /refuses spans \(413\); they are lost/ },
  { name: '429 with Retry-After in seconds', behaviours: [status(429, { 'retry-after': '1' }), OK], fate: 'delivered' },
  { name: '429 with Retry-After as a date', behaviours: [status(429, { 'retry-after': inSeconds(2) }), OK], fate: 'delivered' },
  { name: '429 with a malformed Retry-After', behaviours: [status(429, { 'retry-after': 'soon' }), OK], fate: 'delivered' },
  { name: '429 with Retry-After in two minutes', behaviours: [status(429, { 'retry-after': '120' })], fate: 'waits', says: /does not take spans \(429\)/ },
  { name: '500', behaviours: [status(500)], fate: { refused: SPANS }, says: /refuses spans \(500\); they are lost/ },
  { name: '502, 503, 504, then well', behaviours: [status(502), status(503), status(504), OK], fate: 'delivered' },
  { name: '503 always', behaviours: [status(503)], fate: 'waits', says: /does not take spans \(503\)/ },
  { name: '301', behaviours: [status(301, { location: '/elsewhere' })], fate: { refused: SPANS }, says: /refuses spans \(301\); they are lost/ },
  { name: '302', behaviours: [status(302, { location: '/elsewhere' })], fate: { refused: SPANS }, says: /refuses spans \(302\); they are lost/ },
  {
    name: 'partial success: two spans rejected',
    behaviours: [{ status: 200, headers: json, body: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}', rejects: 2 }],
    fate: { refused: 2 },
    says: /refuses spans \(too old\); they are lost/,
  },
  { name: '200 with garbage', behaviours: [{ status: 200, headers: json, body: '<html>\u0000' }], fate: 'delivered', says: /Failed to parse trace export response/ },
  { name: '200, cut off in the body', behaviours: ['truncated'], fate: 'delivered' },
  { name: '200 whose head drips', behaviours: ['drip head'], fate: 'waits', says: /no trace collector answers at / },
  { name: '200 whose body drips', behaviours: ['drip body'], fate: 'delivered' },
  { name: '200 with 5 MB', behaviours: [{ status: 200, headers: json, bodyBytes: 5 * 1024 * 1024 }], fate: 'delivered' },
  { name: '200 with 1 GiB', behaviours: [{ status: 200, headers: json, bodyBytes: 1024 * 1024 * 1024 }], fate: 'delivered' },
]
