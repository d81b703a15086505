import { context, defaultTextMapSetter, INVALID_TRACEID, propagation, ROOT_CONTEXT, trace, type Attributes, type Context, type Span, type Tracer } from '@opentelemetry/api'
import type { FastifyRequest } from 'fastify'
import type { ValidationErrorRecord } from '../arguments/argument-part.ts'
import type { ArgumentValues } from '../options.ts'
import { noopSpan, type CapturedArguments, type RequestRecord } from '../server-span/request-record.ts'
import { SCOPE_NAME, SCOPE_VERSION } from '../semconv.ts'
import { kRecord } from '../symbols.ts'
import { captureArguments } from './capture-arguments.ts'
import { copyArguments } from './note-request-arguments.ts'
import type { RecordedRequest } from './recorded-request.ts'
import type { RoutePlan } from './route-plan.ts'

/**
 * `request.telemetry`: what the application may use of its request's telemetry. Never absent: on a request that is not recorded every
 * member is safe and does nothing.
 */
export interface RequestTelemetry {
  /** The request's span; one that records nothing when the request is not recorded. */
  readonly span: Span
  /** The OpenTelemetry context of the request, its span included. */
  readonly context: Context
  /** 32 hex digits; all zeros when there is no trace. */
  readonly traceId: string
  /** A tracer for spans of the application's own. */
  readonly tracer: Tracer
  /**
   * A copy of the arguments as a span would carry them: bounded, scrubbed. Captured on first use when the span carries none, of unsampled requests too;
   * `{}` before validation and when the request is ignored or no SDK is there.
   */
  readonly values: ArgumentValues
  /** A copy of what was wrong with the arguments, in the same way; `[]` when nothing was. */
  readonly errors: ValidationErrorRecord[]
  /** Sets attributes on the request's span, from wherever the request can be seen; nothing after its end. */
  setAttributes (attributes: Attributes): void
  /**
   * Writes the trace context into headers of an outgoing call: of the active span when it belongs to this request, else of the request's own.
   * @returns the carrier
   */
  inject<Carrier extends object> (carrier: Carrier): Carrier
  /** Reads the trace context out of a message's headers. The request's own context is not changed. */
  extract (carrier: object): Context
}

/** Getter for `decorateRequest('telemetry', { getter })`. */
export function telemetryOf (this: FastifyRequest): RequestTelemetry {
  const record = (this as RecordedRequest)[kRecord]
  return new Telemetry(record ?? null, this)
}

const NO_ARGUMENTS = Object.freeze({ valuesJson: undefined, errors: [] })

class Telemetry implements RequestTelemetry {
  readonly #record: RequestRecord | null
  readonly #request: FastifyRequest

  constructor (record: RequestRecord | null, request: FastifyRequest) {
    this.#record = record
    this.#request = request
  }

  get span (): Span {
    return this.#record?.span ?? noopSpan
  }

  get context (): Context {
    return this.#record?.context ?? context.active()
  }

  get traceId (): string {
    return trace.getSpanContext(this.context)?.traceId ?? INVALID_TRACEID
  }

  get tracer (): Tracer {
    return this.#record?.tracer ?? trace.getTracer(SCOPE_NAME, SCOPE_VERSION)
  }

  get values (): ArgumentValues {
    return copyArguments(this.#arguments()).values
  }

  get errors (): ValidationErrorRecord[] {
    return copyArguments(this.#arguments()).errors
  }

  // The methods are bound, so that they can be taken out: `const { inject } = request.telemetry`.

  readonly setAttributes = (attributes: Attributes): void => {
    const record = this.#record
    if (record === null || record.ended) return
    try {
      record.span.setAttributes(attributes)
    } catch (error) {
      record.settings.guard.report('setAttributes', error)
    }
  }

  readonly inject = <Carrier extends object>(carrier: Carrier): Carrier => {
    try {
      propagation.inject(this.#contextToInject(), carrier, defaultTextMapSetter)
    } catch (error) {
      this.#record?.settings.guard.report('inject', error)
    }
    return carrier
  }

  readonly extract = (carrier: object): Context => {
    try {
      return propagation.extract(ROOT_CONTEXT, carrier)
    } catch (error) {
      this.#record?.settings.guard.report('extract', error)
      return ROOT_CONTEXT
    }
  }

  #arguments (): Pick<CapturedArguments, 'valuesJson' | 'errors'> {
    const record = this.#record
    if (record === null || record.validation === 'pending') return NO_ARGUMENTS
    try {
      return captureArguments(record, record.route as RoutePlan, this.#request)
    } catch (error) {
      record.settings.guard.report('arguments', error)
      return NO_ARGUMENTS
    }
  }

  #contextToInject (): Context {
    const active = context.active()
    return trace.getSpanContext(active)?.traceId === this.traceId ? active : this.context
  }
}
