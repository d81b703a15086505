// Tells Node that the files of the CommonJS build are CommonJS, in a package whose type is "module".
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const marker = new URL('../dist/cjs/package.json', import.meta.url)
const text = '{"type":"commonjs"}\n'

// Left alone when it is there: a program that starts in this moment must not find an empty file.
if (!existsSync(marker) || readFileSync(marker, 'utf8') !== text) writeFileSync(marker, text)
