/**
 * The flow tests from outside: packs the package, installs the tarball into an application on one of the OpenTelemetry lines and
 * runs the flow tests and the checks of the package's shapes there, with the Node that runs this script.
 *
 *     node test/consumer/run.mjs [otel-3 | otel-2 | otel-2-lowest]
 *
 * Flow test files whose first line is "// repository only" need more than the package and are left out; so are those that begin with "// latest versions only"
 * where the lowest versions are installed.
 * Fails when a test fails and when one is skipped. KEEP_CONSUMER=1 leaves the application's folder for a look.
 */
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Of each program that is run. */
const LIMITS = { encoding: 'utf8', timeout: 300_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 }

const consumers = dirname(fileURLToPath(import.meta.url))
const root = join(consumers, '../..')
const [line = 'otel-3', ...rest] = process.argv.slice(2)
if (rest.length > 0 || !existsSync(join(consumers, line, 'package-lock.json'))) {
  stop(`usage: node test/consumer/run.mjs [${readdirSync(consumers).filter((name) => name.startsWith('otel-')).join(' | ')}]`)
}
refuseOldNode()

const home = realpathSync(mkdtempSync(join(tmpdir(), `fastify-schema-telemetry-${line}-`)))
process.once('exit', () => {
  if (process.env.KEEP_CONSUMER === '1') console.log(`kept: ${home}`)
  else rmSync(home, { recursive: true, force: true })
})
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const app = join(home, 'app')
console.log(`${line} on Node ${process.versions.node}`)
step('build', () => npm(root, 'run', 'build', '--silent'))
const tarball = step('pack', () => npm(root, 'pack', '--ignore-scripts', '--silent', '--pack-destination', home).trim().split('\n').at(-1))
cpSync(join(consumers, line), app, { recursive: true })
for (const folder of ['flow', 'helpers', 'standards', 'w3c']) cpSync(join(root, 'test', folder), join(app, 'test', folder), { recursive: true })
cpSync(join(consumers, 'shapes'), join(app, 'shapes'), { recursive: true })
step('npm ci', () => npm(app, 'ci', '--ignore-scripts', '--silent'))
step('install the tarball', () => npm(app, 'install', '--no-save', '--ignore-scripts', '--silent', join(home, tarball)))

