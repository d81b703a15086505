/** A request to the service, and what its calls must carry. */
export interface TraceContextRequest {
  /** As they stand on the wire. */
  headers: Array<[name: string, value: string]>
  /** Calls that the service is asked for; 1. */
  calls?: number
  /** `same`: the caller's trace goes on, under a new parent. `new`: another trace. */
  trace: 'same' | 'new'
  /** Flags of the call; those of a new trace are `01`. */
  flags?: string
  /** `tracestate` of the call; absent when it must not be there. */
  state?: string
}

export interface TraceContextCase {
  name: string
  requests: TraceContextRequest[]
}

export const TRACE_ID = '12345678901234567890123456789012'
export const PARENT_ID = '1234567890123456'
const SAMPLED = `00-${TRACE_ID}-${PARENT_ID}-01`
const UNSAMPLED = `00-${TRACE_ID}-${PARENT_ID}-00`

/** A request with this `traceparent`, in one header or several. */
function parent (trace: 'same' | 'new', ...values: string[]): TraceContextRequest {
  return { headers: values.map((value) => ['traceparent', value]), trace, ...(trace === 'same' ? { flags: '01' } : {}) }
}

/** A request with a good `traceparent` and these headers `tracestate`; `state` is what is left of them. */
function state (state: string | undefined, ...values: string[]): TraceContextRequest {
  return {
    headers: [['traceparent', UNSAMPLED], ...values.map((value): [string, string] => ['tracestate', value])],
    trace: 'same',
    flags: '00',
    ...(state === undefined ? {} : { state }),
  }
}

const OTHER = SAMPLED.replace('9012-', '9011-')
const members = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `bar${String(from + index).padStart(2, '0')}=${from + index}`).join(',')
const TENS = [members(1, 10), members(11, 20), members(21, 30)]
const printable = (except: string): string => Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).filter((character) => !except.includes(character)).join('')
const VALUE = printable(',=')
const KEY = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/'

/**
 * The 41 cases of the W3C's suite for trace context, level 2, strict, under its names.
 *
 * @see https://github.com/w3c/trace-context/tree/main/test
 */
