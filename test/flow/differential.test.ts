// latest versions only
import Fastify, { type FastifyInstance } from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
import t from 'tap'
import { breakOffAll } from '../helpers/broken-off.ts'
import { exchangeAll } from '../helpers/exchange.ts'
import { hostileParts, takeLoggerOff } from '../helpers/hostile.ts'
import { listen } from '../helpers/http.ts'
import { buildOddApp } from '../helpers/odd-app.ts'
import { oddRequests } from '../helpers/odd-requests.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1
// Some 20,000 requests.
t.setTimeout(300_000)

/** What nobody may have changed when a test is over. */
const BUILT_IN = [Object, Array, Function, Error, Promise, Map, Set, Date, String].flatMap((type) => [type, type.prototype as object]).concat(JSON, Reflect)

function describeBuiltIn () {
  return BUILT_IN.map((holder) => Reflect.ownKeys(holder).map((key) => [key, Object.getOwnPropertyDescriptor(holder, key)]))
}

/** Everything that a process says about itself when something went wrong past all error handling. */
function watchProcess () {
  const said: string[] = []
  // The test runner's loader uses a function that Node.js 26 deprecates.
  const onWarning = (warning: Error & { code?: string }) => { if (warning.code !== 'DEP0205') said.push(`${warning.name}: ${warning.message}`) }
  const onRejection = (reason: unknown) => { said.push(`unhandled rejection: ${reason instanceof Error ? reason.stack : String(reason)}`) }
  const onException = (error: unknown) => { said.push(`uncaught: ${error instanceof Error ? error.stack : String(error)}`) }
  process.on('warning', onWarning).on('unhandledRejection', onRejection).on('uncaughtExceptionMonitor', onException)
  return {
    said,
    stop () { process.off('warning', onWarning).off('unhandledRejection', onRejection).off('uncaughtExceptionMonitor', onException) },
  }
}

let expected: string[] = []

t.before(async () => {
  const bare = await buildOddApp(null)
  expected = await exchangeAll(await listen(bare), oddRequests)
  await bare.close()
})

t.test('the requests are of many kinds, and so are the answers', async (t) => {
  t.ok(oddRequests.length > 700)
  const statusCodes = new Set(expected.map((answer) => answer.slice(9, 12)))
  t.ok(statusCodes.size >= 20, [...statusCodes].join(' '))
  t.notOk(expected.some((answer) => answer.includes('no end of')))
})

hostileParts.forEach(({ name, setUp, isTidy, hits, takesAll = false }, part) => {
  const chosen = oddRequests.map((request, index) => ({ request, expected: () => expected[index]! })).filter((_, index) => takesAll || index % 3 === part % 3)

  t.test(`answers are the same, byte by byte, with ${name}`, async (t) => {
    const process = watchProcess()
    const builtIn = describeBuiltIn()
    const telemetry = createTestTelemetry()
    const hitsBefore = hits?.() ?? 0
    const options = setUp(telemetry)
    const app = await buildOddApp(async (app) => { await app.register(otelPlugin, options) })
    const actual = await exchangeAll(await listen(app), chosen.map(({ request }) => request))
    await app.close()
    takeLoggerOff()
    telemetry.release()
    process.stop()

    const different = chosen.flatMap(({ request, expected }, index) => actual[index] === expected()
      ? []
      : [{ name: request.name, expected: expected().slice(0, 1000), actual: actual[index]!.slice(0, 1000) }])
    t.same(different.slice(0, 5), [], `${different.length} answers differ`)
    t.same(process.said.slice(0, 5), [])
    t.same(describeBuiltIn(), builtIn)
    if (isTidy) t.equal(telemetry.openCount, 0)
    if (hits !== undefined) t.ok(hits() > hitsBefore, 'the hostile part was called')
  })
})

t.test('applications see the same of requests that are broken off', async (t) => {
  const process = watchProcess()
  const bare = await breakOffAll(async () => {})
  for (const { name, setUp, isTidy, takesAll } of hostileParts) {
    if (takesAll !== true) continue
    const telemetry = createTestTelemetry()
    const options = setUp(telemetry)
    t.same(await breakOffAll(async (app) => { await app.register(otelPlugin, options) }), bare, name)
    takeLoggerOff()
    telemetry.release()
    if (isTidy) t.equal(telemetry.openCount, 0)
  }
  process.stop()
  t.same(process.said, [])
})

t.test('the one difference is that of any onSend hook: what reply.send() throws goes to the error handler, not to its caller', async (t) => {
  const build = async (install: (app: FastifyInstance) => unknown) => {
    const app = Fastify()
    await install(app)
    app.get('/', (_request, reply) => {
      try {
        reply.type('text/plain').send({ not: 'a text' })
      } catch {
        reply.send('caught')
      }
    })
    return (await app.inject('/')).body
  }
  const telemetry = createTestTelemetry()
  const withHook = await build((app) => app.addHook('onSend', (_request, _reply, payload, done) => done(null, payload)))
  t.equal(await build(() => {}), 'caught')
  t.match(withHook, /FST_ERR_REP_INVALID_PAYLOAD_TYPE/)
  t.equal(await build((app) => app.register(otelPlugin)), withHook)
  telemetry.release()
})