const failed = [...await runFlowTests(), ...runShapes()].filter((isGood) => !isGood).length
console.log(failed === 0 ? `${line} on Node ${process.versions.node}: all passed` : `${line} on Node ${process.versions.node}: ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function isLeftOut (source) {
  return source.startsWith('// repository only') || (line.endsWith('-lowest') && source.startsWith('// latest versions only'))
}

/** Two at a time: they wait more than they work. */
async function runFlowTests () {
  const files = readdirSync(join(app, 'test/flow')).filter((name) => name.endsWith('.test.ts'))
    .filter((name) => !isLeftOut(readFileSync(join(app, 'test/flow', name), 'utf8')))
  if (files.length === 0) stop('no flow test to run: every file is for the repository only')
  const toProgram = process.features.typescript ? (name) => `test/flow/${name}` : stripTypes(files)
  const results = []
  const rest = files.values()
  const runRest = async () => { for (const name of rest) results.push(await runFlowTest(name, toProgram(name))) }
  await Promise.all([runRest(), runRest()])
  return results
}

async function runFlowTest (name, program) {
  const start = performance.now()
  // Nothing of a tap run that this script may be part of must reach the tests: they are plain processes here.
  const { output, status } = await runBeside(process.execPath, [program], app, /^(?:TAP|_TAPJS|NODE_|OTEL_|npm_)/)
  const lines = output.match(/^ *(?:not )?ok \d+.*$/gm) ?? []
  const passed = lines.filter((line) => /^ *ok/.test(line) && !/# (?:SKIP|TODO)/i.test(line)).length
  const skipped = lines.filter((line) => /# (?:SKIP|TODO)/i.test(line)).length
  const isGood = status === 0 && skipped === 0 && passed > 0
  if (!isGood) console.log(output)
  return say(isGood, `test/flow/${name}`, `${passed} ok, ${lines.length - passed - skipped} not ok, ${skipped} skipped${status === 0 ? '' : `, ended with ${status}`}`, start)
}

/** For a Node that cannot do it itself, such as 20: what tsc leaves when it only takes the types away. */
function stripTypes (files) {
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      target: 'es2023',
      module: 'nodenext',
      types: ['node'],
      noCheck: true,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
      rootDir: 'test',
      outDir: 'compiled',
    },
    files: files.map((name) => `test/flow/${name}`),
  }))
  const { output, status } = run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], app, /^NODE_/)
  if (status !== 0) stop(`the flow tests do not compile:\n${output}`)
  return (name) => `compiled/flow/${name.replace(/\.ts$/, '.js')}`
}

/** The shapes in which the package can be loaded: each a program that says nothing when all is well. */
function runShapes () {
  const tsc = join(app, 'node_modules/typescript/bin/tsc')
  const steps = [
    ['require() in CommonJS', ['shapes/require.cjs']],
    ['import in ESM', ['shapes/import.mjs']],
    // Library checks stay on: a type of ours that does not compile at the user's is our fault.
    ['types in ESM, nodenext', [tsc, '-p', 'shapes/typescript-esm']],
    ['compiled ESM runs', ['shapes/typescript-esm/out/app.js']],
    ['types in CommonJS, node16', [tsc, '-p', 'shapes/typescript-commonjs']],
    ['compiled CommonJS runs', ['shapes/typescript-commonjs/out/app.js']],
    ['types in a bundler\'s resolution', [tsc, '-p', 'shapes/typescript-bundler']],
  ]
  return steps.map(([name, args]) => {
    const start = performance.now()
    const { output, status } = run(process.execPath, args, app, /^(?:NODE_|OTEL_|npm_)/)
    if (status !== 0) console.log(output)
    return say(status === 0, name, status === 0 ? 'ok' : `ended with ${status}`, start)
  })
}

function step (name, act) {
  const start = performance.now()
  const result = act()
  say(true, name, 'done', start)
  return result
}

function say (isGood, name, detail, start) {
  console.log(`${isGood ? 'pass' : 'FAIL'}  ${name}: ${detail} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  return isGood
}

/** npm under this Node, whatever `npm` in the path would run under: it resolves and checks engines by the Node that it runs on. */
function npm (cwd, ...args) {
  const { output, status, stdout } = run(process.execPath, [findNpm(), ...args, '--no-audit', '--no-fund'], cwd, /^npm_(?!config_(?:registry|cache|userconfig|fetch_))/)
  if (status !== 0) stop(`npm ${args.join(' ')} ended with ${status}:\n${output}`)
  return stdout
}

function findNpm () {
  const candidates = [process.env.npm_execpath, ...(process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'npm'))]
  const found = candidates.find((path) => path && existsSync(path) && /npm-cli\.js$/.test(realpathSync(path)))
  return found === undefined ? stop('no npm in the path') : realpathSync(found)
}

function run (command, args, cwd, withoutVariables) {
  const { stdout, stderr, status, signal, error } = spawnSync(command, args, { cwd, env: envWithout(withoutVariables), ...LIMITS })
  return { stdout, output: `${stdout}${stderr}${error === undefined ? '' : error.message}`, status: status ?? signal ?? 'an error' }
}

function runBeside (command, args, cwd, withoutVariables) {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env: envWithout(withoutVariables), ...LIMITS }, (error, stdout, stderr) => {
      resolve({ output: `${stdout}${stderr}`, status: error === null ? 0 : error.code ?? error.signal ?? 'an error' })
    })
  })
}

function envWithout (variables) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !variables.test(name)))
  // What is started by name, such as the scripts of a build, runs on the same Node.
  env.PATH = [dirname(process.execPath), env.PATH].join(delimiter)
  return env
}

function refuseOldNode () {
  const { engines } = JSON.parse(readFileSync(join(consumers, line, 'package.json'), 'utf8'))
  const lowest = engines.node.replace('>=', '')
  if (process.versions.node.localeCompare(lowest, 'en', { numeric: true }) < 0) stop(`${line} needs Node ${lowest} or later; this is ${process.versions.node}`)
}

function stop (message) {
  console.error(message)
  process.exit(1)
}
