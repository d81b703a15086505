// repository only
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { context, propagation, trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import * as doors from 'fastify-schema-telemetry'
import { createTestTelemetry, type PlainSpan, type TestTelemetry } from 'fastify-schema-telemetry/testing'
import t, { type Test } from 'tap'
import { buildApp } from '../../example-server/app.ts'
import { DEFAULT_LIMITS, LIMIT_RANGES, type Limits } from '../../lib/arguments/limits.ts'
import { readEnvironment } from '../../lib/configure/environment.ts'
import { configureOptionsSchema } from '../../lib/configure/options.ts'
import { optionsSchema, routeOptionsSchema } from '../../lib/options.ts'
import * as semconv from '../../lib/semconv.ts'
import {
  firstColumn, installPackage, readMarkdown, syntaxErrors, toJavaScript, typeErrors, type CodeBlock,
} from '../helpers/code-blocks.ts'
import { faultCases, SPANS, type FaultCase } from '../helpers/fault-matrix.ts'
import { send } from '../helpers/http.ts'
import { startOtlpReceiver, type OtlpReceiver } from '../helpers/otlp-receiver.ts'
import { runProgram, type Program } from '../helpers/program.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const paths = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]
const documents = paths.map((path) => readMarkdown(root, path))
const readme = documents[0]!
const blocks = documents.flatMap((document) => document.blocks)

/** What a block that makes an application gives to its test. */
interface Made {
  app: FastifyInstance
  telemetry: TestTelemetry
}

/** A block that runs in this process. What it makes is checked here, or compared with the `json` block of the same mark. */
interface ModuleCase {
  /** Stands before the block: what the text around it says is there. Of several, the block runs with each. */
  prelude: string | string[]
  /** Modules that the block imports, by path. */
  files?: Record<string, string>
  check? (t: Test, made: Made): Promise<void>
  /** What the `json` block shows, as a value, or as JSON text. */
  shows? (made: Made): Promise<unknown>
}

/** A block that is a program of its own, on a free port, with a collector. */
interface ProgramCase {
  checkProgram (t: Test, program: Program, port: number, receiver: OtlpReceiver): Promise<void>
}

const MADE = `import Fastify from 'fastify'
import otelPlugin from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
const telemetry = createTestTelemetry()
const app = Fastify()
`
const REGISTERED = `${MADE}await app.register(otelPlugin)\n`
const LOGS = `import Fastify from 'fastify'
import otelPlugin, { traceMixin } from 'fastify-schema-telemetry'
import { createTestTelemetry } from 'fastify-schema-telemetry/testing'
const telemetry = createTestTelemetry()
export const lines: object[] = []
const stream = { write (text: string) { lines.push(JSON.parse(text)) } }
`
const TYPEBOX = "import { Type } from '@sinclair/typebox'\n"
const TYPEBOX_1 = "import { Type } from 'typebox'\n"
const ANNOTATIONS = "import { asAttribute, omit, redact } from 'fastify-schema-telemetry'\n"
const CALL_REPORTS = `async function callReports (headers: Record<string, string>): Promise<unknown> {
  return headers
}
`

const User = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, country_code: { type: 'string', pattern: '^[A-Z]{2}$' } },
}

/** The application of the canary test, as its reader may have one. */
const CANARY_APP = `import Fastify, { type FastifyInstance } from 'fastify'
import otelPlugin, { redact } from 'fastify-schema-telemetry'
import { Type } from '@sinclair/typebox'

export async function buildApp (): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(otelPlugin)
  const body = Type.Object({ name: Type.String(), email: redact(Type.String()), password: Type.String() })
  app.post('/users', { schema: { body } }, async () => 'ok')
  return app
}
`

/** Attributes of the only span. */
async function attributesOf ({ telemetry }: Made): Promise<PlainSpan['attributes']> {
  const [span] = await telemetry.waitForSpans(1)
  return span!.attributes
}

const showValues = async (made: Made) => (await attributesOf(made))['fastify.arguments.values']
const showErrors = async (made: Made) => (await attributesOf(made))['fastify.arguments.errors']

