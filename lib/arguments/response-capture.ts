import { writeSafely } from './bounded-walk.ts'
import type { CaptureNode } from './capture-node.ts'
import { compilePart, nodeOfPart, type PartCapture, type PartOptions } from './request-capture.ts'
import { ValueSink, type CaptureSettings } from './value-sink.ts'

/** What to record of a route's answers: by status code (`200`), by class (`2xx`), or for the rest (`default`). */
export type ResponseCapture = ReadonlyMap<string, PartCapture>

export interface CapturedResponse {
  /** JSON text. */
  json: string
  truncated: boolean
  scrubbed: readonly string[]
}

/** @throws SchemaPartError - naming the status code, when a schema cannot be compiled */
export function compileResponseCapture (response: unknown, options: PartOptions): ResponseCapture {
  return new Map(Object.entries(response ?? {}).flatMap(([status, schema]: [string, unknown]) => {
    const compiled = compilePart(`response ${status}`, schema, options)
    return compiled === undefined ? [] : [[status.toLowerCase(), compiled]]
  }))
}

/** The node that holds for an answer, chosen as Fastify chooses its serializer; `undefined` when it has no schema. */
export function nodeOfResponse (capture: ResponseCapture, statusCode: number, mediaType: string | undefined): CaptureNode | undefined {
  const statuses = [String(statusCode), `${Math.floor(statusCode / 100)}xx`, 'default']
  const part = capture.get(statuses.find((status) => capture.has(status)) ?? '')
  return nodeOfPart(part, mediaType) ?? nodeOfPart(part, '*/*')
}

/**
 * Writes what the schema declares of a serialized answer: what is read is the text that is sent.
 *
 * @returns `undefined` when the text is not JSON
 */
export function captureResponse (node: CaptureNode, text: string, settings: CaptureSettings): CapturedResponse | undefined {
  const sink = new ValueSink(settings)
  const bytes = Buffer.byteLength(text)
  sink.startPart('', '/response', true, bytes)
  if (bytes > settings.limits.maxOpenBytes) {
    return { json: JSON.stringify({ type: 'json', bytes }), truncated: true, scrubbed: [] }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  writeSafely(node.write, value, sink)
  return { json: sink.text, truncated: sink.truncated, scrubbed: sink.scrubbed ?? [] }
}
