import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { runProgram } from '../helpers/program.ts'

t.setTimeout(120_000)

const { resolve } = createRequire(import.meta.url)
/** The package as it is published: its manifest and what was built. */
const home = dirname(resolve('fastify-schema-telemetry/package.json'))
const scope = dirname(homeOf('@opentelemetry/api'))

const NEEDED = {
  configure: ['api', 'context-async-hooks', 'core', 'exporter-trace-otlp-http', 'resources', 'sdk-metrics', 'sdk-trace'],
  testing: ['api', 'context-async-hooks', 'core', 'sdk-trace'],
}
type Door = keyof typeof NEEDED

const isOn3 = versionOf('core').startsWith('3.')
const RANGE = isOn3 ? { api: '1.10', sdk: '3.1', exporters: '0.301' } : { api: '1.9', sdk: '2.12', exporters: '0.223' }

function homeOf (name: string): string {
  const folder = createRequire(join(home, 'package.json')).resolve.paths(name)!.map((path) => join(path, name)).find((path) => {
    try {
      return readdirSync(path).length > 0
    } catch {
      return false
    }
  })
  return realpathSync(folder!)
}

function versionOf (name: string): string {
  return JSON.parse(readFileSync(join(scope, name, 'package.json'), 'utf8')).version
}

function item (name: string): string {
  return `@opentelemetry/${name}@${name === 'api' ? RANGE.api : name.startsWith('exporter') ? RANGE.exporters : RANGE.sdk}`
}

/** An application with a copy of this package and only some of the others, outside of any folder whose packages it would find. */
function createApplication (t: Test, installed: string[]): string {
  const app = realpathSync(mkdtempSync(join(tmpdir(), 'fastify-schema-telemetry-doors-')))
  t.teardown(() => rmSync(app, { recursive: true, force: true }))
  const modules = join(app, 'node_modules')
  const copy = join(modules, 'fastify-schema-telemetry')
  mkdirSync(join(modules, '@opentelemetry'), { recursive: true })
  mkdirSync(join(modules, '@sinclair'))
  for (const part of ['package.json', 'dist/esm', 'dist/cjs']) cpSync(join(home, part), join(copy, part), { recursive: true, filter: (file) => !/\.(?:map|d\.ts)$/.test(file) })
  for (const name of ['fastify-plugin', '@sinclair/typebox', 'fastify']) symlinkSync(homeOf(name), join(modules, name))
  for (const name of installed) symlinkSync(join(scope, name), join(modules, '@opentelemetry', name))
  return app
}

const PROGRAM = `
function tell (error) {
  console.log(JSON.stringify({ name: error.name, code: error.code, message: error.message, cause: error.cause?.code ?? error.cause?.name }))
}
`

/** Opens a door in a process of its own, and returns what was thrown there; `undefined` when nothing was. */
async function openDoor (app: string, door: Door | '', format: 'mjs' | 'cjs'): Promise<Record<string, string> | undefined> {
  const name = `fastify-schema-telemetry${door === '' ? '' : `/${door}`}`
  const file = join(app, `open.${format}`)
  writeFileSync(file, format === 'mjs'
    ? `${PROGRAM}try { await import('${name}'); console.log('null') } catch (error) { tell(error) }`
    : `${PROGRAM}try { require('${name}'); console.log('null') } catch (error) { tell(error) }`)
  const program = runProgram([file])
  await program.end()
  // Node.js 20 also writes some of what a CommonJS file throws to standard error, though it is caught.
  return JSON.parse(/^(?:null|\{.*\})$/m.exec(program.output())![0]) ?? undefined
}

