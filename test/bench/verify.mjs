import assert from 'node:assert/strict'
import { ask } from './drive.mjs'

/** Resolves to the answer of a subject; throws unless it emits the spans that it is measured for. */
export async function verify ({ name, app, counter }, requests, { spans, records }) {
  const spansBefore = counter.ended
  const { statusCode, payload } = await ask(app, requests[0])
  assert.equal(statusCode, 200, `${name}: ${payload}`)
  if (name !== 'bare') assert.equal(counter.ended - spansBefore, spans[name], `spans of ${name}`)
  if (name === 'plugin' && records !== undefined) assert.ok(records in counter.attributes, `${records} is not on the span`)
  return payload
}
