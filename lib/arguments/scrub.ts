/**
 * The second net: values whose name says that they are secret are never recorded. The first net is the schema, which decides what is
 * recorded at all. A name is read word by word (`accessToken`, `access_token` and `ACCESS-TOKEN` have the same two words), so
 * that `author`, `keyboard`, `passenger` and `tokenize` raise no alarm.
 */

/** Stands in the place of a value that is not recorded because of its name. */
export const SCRUBBED = '[scrubbed]'

/** Stands in the place of a credential that a route declares in its headers schema. */
export const REDACTED = '[redacted]'

/** Whole words that mark a secret. */
const SECRET_WORDS = [
  'pass', 'pwd', 'pw', 'passwd', 'passphrase', 'passcode', 'password', 'passwords',
  'secret', 'secrets', 'auth', 'authorization', 'bearer', 'credential', 'credentials', 'creds',
  'token', 'tokens', 'jwt', 'csrf', 'xsrf', 'session', 'sid', 'cookie', 'cookies',
  'apikey', 'signature', 'sig', 'hmac', 'salt',
  'otp', 'totp', 'mfa', 'pin', 'cvv', 'cvc', 'csc', 'pan', 'ssn', 'iban', 'pesel',
].join('|')

/** Parts of a name that mark a secret wherever they stand, also in names written without any separator. */
const SECRET_PARTS = [
  'password', 'passwd', 'passphrase', 'secret(?!ar)', 'credential', 'authorization',
  'api_?key', 'access_?key', 'private_?key', 'secret_?key', 'signing_?key', 'encryption_?key', 'master_?key', 'ssh_?key',
  'access_?token', 'refresh_?token', 'auth_?token', 'id_?token', 'csrf_?token', 'session_?id', 'session_?key', 'set_?cookie',
  'card_?number', 'credit_?card', 'debit_?card', 'account_?number', 'security_?code', 'social_?security', 'connection_?string',
].join('|')

const SECRET_NAME = new RegExp(`(?:^|_)(?:${SECRET_WORDS})(?:_|\\d|$)|${SECRET_PARTS}`)

/** Counts of language-model tokens and the like: `max_tokens`, `tokenCount`. */
const TOKEN_COUNT = /(?:^|_)(?:max|min|total|prompt|completion|input|output|num|used|remaining)_tokens?$|(?:^|_)tokens?_(?:count|limit|usage|used|type)$|(?:^|_)tokens_(?:per|used|left)/

/** Whether a property name, header name or path parameter says that its value is secret. */
export function isSecretName (name: string): boolean {
  const words = toWords(name)
  return SECRET_NAME.test(words) && !TOKEN_COUNT.test(words)
}

/** `accessToken`, `ACCESS-TOKEN`, `X-APIKey` become `access_token`, `access_token`, `x_api_key`. */
function toWords (name: string): string {
  return name
    .replace(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_')
    .replace(/[^A-Za-z\d]+/g, '_')
    .toLowerCase()
}

/** Request headers whose values are credentials, whatever a schema says of them; lower case. */
const CREDENTIAL_HEADERS = new Set([
  'authorization', 'proxy-authorization', 'cookie', 'cookie2', 'set-cookie', 'x-api-key', 'x-auth-token', 'x-csrf-token', 'x-xsrf-token',
  'x-amz-security-token', 'x-forwarded-authorization', 'x-access-token', 'x-goog-api-key', 'x-goog-iap-jwt-assertion', 'cf-access-jwt-assertion',
])

/** Whether a header of this name (any case) carries credentials. */
export function isCredentialHeader (name: string): boolean {
  return CREDENTIAL_HEADERS.has(name.toLowerCase())
}

/** Longest free text that is searched for secrets; what is longer is cut first. */
const MAX_TEXT_LENGTH = 8192

/** `password=`, `"apiKey": `; what it opens may begin with another one: `credentials: { password: … }`. */
const KEY_IN_TEXT = '(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|(?:api|access|private)[_ -]?key|credentials?|authorization|cookie|session(?:[_ -]?id)?)' +
  '["\']?\\s{0,4}[=:]\\s{0,4}'

const VALUE_IN_TEXT = '(?:\\[scrubbed\\]|"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|(?:(?:bearer|basic|digest)\\s{1,4})?[^\\s,;&)}\\]]+)'

const SECRETS_IN_TEXT: Array<[RegExp, string]> = [
  // The userinfo of a URL: up to the last `@` of its authority.
  [/([a-z][a-z\d+.-]{1,20}:\/\/)[^\s/?#]{1,512}@/gi, `$1${SCRUBBED}@`],
  // Whatever the scheme is called: `Authorization: Token …`.
  [/(authorization["']?\s{0,4}[=:]\s{0,4}["']?)[a-z-]{1,20}\s{1,4}[^\s"',;]+/gi, `$1${SCRUBBED}`],
  // Three dotted base64url pieces: a JSON web token.
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, SCRUBBED],
  [new RegExp(`(${KEY_IN_TEXT})((?:[^\\s,;&)}\\]]*${KEY_IN_TEXT})?${VALUE_IN_TEXT})`, 'gi'), `$1${SCRUBBED}`],
  [/\b(bearer|basic|digest)\s+[\w.~+/=-]{8,}/gi, `$1 ${SCRUBBED}`],
]

/** Free text (messages, stacks) without what looks like a credential; cut at `maxLength` UTF-16 units, never inside a surrogate pair. */
export function scrubText (text: string, maxLength: number): string {
  // Cut before, so that hostile text costs little, but not so soon that half a secret could be left over.
  let clean = cutText(text, Math.min(MAX_TEXT_LENGTH, maxLength * 2 + 512))
  for (const [pattern, replacement] of SECRETS_IN_TEXT) clean = clean.replace(pattern, replacement)
  return cutText(clean, maxLength)
}

/** The text, or its beginning and `…` when it is longer than `maxLength` UTF-16 units. */
export function cutText (text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  const unit = text.charCodeAt(maxLength - 1)
  const splitsPair = unit >= 0xd800 && unit <= 0xdbff
  return text.slice(0, splitsPair ? maxLength - 1 : maxLength) + '…'
}
