import t from 'tap'
import type { PlainSpan } from '../../lib/plain-span.ts'
import { buildTree, formatDuration, renderTree, type Paint, type SpanNode } from '../../lib/trace-tree.ts'
import { ConsoleTreeProcessor } from '../../lib/configure/console-tree.ts'

function span (spanId: string, parentSpanId?: string, more: Partial<PlainSpan> = {}): PlainSpan {
  return {
    name: spanId,
    kind: 'INTERNAL',
    traceId: 'trace',
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    hasRemoteParent: false,
    startMillis: Date.UTC(2026, 10, 21, 4, 30),
    endMillis: Date.UTC(2026, 10, 21, 4, 30) + 1.5,
    attributes: {},
    status: 'UNSET',
    events: [],
    links: [],
    scope: { name: 'test' },
    resource: {},
    ...more,
  }
}

const shape = (nodes: SpanNode[]): unknown[] => nodes.map(({ span, children }) => children.length === 0 ? span.name : [span.name, shape(children)])

t.test('spans stand under their parents, by start; orphans are roots; cycles and clashing ids lose no span', async (t) => {
  t.same(shape(buildTree([span('late', 'root', { startMillis: 9 }), span('early', 'root', { startMillis: 1 }), span('leaf', 'early'), span('root')])),
    [['root', [['early', ['leaf']], 'late']]])
  t.same(shape(buildTree([span('orphan', 'elsewhere')])), ['orphan'])
  t.same(shape(buildTree([span('a', 'b'), span('b', 'a'), span('self', 'self')])), ['a', 'b', 'self'])
  t.same(shape(buildTree([span('same', 'parent'), span('parent', undefined, { traceId: 'other trace' })])), ['same', 'parent'])
  t.same(buildTree([]), [])
})

t.test('a tree as text: status, duration, arguments, one line for each error, exceptions; nothing steers the terminal', async (t) => {
  const errors = [
    { part: 'body', path: '/country', keyword: 'enum', message: 'must be equal to one of the allowed values', params: { allowedValues: ['NO', 'SE'] }, input: 'England' },
    { part: 'body', path: '', keyword: 'required', message: "must have required property 'name'" },
    { part: 'params', path: '/id', keyword: 'const', message: 'must be equal to constant', params: { allowedValue: 7 }, input: '\u001b[31mred\u009b' },
  ]
  const request = span('POST /users', undefined, {
    kind: 'SERVER',
    attributes: {
      'http.response.status_code': 503,
      'error.type': 'Db\u001bError',
      'fastify.arguments.values': `{"body":"${'x'.repeat(300)}"}`,
      'fastify.arguments.errors': JSON.stringify(errors),
      'fastify.arguments.truncated': true,
      'fastify.telemetry.mapper_failed': true,
    },
    events: [
      { name: 'exception', attributes: { 'exception.type': 'DbError', 'exception.message': 'line one\nline two' } },
      { name: 'exception', attributes: { 'exception.type': 'object' } },
      { name: 'other', attributes: {} },
    ],
  })
  const child = span('fastify.arguments', 'POST /users', { attributes: { 'fastify.arguments.errors': JSON.stringify(errors) } })
  const tags: Paint = {
    strong: (text) => `<b>${text}</b>`,
    faint: (text) => `<i>${text}</i>`,
    good: (text) => `<good>${text}</good>`,
    warn: (text) => `<warn>${text}</warn>`,
    bad: (text) => `<bad>${text}</bad>`,
  }
  t.equal(renderTree(buildTree([request, child]), { paint: tags, showTime: true, showDuration: true, showTraceId: true }), [
    '<i>04:30:00.000</i>  <b>POST /users</b>  <bad>503</bad>  <bad>Db·Error</bad>  1.50 ms  <i>trace trace</i>',
    `│ <i>arguments</i> {"body":"${'x'.repeat(231)}…<i> (truncated)</i>`,
    '│ <bad>✗</bad> <b>body/country</b> must be equal to one of the allowed values <i>expected</i> ["NO","SE"] <i>received</i> "England"',
    "│ <bad>✗</bad> <b>body</b> must have required property 'name'",
    '│ <bad>✗</bad> <b>params/id</b> must be equal to constant <i>expected</i> 7 <i>received</i> "\\u001b[31mred·"',
    '│ <warn>! the mapper failed: no arguments were recorded</warn>',
    '│ <bad>! DbError: line one·line two</bad>',
    '│ <bad>! object</bad>',
    '└─ fastify.arguments  1.50 ms',
  ].join('\n'))
  t.equal(renderTree(buildTree([request])).split('\n')[0], 'POST /users  503  Db·Error')

  for (const rubbish of ['not JSON', '{"an":"object"}', '[null, 5]', 7]) {
    t.equal(renderTree(buildTree([span('GET /', undefined, { attributes: { 'fastify.arguments.errors': rubbish, 'http.response.status_code': 404 } })])), 'GET /  404')
  }
})

