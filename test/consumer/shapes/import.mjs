// An application in ESM, without TypeScript; and both builds of the package in one process.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import Fastify from 'fastify'
import otelPlugin, { otelPlugin as named } from 'fastify-schema-telemetry'
import * as everything from 'fastify-schema-telemetry'
import { configure } from 'fastify-schema-telemetry/configure'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'

const fromCommonJs = createRequire(import.meta.url)('fastify-schema-telemetry')

assert.equal(named, otelPlugin)
assert.equal(everything.default, otelPlugin)
assert.equal(typeof configure, 'function')
assert.notEqual(fromCommonJs.otelPlugin, otelPlugin)

const { tracerProvider, waitForSpans } = createTestTelemetry()
for (const plugin of [otelPlugin, everything, import('fastify-schema-telemetry'), fromCommonJs]) {
  const app = Fastify()
  app.register(plugin, { tracerProvider })
  app.get('/', async (request) => request.telemetry.traceId)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  assert.match(await (await fetch(address)).text(), /^[0-9a-f]{32}$/)
  await app.close()
}
assert.deepEqual((await waitForSpans(4)).map(({ name }) => name), Array(4).fill('GET /'))