t.test('a package that is missing is named, with what to install of the line that is there', async (t) => {
  for (const door of ['configure', 'testing'] as const) {
    const app = createApplication(t, NEEDED[door])
    for (const name of NEEDED[door]) {
      const place = join(app, 'node_modules/@opentelemetry', name)
      rmSync(place)
      const told = {
        name: 'TelemetryError',
        code: 'FST_SCHEMA_TELEMETRY_MISSING_PACKAGE',
        message: `fastify-schema-telemetry/${door} needs @opentelemetry/${name}, which is not installed. Install it: npm i ${item(name)}`,
      }
      const [module, commonJs] = await Promise.all([openDoor(app, door, 'mjs'), openDoor(app, door, 'cjs')])
      t.same(module, { ...told, cause: 'ERR_MODULE_NOT_FOUND' }, `import of ${door} without ${name}`)
      t.same(commonJs, { ...told, cause: 'MODULE_NOT_FOUND' }, `require of ${door} without ${name}`)
      symlinkSync(join(scope, name), place)
    }
  }
})

t.test('several that are missing are one line; with none installed it is one for each line', async (t) => {
  const app = createApplication(t, ['api', 'core', 'sdk-trace'])
  for (const format of ['mjs', 'cjs'] as const) {
    t.match(await openDoor(app, 'configure', format), {
      message: new RegExp(` needs @opentelemetry/\\S+ and 3 other packages, which are not installed. Install them: npm i ${['resources', 'sdk-metrics', 'context-async-hooks', 'exporter-trace-otlp-http'].map(item).join(' ')}$`),
    })
    const bare = createApplication(t, ['api'])
    t.match(await openDoor(bare, 'configure', format), {
      code: 'FST_SCHEMA_TELEMETRY_MISSING_PACKAGE',
      message: /Install one line: npm i @opentelemetry\/api@1\.9 @opentelemetry\/sdk-trace@2\.12 .*@0\.223 \(2\.x\), or npm i @opentelemetry\/api@1\.10 @opentelemetry\/sdk-trace@3\.1 .*@0\.301 \(3\.x, Node\.js 22\.15 and later\)$/,
    })
  }
})

t.test('with what it needs each door opens, with the same names in both formats; the plugin needs the API only', async (t) => {
  const only = createApplication(t, ['api'])
  for (const format of ['mjs', 'cjs'] as const) t.equal(await openDoor(only, '', format), undefined)
  for (const door of ['configure', 'testing'] as const) {
    const app = createApplication(t, NEEDED[door])
    for (const format of ['mjs', 'cjs'] as const) t.equal(await openDoor(app, door, format), undefined)
    writeFileSync(join(app, 'names.mjs'), `
import { createRequire } from 'node:module'
import * as behind from './node_modules/fastify-schema-telemetry/dist/esm/lib/${door}/index.js'
import * as door from 'fastify-schema-telemetry/${door}'
const required = createRequire(import.meta.url)('fastify-schema-telemetry/${door}')
console.log(JSON.stringify([Object.keys(behind), Object.keys(door), Object.keys(required).sort(), Object.keys(behind).every((name) => behind[name] === door[name])]))`)
    const program = runProgram([join(app, 'names.mjs')])
    await program.end()
    const [behind, ...others] = JSON.parse(program.output())
    t.ok(behind.length > 0)
    t.same(others, [behind, behind, true])
  }
})

t.test('bundlers, which have the condition "module", are led past the doors, to what does not wait at its top level', async (t) => {
  const app = createApplication(t, NEEDED.configure)
  writeFileSync(join(app, 'where.cjs'), "console.log(JSON.stringify(['configure', 'testing'].map((door) => require.resolve('fastify-schema-telemetry/' + door))))")
  const program = runProgram(['--conditions=module', join(app, 'where.cjs')])
  await program.end()
  const dist = join(app, 'node_modules/fastify-schema-telemetry/dist/esm/lib')
  t.same(JSON.parse(program.output()), [join(dist, 'configure/index.js'), join(dist, 'testing/index.js')])
  for (const file of JSON.parse(program.output())) t.notMatch(readFileSync(file, 'utf8'), /^(?:const .*= )?await /m)
})

