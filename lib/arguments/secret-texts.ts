import { SCRUBBED } from './stand-ins.ts'

/** `password=`, `"apiKey": `; what it opens may begin with another one: `credentials: { password: … }`. */
const KEY_IN_TEXT = '(?:pass(?:wor|wr|w)?d|pass(?:phrase|code)?|pwd|secret|token|jwt|(?:api|access|private|secret|signing)[_ -]?key|credentials?|authorization|' +
  'session(?:[_ -]?id)?|signature|sig|cvv|ssn|otp)["\']?\\s{0,4}[=:]\\s{0,4}'

const VALUE_IN_TEXT = '(?:\\[scrubbed\\]|"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|(?:(?:bearer|basic|digest)\\s{1,4})?[^\\s,;&)}\\]]+)'

const PATTERNS: ReadonlyArray<readonly [RegExp, string]> = [
  // The userinfo of a URL: up to the last `@` of its authority.
  [/([a-z][a-z\d+.-]{1,20}:\/\/)[^\s/?#]{1,512}@/gi, `$1${SCRUBBED}@`],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, SCRUBBED],
  // Cookies come as lists: nothing after the name is kept.
  [/(cookie2?["']?\s{0,4}[=:]\s{0,4})[^\r\n]+/gi, `$1${SCRUBBED}`],
  // Whatever the scheme is called: `Authorization: Token …`.
  [/(authorization["']?\s{0,4}[=:]\s{0,4}["']?)[a-z-]{1,20}\s{1,4}[^\s"',;]+/gi, `$1${SCRUBBED}`],
  // Dotted base64url pieces: a JSON web token. The look ahead makes sure of the dots once, not from each `eyJ` on: many of them in a row cost no more.
  [/(?<![\w-])(?=[\w-]{8,}\.[\w-]+\.)([\w-]*?\b)eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, `$1${SCRUBBED}`],
  // Tokens whose issuers made them recognisable.
  [/\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|sk-[\w-]{16,}|[rsp]k_(?:live|test)_\w{8,}|whsec_\w{8,}|npm_\w{16,}|pypi-[\w-]{16,}|AKIA[A-Z\d]{12,}|ASIA[A-Z\d]{12,}|AIza[\w-]{16,}|ya29\.[\w-]{8,}|SG\.[\w-]{8,}\.[\w-]{8,}|hvs\.[\w-]{16,}|pylf_v\d+_\w{4,}|dop_v1_\w{16,})/g, SCRUBBED],
  [new RegExp(`(${KEY_IN_TEXT})((?:[^\\s,;&)}\\]]*${KEY_IN_TEXT})?${VALUE_IN_TEXT})`, 'gi'), `$1${SCRUBBED}`],
  [/\b(bearer|basic|digest)\s+[\w.~+/=-]{8,}/gi, `$1 ${SCRUBBED}`],
]

/** What the patterns that look for a sign (`=`, `:`, `://…@`) need besides it: a telling word before it, or userinfo behind it. */
const MAY_NAME_SECRET = /:\/\/[^\s/?#]{0,512}@|(?:pass|pwd|secret|token|jwt|key|cred|auth|session|sig|cvv|ssn|otp|cookie)[^:=]{0,24}[:=]/i

/** How known tokens begin. */
const MAY_BE_TOKEN = /eyJ|gh[pousr]_|github_|glpat-|xox[a-z]-|sk-|[rsp]k_|AKIA|ASIA|AIza|ya29|SG\.|hvs\.|pylf_|npm_|pypi-|whsec|dop_|-----B|[Bb][Ee][Aa][Rr][Ee][Rr]\s|[Bb][Aa][Ss][Ii][Cc]\s|[Dd][Ii][Gg][Ee][Ss][Tt]\s/

/**
 * Whether {@link hideSecrets} could change a text. A small part of its cost, since most texts are clean.
 */
export function mayHoldSecret (text: string): boolean {
  return ((text.includes(':') || text.includes('=')) && MAY_NAME_SECRET.test(text)) || MAY_BE_TOKEN.test(text)
}

/** Characters and ends of words without which {@link mayHoldSecret} is never true, as the source of a regular expression. */
export const SECRET_SIGNS = '[-_.:=@]|A[KSI][IAz]|[rRcCtT]\\s'

/** Free text (messages, header values, stacks) with what looks like a credential taken out. Linear in the length of the text. */
export function hideSecrets (text: string): string {
  let clean = text
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement)
  return clean
}

/** The beginning of the first thing in a text that looks like a credential; `undefined` when nothing does. */
export function findSecretText (text: string): string | undefined {
  for (const [pattern] of PATTERNS) {
    const index = text.search(pattern)
    if (index !== -1) return text.slice(index, index + 16)
  }
  return undefined
}
