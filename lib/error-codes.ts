/**
 * Errors of the set-up phase. A request never sees one: at run time failures go to the guard.
 * Codes are part of the public contract and are never reused for another meaning.
 */
export type TelemetryErrorCode =
  /** An option has a value of the wrong type or outside its list. */
  | 'FST_SCHEMA_TELEMETRY_INVALID_OPTION'
  /** There is no option of that name. */
  | 'FST_SCHEMA_TELEMETRY_UNKNOWN_OPTION'
  /** `redact`, `omit` or `asAttribute` was called with something that is no JSON Schema, or no attribute name. */
  | 'FST_SCHEMA_TELEMETRY_INVALID_ANNOTATION'
  /** A route's schema has a keyword or an annotation that cannot be compiled into what to record. */
  | 'FST_SCHEMA_TELEMETRY_INVALID_SCHEMA'
  /** Packages of both OpenTelemetry lines are installed; the message has the line to install. */
  | 'FST_SCHEMA_TELEMETRY_MIXED_LINES'
  /** A package that `./configure` or `./testing` needs is not installed; the message has the line to install, `cause` is the original error. */
  | 'FST_SCHEMA_TELEMETRY_MISSING_PACKAGE'

/** Error with a stable `code`, thrown by `register`, by a route's registration, by `configure()` or when its door is imported. */
export class TelemetryError extends TypeError {
  readonly code: TelemetryErrorCode

  constructor (code: TelemetryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TelemetryError'
    this.code = code
  }
}
