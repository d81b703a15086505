/**
 * Writes docs/standards.md: what the package emits, beside what the semantic conventions say of it. Names, and where values come from, are those of
 * lib/semconv.ts; levels, types and examples those of the conventions' model in semconv-1.45.json.
 *
 *     npm run docs:standards
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const readText = (path) => readFileSync(new URL(path, import.meta.url), 'utf8')

const TARGET = new URL('../../docs/standards.md', import.meta.url)

const LEVELS = { required: 'Required', conditionally_required: 'Conditionally required', recommended: 'Recommended', opt_in: 'Opt-in' }
const INSTRUMENTS = { counter: 'Counter', updowncounter: 'Up-down counter', histogram: 'Histogram' }
const OWN = 'this package\'s own'

/** Why an attribute that the conventions want of a span is never there. */
const WITHOUT = { 'network.protocol.name': 'it is always `http`.' }

/** Every constant that holds a name, with its comment and the heading it stands under. */
export function readConstants (source) {
  const constants = []
  let section = ''
  for (const [, heading, comment, name, value] of source.matchAll(/^\/\/ -{4} (.+?) -+$|\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const (\w+) = '([^']*)'$/gm)) {
    if (heading !== undefined) section = heading
    else {
      const [text, example] = comment.replace(/\n \* ?/g, ' ').replace(/\s+/g, ' ').trim().split(' @example ')
      constants.push({ section, name, value, text, example })
    }
  }
  // A link in a comment is to the constant, in the table to its value.
  const valueOf = new Map(constants.map(({ name, value }) => [name, value]))
  return constants.map((constant) => ({ ...constant, text: constant.text.replace(/\{@link (\w+)\}/g, (link, name) => `\`${valueOf.get(name) ?? link}\``) }))
}

export function standardsText (source = readText('../../lib/semconv.ts'), model = JSON.parse(readText('semconv-1.45.json'))) {
  const constants = readConstants(source)
  const names = constants.filter(({ name }) => !/^(?:SCOPE_|SCHEMA_|SPAN_|EXCEPTION_(?:EVENT|LOG)$|METRIC_|HTTP_METHOD_OTHER$|ERROR_TYPE_|LOG_)/.test(name))
  const under = (start) => names.filter(({ section }) => section.startsWith(start))
  const span = model.spans['http.server'].attributes
  const valuesOf = (prefix) => constants.filter(({ name }) => name.startsWith(prefix)).map(({ value }) => `\`${value}\``).join(', ')

  const attributeRow = (uses) => ({ value, text, example }) => {
    const use = uses[modelName(value)]
    const known = model.attributes[modelName(value)]
    return [`\`${value.endsWith('.') ? `${value}<name>` : value}\``, levelOf(use, known), typeOf(text, known), examplesOf(example, use, known), withoutType(text)]
  }
  const attributeTable = (list, uses = {}) => table(['Attribute', 'Level', 'Type', 'Examples', 'Where it comes from'], list.map(attributeRow(uses)))
  const emitted = new Set(names.map(({ value }) => modelName(value)))
  const missing = Object.entries(span).filter(([name]) => !emitted.has(name))
  const metrics = constants.filter(({ name }) => name.startsWith('METRIC_'))

  return [
    '# What is emitted, and what the conventions say of it',
    `This page is generated from \`lib/semconv.ts\` and the model of the OpenTelemetry semantic conventions ${model.version} by \`npm run docs:standards\`; a test ` +
    'holds it to both, and others compare the spans and metrics of real requests with the model.',
    `Tracer and meter have the scope \`${constants.find(({ name }) => name === 'SCOPE_NAME').value}\`, the version of this package and the schema URL <${model.schemaUrl}>.`,
    '## The SERVER span',
    'Its name is `{method} {route}`, or the method alone when no route matched, `HTTP` standing for `_OTHER`; never the path. All attributes of the start are there when the sampler decides.',
    attributeTable(under('Start attributes'), span),
    'At its end come:',
    attributeTable(under('End attributes'), span),
    `Values of \`error.type\` besides classes of exceptions, status codes and close codes of WebSockets: ${valuesOf('ERROR_TYPE_')}.`,
    'With arguments, and of WebSocket connections:',
    attributeTable([...under('Arguments'), ...under('WebSocket')]),
    '### Attributes of the conventions that are not recorded',
    missing.filter(([name]) => name in WITHOUT).map(([name, use]) => `\`${name}\` (${levelOf(use).toLowerCase()}): ${WITHOUT[name]}`).join('\n\n'),
    `Opt-in, and without an option here: ${missing.filter(([name]) => !(name in WITHOUT)).map(([name]) => `\`${name}\``).join(', ')}.`,
    '## The event `exception`, and the log record `http.server.request.exception`',
    attributeTable(under('Exceptions'), model.events.exception.attributes),
    '## Metrics',
    table(['Metric', 'Stability', 'Instrument', 'Unit', 'Attributes', 'What'], metrics.map(({ value, text }) => metricRow(value, text, model, names))),
    'No attribute of the `http.*` metrics is of the client\'s choice: methods are those of the list, schemes two, routes and status codes the application\'s. Hosts, ports and paths are in none.',
    '### Attributes of the metric of this package\'s own',
    attributeTable(under('Metrics')),
    '## Resource',
    'Set by `configure()`.',
    attributeTable(under('Resource')),
    '## Query parameters whose values are never recorded',
    `${model.sensitiveQueryParameters.map((name) => `\`${name}\``).join(', ')}, as the conventions list them; and all that [arguments.md](arguments.md#the-query-as-a-whole) says.`,
  ].join('\n\n') + '\n'
}

