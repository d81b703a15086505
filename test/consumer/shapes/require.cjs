// An application in CommonJS, without TypeScript.
const assert = require('node:assert/strict')
const Fastify = require('fastify')
const telemetry = require('fastify-schema-telemetry')
const { createTestTelemetry } = require('fastify-schema-telemetry/testing')
const { configure } = require('fastify-schema-telemetry/configure')

assert.equal(typeof telemetry.otelPlugin, 'function')
assert.equal(telemetry.default, telemetry.otelPlugin)
assert.equal(typeof configure, 'function')
assert.equal(require('fastify-schema-telemetry/package.json').name, 'fastify-schema-telemetry')

async function main () {
  const { tracerProvider, waitForSpans } = createTestTelemetry()
  // The whole module, its named export and its default export: each is what register takes.
  for (const plugin of [require('fastify-schema-telemetry'), telemetry.otelPlugin, telemetry.default]) {
    const app = Fastify()
    await app.register(plugin, { tracerProvider })
    app.get('/:id', { schema: { params: { type: 'object', properties: { id: { type: 'integer' } } } } }, async (request) => request.telemetry.traceId)
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    assert.match(await (await fetch(`${address}/1`)).text(), /^[0-9a-f]{32}$/)
    await app.close()
  }
  const spans = await waitForSpans(3)
  assert.deepEqual(spans.map(({ attributes }) => attributes['fastify.arguments.values']), Array(3).fill('{"params":{"id":1}}'))
}

main()
