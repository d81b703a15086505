/** The server whose heap is watched; a process of its own, so that the client's heap is not in the figure. */
import { Type } from '@sinclair/typebox'
import { installGlobals } from './open-telemetry.mjs'
import { createSubject } from './subjects.mjs'

installGlobals()
const { app } = await createSubject(process.argv[2], {
  sdk: 'on',
  metrics: true,
  options: {},
  userHooks: false,
  routes: () => ({
    declare (app) {
      const schema = { params: Type.Object({ id: Type.Integer() }), querystring: Type.Object({ q: Type.Integer() }) }
      app.get('/known/:id', { schema }, async (request) => ({ id: request.params.id }))
    },
  }),
})

process.on('message', async (message) => {
  if (message === 'measure') {
    await settle()
    process.send(process.memoryUsage().heapUsed)
  } else {
    await app.close()
    process.disconnect()
  }
})

await app.listen({ port: 0, host: '127.0.0.1' })
process.send(app.server.address().port)

/** Twice, and a turn of the loop between: the first round frees what finalizers then let go of. */
async function settle () {
  for (let round = 0; round < 2; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc()
  }
}
