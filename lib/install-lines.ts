/** The OpenTelemetry lines that one code serves. Their packages do not fit one another. */
export type Line = '2.x' | '3.x'

/** What to install of each line: these versions are tested. No `^`, which some shells take for themselves. */
const VERSIONS: Record<Line, { api: string, sdk: string, exporters: string }> = {
  '2.x': { api: '1.9', sdk: '2.12', exporters: '0.223' },
  '3.x': { api: '1.10', sdk: '3.1', exporters: '0.301' },
}

const isExporter = (name: string): boolean => name.startsWith('@opentelemetry/exporter-')

/** The packages that doors of this package import as soon as they are opened. */
export const NEEDED_PACKAGES = {
  configure: [
    '@opentelemetry/api', '@opentelemetry/sdk-trace', '@opentelemetry/core', '@opentelemetry/resources', '@opentelemetry/sdk-metrics',
    '@opentelemetry/context-async-hooks', '@opentelemetry/exporter-trace-otlp-http',
  ],
  testing: ['@opentelemetry/api', '@opentelemetry/sdk-trace', '@opentelemetry/core', '@opentelemetry/context-async-hooks'],
} as const

export type Door = keyof typeof NEEDED_PACKAGES

/** The command that installs packages of one line. */
export function installLine (line: Line, names: readonly string[]): string {
  const { api, sdk, exporters } = VERSIONS[line]
  return `npm i ${names.map((name) => `${name}@${name === '@opentelemetry/api' ? api : isExporter(name) ? exporters : sdk}`).join(' ')}`
}

/** The commands for all that a door needs, to choose from. */
export function installEitherLine (door: Door): string {
  const names = NEEDED_PACKAGES[door]
  return `Install one line: ${installLine('2.x', names)} (2.x), or ${installLine('3.x', names)} (3.x, Node.js 22.15 and later)`
}

/** The line that a package is of; `undefined` when its version fits both, or neither. */
export function lineOf (name: string, version: string): Line | undefined {
  const [major, minor] = version.split('.', 2).map(Number) as [number, number]
  if (name === '@opentelemetry/api') return major === 1 && minor < 10 ? '2.x' : undefined
  if (isExporter(name)) return minor < 300 ? '2.x' : '3.x'
  return major === 2 ? '2.x' : major === 3 ? '3.x' : undefined
}
