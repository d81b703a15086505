/**
 * What reading a caller's context costs, whatever 16 KiB of headers hold: `node --conditions=fastify-schema-telemetry-source test/w3c/extraction-cost.ts`.
 * Prints the median and the 99th percentile of one extraction, trace context and baggage together, once the code is warm.
 */
import { defaultTextMapGetter, ROOT_CONTEXT } from '@opentelemetry/api'
import { BaggagePropagator, TraceContextPropagator } from 'fastify-schema-telemetry/propagator'
import { hostileHeaders } from './hostile-headers.ts'

const SAMPLES = 20_000
const WARM_UP = 2000

const traceContext = new TraceContextPropagator()
const baggage = new BaggagePropagator()

function sample (headers: object): number {
  const start = process.hrtime.bigint()
  baggage.extract(traceContext.extract(ROOT_CONTEXT, headers, defaultTextMapGetter), headers, defaultTextMapGetter)
  return Number(process.hrtime.bigint() - start) / 1000
}

// All kinds in turn, so that no one of them has the machine code to itself.
const kinds = hostileHeaders()
const measured = new Map(kinds.map(([name]) => [name, new Float64Array(SAMPLES)]))
for (let index = -WARM_UP; index < SAMPLES; index++) {
  for (const [name, headers] of kinds) {
    const micros = sample(headers)
    if (index >= 0) measured.get(name)![index] = micros
  }
}
console.table(Object.fromEntries([...measured].map(([name, micros]) => {
  const sorted = micros.toSorted()
  return [name, { 'median µs': rounded(sorted[SAMPLES / 2]!), 'p99 µs': rounded(sorted[SAMPLES * 0.99]!) }]
})))

function rounded (micros: number): number {
  return Math.round(micros * 10) / 10
}
