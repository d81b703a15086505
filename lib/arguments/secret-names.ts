/**
 * Names that say that their value is secret. A name is read word by word (`accessToken`, `access_token` and `ACCESS-TOKEN` have the same
 * two words), so that `author`, `keyboard`, `passenger` and `tokenize` raise no alarm.
 */

/** Words that mark a secret when they stand alone: `user_pin`, not `spinner`. */
const WORDS = [
  'pass', 'passes', 'pw', 'psw', 'pswd', 'pword', 'cred', 'creds', 'bearer', 'authn', 'authz', 'sid', 'sess', 'sig', 'signature', 'hmac', 'salt', 'pem',
  'otp', 'totp', 'hotp', 'mfa', 'tfa', 'pin', 'pincode', 'cvv', 'cvc', 'csc', 'pan', 'iban', 'pesel', 'mnemonic', 'assertion',
].join('|')

/** Words that mark a secret also at the end of a longer one: `usertoken`, `proxyauth`, `dbpass`. */
const ENDINGS = [
  'tokens?', 'jwts?', '(?<!i)ssn', '2_?fa', 'auth', '(?<!ob|pos)sessions?', '(?:user|db|database|admin|root|my|sql|smtp|ftp|mail|redis|login|store)pass',
].join('|')

/** What marks a secret wherever it stands, also in names written without any separator. */
const PARTS = [
  'passw(?:or|r)?d', 'pass_?phrase', 'pass_?code', 'pwd', 'secret(?!ar)', 'credential', 'authenticat', 'authori[zs]', 'cookie', 'csrf', 'xsrf', 'sessid',
  '(?:api|access|private|secret|signing|encryption|master|ssh|shared|account|storage|license|session|auth)_?keys?', 'subscription_?key', 'functions?_?key',
  '(?:access|refresh|auth|id|csrf|session|bearer|api)_?token', 'session_?(?:id|token|secret|data)', 'code_?verifier', 'saml_?response',
  'card_?num', 'credit_?card', 'debit_?card', 'account_?number', 'routing_?number', 'passport_?n', 'social_?security', 'security_?(?:code|answer)',
  '(?:recovery|backup|verification|one_?time)_?codes?', '(?:seed|recovery)_?phrase', 'connection_?string', 'mother_?s?_?maiden',
].join('|')

const SECRET_NAME = new RegExp(`(?:^|_)(?:${WORDS})(?:_|\\d|$)|(?:${ENDINGS})(?:_|\\d|$)|${PARTS}`)

/** A letter sequence that each secret name has: what lacks them all is clean, and most names do. */
const MAY_BE_SECRET =
  /pass|pa?swd?|pw|cred|bearer|auth|si[dg]|sess|hmac|salt|pem|otp|[mt]fa|2[^a-z\d]*fa|p[ai]n|ssn|cv[vc]|csc|iban|pesel|mnemonic|assert|token|jwt|secret|cookie|[cx]srf|key|veri|saml|card|account|routing|security|co[dn]|seed|phrase|mother/i

/** Counts of language-model tokens and the like: `max_tokens`, `tokenCount`. */
const TOKEN_COUNT = /(?:^|_)(?:max|min|total|prompt|completion|input|output|num|used|remaining)_tokens?$|(?:^|_)tokens?_(?:count|limit|usage|used|type)$|(?:^|_)tokens_(?:per|used|left)/

/** Units of a name that are looked at, at its beginning and at its end. */
const MAX_LOOK = 256

/** What in a property name, header name or path parameter says that its value is secret; `undefined` when nothing does. */
export function findSecretWord (name: string): string | undefined {
  const looked = name.length <= 2 * MAX_LOOK ? name : `${name.slice(0, MAX_LOOK)}_${name.slice(-MAX_LOOK)}`
  if (!MAY_BE_SECRET.test(looked)) return undefined
  const words = toWords(looked)
  const match = SECRET_NAME.exec(words)
  return match === null || TOKEN_COUNT.test(words) ? undefined : match[0].replace(/^_|_$/g, '')
}

/** `accessToken`, `ACCESS-TOKEN`, `X-APIKey` become `access_token`, `access_token`, `x_api_key`. */
function toWords (name: string): string {
  return name
    .replace(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_')
    .replace(/[^A-Za-z\d]+/g, '_')
    .toLowerCase()
}

/** Headers whose values are credentials, whatever a schema says of them; lower case. */
const CREDENTIAL_HEADERS = new Set([
  'authorization', 'proxy-authorization', 'x-authorization', 'x-forwarded-authorization', 'x-original-authorization', 'authentication',
  'authentication-info', 'proxy-authentication-info', 'cookie', 'cookie2', 'set-cookie', 'set-cookie2', 'api-key', 'apikey', 'x-api-key', 'x-apikey',
  'x-auth', 'x-auth-key', 'x-auth-token', 'x-access-token', 'x-session-token', 'x-session-id', 'x-csrf-token', 'x-csrftoken', 'x-xsrf-token', 'x-jwt-assertion',
  'x-id-token', 'x-refresh-token', 'dpop', 'x-amz-security-token', 'x-amz-cf-id-token', 'x-amzn-oidc-data', 'x-amzn-oidc-accesstoken', 'x-goog-api-key',
  'x-goog-iap-jwt-assertion', 'x-ms-token-aad-access-token', 'x-ms-token-aad-id-token', 'x-ms-token-aad-refresh-token', 'x-functions-key',
  'ocp-apim-subscription-key', 'cf-access-jwt-assertion', 'cf-access-client-secret', 'x-vault-token', 'x-consul-token', 'x-nomad-token', 'private-token',
  'x-gitlab-token', 'x-github-token', 'x-hub-signature', 'x-hub-signature-256', 'x-slack-signature', 'stripe-signature', 'x-shopify-access-token',
  'x-rapidapi-key', 'x-registry-auth', 'x-forwarded-access-token', 'x-sentry-auth', 'dd-api-key', 'x-datadog-api-key', 'x-honeycomb-team',
])

/** Whether a header of this name (any case) carries credentials. */
export function isCredentialHeader (name: string): boolean {
  return CREDENTIAL_HEADERS.has(name.toLowerCase())
}
