import type { FastifyRequest } from 'fastify'
import { cutText } from '../arguments/cut-text.ts'
import { nodeOfPart } from '../arguments/request-capture.ts'
import { scrubText } from '../arguments/scrubber.ts'
import { describeQuery, REDACTED } from '../arguments/url-query.ts'
import { HTTP_METHOD_OTHER } from '../semconv.ts'
import type { RequestFacts } from '../server-span/request-record.ts'
import type { RoutePlan } from './route-plan.ts'

/** @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/ `http.request.method` */
const KNOWN_METHODS = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']

/** Methods, separated by commas, case-sensitive, that are known instead of those of the conventions. */
const KNOWN_METHODS_VARIABLE = 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS'

const MAX_USER_AGENT_LENGTH = 1024

const MAX_ADDRESS_LENGTH = 255

/** Reads a request's facts. Scheme, host and client address are Fastify's, so that `trustProxy` decides whether to believe a header. */
export type ReadRequestFacts = (request: FastifyRequest, plan: RoutePlan) => RequestFacts

export function createRequestFactsReader (): ReadRequestFacts {
  const knownMethods = new Set(readKnownMethods(process.env[KNOWN_METHODS_VARIABLE]))
  const parseHost = createHostParser()

  return function readRequestFacts (request, plan) {
    const { method, raw } = request
    const isKnown = knownMethods.has(method)
    // Undefined where a request is made up without a socket, as `injectWS` of @fastify/websocket does.
    const socket = raw.socket as typeof raw.socket | undefined
    const host = parseHost(request.host)
    const userAgent = raw.headers['user-agent']
    const { scrubber } = plan.captureSettings
    const target = withoutOrigin(request.url)
    const plainPath = pathOf(target, plan.hasSemicolonQuery)
    const path = scrubber.mayHoldSecret(plainPath) ? scrubText(scrubber, plainPath, Infinity) : plainPath
    return {
      method: isKnown ? method : HTTP_METHOD_OTHER,
      methodOriginal: isKnown ? undefined : method,
      scheme: schemeOf(request, socket),
      path: plan.secretPath === null ? path : redactPath(path, plan.secretPath),
      query: plainPath.length === target.length ? undefined : describeQueryOf(request, target, plainPath.length, plan),
      serverAddress: host.address,
      serverPort: host.port,
      clientAddress: socket === undefined ? undefined : addressOf(request),
      peerAddress: socket?.remoteAddress,
      peerPort: socket?.remotePort,
      protocolVersion: raw.httpVersionMajor === 2 ? '2' : raw.httpVersion ?? '1.1',
      userAgent: userAgent === undefined ? undefined : scrubber.mayHoldSecret(userAgent) ? scrubText(scrubber, userAgent, MAX_USER_AGENT_LENGTH) : cutText(userAgent, MAX_USER_AGENT_LENGTH),
    }
  }
}

function readKnownMethods (variable: string | undefined): string[] {
  const methods = (variable ?? '').split(',').map((method) => method.trim()).filter((method) => method !== '')
  return methods.length === 0 ? KNOWN_METHODS : methods
}

/** Of one of two values, whatever a trusted proxy passes on: it is an attribute of metrics. */
function schemeOf ({ protocol }: FastifyRequest, socket: unknown): string {
  if (socket === undefined || protocol === 'http') return 'http'
  if (protocol === 'https') return 'https'
  const scheme = String(protocol).toLowerCase()
  if (scheme === 'http' || scheme === 'https') return scheme
  return (socket as { encrypted?: unknown }).encrypted === true ? 'https' : 'http'
}

/** A trusted proxy may pass on what is no address, and of any length. */
function addressOf ({ ip }: FastifyRequest): string | undefined {
  return typeof ip === 'string' ? cutText(ip, MAX_ADDRESS_LENGTH) : undefined
}

/**
 * The path of a request target: without query, and of a target in absolute form without scheme, userinfo and host.
 *
 * @param hasSemicolonQuery - the router takes a semicolon for the beginning of a query
 */
export function pathOf (target: string, hasSemicolonQuery = false): string {
  const path = withoutOrigin(target)
  for (let index = 0; index < path.length; index++) {
    const unit = path.charCodeAt(index)
    if (unit === 0x3f /* ? */ || unit === 0x23 /* # */ || (unit === 0x3b /* ; */ && hasSemicolonQuery)) return path.slice(0, index)
  }
  return path
}

/** What follows the path of a target up to its fragment, as far as it may be recorded; `undefined` without a query. */
function describeQueryOf (request: FastifyRequest, target: string, pathLength: number, plan: RoutePlan): string | undefined {
  const fragment = target.indexOf('#', pathLength)
  const query = fragment === -1 ? target.slice(pathLength + 1) : target.slice(pathLength + 1, fragment)
  if (fragment === pathLength || query === '') return undefined
  return describeQuery(query, request.query, nodeOfPart(plan.requestCapture.querystring, undefined), plan.captureSettings.scrubber, plan.capture === 'all')
}

function withoutOrigin (target: string): string {
  if (target.startsWith('/')) return target
  const origin = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i.exec(target)
  if (origin === null) return target
  const path = target.slice(origin[0].length)
  return path.startsWith('/') ? path : `/${path}`
}

function redactPath (path: string, { pattern, segments: isSecret }: NonNullable<RoutePlan['secretPath']>): string {
  const segments = path.split('/')
  // A wildcard or a pattern can take more segments than it has itself: then nothing is known of where the secret stands.
  if (segments.length !== isSecret.length) return pattern
  return segments.map((segment, index) => isSecret[index] === true ? REDACTED : segment).join('/')
}

interface Host {
  address: string | undefined
  port: number | undefined
}

const NO_HOST: Host = { address: undefined, port: undefined }

/** Splits `host:port`; remembers the last one, since a server hears the same host again and again. */
function createHostParser (): (host: string | undefined) => Host {
  let lastText: string | undefined
  let lastHost = NO_HOST
  return function parseHost (text) {
    if (text === lastText) return lastHost
    lastHost = toHost(text)
    lastText = text
    return lastHost
  }
}

export function toHost (authority: string | undefined): Host {
  // Userinfo does not belong into a Host; Node lets it pass all the same.
  const text = authority?.slice(authority.lastIndexOf('@') + 1)
  if (text === undefined || text === '') return NO_HOST
  const match = /^(\[[^\]]+\]|[^:]*)(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return { address: cutText(text, MAX_ADDRESS_LENGTH), port: undefined }
  const port = match[2] === undefined ? undefined : Number(match[2])
  return { address: cutText(match[1]!.replace(/^\[|\]$/g, ''), MAX_ADDRESS_LENGTH), port: port !== undefined && port <= 65535 ? port : undefined }
}
