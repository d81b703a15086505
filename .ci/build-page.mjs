// Bundles the page of the viewer into lib/viewer/page-assets.ts: one script and one style sheet as texts, so that the package contains all and reads no file.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = new URL('../lib/viewer/', import.meta.url)
const output = new URL('page-assets.ts', folder)

async function bundle (entry) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`page/${entry}`, folder))],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
  })
  return outputFiles[0].text
}

function toConstants (name, description, text) {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 22)
  return `/** ${description} */\nexport const ${name}: string = ${JSON.stringify(text)}\n/** Changes with it. */\nexport const ${name}_HASH = '${hash}'\n`
}

const text = '/* eslint-disable */\n// Made by "npm run build:page" from lib/viewer/page.\n\n' +
  toConstants('SCRIPT', 'The page, bundled.', await bundle('main.ts')) + '\n' +
  toConstants('STYLE', 'Its style sheet.', await bundle('viewer.css'))

// Left alone when nothing changed: compilers would begin anew, and a program that starts in this moment must not find half a file.
if (!existsSync(output) || readFileSync(output, 'utf8') !== text) writeFileSync(output, text)
