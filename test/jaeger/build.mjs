/**
 * Builds a real Jaeger for the tests, once for each go.sum, into a cache outside the checkout.
 * The last line on stdout is the path of the binary; what happens is said on stderr. Exit code 3: Go is missing.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MODULE = 'github.com/jaegertracing/jaeger/cmd/jaeger'
const GO_IS_MISSING = 3

const here = dirname(fileURLToPath(import.meta.url))
const cacheRoot = process.env.FST_CACHE || process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
const key = createHash('sha256').update(readFileSync(join(here, 'go.sum'))).digest('hex').slice(0, 16)
const binary = join(cacheRoot, 'fastify-schema-telemetry', `jaeger-${key}`, 'jaeger')

if (!isExecutable(binary)) build()
console.log(binary)

function isExecutable (path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function build () {
  if (spawnSync('go', ['version']).error !== undefined) {
    console.error('Jaeger is built with Go, and there is no "go" command here: install Go to run the tests that need a real Jaeger')
    process.exit(GO_IS_MISSING)
  }
  console.error('building Jaeger 2.2 with Go, about four minutes the first time')
  mkdirSync(dirname(binary), { recursive: true })
  // Built beside its place and renamed, so that nobody who runs at the same time starts half a binary.
  const unfinished = `${binary}.${process.pid}`
  const go = spawnSync('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', unfinished, MODULE], {
    cwd: here,
    // The same binary with and without a C compiler on the machine.
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 2, 2],
  })
  if (go.status !== 0) {
    rmSync(unfinished, { force: true })
    console.error(`go build failed (${go.error?.message ?? go.signal ?? `exit code ${go.status}`}), no Jaeger`)
    process.exit(1)
  }
  renameSync(unfinished, binary)
}
