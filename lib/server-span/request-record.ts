import { INVALID_SPAN_CONTEXT, trace, type AttributeValue, type Context, type HrTime, type Span, type Tracer } from '@opentelemetry/api'
import type { ValidationErrorRecord } from '../arguments/argument-part.ts'
import type { RouteSettings, Settings } from '../settings.ts'
import type { BreakOff } from './outcome.ts'
import type { WebSocketCounts } from './web-socket.ts'

/** What a span says of its route; made once for each route. */
export interface RouteFacts extends RouteSettings {
  /** Pattern with prefix; `undefined` for requests that no route matched. */
  readonly route: string | undefined
  readonly operationId: string | undefined
  readonly functionName: string | undefined
  /** Names of the route's spans by method, filled as methods come. */
  readonly spanNames: Map<string, string>
}

/** What a span says of its request from the start; frozen there, since a route can be left on the way (`callNotFound`). */
export interface RequestFacts {
  /** Well-known method, or `_OTHER`. */
  method: string
  /** As sent, when `method` is `_OTHER`. */
  methodOriginal: string | undefined
  /** `http` or `https`. */
  scheme: string
  path: string
  /** As far as it may be recorded; `undefined` when none was sent. */
  query: string | undefined
  serverAddress: string | undefined
  serverPort: number | undefined
  clientAddress: string | undefined
  peerAddress: string | undefined
  peerPort: number | undefined
  protocolVersion: string
  userAgent: string | undefined
}

/** Facts of a request of which nothing is recorded. */
export const NO_FACTS: RequestFacts = Object.freeze({
  method: '',
  methodOriginal: undefined,
  scheme: '',
  path: '',
  query: undefined,
  serverAddress: undefined,
  serverPort: undefined,
  clientAddress: undefined,
  peerAddress: undefined,
  peerPort: undefined,
  protocolVersion: '',
  userAgent: undefined,
})

/** A request's arguments, captured. */
export interface CapturedArguments {
  /** JSON text of the values; `undefined` when no part was recorded. */
  valuesJson: string | undefined
  errors: readonly ValidationErrorRecord[]
  /** Errors in all, listed or not. */
  errorCount: number
  truncated: boolean
  /** What schemas want as attributes of their own. */
  attributes: ReadonlyArray<readonly [name: string, value: AttributeValue]>
  /** JSON pointers of what was scrubbed. */
  scrubbed: readonly string[]
}

export type ValidationStage = 'pending' | 'passed' | 'refused'

const NO_ATTRIBUTES: RequestRecord['standardAttributes'] = Object.freeze([])

const NOTHING: readonly never[] = Object.freeze([])

/** A point in time that was not reached (yet). */
export const NEVER = -1

export const noopSpan = trace.wrapSpanContext(INVALID_SPAN_CONTEXT)

/** Everything that is kept of one request while it is under way. One shape, all fields set at once: the engine makes it cheap. */
export class RequestRecord {
  readonly settings: Settings
  readonly route: RouteFacts
  readonly request: RequestFacts
  /** `null` when only metrics are on. */
  readonly tracer: Tracer | null
  span: Span
  /** Where the request's spans belong: what hooks and handler run in. */
  context: Context
  /** Trace of {@link context}; `undefined` when it is in none. */
  traceId: string | undefined = undefined
  /** The span takes attributes: sampled, and an SDK is there. */
  isRecording: boolean

  /** Monotonic milliseconds of the start. */
  readonly startMillis: number
  /** What turns monotonic milliseconds into milliseconds since the Unix epoch. */
  readonly epochOffset: number
  argumentsStartMillis = NEVER
  argumentsEndMillis = NEVER
  handlerStartMillis = NEVER
  handlerEndMillis = NEVER

  /** The body was parsed, or there is none. */
  bodyReceived = false
  /** The body as it comes, kept while it is parsed: only it tells where bad JSON is bad. */
  bodyChunks: Buffer[] | null = null
  /** How far validation came. */
  validation: ValidationStage = 'pending'
  /** The error that the arguments were refused with, or that the handler got as `request.validationError`. */
  refusedWith: unknown = undefined
  /** The arguments, once they were captured. */
  arguments: CapturedArguments | null = null
  /** The mapper was asked, or need not be. */
  argumentsNoted = false
  /** The list of errors that the span carries; `null` when the mapper wants none, or made something else of it. */
  notedErrors: readonly unknown[] | null = NOTHING
  /** JSON pointers that the span carries of what was scrubbed. */
  notedScrubbed: readonly string[] = NOTHING
  /** Attributes that the mapper set on purpose over those of the conventions: they are set once more at the end. */
  standardAttributes: ReadonlyArray<readonly [name: string, value: AttributeValue]> = NO_ATTRIBUTES

  /** The last thing that Fastify reported as an error of this request. */
  thrown: unknown = undefined
  hasThrown = false
  thrownMillis = NEVER

  /** The span is this package's own, not one of instrumentation-http that it adds to. */
  ownsSpan = true
  /** Its duration is this package's to record; not so inside an HTTP request that instrumentation-http measures. */
  isMeasured = true
  /** It is among the active requests of the metric, and has to be taken off at its end. */
  isCountedActive = false
  /** What is being sent, when it is a stream. */
  payload: object | null = null
  /** The connection was upgraded. */
  webSocket: WebSocketCounts | null = null
  /** The connection is there for its answer: not yet, for a pipelined request that waits behind another. */
  hadTurn = true
  /** The whole answer was handed to the socket. */
  completed = false
  /** When it ended, if that was before the end could be told. */
  endMillis = NEVER
  ended = false
  /** Ends the request, whatever it is doing; `null` when nobody waits for its end. */
  end: ((cause: BreakOff) => void) | null = null
  /** Neighbours among the requests under way: see `open-records.ts`. */
  older: RequestRecord | null = null
  newer: RequestRecord | null = null
  handlerSpan: Span | null = null

  constructor (settings: Settings, route: RouteFacts, request: RequestFacts, tracer: Tracer | null, context: Context) {
    this.settings = settings
    this.route = route
    this.request = request
    this.tracer = tracer
    this.context = context
    this.span = noopSpan
    this.isRecording = false
    this.startMillis = settings.clock.monotonicMillis()
    this.epochOffset = settings.clock.epochMillis() - this.startMillis
  }

  now (): number {
    return this.settings.clock.monotonicMillis()
  }

  /** Milliseconds since the Unix epoch. */
  toEpoch (monotonicMillis: number): number {
    return this.epochOffset + monotonicMillis
  }

  /** The same as seconds and nanoseconds: given a number, the SDK reads the clock once more to find out what it means. */
  toHrTime (monotonicMillis: number): HrTime {
    const micros = Math.round(this.toEpoch(monotonicMillis) * 1000)
    const seconds = Math.floor(micros / 1_000_000)
    return [seconds, (micros - seconds * 1_000_000) * 1000]
  }
}