export const SUITE: TraceContextCase[] = [
  { name: 'both_traceparent_and_tracestate_missing', requests: [parent('new')] },
  { name: 'traceparent_included_tracestate_missing', requests: [parent('same', SAMPLED)] },
  { name: 'traceparent_duplicated', requests: [parent('new', OTHER, SAMPLED)] },
  { name: 'traceparent_header_name', requests: ['trace-parent', 'trace.parent'].map((name) => ({ headers: [[name, SAMPLED]], trace: 'new' })) },
  {
    name: 'traceparent_header_name_valid_casing',
    requests: ['TraceParent', 'TrAcEpArEnT', 'TRACEPARENT'].map((name) => ({ headers: [[name, SAMPLED]], trace: 'same', flags: '01' })),
  },
  { name: 'traceparent_version_0x00', requests: [parent('new', `${SAMPLED}.`), parent('new', `${SAMPLED}-what-the-future-will-be-like`)] },
  {
    name: 'traceparent_version_0xcc',
    requests: [
      parent('same', `cc${SAMPLED.slice(2)}`),
      parent('same', `cc${SAMPLED.slice(2)}-what-the-future-will-be-like`),
      parent('new', `cc${SAMPLED.slice(2)}.what-the-future-will-be-like`),
    ],
  },
  { name: 'traceparent_version_0xff', requests: [parent('new', `ff${SAMPLED.slice(2)}`)] },
  { name: 'traceparent_version_illegal_characters', requests: ['.0', '0.'].map((version) => parent('new', version + SAMPLED.slice(2))) },
  { name: 'traceparent_version_too_long', requests: ['000', '0000'].map((version) => parent('new', version + SAMPLED.slice(2))) },
  { name: 'traceparent_version_too_short', requests: [parent('new', SAMPLED.slice(1))] },
  { name: 'traceparent_trace_id_all_zero', requests: [parent('new', `00-${'0'.repeat(32)}-${PARENT_ID}-01`)] },
  {
    name: 'traceparent_trace_id_illegal_characters',
    requests: [`.${TRACE_ID.slice(1)}`, `${TRACE_ID.slice(0, 31)}.`].map((id) => parent('new', `00-${id}-${PARENT_ID}-01`)),
  },
  { name: 'traceparent_trace_id_too_long', requests: [parent('new', `00-${TRACE_ID}3-${PARENT_ID}-01`)] },
  { name: 'traceparent_trace_id_too_short', requests: [parent('new', `00-${TRACE_ID.slice(1)}-${PARENT_ID}-01`)] },
  { name: 'traceparent_parent_id_all_zero', requests: [parent('new', `00-${TRACE_ID}-${'0'.repeat(16)}-01`)] },
  {
    name: 'traceparent_parent_id_illegal_characters',
    requests: [`.${PARENT_ID.slice(1)}`, `${PARENT_ID.slice(0, 15)}.`].map((id) => parent('new', `00-${TRACE_ID}-${id}-01`)),
  },
  { name: 'traceparent_parent_id_too_long', requests: [parent('new', `00-${TRACE_ID}-${PARENT_ID}7-01`)] },
  { name: 'traceparent_parent_id_too_short', requests: [parent('new', `00-${TRACE_ID}-${PARENT_ID.slice(1)}-01`)] },
  { name: 'traceparent_trace_flags_illegal_characters', requests: ['.0', '0.'].map((flags) => parent('new', SAMPLED.slice(0, -2) + flags)) },
  { name: 'traceparent_trace_flags_too_long', requests: [parent('new', `${SAMPLED.slice(0, -2)}001`)] },
  { name: 'traceparent_trace_flags_too_short', requests: [parent('new', `${SAMPLED.slice(0, -2)}1`)] },
  {
    name: 'traceparent_ows_handling',
    requests: [` ${SAMPLED}`, `\t${SAMPLED}`, `${SAMPLED} `, `${SAMPLED}\t`, `\t ${SAMPLED} \t`].map((value) => parent('same', value)),
  },
  { name: 'tracestate_included_traceparent_missing', requests: ['foo=1', 'foo=1,bar=2'].map((value) => ({ headers: [['tracestate', value]], trace: 'new' })) },
  { name: 'tracestate_included_traceparent_included', requests: [state('foo=1,bar=2', 'foo=1,bar=2')] },
  {
    name: 'tracestate_header_name',
    requests: ['trace-state', 'trace.state'].map((name) => ({ headers: [['traceparent', UNSAMPLED], [name, 'foo=1']], trace: 'same', flags: '00' })),
  },
  {
    name: 'tracestate_header_name_valid_casing',
    requests: ['TraceState', 'TrAcEsTaTe', 'TRACESTATE'].map((name) => (
      { headers: [['traceparent', UNSAMPLED], [name, 'foo=1']], trace: 'same', flags: '00', state: 'foo=1' }
    )),
  },
  { name: 'tracestate_empty_header', requests: [state(undefined, ''), state('foo=1', 'foo=1', ''), state('foo=1', '', 'foo=1')] },
  {
    name: 'tracestate_multiple_headers_different_keys',
    requests: [state('foo=1,bar=2,rojo=1,congo=2,baz=3', 'foo=1,bar=2', 'rojo=1,congo=2', 'baz=3')],
  },
  {
    name: 'tracestate_duplicated_keys',
    requests: [state('foo=1', 'foo=1,foo=1'), state('foo=1', 'foo=1,foo=2'), state('foo=1', 'foo=1', 'foo=1'), state('foo=1', 'foo=1', 'foo=2')],
  },
  {
    name: 'tracestate_all_allowed_characters',
    requests: [KEY, `${KEY}@a-z0-9_-*/`].map((key) => state(`${key}=${VALUE}`, `${key}=${VALUE}`)),
  },
  {
    name: 'tracestate_ows_handling',
    requests: [
      state('foo=1,bar=2,baz=3', 'foo=1 \t , \t bar=2, \t baz=3'),
      state('foo=1,bar=2,baz=3', 'foo=1\t \t,\t \tbar=2,\t \tbaz=3'),
      ...[' foo=1', '\tfoo=1', 'foo=1 ', 'foo=1\t', '\t foo=1 \t'].map((value) => state('foo=1', value)),
    ],
  },
  { name: 'tracestate_key_illegal_characters', requests: ['foo =1', 'FOO=1', 'foo.bar=1'].map((value) => state(undefined, value)) },
  {
    name: 'tracestate_key_illegal_vendor_format',
    requests: [
      state('foo@=1,bar=2', 'foo@=1,bar=2'),
      state(undefined, '@foo=1,bar=2'),
      state('foo@@bar=1,bar=2', 'foo@@bar=1,bar=2'),
      state('foo@bar@baz=1,bar=2', 'foo@bar@baz=1,bar=2'),
    ],
  },
  {
    name: 'tracestate_member_count_limit',
    requests: [state(members(1, 32), ...TENS, members(31, 32)), state(undefined, ...TENS, members(31, 33))],
  },
  {
    name: 'tracestate_key_length_limit',
    requests: [
      state(`foo=1,${'z'.repeat(256)}=1`, 'foo=1', `${'z'.repeat(256)}=1`),
      state(undefined, 'foo=1', `${'z'.repeat(257)}=1`),
      ...[`${'t'.repeat(241)}@${'v'.repeat(14)}`, `${'t'.repeat(242)}@v`, `t@${'v'.repeat(15)}`].map((key) => state(`foo=1,${key}=1`, 'foo=1', `${key}=1`)),
    ],
  },
  { name: 'tracestate_value_illegal_characters', requests: ['foo=bar=baz', 'foo=,bar=3'].map((value) => state(undefined, value)) },
  { name: 'multiple_requests_with_valid_traceparent', requests: [{ ...parent('same', SAMPLED), calls: 3 }] },
  { name: 'multiple_requests_without_traceparent', requests: [{ ...parent('new'), calls: 3 }] },
  { name: 'multiple_requests_with_illegal_traceparent', requests: [{ ...parent('new', `00-${'0'.repeat(32)}-${PARENT_ID}-01`), calls: 3 }] },
  { name: 'propagates_random_flag', requests: [{ ...parent('same', `${SAMPLED.slice(0, -2)}02`), flags: '02' }] },
]