/** What stands on the span besides conventions, times and flags. */
async function showAttributes (made: Made): Promise<object> {
  return Object.fromEntries(Object.entries(await attributesOf(made)).filter(([name]) => /^app\.|\.(?:values|errors|scrubbed)$/.test(name)))
}

/** Every block in `ts` or `js`, by its mark; blocks with the mark `before` are of other packages and only parsed. */
const CASES: Record<string, ModuleCase | ProgramCase> = {
  'quick-start': {
    async checkProgram (t, program, port, receiver) {
      const answer = await send(port, 'POST', '/users', { body: { name: 'Ada', country_code: 'England' } })
      t.equal(answer.statusCode, 400)
      await program.waitFor(/POST \/users {2}400 .*\n.*✗ body\/country_code must match pattern "\^\[A-Z\]\{2\}\$" received "England"/)
      t.same(receiver.spans, [], 'spans wait for their batch')
      await program.end('SIGKILL')
    },
  },
  commonjs: {
    async checkProgram (t, program, port) {
      const answer = await send(port, 'GET', '/hello?name=Ada&undeclared=1')
      t.equal(answer.statusCode, 200)
      await program.waitFor(/GET \/hello {2}200 .*\n.*arguments \{"querystring":\{"name":"Ada"\}\}/)
      await program.end('SIGKILL')
    },
  },
  logger: {
    async checkProgram (t, program, port) {
      t.equal((await send(port, 'GET', '/hello')).body, 'hello')
      const [, traceId] = await program.waitFor(/"trace_id":"([0-9a-f]{32})","span_id":"[0-9a-f]{16}","trace_flags":"01","msg":"greeting"/)
      await program.waitFor(new RegExp(`"trace_id":"${traceId}".*"msg":"request completed"`))
      await program.end('SIGKILL')
    },
  },
  signals: {
    async checkProgram (t, program, port, receiver) {
      t.equal((await send(port, 'GET', '/')).body, 'hello')
      t.equal(await program.end('SIGINT'), 0)
      t.same(receiver.spans.map(({ name, service }) => ({ name, service })), [{ name: 'GET /', service: 'users' }])
    },
  },
  production: {
    prelude: MADE,
    async check (t, { app, telemetry }) {
      app.post('/users', { schema: { body: User } }, async () => 'ok')
      await app.inject({ method: 'POST', url: '/users', payload: { name: 'Ada' } })
      await app.inject({ method: 'POST', url: '/users', payload: {} })
      const spans = await telemetry.waitForSpans(2)
      t.same(spans.map(({ attributes }) => [attributes['fastify.arguments.values'], attributes['fastify.arguments.error_count']]), [[undefined, undefined], [undefined, 1]])
    },
  },
  'per-route': {
    prelude: REGISTERED,
    async check (t, { app, telemetry }) {
      await app.inject('/health')
      await app.inject('/search')
      const spans = await telemetry.waitForSpans(1)
      t.same(spans.map(({ name }) => name), ['GET /search'])
      t.notMatch(JSON.stringify(spans), /_timestamp/)
    },
  },
  mapper: {
    prelude: MADE,
    async check (t, { app, telemetry }) {
      app.post('/users', { schema: { body: User } }, async () => 'ok')
      await app.inject({ method: 'POST', url: '/users', headers: { 'x-tenant': 'acme' }, payload: { name: 'Ada' } })
      const [span] = await telemetry.waitForSpans(1)
      t.match(span?.attributes, { 'app.tenant': 'acme', 'app.fields': ['name'] })
      t.notOk('fastify.arguments.values' in span!.attributes)
      t.notOk('fastify.telemetry.mapper_failed' in span!.attributes)
    },
  },
  'request-telemetry': {
    prelude: REGISTERED,
    async check (t, { app, telemetry }) {
      const { traceId, headers } = (await app.inject('/report')).json()
      const [child, span] = await telemetry.waitForSpans(2)
      t.same([child?.name, child?.parentSpanId], ['collect rows', span?.spanId])
      t.equal(span?.attributes['app.report'], 'monthly')
      t.equal(traceId, span?.traceId)
      t.same(headers, { accept: 'application/json', traceparent: `00-${traceId}-${child?.spanId}-01` })
    },
  },
  'log-lines': {
    prelude: LOGS,
    async check (t, made) {
      const { lines } = made as Made & { lines: Array<Record<string, unknown>> }
      await made.app.inject('/users')
      const [span] = await made.telemetry.waitForSpans(1)
      t.match(lines.filter(({ msg }) => msg !== 'incoming request'), ['from the handler', 'request completed'].map((msg) => ({ msg, trace_id: span!.traceId, span_id: span!.spanId, trace_flags: '01' })))
    },
  },
  'own-mixin': {
    prelude: LOGS,
    async check (t, made) {
      const { app, lines } = made as Made & { lines: Array<Record<string, unknown>> }
      app.log.info('outside')
      t.match(lines, [{ msg: 'outside', region: 'eu-north', trace_id: undefined }])
    },
  },
  'exception-logs': {
    prelude: `${MADE}import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
export const exporter = new InMemoryLogRecordExporter()
const loggerProvider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] })
`,
    async check (t, made) {
      const { app, telemetry, exporter } = made as Made & { exporter: { getFinishedLogRecords (): object[] } }
      app.get('/', async () => { throw new RangeError('no') })
      await app.inject('/')
      t.same((await telemetry.waitForSpans(1))[0]!.events, [])
      t.match(exporter.getFinishedLogRecords(), [{ eventName: 'http.server.request.exception', severityNumber: 17, attributes: { 'exception.type': 'RangeError' } }])
    },
  },
  testing: {
    prelude: '',
    async check (t, { telemetry }) {
      t.equal(telemetry.spans.length, 1)
    },
  },
  'from-fastify-otel': {
    prelude: `${MADE}const provider = telemetry.tracerProvider\nconst listUsers = async () => []\n`,
    async check (t, { app, telemetry }) {
      app.get('/internal/stats', async () => 'ok')
      app.get('/other', async function other () { return 'ok' })
      await app.inject('/internal/stats')
      await app.inject('/health')
      await app.inject({ url: '/users', headers: { 'x-tenant': 'acme' } })
      await app.inject('/other')
      const spans = await telemetry.waitForSpans(4)
      t.same(spans.map(({ name }) => name), ['GET /users', 'fastify.arguments', 'fastify.handler', 'GET /other'])
      t.same([spans[0]?.attributes['app.tenant'], spans[3]?.attributes['app.tenant']], ['acme', 'none'])
    },
  },
  'from-fastify-otel-request': { prelude: `${REGISTERED}${CALL_REPORTS}`, check: checkReport },
  'from-autotelic': {
    prelude: MADE,
    async check (t, { app, telemetry }) {
      app.options('/users', async () => 'ok')
      app.get('/users', async function listUsers (_request, reply) {
        reply.header('x-cache', 'hit')
        return []
      })
      app.get('/failing', async () => { throw Object.assign(new Error('no'), { code: 'E_NO' }) })
      await app.inject({ method: 'OPTIONS', url: '/users' })
      const answer = await app.inject({ url: '/users', headers: { 'x-tenant': 'acme' } })
      await app.inject('/failing')
      const [span, failed] = await telemetry.waitForSpans(2)
      t.match(span, { name: 'users GET', attributes: { 'app.tenant': 'acme', 'app.cache': 'hit' } })
      t.equal(answer.headers.traceparent, `00-${span?.traceId}-${span?.spanId}-01`)
      t.equal(failed?.attributes['app.error'], 'E_NO')
    },
  },
  'from-autotelic-request': { prelude: `${REGISTERED}${CALL_REPORTS}`, check: checkReport },
  annotate: {
    prelude: [TYPEBOX + REGISTERED, TYPEBOX_1 + REGISTERED],
    async check (t, made) {
      const { app, User } = made as Made & { User: object }
      app.post('/users', { schema: { body: User } }, async () => 'ok')
      await app.inject({ method: 'POST', url: '/users', payload: { email: 'ada@example.com', device: 'phone', country: 'NO' } })
      t.same(await showAttributes(made), { 'app.country': 'NO', 'fastify.arguments.values': '{"body":{"email":"[redacted string]","country":"NO"}}' })
    },
  },
  'typed-mapper': {
    prelude: TYPEBOX + REGISTERED,
    async check (t, made) {
      await made.app.inject({ method: 'POST', url: '/users/ada@example.com', payload: { country: 'NO' } })
      t.same(await showAttributes(made), { 'app.country': 'NO' })
      t.equal((await attributesOf(made))['url.path'], '/users/…')
    },
  },
  recorded: { prelude: TYPEBOX + REGISTERED, shows: showValues },
  schemas: { prelude: TYPEBOX + REGISTERED, shows: showValues },
  limits: {
    prelude: TYPEBOX + MADE,
    shows: showValues,
    async check (t, made) {
      t.equal((await attributesOf(made))['fastify.arguments.truncated'], true)
    },
  },
  annotations: { prelude: [TYPEBOX + ANNOTATIONS + REGISTERED, TYPEBOX_1 + ANNOTATIONS + REGISTERED], shows: showAttributes },
  'annotations-json-schema': { prelude: ANNOTATIONS + REGISTERED, shows: showAttributes },
  scrubbing: { prelude: TYPEBOX + MADE, shows: showAttributes },
  errors: { prelude: TYPEBOX + ANNOTATIONS + REGISTERED, shows: showErrors },
  parse: { prelude: TYPEBOX + REGISTERED, shows: showErrors },
  'route-mapper': { prelude: `${TYPEBOX}import { routeMapper } from 'fastify-schema-telemetry'\n${REGISTERED}`, shows: showAttributes },
  'standard-attributes': {
    prelude: `import { standardAttributes } from 'fastify-schema-telemetry'\n${MADE}`,
    shows: async (made) => ({ 'url.path': (await attributesOf(made))['url.path'] }),
  },
  response: { prelude: TYPEBOX + ANNOTATIONS + REGISTERED, shows: async (made) => (await attributesOf(made))['fastify.response.serialized'] },
  serialization: { prelude: TYPEBOX + REGISTERED, shows: showErrors },
  'error-page': {
    prelude: `import type { FastifyError } from 'fastify'\n${TYPEBOX}${REGISTERED}`,
    async shows ({ app }) {
      return (await app.inject('/users/seven')).json()
    },
  },
  propagator: {
    // The test's own is there already, and the API takes one.
    prelude: `import { propagation as globals } from '@opentelemetry/api'\n${REGISTERED}globals.disable()\n`,
    check: (t, made) => checkStrict(t, made, undefined),
  },
  'public-edge': {
    prelude: MADE,
    async check (t, { app, telemetry }) {
      app.get('/public', async () => 'ok')
      const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
      for (const [url, remoteAddress] of [['/public', '10.1.2.3'], ['/public', '8.8.8.8'], ['/partners', '8.8.8.8']] as const) await app.inject({ url, headers, remoteAddress })
      const spans = await telemetry.waitForSpans(3)
      t.same(spans.map(({ parentSpanId, links }) => [parentSpanId !== undefined, links.length]), [[true, 0], [false, 1], [true, 0]])
    },
  },
  'own-propagators': {
    prelude: `import { propagation as globals } from '@opentelemetry/api'\n${REGISTERED}globals.disable()\n`,
    check: (t, made) => checkStrict(t, made, 'tenant=acme'),
  },
  'viewer-page': {
    prelude: REGISTERED,
    async check (t, { app }) {
      const answer = await app.inject('/telemetry')
      t.equal(answer.statusCode, 200)
      t.match(answer.body, '<title>')
    },
  },
  viewer: {
    async checkProgram (t, program, port) {
      t.equal((await send(port, 'GET', '/hello')).body, 'hello')
      const listed = await send(port, 'GET', '/telemetry/api/traces')
      t.same(JSON.parse(listed.body).traces.map(({ name, service }: Record<string, unknown>) => [name, service]), [['GET /hello', 'users']])
      t.match((await send(port, 'GET', '/telemetry')).body, '<title>')
      await program.end('SIGKILL')
    },
  },
  'viewer-store': {
    prelude: MADE,
    async check (t, { app }) {
      app.get('/hello', async () => 'hello')
      await app.inject('/hello')
      t.same((await app.inject('/telemetry/api/traces')).json().traces.map(({ name }: { name: string }) => name), ['GET /hello'])
    },
  },
  'viewer-guard': {
    prelude: REGISTERED,
    async check (t, { app, telemetry }) {
      process.env.VIEWER_TOKEN = 'secret'
      t.teardown(() => { delete process.env.VIEWER_TOKEN })
      const statusOf = async (authorization: string) => (await app.inject({ url: '/telemetry/api/traces', headers: { authorization, host: 'traces.example' } })).statusCode
      t.same([await statusOf('Bearer secret'), await statusOf('Bearer wrong')], [200, 401])
      t.equal(telemetry.spans.length, 0)
    },
  },
  canary: {
    prelude: '',
    files: { 'app.ts': CANARY_APP },
    async check (t, { telemetry }) {
      t.same(telemetry.spans.map(({ attributes }) => attributes['http.response.status_code']), [200, 400, 400, 400, 400])
    },
  },
}

