/**
 * First words of attribute names whose values this package, the SDK or another instrumentation sets. Conventions for applications (`user.id`, `session.id`,
 * `feature_flag.*`) are not among them.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/
 */
const STANDARD_NAMESPACES = new Set([
  'http', 'url', 'server', 'client', 'network', 'user_agent', 'error', 'exception', 'code', 'fastify', 'otel', 'telemetry', 'service', 'process', 'host',
])

/** Whether an attribute name belongs to the conventions that this package fills in, or to the package. */
export function isStandardName (name: string): boolean {
  const dot = name.indexOf('.')
  return STANDARD_NAMESPACES.has(dot === -1 ? name : name.slice(0, dot))
}
