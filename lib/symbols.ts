/**
 * Keys on objects that are not ours. They are registered (`Symbol.for`), so that two copies of this package in one
 * process (ESM and CommonJS, or two versions) see each other's marks and one request gets one SERVER span.
 */

/** Slot on Fastify's request for its `RequestRecord`; `null` while the request is not recorded. */
export const kRecord = Symbol.for('fastify-schema-telemetry.record')

/** Slot on a request's logger for the request; `null` on one that several requests share. */
export const kLoggedRequest = Symbol.for('fastify-schema-telemetry.logged-request')

/** Slot on a route's `config` for its `RoutePlan`. */
export const kRoutePlan = Symbol.for('fastify-schema-telemetry.route-plan')

/** Slot on a tracer provider for the `Clock` that its tests want; see `./testing`. */
export const kClock = Symbol.for('fastify-schema-telemetry.clock')

/** Mark on the RPC metadata of an HTTP request, which instrumentations share: a request of an application has its SERVER span. */
export const kSpokenFor = Symbol.for('fastify-schema-telemetry.spoken-for')