t.test('other errors pass as they are', async (t) => {
  const missing = createApplication(t, NEEDED.configure)
  rmSync(join(missing, 'node_modules/@sinclair/typebox'))
  // Has the names of the real one, which imports of ES modules look for first.
  const asReal = `module.exports = require(${JSON.stringify(join(scope, 'core'))})\n`
  const broken = createApplication(t, NEEDED.configure.filter((name) => name !== 'core'))
  writePackage(broken, 'core', { version: versionOf('core') }, `${asReal}throw new RangeError('of its own')`)
  const incomplete = createApplication(t, NEEDED.configure.filter((name) => name !== 'core'))
  writePackage(incomplete, 'core', { version: versionOf('core') }, `${asReal}require('@opentelemetry/not-ours')`)
  for (const format of ['mjs', 'cjs'] as const) {
    t.match(await openDoor(missing, 'configure', format), { name: 'Error', code: /^(?:ERR_)?MODULE_NOT_FOUND$/, message: /typebox/ })
    t.match(await openDoor(broken, 'configure', format), { name: 'RangeError', message: 'of its own' })
    t.match(await openDoor(incomplete, 'configure', format), { name: 'Error', code: 'MODULE_NOT_FOUND', message: /not-ours/ })
  }
})

t.test('a name that the other OpenTelemetry line does not have is told as what it is', async (t) => {
  const app = createApplication(t, NEEDED.configure.filter((name) => !name.startsWith('exporter')))
  const other = isOn3 ? '0.223.0' : '0.301.0'
  writePackage(app, 'exporter-trace-otlp-http', { version: other, type: 'module' }, "import { ofTheOtherLine } from '@opentelemetry/core'\nexport const OTLPTraceExporter = ofTheOtherLine")
  t.match(await openDoor(app, 'configure', 'mjs'), {
    code: 'FST_SCHEMA_TELEMETRY_MIXED_LINES',
    message: `two OpenTelemetry lines are installed: @opentelemetry/api ${versionOf('api')}, `,
    cause: 'SyntaxError',
  })
  // Of one line it is an error like any other.
  writePackage(app, 'exporter-trace-otlp-http', { version: isOn3 ? '0.301.0' : '0.223.0', type: 'module' }, "import { ofNoLine } from '@opentelemetry/core'\nexport const OTLPTraceExporter = ofNoLine")
  t.match(await openDoor(app, 'configure', 'mjs'), { name: 'SyntaxError', message: /ofNoLine/ })
})

function writePackage (app: string, name: string, manifest: object, code: string): void {
  const folder = join(app, 'node_modules/@opentelemetry', name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `@opentelemetry/${name}`, main: 'index.js', ...manifest }))
  writeFileSync(join(folder, 'index.js'), code)
}

t.test('an exporter that is loaded when it is needed is named when it is, and the application runs on', async (t) => {
  const app = createApplication(t, NEEDED.configure)
  writeFileSync(join(app, 'run.mjs'), `
import { configure } from 'fastify-schema-telemetry/configure'
const telemetry = configure({ serviceName: 'x', flushTimeoutMillis: 500, endpoint: 'http://127.0.0.1:1' })
telemetry.tracerProvider.getTracer('x').startSpan('x').end()
await telemetry.shutdown()
console.log('ran on')`)
  for (const [env, name] of [
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }, 'exporter-trace-otlp-proto'],
    [{ OTEL_METRICS_EXPORTER: 'otlp' }, 'exporter-metrics-otlp-http'],
    [{ OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf' }, 'exporter-metrics-otlp-proto'],
  ] as const) {
    // So that the exporter that is there does not try again by itself, which would keep the process.
    const program = runProgram([join(app, 'run.mjs')], { OTEL_EXPORTER_OTLP_TIMEOUT: '300', ...env })
    t.equal(await program.end(), 0)
    const lines = program.output().split('\n').filter((line) => line.includes('cannot be loaded'))
    t.equal(lines.length, 1, program.output())
    t.match(lines[0], new RegExp(`^fastify-schema-telemetry: @opentelemetry/${name} cannot be loaded, .* Install it: npm i ${item(name)}$`))
    t.match(program.output(), 'ran on')
  }
})
