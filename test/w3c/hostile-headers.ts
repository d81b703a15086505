/** Bytes of headers that Node.js takes, unless it is told otherwise. */
const MAX_HEADER_BYTES = 16_384

const TRACEPARENT = '00-12345678901234567890123456789012-1234567890123456-01'

/** Ordinary headers, and up to 16 KiB of such as are meant to cost: without limits, and right below those of the propagators. */
export function hostileHeaders (): Array<[name: string, headers: Record<string, string | string[]>]> {
  const rest = MAX_HEADER_BYTES - TRACEPARENT.length
  const fill = (text: string, length: number): string => text.repeat(Math.ceil(length / text.length)).slice(0, length)
  const members = (count: number, length: number, text: string, name = (index: number) => `k${index}`): string =>
    Array.from({ length: count }, (_, index) => fill(`${name(index)}=${fill(text, length)}`, Math.floor(length / count) - 1)).join(',')
  const tracestate = (text: string | string[]) => ({ traceparent: TRACEPARENT, tracestate: text })
  const baggage = (text: string | string[]) => ({ traceparent: TRACEPARENT, baggage: text })
  return [
    ['no headers', {}],
    ['ordinary headers', { traceparent: TRACEPARENT, tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', baggage: 'tenant=acme,user=4711;internal' }],
    ['traceparent: 1 KiB, white space around', { traceparent: `${fill(' ', 480)}${TRACEPARENT}${fill('\t', 480)}` }],
    ['traceparent: 16 KiB, white space around', { traceparent: `${fill(' ', rest / 2)}${TRACEPARENT}${fill('\t', rest / 2)}` }],
    ['traceparent: a later version, long', { traceparent: `cc${TRACEPARENT.slice(2)}-${fill('0', rest)}` }],
    ['traceparent: many', { traceparent: Array<string>(300).fill(TRACEPARENT) }],
    ['tracestate: 16 KiB of commas', tracestate(fill(',', rest))],
    ['tracestate: 16 KiB in lines', tracestate(Array<string>(rest / 4 | 0).fill('a=b'))],
    ['tracestate: 2 KiB of commas', tracestate(fill(',', 2048))],
    ['tracestate: 2 KiB of white space', tracestate(fill(' ', 2048))],
    ['tracestate: 2 KiB of white space and commas', tracestate(fill(`${fill(' \t', 31)},`, 2047))],
    ['tracestate: 2 KiB of 32 members', tracestate(members(32, 2048, 'v'))],
    ['tracestate: 2 KiB of long members', tracestate(members(7, 1800, 'v'))],
    ['tracestate: 2 KiB under one name', tracestate(members(32, 2048, 'v', () => fill('k', 50)))],
    ['baggage: 16 KiB of commas', baggage(fill(',', rest))],
    ['baggage: 16 KiB of white space', baggage(fill(' ', rest))],
    ['baggage: 16 KiB of bad members', baggage(fill('a,', rest))],
    ['baggage: 16 KiB under one name', baggage(fill('a=b,', rest))],
    ['baggage: 16 KiB in lines', baggage(Array<string>(rest / 4 | 0).fill('a=b'))],
    ['baggage: 16 KiB of names', baggage(members(1800, rest, 'v'))],
    ['baggage: 8 KiB of white space', baggage(fill(' ', 8192))],
    ['baggage: 8 KiB of semicolons', baggage(fill('a=b;;', 8192))],
    ['baggage: 8 KiB of properties', baggage(`a=b${fill(';p', 8188)}`)],
    ['baggage: 8 KiB of white space in properties', baggage(fill('a=b;p   \t   ;q   =   ', 8189))],
    ['baggage: 8 KiB of 64 members', baggage(members(64, 8192, 'v'))],
    ['baggage: 8 KiB of 64 members with properties', baggage(members(64, 8192, 'v;pp;q=1;rr;s=22'))],
    ['baggage: 8 KiB, percent-coded', baggage(members(64, 8192, '%41'))],
    ['baggage: 8 KiB, percent-coded, two bytes each', baggage(members(64, 8192, '%c3%a9'))],
    ['baggage: 8 KiB, percent-coded, no UTF-8', baggage(members(64, 8192, '%c3'))],
    ['baggage: 8 KiB of percent signs', baggage(members(64, 8192, '%'))],
    ['all: the worst of each', {
      traceparent: `${fill(' ', 480)}${TRACEPARENT}${fill('\t', 480)}`,
      tracestate: members(32, 2048, 'v', () => fill('k', 50)),
      baggage: fill('a=b;p   \t   ;q   =   ', 8189),
    }],
    ['both: bytes above ASCII', { ...tracestate(fill('\xe9', 2048)), baggage: fill('\xe9,', 8192) }],
  ]
}
