import { largeBodies, routeSets } from './routes.mjs'

/**
 * What is measured. The numbers in `spans` are those that a request must emit, so that nothing is timed that does not do its work.
 *
 * - `sdk`: `on`, `off` (nothing is sampled) or `none` (no provider anywhere)
 * - `metrics`: the plugin gets a real meter provider (the rival makes no such metric)
 * - `records`: an attribute that must be on the plugin's span
 */
const defaults = { sdk: 'on', metrics: false, options: {}, spans: { plugin: 1, rival: 2 }, userHooks: false, records: undefined }

export const scenarios = {
  get: { ...defaults, title: 'GET, default options', routes: () => routeSets.get() },
  post: { ...defaults, title: 'POST with body, default options', routes: () => routeSets.post(), records: 'fastify.arguments.values' },
  getMetric: { ...defaults, title: 'GET, with the duration metric', routes: () => routeSets.get(), metrics: true },
  all: {
    ...defaults, title: 'everything on: POST with body, metric', routes: () => routeSets.post(), metrics: true, records: 'fastify.arguments.values',
  },
  allParts: {
    ...defaults, title: 'the same, 4 parts with 15 values', routes: () => routeSets.allParts(), metrics: true, records: 'fastify.arguments.values',
  },
  allExtra: {
    ...defaults,
    title: 'everything on and extraSpans',
    routes: () => routeSets.post(),
    metrics: true,
    options: { extraSpans: true },
    spans: { plugin: 3, rival: 2 },
    records: 'fastify.arguments.values',
  },
  off: { ...defaults, title: 'sampler off', routes: () => routeSets.post(), sdk: 'off', spans: { plugin: 0, rival: 0 } },
  offMetric: {
    ...defaults, title: 'sampler off, with the duration metric', routes: () => routeSets.post(), sdk: 'off', metrics: true, spans: { plugin: 0, rival: 0 },
  },
  none: { ...defaults, title: 'no SDK registered', routes: () => routeSets.post(), sdk: 'none', spans: { plugin: 0, rival: 0 } },
  hooks: { ...defaults, title: 'POST with body, two user hooks', routes: () => routeSets.post(), userHooks: true, spans: { plugin: 1, rival: 4 } },
  routes: { ...defaults, title: 'POST to 50 of 10,000 routes', routes: () => routeSets.post(10_000, 50) },
  routesAll: { ...defaults, title: 'POST to 10,000 routes in turn', routes: () => routeSets.post(10_000) },
  largeList: largeScenario('1 MiB body, closed list of objects', 'list'),
  largeString: largeScenario('1 MiB body, one long string', 'string'),
  largeOpen: largeScenario('1 MiB body, open schema', 'open'),
}

function largeScenario (title, body) {
  return {
    ...defaults,
    title,
    routes: () => routeSets.large(...largeBodies[body]),
    subjects: ['bare', 'plugin'],
    records: 'fastify.arguments.values',
    // So few that the bodies die young.
    inFlight: 2,
    sliceSize: 8,
    warmUp: 48,
    slices: 40,
  }
}
