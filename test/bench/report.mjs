import { scenarios } from './scenarios.mjs'
import { table } from './table.mjs'

/** The text of a run. `costs`: microseconds a request by subject, by scenario. */
export function report (costs) {
  return [
    `Node ${process.version}: CPU time added to a request of bare Fastify`,
    comparisons(costs),
    growth(costs),
    largeBodies(costs),
  ].filter((part) => part !== '').join('\n\n')
}

const GROWTH = {
  hooks: 'two user hooks',
  routes: '10,000 routes instead of 10',
  routesAll: 'the same, every route asked (the processor\'s caches miss)',
}

const added = (cost, name) => cost[name] - cost.bare

function comparisons (costs) {
  const rows = [...costs].filter(([, cost]) => 'rival' in cost).map(([key, cost]) => [
    scenarios[key].title,
    (added(cost, 'plugin') / added(cost, 'rival')).toFixed(2),
    added(cost, 'plugin').toFixed(2),
    added(cost, 'rival').toFixed(2),
    cost.bare.toFixed(2),
  ])
  return rows.length === 0 ? '' : table(['', 'ratio to @fastify/otel', 'plugin adds µs', '@fastify/otel adds µs', 'bare µs'], rows)
}

/** How the added time grows with something that an application has much of. */
function growth (costs) {
  const post = costs.get('post')
  const rows = Object.entries(GROWTH)
    .filter(([key]) => post !== undefined && costs.has(key))
    .map(([key, title]) => [title, ...['plugin', 'rival'].map((name) => (added(costs.get(key), name) / added(post, name)).toFixed(2))])
  return rows.length === 0 ? '' : table(['added time grows by the factor', 'plugin', '@fastify/otel'], rows)
}

function largeBodies (costs) {
  const rows = [...costs].filter(([, cost]) => !('rival' in cost)).map(([key, cost]) => [
    scenarios[key].title, (added(cost, 'plugin') / 1000).toFixed(3), (cost.bare / 1000).toFixed(2),
  ])
  return rows.length === 0 ? '' : table(['', 'plugin adds ms', 'bare ms'], rows)
}
