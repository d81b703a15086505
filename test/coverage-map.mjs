import { readdirSync } from 'node:fs'

/** Every test counts towards the coverage of the package's own sources, and of nothing else (example, scripts, tests). */
const sources = ['plugin.ts', ...readdirSync('lib', { recursive: true }).filter((name) => name.endsWith('.ts')).map((name) => `lib/${name}`)]

export default () => sources