async function checkReport (t: Test, { app, telemetry }: Made): Promise<void> {
  const headers = (await app.inject('/report')).json()
  const [child, span] = await telemetry.waitForSpans(2)
  t.same([child?.name, child?.parentSpanId], ['collect rows', span?.spanId])
  t.equal(span?.attributes['app.report'], 'monthly')
  t.match(headers.traceparent, span?.traceId)
}

/** A key that only level 2 allows goes through. */
async function checkStrict (t: Test, { app }: Made, baggage: string | undefined): Promise<void> {
  app.get('/', async ({ telemetry }) => telemetry.inject({}))
  const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03', tracestate: '1@@=x', baggage: 'tenant=acme' }
  const passedOn = (await app.inject({ url: '/', headers })).json()
  t.match(passedOn.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-03$/)
  t.same([passedOn.tracestate, passedOn.baggage], ['1@@=x', baggage])
}

const isProgram = (block: CodeBlock): boolean => 'checkProgram' in (CASES[block.mark] ?? {})

const shownBlocks = blocks.filter(({ language }) => language === 'json')

const ourBlocks = blocks.filter(({ language, mark }) => (language === 'ts' || language === 'js') && mark !== 'before')

/** The block as modules of its own: what is around it before it, a free port, and what the test wants to see after it. */
function moduleTexts (block: CodeBlock): string[] {
  const known = CASES[block.mark]
  if (known === undefined || 'checkProgram' in known) return [block.code.replaceAll('port: 3000', 'port: 0')]
  // Schemas are constants with a capital.
  const made = ['app', 'telemetry', ...[...block.code.matchAll(/^const ([A-Z][a-z]\w*)/gm)].map(([, name]) => name)]
  return [known.prelude].flat().map((prelude) => `${prelude}${block.code}export { ${made.join(', ')} }\n`)
}

