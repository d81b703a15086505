// Tells Node that the files of the CommonJS build are CommonJS, in a package whose type is "module".
import { writeFileSync } from 'node:fs'

writeFileSync(new URL('../dist/cjs/package.json', import.meta.url), '{"type":"commonjs"}\n')
