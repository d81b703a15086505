import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { ValidationErrorRecord } from './arguments/argument-part.ts'
import type { RequestAttributesMapper } from './options.ts'

/** The static type of a schema; `unknown` when it is not TypeBox's. */
type ValueOf<Schema> = Schema extends TSchema ? Static<Schema> : unknown

/**
 * The values of a route's parts, as its TypeBox schemas say. A part that failed validation is absent; what the bounds cut and what was redacted or
 * scrubbed is not what its type says.
 */
export type RouteValues<Schemas> = { [Part in keyof Schemas & ('params' | 'body' | 'querystring' | 'headers')]?: ValueOf<Schemas[Part]> } &
  (Schemas extends { query: infer Query } ? { querystring?: ValueOf<Query> } : unknown)

/**
 * Types a mapper by the schemas of its route: `routeMapper(schema, (request, { values, errors }) => …)`. It returns the mapper as it is.
 *
 * @param _schema - the route's `schema` option; only its type is used
 */
export function routeMapper<const Schemas extends object> (
  _schema: Schemas,
  mapper: (request: FastifyRequest, args: { values: RouteValues<Schemas>, errors: ValidationErrorRecord[] }) => ReturnType<RequestAttributesMapper>
): RequestAttributesMapper {
  return mapper as RequestAttributesMapper
}
