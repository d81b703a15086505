/**
 * Door `./testing`: telemetry whose spans stay in memory, with ids and times that are the same at each run, so that a test can compare
 * a whole list of spans. Needs `@opentelemetry/sdk-trace`, `@opentelemetry/context-async-hooks` and `@opentelemetry/core`.
 */
export { createTestTelemetry, type TestTelemetry, type TestTelemetryOptions } from './test-telemetry.ts'
export { createTestClock } from './test-clock.ts'
export { IncrementalIdGenerator } from './incremental-ids.ts'
export type { PlainSpan } from '../plain-span.ts'
