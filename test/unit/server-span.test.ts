import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import t from 'tap'
import { emitArgumentsSpan, endHandlerSpan, startHandlerSpan } from '../../lib/server-span/extra-spans.ts'
import { finishServerSpan } from '../../lib/server-span/finish.ts'
import { outcomeOf, type RequestEnd } from '../../lib/server-span/outcome.ts'
import { NO_FACTS, RequestRecord } from '../../lib/server-span/request-record.ts'
import { createTracerSource } from '../../lib/tracer-source.ts'
import { toSettings } from '../../lib/settings.ts'

t.jobs = 1

t.test('outcome, row by row', async (t) => {
  const completed = { brokenOff: null, headersSent: true, exceptionType: undefined, webSocketCloseCode: undefined }
  const webSocket = { ...completed, statusCode: 200 }
  const rows: Array<[end: RequestEnd, outcome: object]> = [
    [{ ...completed, statusCode: 200 }, { statusCode: 200, errorType: undefined }],
    [{ ...completed, statusCode: 304 }, { statusCode: 304, errorType: undefined }],
    [{ ...completed, statusCode: 404 }, { statusCode: 404, errorType: undefined }],
    [{ ...completed, statusCode: 400, exceptionType: 'FastifyError' }, { statusCode: 400, errorType: undefined }],
    [{ ...completed, statusCode: 500, exceptionType: 'RangeError' }, { statusCode: 500, errorType: 'RangeError' }],
    [{ ...completed, statusCode: 503 }, { statusCode: 503, errorType: '503' }],
    [{ ...completed, statusCode: 503, exceptionType: 'timeout' }, { statusCode: 503, errorType: 'timeout' }],
    ...(['client_disconnected', 'response_stream_error', 'timeout', 'server_closing'] as const).flatMap((brokenOff): Array<[RequestEnd, object]> => [
      [{ ...completed, brokenOff, headersSent: false, statusCode: 200 }, { statusCode: undefined, errorType: brokenOff }],
      [{ ...completed, brokenOff, headersSent: false, statusCode: 500, exceptionType: 'RangeError' }, { statusCode: undefined, errorType: brokenOff }],
      [{ ...completed, brokenOff, statusCode: 200 }, { statusCode: 200, errorType: brokenOff }],
      [{ ...completed, brokenOff, statusCode: 200, webSocketCloseCode: 1006 }, { statusCode: 101, errorType: brokenOff }],
    ]),
    ...[1000, 1001, 1005, 3000, 4999].map((webSocketCloseCode): [RequestEnd, object] => [{ ...webSocket, webSocketCloseCode, exceptionType: 'RangeError' }, { statusCode: 101, errorType: undefined }]),
    ...[1002, 1006, 1011, 2999].flatMap((webSocketCloseCode): Array<[RequestEnd, object]> => [
      [{ ...webSocket, webSocketCloseCode }, { statusCode: 101, errorType: String(webSocketCloseCode) }],
      [{ ...webSocket, webSocketCloseCode, exceptionType: 'RangeError' }, { statusCode: 101, errorType: 'RangeError' }],
    ]),
  ]
  for (const [end, outcome] of rows) t.same(outcomeOf(end), outcome)
})

t.test('a record without a tracer makes no child spans, and ends once', async (t) => {
  const settings = toSettings({ metrics: false })
  const route = { route: undefined, operationId: undefined, functionName: undefined, spanNames: new Map(), mapper: null, extraSpans: true, capture: 'all' as const, captureResponse: false, inbound: 'continue' as const }
  const record = new RequestRecord(settings, route, NO_FACTS, null, ROOT_CONTEXT)
  emitArgumentsSpan(record, [])
  t.equal(startHandlerSpan(record, ROOT_CONTEXT), ROOT_CONTEXT)
  t.equal(record.handlerSpan, null)
  endHandlerSpan(record, 1)
  const ends: unknown[] = []
  record.span = Object.assign(trace.wrapSpanContext(INVALID_SPAN_CONTEXT), { end: (time: unknown) => { ends.push(time) } })
  finishServerSpan(record, { brokenOff: null, headersSent: true, statusCode: 200 })
  finishServerSpan(record, { brokenOff: null, headersSent: true, statusCode: 200 })
  t.equal(ends.length, 1)
})

t.test('a handler that throws something without a class', async (t) => {
  const calls: unknown[] = []
  const span = { setAttribute: (...args: unknown[]) => { calls.push(args) }, setStatus: (status: unknown) => { calls.push(status) }, end: () => { calls.push('end') }, spanContext: () => INVALID_SPAN_CONTEXT }
  const settings = toSettings({ metrics: false })
  const route = { route: '/', operationId: undefined, functionName: undefined, spanNames: new Map(), mapper: null, extraSpans: true, capture: 'all' as const, captureResponse: false, inbound: 'continue' as const }
  const record = new RequestRecord(settings, route, NO_FACTS, { startSpan: () => span } as never, ROOT_CONTEXT)
  record.handlerStartMillis = 1
  startHandlerSpan(record, ROOT_CONTEXT)
  endHandlerSpan(record, 2, { error: null })
  t.same(calls, [['error.type', 'object'], { code: 2 }, 'end'])

  record.handlerSpan = { end () { throw new Error('no end') } } as never
  calls.length = 0
  record.span = span as never
  finishServerSpan(record, { brokenOff: 'client_disconnected', headersSent: false, statusCode: 200 })
  t.same([...settings.guard.counts], [['handler span', 1]])
  t.same(calls, ['end'], 'the request\'s span ends all the same')
})

t.test('a global provider that is no proxy is used as it is', async (t) => {
  const tracer = { startSpan () {} }
  t.teardown(() => trace.disable())
  const source = createTracerSource(undefined)
  t.equal(source(), null)
  const { getTracerProvider } = trace
  trace.getTracerProvider = () => ({ getTracer: () => tracer }) as never
  t.teardown(() => { trace.getTracerProvider = getTracerProvider })
  t.equal(source(), tracer)
  t.equal(source(), tracer)
})
