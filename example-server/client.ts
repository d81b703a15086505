import { SpanKind, trace } from '@opentelemetry/api'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { configure } from 'fastify-schema-telemetry/configure'

/** Another service, `my-client-service`, that calls the example server: one trace across both processes. */
const endpoint = process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || process.env.OTEL_EXPORTER_OTLP_ENDPOINT
const telemetry = configure({ serviceName: 'my-client-service', console: true, exporter: endpoint ? 'otlp' : 'none' })

// Gives each fetch a CLIENT span and sends its trace context along.
const instrumentation = new UndiciInstrumentation()
instrumentation.setTracerProvider(telemetry.tracerProvider)

const server = process.env.SERVER_URL || `http://127.0.0.1:${process.env.PORT || 3000}`
const tracer = trace.getTracer('my-client-service')

await tracer.startActiveSpan('visit the example server', { kind: SpanKind.INTERNAL }, async (span) => {
  try {
    for (const path of ['/hello?name=world', '/items/5?q=somequery']) {
      const response = await fetch(server + path)
      console.log(`GET ${path} -> ${response.status} ${await response.text()}`)
    }
  } catch (error) {
    const reason = (error as Error).cause ?? error
    console.error(`The example server does not answer at ${server} (${(reason as NodeJS.ErrnoException).code ?? String(reason)}). Start it first: npm start`)
    process.exitCode = 1
  } finally {
    span.end()
  }
})

await telemetry.shutdown()
