import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api'
import { createRarely } from '../rarely.ts'
import { apiGlobals } from './api-globals.ts'
import type { Environment } from './environment.ts'

/**
 * Makes warnings and errors of OpenTelemetry and of this package visible, one line each and the same one at most once a minute, unless the
 * application has a diagnostics logger of its own.
 *
 * @param level - what is said; OTEL_LOG_LEVEL
 */
export function installDiagLogger (write: (line: string) => void, level: Environment['logLevel'] = 'warn', now?: () => number): void {
  if (apiGlobals()?.diag !== undefined) return
  const mayPass = createRarely(now)

  function say (...words: unknown[]): void {
    const line = words.map(String).join(' ').replace(/\s*\n[^]*/, '').slice(0, 500)
    if (mayPass(line.slice(0, 80))) write(`${line}\n`)
  }

  // The level keeps away what is less than wanted.
  const logger: DiagLogger = { error: say, warn: say, info: say, debug: say, verbose: say }
  diag.setLogger(logger, { logLevel: DiagLogLevel[level.toUpperCase() as keyof typeof DiagLogLevel], suppressOverrideMessage: true })
}
