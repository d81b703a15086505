import { readdirSync } from 'node:fs'

/** The views of the viewer's page run in a browser only (test/flow/viewer-page.test.ts); its assets are made of them. */
const VIEW = /^viewer[\\/](?:page[\\/][^\\/]+|page-assets)\.ts$/

/** Every test counts towards the coverage of the package's own sources, and of nothing else (example, scripts, tests). */
const sources = ['plugin.ts', ...readdirSync('lib', { recursive: true }).filter((name) => name.endsWith('.ts') && !VIEW.test(name)).map((name) => `lib/${name}`)]

export default () => sources
