import closeWithGrace from 'close-with-grace'
import { configure } from 'fastify-schema-telemetry/configure'
import { buildApp } from './app.ts'
import { describeServer } from './describe-server.ts'

const endpoint = process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || process.env.OTEL_EXPORTER_OTLP_ENDPOINT

const telemetry = configure({
  serviceName: process.env.OTEL_SERVICE_NAME || 'example-server',
  console: true,
  // Without a collector the traces are printed only.
  exporter: endpoint ? 'otlp' : 'none',
  scheduledDelayMillis: 500,
})

const app = await buildApp()

const port = Number(process.env.PORT || 3000)
try {
  const address = await app.listen({ port, host: '127.0.0.1' })
  console.log(describeServer(address, endpoint))
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
