import type { IncomingHttpHeaders } from 'node:http'

/** What decides whether the viewer answers. */
export interface AccessFacts {
  method: string
  /** Address of the socket's other end; `undefined` for sockets without one. */
  peerAddress: string | undefined
  headers: IncomingHttpHeaders
}

/** `localhost`, names below it, 127.0.0.0/8 and [::1], with or without a port. */
const LOOPBACK_HOST = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
const LOOPBACK_PEER = /^(?:::ffff:)?127(?:\.\d{1,3}){3}$|^::1$/
/** Headers of proxies: a proxy on this machine makes everybody's requests look like this machine's. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/**
 * Why the viewer refuses a request; `undefined` when it does not.
 *
 * - without a guard only this machine may ask, under a name of this machine: a name that leads here without being ours is an attack (DNS rebinding)
 * - in any case pages of other origins may not ask or post; that somebody follows a link to the viewer is no asking
 */
export function refusalOf ({ method, peerAddress, headers }: AccessFacts, isGuarded: boolean): string | undefined {
  const host = hostOf(headers)
  if (!isGuarded) {
    if (peerAddress === undefined || !LOOPBACK_PEER.test(peerAddress)) return 'The viewer answers requests of this machine only. Its option guard opens it to others.'
    if (!LOOPBACK_HOST.test(host)) return 'The viewer answers under names of this machine only, such as localhost. Its option guard opens it to others.'
    if (FORWARDED.some((name) => headers[name] !== undefined)) return 'The viewer does not answer through a proxy. Its option guard opens it to others.'
  }
  if (headers.origin !== undefined && originHost(headers.origin) !== host.toLowerCase()) return 'The viewer does not answer pages of other origins.'
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined
  const isLinkFollowed = method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return isLinkFollowed ? undefined : 'The viewer does not answer pages of other sites.'
}

/** Of HTTP/1 and HTTP/2. */
function hostOf (headers: IncomingHttpHeaders): string {
  const host = headers.host ?? headers[':authority']
  return typeof host === 'string' ? host : ''
}

/** Without the port when it is that of the scheme, as browsers write `Host`. */
function originHost (origin: string): string | undefined {
  try {
    return new URL(origin).host
  } catch {
    // `null`, of sandboxed frames and files; never ours.
    return undefined
  }
}

/** Headers of every answer: the page loads nothing from elsewhere, is framed by nobody, and nothing of it is kept. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}
