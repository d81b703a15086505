/**
 * Writes the doors of a build: the files that `import` and `require` of a side door lead to. Imports of packages that are not installed end in an error of Node.js
 * before any code of ours runs, so a door imports what is behind it when it runs itself, and explains what goes wrong. It waits for that at its top level, which bundlers
 * to CommonJS cannot do: they have the condition "module", which leads past the door.
 *
 *     node .ci/write-doors.mjs dist/esm dist/cjs
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const DOORS = ['configure', 'testing']

for (const build of process.argv.slice(2)) {
  for (const door of DOORS) {
    const room = resolve(build, 'lib', door)
    if (basename(build) === 'cjs') {
      write(join(room, 'door.cjs'), commonJsDoor(door))
    } else {
      const names = Object.keys(await import(pathToFileURL(join(room, 'index.js'))))
      write(join(room, 'door.mjs'), moduleDoor(door, names))
    }
  }
}

function commonJsDoor (door) {
  return `'use strict'
const { explainImportError } = require('../import-errors.js')

try {
  module.exports = require('./index.js')
} catch (error) {
  throw explainImportError(error, '${door}', require.resolve.paths)
}
`
}

function moduleDoor (door, names) {
  return `import { createRequire } from 'node:module'
import { explainImportError } from '../import-errors.js'

const room = await import('./index.js').catch((error) => {
  throw explainImportError(error, '${door}', createRequire(import.meta.url).resolve.paths)
})
export const { ${names.join(', ')} } = room
`
}

/** Left alone when it is there: a program that starts in this moment must not find an empty file. */
function write (file, text) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
}