t.test('a chain of a thousand spans is cut, not a stack overflow', async (t) => {
  const chain = Array.from({ length: 1000 }, (_, index) => span(`s${index}`, index === 0 ? undefined : `s${index - 1}`))
  const lines = renderTree(buildTree(chain)).split('\n')
  t.equal(lines.length, 52)
  t.match(lines.at(-1), /└─ …$/)
})

t.test('durations', async (t) => {
  t.same([0.004, 0.42, 9.994, 12.34, 999.9, 1500].map(formatDuration), ['0.00 ms', '0.42 ms', '9.99 ms', '12.3 ms', '999.9 ms', '1.50 s'])
})

t.test('the console prints a tree when its root ends, late children alone, and holds no more than its bounds', async (t) => {
  let output = ''
  const processor = new ConsoleTreeProcessor({ write: (text) => { output += text }, color: false })
  const sdkSpan = (spanId: string, parent?: { spanId: string, isRemote?: boolean }) => ({
    name: spanId,
    kind: 0,
    spanContext: () => ({ traceId: 'trace', spanId, traceFlags: 1 }),
    ...(parent === undefined ? {} : { parentSpanContext: { traceId: 'trace', traceFlags: 1, ...parent } }),
    startTime: [1, 0] as [number, number],
    endTime: [1, 2_000_000] as [number, number],
    attributes: {},
    status: { code: 0 },
    events: [],
    links: [],
    instrumentationScope: { name: 'test' },
    resource: { attributes: {} },
  })
  const start = (span: ReturnType<typeof sdkSpan>) => processor.onStart(span as never)
  const lines = () => {
    const text = output.replaceAll('00:00:01.000  ', '').replaceAll('  trace trace', '').replaceAll('  2.00 ms', '')
    output = ''
    return text
  }

  const root = sdkSpan('root', { spanId: 'caller', isRemote: true })
  const child = sdkSpan('child', { spanId: 'root' })
  const late = sdkSpan('late', { spanId: 'child' })
  for (const span of [root, child, late]) start(span)
  processor.onEnd(child)
  t.equal(lines(), '')
  processor.onEnd(root)
  t.equal(lines(), 'root\n└─ child\n')
  processor.onEnd(late)
  t.equal(lines(), 'late\n')

  start(root)
  const many = Array.from({ length: 600 }, (_, index) => sdkSpan(`m${index}`, { spanId: 'root' }))
  for (const span of many) start(span)
  for (const span of many) processor.onEnd(span)
  t.equal(lines(), '')
  processor.onEnd(root)
  const printed = lines().split('\n')
  t.same([printed.length, printed.at(-2)], [503, '  … and 100 more spans'])

  const roots = Array.from({ length: 1001 }, (_, index) => sdkSpan(`r${index}`))
  for (const span of roots) start(span)
  processor.onEnd(roots[1]!)
  t.equal(lines(), 'r1\n')
  processor.onEnd(roots[0]!)
  t.equal(lines(), 'r0\n', 'a tree that was given up: its root is printed alone')
  await processor.forceFlush()
  await processor.shutdown()

  const { write } = process.stdout
  let standard = ''
  process.stdout.write = ((text: string) => { standard += text; return true }) as typeof write
  try {
    const plain = new ConsoleTreeProcessor({ color: true })
    plain.onEnd({ ...root, attributes: { 'http.response.status_code': 200 } })
    plain.onEnd({ ...root, attributes: { 'http.response.status_code': 400, 'error.type': 'x' } })
  } finally {
    process.stdout.write = write
  }
  t.match(standard, 'root')

  const { isTTY, hasColors } = process.stdout
  t.teardown(() => { Object.assign(process.stdout, { isTTY, hasColors }) })
  Object.assign(process.stdout, { isTTY: true, hasColors: () => false })
  new ConsoleTreeProcessor({ write: (text) => { output += text } }).onEnd({ ...root, attributes: { 'http.response.status_code': 200 } })
  t.equal(lines(), 'root  200\n', 'no colours on a terminal that shows none')
})
