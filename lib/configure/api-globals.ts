/** What copies of the API of one major version share. */
interface ApiGlobals {
  /** Of the copy that came first. */
  version?: unknown
  diag?: unknown
}

/** The API's place for its globals, which tells what nothing in its interface does; `undefined` while nothing is registered. */
export function apiGlobals (): ApiGlobals | undefined {
  return (globalThis as { [key: symbol]: ApiGlobals | undefined })[Symbol.for('opentelemetry.js.api.1')]
}
