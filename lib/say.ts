import { diag } from '@opentelemetry/api'
import { SCOPE_NAME } from './semconv.ts'

/** Says a line through the API's `diag`, for what is said once and is no failure; see `guard.ts` for those. */
export function say (line: string): void {
  try {
    diag.warn(`${SCOPE_NAME}: ${line}`)
  } catch {
    // A diagnostics logger that throws has nobody left to tell.
  }
}
