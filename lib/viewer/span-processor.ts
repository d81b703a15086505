import type { Attributes, HrTime } from '@opentelemetry/api'
import { toPlainSpan, type SdkSpan } from '../plain-span.ts'
import type { SpanWatcher } from '../span-watchers.ts'
import { toIncomingSpan, toScope, toSource, type IncomingSpan, type SpanSource } from './incoming-span.ts'
import type { ViewerSpan } from './wire.ts'

/** What only the viewer reads of an SDK's span; 2.x and 3.x agree on it. */
interface DetailedSdkSpan extends SdkSpan {
  status: SdkSpan['status'] & { message?: string }
  events: Array<{ name: string, time: HrTime, attributes?: Attributes }>
  links: Array<SdkSpan['links'][number] & { attributes?: Attributes }>
  droppedAttributesCount: number
  droppedEventsCount: number
  droppedLinksCount: number
}

/** Shows the spans of this process: each as running when it starts, and whole when it has ended. A span processor for OpenTelemetry JS 2.x and 3.x. */
export class ViewerSpanProcessor implements SpanWatcher {
  readonly #add: (incoming: IncomingSpan) => void
  /** All spans of a provider have the same resource. */
  readonly #sources = new WeakMap<object, SpanSource>()
  /** Of tracers. */
  readonly #scopes = new WeakMap<object, ViewerSpan['scope']>()

  constructor (add: (incoming: IncomingSpan) => void) {
    this.#add = add
  }

  onStart (span: unknown): void {
    this.#add(this.#toIncoming(span as DetailedSdkSpan, true))
  }

  onEnd (span: unknown): void {
    this.#add(this.#toIncoming(span as DetailedSdkSpan, false))
  }

  async forceFlush (): Promise<void> {}

  async shutdown (): Promise<void> {}

  #toIncoming (span: DetailedSdkSpan, isRunning: boolean): IncomingSpan {
    const plain = toPlainSpan(span)
    const { attributes: resource } = span.resource
    let source = this.#sources.get(resource)
    if (source === undefined) {
      source = toSource(Object.entries(resource))
      // One that is still being found out changes.
      if ((span.resource as { asyncAttributesPending?: boolean }).asyncAttributesPending !== true) this.#sources.set(resource, source)
    }
    let scope = this.#scopes.get(span.instrumentationScope)
    if (scope === undefined) {
      scope = toScope(plain.scope.name, plain.scope.version)
      this.#scopes.set(span.instrumentationScope, scope)
    }
    return toIncomingSpan({
      ...plain,
      endMillis: isRunning ? null : plain.endMillis,
      statusMessage: span.status.message,
      attributes: Object.entries(plain.attributes),
      events: span.events.map(({ name, time, attributes = {} }) => ({ name, timeMillis: toMillis(time), attributes: Object.entries(attributes) })),
      links: span.links.map(({ context, attributes = {} }) => ({ traceId: context.traceId, spanId: context.spanId, attributes: Object.entries(attributes) })),
      dropped: { attributes: span.droppedAttributesCount, events: span.droppedEventsCount, links: span.droppedLinksCount },
    }, source, scope)
  }
}

function toMillis ([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1e6
}
