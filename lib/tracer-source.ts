import { trace, type Tracer, type TracerProvider } from '@opentelemetry/api'
import { SCHEMA_URL, SCOPE_NAME, SCOPE_VERSION } from './semconv.ts'

/** The part of the API's `ProxyTracerProvider` that tells whether an SDK has registered. */
interface MaybeProxy {
  getDelegateTracer?: TracerProvider['getTracer']
}

/**
 * Finds the tracer once there is one. Without a provider of the user's own it asks the API's global one at each call until an SDK has
 * registered, which may be after the plugin did; `null` means that no SDK is there and nothing needs to be done for a request.
 */
export function createTracerSource (provider: TracerProvider | undefined): () => Tracer | null {
  let tracer: Tracer | null = null
  return function findTracer () {
    if (tracer !== null) return tracer
    if (provider !== undefined) {
      tracer = provider.getTracer(SCOPE_NAME, SCOPE_VERSION, { schemaUrl: SCHEMA_URL })
      return tracer
    }
    const registered: TracerProvider & MaybeProxy = trace.getTracerProvider()
    tracer = registered.getDelegateTracer !== undefined
      ? registered.getDelegateTracer(SCOPE_NAME, SCOPE_VERSION, { schemaUrl: SCHEMA_URL }) ?? null
      : registered.getTracer(SCOPE_NAME, SCOPE_VERSION, { schemaUrl: SCHEMA_URL })
    return tracer
  }
}