/** OpenTelemetry's own metrics on the SDK, and those of HTTP servers, with what they have of the model's attributes. */
function metricRow (name, text, model, names) {
  const known = model.metrics[name]
  const [, kind, unit] = /^(?:Observable )?(.+?), unit `([^`]+)`/i.exec(text)
  const what = text.slice(text.indexOf(':') + 1).trim()
  const sentence = what.charAt(0).toUpperCase() + what.slice(1)
  if (known === undefined) return [`\`${name}\``, OWN, kind, `\`${unit}\``, names.filter(({ section, value }) => section === 'Metrics' || /^http\.(?:route|request\.method)$/.test(value)).map(({ value }) => `\`${value}\``).join(', '), sentence]
  const isHttp = name.startsWith('http.')
  const attributes = Object.entries(known.attributes).filter(([attribute, { level }]) => level !== 'opt_in' && !(attribute in WITHOUT) && (isHttp || attribute === 'error.type'))
  return [`\`${name}\``, known.stability, INSTRUMENTS[known.instrument], `\`${known.unit}\``, attributes.map(([attribute, { level }]) => `\`${attribute}\` (${LEVELS[level].toLowerCase()})`).join(', ') || 'none', sentence]
}

function levelOf (use, known) {
  if (use !== undefined) return use.when === undefined ? LEVELS[use.level] : `${LEVELS[use.level]}: ${use.when.replace(/\.$/, '')}`
  return known === undefined ? OWN : 'in the registry'
}

/** Of names that are only begun here, the model has the beginning. */
const modelName = (value) => value.replace(/\.$/, '')

const typeOf = (text, known) => known?.type.replace(/^template\[(.*)\]$/, '$1') ?? (/\b(list of strings|string|int|boolean)\b/.exec(text)?.[1] ?? 'string').replace('list of strings', 'string[]')

/** This package's own, or else the first short ones of the model. */
function examplesOf (own, use, known) {
  const examples = own !== undefined ? [own] : (use?.examples ?? known.examples).map(String).filter((example) => example.length <= 40).slice(0, 3)
  return examples.map((example) => `\`${example}\``).join(', ')
}

/** The comment without type, example and level, which have columns of their own. */
function withoutType (text) {
  return text.replace(/^JSON text, string(?=:)/, 'JSON text').replace(/[;,] (?:string|int|boolean|list of strings)(?=[;:,.]|$)/, '').replace(/; `[^`]+`(?=\.)/, '').replace(/ Required\.$/, '').replace(/\.?$/, '.')
}

function table (columns, rows) {
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, standardsText())
