import closeWithGrace from 'close-with-grace'
import { configure } from 'fastify-schema-telemetry/configure'
import viewer from 'fastify-schema-telemetry/viewer'
import { buildApp } from './app.ts'
import { describeServer } from './describe-server.ts'
import { indexPage } from './index-page.ts'

const endpoint = process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || process.env.OTEL_EXPORTER_OTLP_ENDPOINT
// In production the viewer wants a guard that says who may see the traces.
const viewerPath = process.env.NODE_ENV === 'production' ? undefined : '/telemetry'

const telemetry = configure({
  serviceName: process.env.OTEL_SERVICE_NAME || 'example-server',
  console: true,
  viewer: viewerPath !== undefined,
  // Without a collector the traces are shown here only.
  exporter: endpoint ? 'otlp' : 'none',
  scheduledDelayMillis: 500,
})

const app = await buildApp()
if (viewerPath !== undefined) await app.register(viewer, { prefix: viewerPath })
await app.register(indexPage, { viewerPath })

const port = Number(process.env.PORT || 3000)
try {
  const address = await app.listen({ port, host: '127.0.0.1' })
  console.log(describeServer({ address, viewerPath, endpoint }))
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  console.error(code === 'EADDRINUSE'
    ? `Port ${port} is taken. Stop the program that has it, or choose another port: PORT=3001 npm start`
    : `The server cannot listen on port ${process.env.PORT}: ${message}`)
  process.exit(1)
}

// Ctrl-C and SIGTERM: requests under way are answered, then their spans are sent.
closeWithGrace({ delay: 15_000 }, async function close ({ err }) {
  if (err !== undefined) console.error(err)
  await app.close()
  await telemetry.shutdown()
})