/** What the suite does not ask. */
export const BEYOND: TraceContextCase[] = [
  { name: 'traceparent twice, the same', requests: [parent('new', SAMPLED, SAMPLED)] },
  { name: 'traceparent twice, a later version first, which may have more fields', requests: [parent('new', `cc${SAMPLED.slice(2)}-more`, SAMPLED)] },
  { name: 'traceparent twice, one empty', requests: [parent('new', SAMPLED, ''), parent('new', '', SAMPLED)] },
  { name: 'traceparent with tracestate, twice', requests: [{ headers: [['traceparent', SAMPLED], ['traceparent', SAMPLED], ['tracestate', 'foo=1']], trace: 'new' }] },
  {
    name: 'capitals',
    requests: [
      `00-${TRACE_ID.replace(/^1234/, 'ABCD')}-${PARENT_ID}-01`,
      `00-${TRACE_ID}-${PARENT_ID.replace(/^1234/, 'ABCD')}-01`,
      `${SAMPLED.slice(0, -2)}0A`,
      `CC${SAMPLED.slice(2)}`,
    ].map((value) => parent('new', value)),
  },
  {
    name: 'flags: unsampled, random, and those that are not known',
    requests: [['00', '00'], ['03', '03'], ['02', '02'], ['ff', '03'], ['fc', '00'], ['10', '00'], ['09', '01']].map(([sent, flags]) => (
      { ...parent('same', SAMPLED.slice(0, -2) + sent), flags: flags! }
    )),
  },
  { name: 'white space that is none', requests: ['\xa0', '\x85'].map((space) => parent('new', `${space}${SAMPLED}`)) },
  { name: 'white space, much of it', requests: [parent('same', `${' '.repeat(200)}${SAMPLED}${'\t '.repeat(100)}`)] },
  { name: 'nothing', requests: [parent('new', ''), parent('new', ' '), parent('new', '-'), parent('new', '00'), parent('new', SAMPLED.replaceAll('-', '_'))] },
  { name: 'a later version without its last dash', requests: [parent('new', `cc${SAMPLED.slice(2)}1`), parent('same', `01${SAMPLED.slice(2)}-`)] },
  { name: 'more than 1,024 characters', requests: [parent('same', `cc${SAMPLED.slice(2)}-${'x'.repeat(968)}`), parent('new', `cc${SAMPLED.slice(2)}-${'x'.repeat(969)}`)] },
  {
    name: 'tracestate goes when traceparent is bad',
    requests: ['ff', '0', 'zz'].map((version) => ({ headers: [['traceparent', version + SAMPLED.slice(2)], ['tracestate', 'foo=1']], trace: 'new' })),
  },
  { name: 'tracestate: one bad member, all are dropped', requests: [state(undefined, 'foo=1,bar'), state(undefined, 'foo=1', '=2'), state(undefined, 'foo=1,b\xe9=2')] },
  { name: 'tracestate: empty members count for nothing', requests: [state('foo=1,bar=2', ',,foo=1,, ,\t,bar=2,'), state(members(1, 32), `${members(1, 16)},,,`, ` ,${members(17, 32)}`)] },
  { name: 'tracestate: more empty members than are reasonable', requests: [state(undefined, `foo=1${','.repeat(65)}`)] },
  { name: 'tracestate: leading spaces belong to the value', requests: [state('foo=  1', 'foo=  1  ')] },
  { name: 'tracestate: a value of 256 characters, and of 257', requests: [state(`foo=${'v'.repeat(256)}`, `foo=${'v'.repeat(256)}`), state(undefined, `foo=${'v'.repeat(257)}`)] },
  {
    name: 'tracestate: 512 characters go on, of more the long members go first, then the last ones',
    requests: [
      state(`foo=${'v'.repeat(256)},bar=${'v'.repeat(247)}`, `foo=${'v'.repeat(256)},bar=${'v'.repeat(247)}`),
      state(`foo=${'v'.repeat(256)}`, `foo=${'v'.repeat(256)},bar=${'v'.repeat(248)}`),
      state(`foo=1,${Array.from({ length: 4 }, (_, index) => `k${index}=${'v'.repeat(120)}`).join(',')}`,
        `foo=1,long=${'v'.repeat(124)},${Array.from({ length: 5 }, (_, index) => `k${index}=${'v'.repeat(120)}`).join(',')}`),
    ],
  },
  { name: 'tracestate: more than 2,048 characters', requests: [state(undefined, Array.from({ length: 20 }, (_, index) => `k${index}=${'v'.repeat(110)}`).join(','))] },
]