function extensionOf ({ language, code }: CodeBlock): string {
  return language === 'js' && code.includes('require(') ? 'cjs' : `m${language}`
}

t.test('every block has a mark that is known here, and every case its block', async (t) => {
  t.same(blocks.filter(({ language, mark }) => !isKnown(language, mark)).map(({ place, language, mark }) => `${place}: ${language} ${mark}`), [])
  t.same(ourBlocks.map(({ mark }) => mark).toSorted(), Object.keys(CASES).toSorted())
  t.same(shownBlocks.map(({ mark }) => mark).toSorted(), Object.keys(CASES).filter((mark) => 'shows' in CASES[mark]!).toSorted())
})

function isKnown (language: string, mark: string): boolean {
  switch (language) {
    case 'ts': return Object.hasOwn(CASES, mark)
    case 'js': return mark === 'before' || Object.hasOwn(CASES, mark)
    case 'json': return 'shows' in (CASES[mark] ?? {})
    case 'text': return mark === 'capture'
    case 'sh': return mark === ''
    default: return false
  }
}

t.test('code of other packages parses', async (t) => {
  const before = blocks.filter(({ mark }) => mark === 'before')
  t.ok(before.length > 0)
  t.same(before.flatMap(syntaxErrors), [])
})

t.test('the types of blocks are right', async (t) => {
  const files: Record<string, string> = Object.fromEntries(ourBlocks.flatMap((block) => [
    ...moduleTexts(block).map((text, index) => [`${block.mark}-${index}.${extensionOf(block)}`, text]),
    ...Object.entries((CASES[block.mark] as ModuleCase | undefined)?.files ?? {}),
  ]))
  const directory = t.testdir(files)
  t.same(typeErrors(root, Object.keys(files).map((file) => join(directory, file))), [])
})

