/**
 * The layers of the package: imports go down only. From the top:
 *
 *     plugin.ts           assembly
 *     lib/fastify/        hooks, route plans, decorators: what knows Fastify
 *     lib/server-span/    what touches spans; lib/metrics.ts: what touches instruments
 *     lib/propagation/    trace context in and out
 *     lib/arguments/      capture, scrubbing, errors: pure, no span, no Fastify
 *     lib/*.ts            settings, names and small tools
 *
 * The side doors (lib/configure, lib/testing, ...) stand beside these: they use the rooms, never lib/fastify and never one another. One door leads into
 * a room: ./propagator is lib/propagation/w3c.
 */

/** Every folder in lib that is a package export of its own. */
const SIDE_DOORS = '(?:configure|viewer|testing|proxy|typebox)'
const OPEN_TELEMETRY_SDK = 'node_modules/@opentelemetry/(?!api/)'
const FASTIFY = 'node_modules/fastify/'
const NAMES_FASTIFY_TYPES = '^lib/(?:options|settings|route-mapper)\\.ts$|^lib/(?:viewer|proxy)/'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle has no order to load or to read in; cycles of types count too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nothing-imports-the-plugin',
      comment: 'plugin.ts assembles; nothing below may need it.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^plugin\\.ts$' },
    },
    {
      name: 'plugin-opens-no-side-door',
      comment: 'Who registers the plugin loads no SDK and no page.',
      severity: 'error',
      from: { path: '^plugin\\.ts$' },
      to: { path: `^lib/${SIDE_DOORS}/` },
    },
    {
      name: 'lib-fastify-is-the-top',
      comment: 'Only plugin.ts and lib/fastify itself may import from lib/fastify: the rooms below take values, not requests and replies.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/fastify/' },
      to: { path: '^lib/fastify/' },
    },
    {
      name: 'server-span-is-below-fastify-only',
      comment: 'Propagation, arguments and the small tools know no spans of requests.',
      severity: 'error',
      from: { path: '^lib/(?:propagation|arguments)/|^lib/[^/]+\\.ts$' },
      to: { path: '^lib/server-span/' },
    },
    {
      name: 'arguments-are-pure',
      comment: 'lib/arguments works on values: no Fastify, not even its types, no propagation, no instrument.',
      severity: 'error',
      from: { path: '^lib/arguments/' },
      to: { path: `^lib/propagation/|^lib/metrics\\.ts$|${FASTIFY}` },
    },
    {
      name: 'arguments-touch-no-span',
      comment: 'lib/arguments may name types of the OpenTelemetry API, such as Attributes, and call nothing of it.',
      severity: 'error',
      from: { path: '^lib/arguments/' },
      to: { path: 'node_modules/@opentelemetry/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'propagation-knows-no-arguments',
      comment: 'Reading a caller\'s context has nothing to do with what the request carries.',
      severity: 'error',
      from: { path: '^lib/propagation/' },
      to: { path: '^lib/arguments/|^lib/metrics\\.ts$' },
    },
    {
      name: 'the-propagator-stands-alone',
      comment: 'Whoever takes only the propagator loads it and the OpenTelemetry API.',
      severity: 'error',
      from: { path: '^lib/propagation/w3c/' },
      to: { pathNot: '^lib/propagation/w3c/|node_modules/@opentelemetry/api/' },
    },
    {
      name: 'tools-use-no-room',
      comment: 'The files in lib/ itself are below every room. Only types come from lib/arguments, where the words of the options are defined.',
      severity: 'error',
      from: { path: '^lib/[^/]+\\.ts$', pathNot: '^lib/(?:settings|options)\\.ts$' },
      to: { path: '^lib/(?:arguments|propagation)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tools-use-no-side-door',
      comment: 'Side doors are at the edge.',
      severity: 'error',
      from: { path: '^lib/', pathNot: `^lib/${SIDE_DOORS}/` },
      to: { path: `^lib/${SIDE_DOORS}/` },
    },
    {
      name: 'side-doors-are-apart',
      comment: 'Each door has dependencies of its own; one that imported another would demand both.',
      severity: 'error',
      from: { path: `^lib/(${SIDE_DOORS})/` },
      to: { path: `^lib/${SIDE_DOORS}/`, pathNot: '^lib/$1/' },
    },
    {
      name: 'fastify-is-for-the-fastify-room',
      comment: 'plugin.ts and lib/fastify know the package fastify; options, settings and the doors that are Fastify plugins name its types.',
      severity: 'error',
      from: { path: '^lib/', pathNot: `^lib/fastify/|${NAMES_FASTIFY_TYPES}` },
      to: { path: FASTIFY },
    },
    {
      name: 'fastify-by-type-only',
      comment: 'Outside plugin.ts and lib/fastify, Fastify is a matter of types.',
      severity: 'error',
      from: { path: NAMES_FASTIFY_TYPES },
      to: { path: FASTIFY, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-core-knows-only-the-api',
      comment: 'Which OpenTelemetry SDK runs, and whether one does, is the user\'s choice: only the doors that set one up import it.',
      severity: 'error',
      from: { path: '^(?:plugin\\.ts$|lib/)', pathNot: '^lib/(?:configure|testing)/' },
      to: { path: OPEN_TELEMETRY_SDK },
    },
    {
      name: 'the-page-is-bundled',
      comment: 'lib/viewer/page runs in a browser; the server has it as the texts of page-assets.ts. Of the server it knows what is said over the wire.',
      severity: 'error',
      from: { path: '^(?:plugin\\.ts$|lib/)', pathNot: '^lib/viewer/page/' },
      to: { path: '^lib/viewer/page/' },
    },
    {
      name: 'the-page-knows-the-wire',
      comment: 'Words and pure tools can be bundled for a browser; what knows the server or Fastify cannot.',
      severity: 'error',
      from: { path: '^lib/viewer/page/' },
      to: { path: '^plugin\\.ts$|^lib/(?:fastify|server-span|propagation|configure|testing)/|^lib/viewer/(?!page/|wire\\.ts$)' },
    },
    {
      name: 'only-declared-packages',
      comment: 'What is imported is a dependency, or a peer, of the package; the page carries what it imports.',
      severity: 'error',
      from: { path: '^(?:plugin\\.ts$|lib/)', pathNot: '^lib/viewer/page/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'], dependencyTypesNot: ['npm', 'npm-peer'] },
    },
    {
      name: 'resolvable',
      comment: 'A wrong path would slip past every rule above.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
}
