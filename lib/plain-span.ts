import { SpanKind, SpanStatusCode, type Attributes, type HrTime, type SpanContext } from '@opentelemetry/api'

/** An ended span as plain data, the same for every OpenTelemetry line: what the console, the viewer and tests look at. */
export interface PlainSpan {
  name: string
  kind: keyof typeof SpanKind
  traceId: string
  spanId: string
  /** Absent for the root of a trace. */
  parentSpanId?: string
  /** The parent is in another process. */
  hasRemoteParent: boolean
  /** Milliseconds since the Unix epoch. */
  startMillis: number
  endMillis: number
  attributes: Attributes
  status: keyof typeof SpanStatusCode
  events: Array<{ name: string, attributes: Attributes }>
  /** Trace and span ids of the spans that this one links to. */
  links: Array<{ traceId: string, spanId: string }>
  scope: { name: string, version?: string }
  resource: Attributes
}

/** What is read of an SDK's span; 2.x and 3.x agree on it. */
export interface SdkSpan {
  name: string
  kind: SpanKind
  spanContext (): SpanContext
  parentSpanContext?: SpanContext
  startTime: HrTime
  endTime: HrTime
  attributes: Attributes
  status: { code: SpanStatusCode }
  events: Array<{ name: string, attributes?: Attributes }>
  links: Array<{ context: SpanContext }>
  instrumentationScope: { name: string, version?: string }
  resource: { attributes: Attributes }
}

export function toPlainSpan (span: SdkSpan): PlainSpan {
  const { traceId, spanId } = span.spanContext()
  const parent = span.parentSpanContext
  return {
    name: span.name,
    kind: SpanKind[span.kind] as keyof typeof SpanKind,
    traceId,
    spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
    hasRemoteParent: parent?.isRemote === true,
    startMillis: toMillis(span.startTime),
    endMillis: toMillis(span.endTime),
    attributes: { ...span.attributes },
    status: SpanStatusCode[span.status.code] as keyof typeof SpanStatusCode,
    events: span.events.map(({ name, attributes }) => ({ name, attributes: { ...attributes } })),
    links: span.links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
    scope: {
      name: span.instrumentationScope.name,
      ...(span.instrumentationScope.version === undefined ? {} : { version: span.instrumentationScope.version }),
    },
    resource: { ...span.resource.attributes },
  }
}

function toMillis ([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1e6
}