for (const block of ourBlocks.filter((block) => !isProgram(block) && Object.hasOwn(CASES, block.mark))) {
  const { files = {}, check, shows } = CASES[block.mark] as ModuleCase
  moduleTexts(block).forEach((text, index) => t.test(`${block.place} does what it says (${block.mark} ${index})`, async (t) => {
    // Inside the package, so that its own name leads to the sources.
    const imported = Object.entries(files).map(([path, code]) => [path.replace(/\.ts$/, '.js'), toJavaScript(code)])
    const directory = t.testdir({ 'block.mjs': toJavaScript(text), ...Object.fromEntries(imported) as Record<string, string> })
    t.teardown(() => {
      trace.disable()
      propagation.disable()
      context.disable()
    })
    const made: Made = await import(pathToFileURL(join(directory, 'block.mjs')).href)
    t.teardown(() => made.app.close())
    await check?.(t, made)
    if (shows === undefined) return
    const actual = await shows(made)
    const shown: unknown = JSON.parse(shownBlocks.find(({ mark }) => mark === block.mark)!.code)
    // Of a text the order counts too.
    if (typeof actual === 'string') t.equal(actual, JSON.stringify(shown))
    else t.same(actual, shown)
  }))
}

t.test('programs', async (t) => {
  // A project of its own, so that the package's name leads to an installed copy.
  const directory = t.testdir({ 'package.json': '{"private":true}' })
  installPackage(root, directory)
  for (const block of ourBlocks.filter(isProgram)) {
    await t.test(`${block.place} runs (${block.mark})`, async (t) => {
      const file = join(directory, `${block.mark}.${extensionOf(block)}`)
      writeFileSync(file, moduleTexts(block)[0]!)
      const receiver = await startOtlpReceiver()
      const program = runProgram([file], { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
      t.teardown(async () => {
        await program.end('SIGKILL')
        await receiver.close()
      })
      const [, port] = await program.waitFor(/http:\/\/\S+:(\d+)\n/)
      await (CASES[block.mark] as ProgramCase).checkProgram(t, program, Number(port), receiver)
    })
  }
})

t.test('the terminal capture is what the example server prints today, but for times and ids', async (t) => {
  const capture = blocks.find(({ mark }) => mark === 'capture')!
  for (const scene of capture.code.trimEnd().split(/\n\n/)) {
    const [command, ...lines] = scene.split('\n')
    const telemetry = createTestTelemetry()
    const app = await buildApp()
    const body = /-d '([^']*)'/.exec(command!)?.[1]
    await app.inject({
      method: body === undefined ? 'GET' : 'POST',
      url: /\$URL(\/[^\s"]*)/.exec(command!)![1]!,
      headers: Object.fromEntries([...command!.matchAll(/-H '([^:']+): ([^']*)'/g)].map(([, name, value]) => [name, value])),
      payload: body,
    })
    await app.close()
    const shown = lines.map((line) => line
      .replace(/^\d\d:\d\d:\d\d\.\d{3} {2}/, '')
      .replace(/ {2}trace [0-9a-f]{32}$/, '')
      .replace(/ {2}[\d.]+ m?s$/, ''))
    t.equal(telemetry.tree(), shown.join('\n'), command!)
    telemetry.release()
  }
})

/** Commands that are neither of npm's scripts nor installations. */
const COMMANDS = [
  'npm ci',
  'docker run --rm -p 16686:16686 -p 4317:4317 -p 4318:4318 cr.jaegertracing.io/jaegertracing/jaeger:2.21.0',
  'npx tap --disable-coverage test/flow/docs.test.ts',
]

t.test('commands exist, and what is installed fits', async (t) => {
  const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ code }) => code.trim().split(/\n| && /))
  // Scripts are named in running text too.
  const named = documents.flatMap(({ prose }) => [...prose.matchAll(/`(npm (?:run [\w:-]+|start|test))`/g)].map(([, command]) => command!))
  for (const command of [...commands, ...named]) {
    const script = /^(?:OTEL_\w+=\S+ )?npm (?:run ([\w:-]+)|(start|test))$/.exec(command)
    if (script !== null) t.ok(Object.hasOwn(manifest.scripts, script[1] ?? script[2]!), command)
    else if (command.startsWith('npm i ')) checkInstallation(t, command.split(' ').slice(2))
    else t.ok(COMMANDS.includes(command), command)
  }
  const lines = commands.filter((command) => command.includes('@opentelemetry/'))
  const needed = Object.keys(manifest.peerDependencies).filter((name) => name.startsWith('@opentelemetry/') && !/exporter-metrics|-proto$/.test(name))
  t.equal(lines.length, 2)
  for (const line of lines) t.same(line.split(' ').slice(2).map((item) => item.replace(/@[\d.]+$/, '')).toSorted(), needed.toSorted(), 'all that configure() needs')
})

