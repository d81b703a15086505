import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TelemetryError } from './error-codes.ts'
import { installEitherLine, installLine, lineOf, NEEDED_PACKAGES, type Door, type Line } from './install-lines.ts'
import { SCOPE_NAME } from './semconv.ts'

/** A package that cannot be found: by its name, not by a path. */
const MISSING = /^Cannot find (?:package|module) '(@opentelemetry\/[^/']+)'/

/**
 * Makes of the error of a door that does not open what the user can do about it: `FST_SCHEMA_TELEMETRY_MISSING_PACKAGE` when a package of OpenTelemetry is not
 * installed, `FST_SCHEMA_TELEMETRY_MIXED_LINES` when a name is missing in one since packages of both lines are. Any other error is returned as it is.
 *
 * @param searchPaths - the folders in which a package is looked for: `require.resolve.paths` of the door
 */
export function explainImportError (error: unknown, door: Door, searchPaths: (name: string) => string[] | null): unknown {
  const { code, message } = (error ?? {}) as { code?: unknown, message?: unknown }
  const needed: readonly string[] = NEEDED_PACKAGES[door]
  const [, missing] = (/MODULE_NOT_FOUND$/.test(String(code)) && MISSING.exec(String(message))) || []
  if (missing !== undefined && needed.includes(missing)) return missingPackage(error, door, missing, installedVersions(needed, searchPaths))
  if (error instanceof SyntaxError && error.message.includes("'@opentelemetry/")) {
    const versions = installedVersions(needed, searchPaths)
    if (linesOf(versions).size > 1) return mixedLines(`${SCOPE_NAME}/${door}`, versions, door, error)
  }
  return error
}

function missingPackage (cause: unknown, door: Door, name: string, versions: Map<string, string>): TelemetryError {
  const others = NEEDED_PACKAGES[door].filter((other) => other !== name && !versions.has(other))
  const names = others.length === 0 ? `${name}, which is` : `${name} and ${others.length === 1 ? others[0] : `${others.length} other packages`}, which are`
  // The API alone fits both lines.
  const lines = linesOf(new Map([...versions].filter(([installed]) => installed !== '@opentelemetry/api')))
  const [line] = lines
  const way = line === undefined || lines.size > 1
    ? installEitherLine(door)
    : `Install ${others.length === 0 ? 'it' : 'them'}: ${installLine(line, NEEDED_PACKAGES[door].filter((needed) => needed === name || others.includes(needed)))}`
  return new TelemetryError('FST_SCHEMA_TELEMETRY_MISSING_PACKAGE', `${SCOPE_NAME}/${door} needs ${names} not installed. ${way}`, { cause })
}

/** @param where - what found it */
export function mixedLines (where: string, versions: ReadonlyMap<string, string>, door: Door, cause?: unknown): TelemetryError {
  const found = [...versions].map((entry) => entry.join(' ')).join(', ')
  return new TelemetryError('FST_SCHEMA_TELEMETRY_MIXED_LINES', `${where}: packages of two OpenTelemetry lines are installed: ${found}. ${installEitherLine(door)}`,
    cause === undefined ? undefined : { cause })
}

function linesOf (versions: ReadonlyMap<string, string>): Set<Line> {
  return new Set([...versions].flatMap(([name, version]) => lineOf(name, version) ?? []))
}

/** Read from the manifests, which packages need not export; those that are not found are left out. */
function installedVersions (names: readonly string[], searchPaths: (name: string) => string[] | null): Map<string, string> {
  const versions = new Map<string, string>()
  for (const name of names) {
    for (const path of searchPaths(name) ?? []) {
      try {
        const { version } = JSON.parse(readFileSync(join(path, name, 'package.json'), 'utf8')) as { version: unknown }
        versions.set(name, String(version))
        break
      } catch {
        // Not here.
      }
    }
  }
  return versions
}