function checkInstallation (t: Test, items: string[]): void {
  const allowed: Record<string, string> = { ...manifest.peerDependencies, ...manifest.dependencies }
  for (const item of items) {
    const at = item.lastIndexOf('@')
    if (item === manifest.name) continue
    t.ok(at > 0, `${item} has a version`)
    const name = item.slice(0, at)
    t.ok(allowed[name] !== undefined && allows(allowed[name], item.slice(at + 1)), `${item} fits ${allowed[name]}`)
  }
}

/** Whether versions that begin with `prefix` (`2.12`) are in a range made of `^`, `>=`, `<` and `||`. */
function allows (range: string, prefix: string): boolean {
  const [major, minor = Infinity] = prefix.split('.').map(Number) as [number, number?]
  return range.split('||').some((alternative) => {
    const [, sign, ...numbers] = /^(\^|>=)?(\d+)\.(\d+)\.\d+(?: <(\d+))?$/.exec(alternative.trim()) ?? []
    const [fromMajor, fromMinor, below = sign === '>=' ? Infinity : Number(numbers[0]) + 1] = numbers.filter((text) => text !== undefined).map(Number) as [number, number, number?]
    if (major === 0 || sign === undefined) return major === fromMajor && minor === fromMinor
    return major < below && (major > fromMajor || (major === fromMajor && minor >= fromMinor))
  })
}

t.test('the tables of options list what the schemas have', async (t) => {
  const optionsUnder = (heading: string): string[] =>
    firstColumn(readme.tables.filter((table) => table.heading === heading && table.columns[0] === 'Option')).toSorted()
  t.same(optionsUnder('Options of the plugin'), Object.keys(optionsSchema.properties).toSorted())
  t.same(optionsUnder('Options of a route'), Object.keys(routeOptionsSchema.properties).toSorted())
  t.same(optionsUnder('`configure()`'), Object.keys(configureOptionsSchema.properties).toSorted())
})

t.test('the tables of attributes list what semconv.ts has', async (t) => {
  const emitted = Object.entries<unknown>(semconv)
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && !/^(?:SCOPE_|SCHEMA_)/.test(entry[0]))
  const isValue = ([name]: [string, string]) => name === 'HTTP_METHOD_OTHER' || name.startsWith('ERROR_TYPE_')
  const tables = readme.tables.filter(({ heading }) => heading === 'Attributes, spans and metrics')
  t.same(firstColumn(tables).toSorted(), emitted.filter((entry) => !isValue(entry)).map(([, name]) => name).toSorted())
  const cells = JSON.stringify(tables)
  for (const [, value] of emitted.filter(isValue)) t.ok(cells.includes(`\`${value}\``), value)
})

t.test('the table of limits has the defaults and ranges of the source', async (t) => {
  const table = documents.flatMap(({ tables }) => tables).find(({ columns }) => columns[0] === 'Limit')!
  const numberOf = (text: string): number => Number(text.replaceAll(',', ''))
  t.same(table.rows.map(([name, value, range]) => [name!.replaceAll('`', ''), numberOf(value!), range!.split(' to ').map(numberOf)]),
    Object.entries(LIMIT_RANGES).map(([name, range]) => [name, DEFAULT_LIMITS[name as keyof Limits], [...range]]))
  const option = readme.tables.flatMap(({ rows }) => rows).find(([name]) => name === '`limits`')!
  t.same([...option[3]!.matchAll(/`(max\w+)`/g)].map(([, name]) => name), Object.keys(LIMIT_RANGES))
})

t.test('what the package exports, and the codes of its errors, are in the README', async (t) => {
  const imported = readme.blocks.map(({ code }) => code).join('')
  for (const name of Object.keys(doors).filter((name) => name !== 'default')) t.ok(imported.includes(name), name)
  const codes = readFileSync(join(root, 'lib/error-codes.ts'), 'utf8').match(/FST_SCHEMA_TELEMETRY_\w+/g)!
  for (const code of codes) t.ok(readme.prose.includes(`\`${code}\``), code)
})

t.test('the fault matrix lists what the tests prove', async (t) => {
  const { tables } = documents.find(({ path }) => path === 'docs/reliability.md')!
  const matrix = tables.find(({ columns }) => columns[0] === 'The collector')!
  const lostOf = (fate: FaultCase['fate']) => fate === 'delivered' ? '0' : fate === 'waits' ? '0 once it is back; else all' : fate.refused === SPANS ? 'all' : `the ${fate.refused} rejected`
  t.same(matrix.rows.map(([name, , lost]) => [name, lost]), faultCases().map(({ name, fate }) => [name, lostOf(fate)]))
})

t.test('the variables in the README are those that are read', async (t) => {
  const asked = new Set<string>()
  readEnvironment(new Proxy({}, { get: (_env, name) => { asked.add(String(name)) } }), () => {})
  const listed = firstColumn(readme.tables.filter(({ heading, columns }) => heading === '`configure()`' && columns[0] === 'Variable'))
  // Asked for with their value only.
  const known = new Set([...asked, 'OTEL_TRACES_SAMPLER_ARG'])
  t.same(listed.filter((name) => name.startsWith('OTEL_') && !known.has(name) && name !== 'OTEL_RESOURCE_ATTRIBUTES'), [])
  t.same([...known].filter((name) => !listed.includes(name) && !/_OTLP_(?:TRACES_|METRICS_|\w*(?:HEADERS|TIMEOUT))/.test(name)), [])
})

t.test('every door of the package is in the README', async (t) => {
  for (const door of Object.keys(manifest.exports)) {
    if (door === './package.json') continue
    t.match(readme.blocks.map(({ code }) => code).join(''), `'${manifest.name}${door.slice(1)}'`)
  }
  t.equal(manifest.version, semconv.SCOPE_VERSION)
  t.ok(documents.find(({ path }) => path === 'CHANGELOG.md')!.headings.some((heading) => heading.startsWith(manifest.version)))
})

t.test('links between the documents lead somewhere', async (t) => {
  for (const { path, prose } of documents) {
    for (const [, target, anchor] of prose.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const file = target === '' ? path : join(dirname(path), target!)
      t.ok(existsSync(join(root, file)), `${path}: ${target}`)
      if (anchor !== undefined) t.ok(documents.find((document) => document.path === file)?.headings.map(toAnchor).includes(anchor), `${path}: ${target}#${anchor}`)
    }
    for (const [, picture] of prose.matchAll(/ src(?:set)?="([^"]*)"/g)) t.ok(existsSync(join(root, dirname(path), picture!)), `${path}: ${picture}`)
  }
})

function toAnchor (heading: string): string {
  return heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')
}
