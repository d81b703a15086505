import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'

/** A fenced block of a Markdown file: ` ```language mark `. */
export interface CodeBlock {
  /** `README.md:12`, for messages. */
  place: string
  language: string
  /** What stands after the language, or `''`. */
  mark: string
  code: string
}

/** A table, its cells as written. */
export interface Table {
  /** The nearest heading above it. */
  heading: string
  columns: string[]
  rows: string[][]
}

export interface MarkdownDocument {
  path: string
  /** Everything but the fenced blocks. */
  prose: string
  headings: string[]
  blocks: CodeBlock[]
  tables: Table[]
}

/** Takes a Markdown file apart, as far as the tests look at it. */
export function readMarkdown (root: string, path: string): MarkdownDocument {
  const document: MarkdownDocument = { path, prose: '', headings: [], blocks: [], tables: [] }
  let block: CodeBlock | undefined
  let table: Table | undefined
  readFileSync(join(root, path), 'utf8').split('\n').forEach((line, index) => {
    const fence = /^```(\w*) ?(.*)$/.exec(line)
    if (block !== undefined) {
      if (fence !== null) {
        document.blocks.push(block)
        block = undefined
      } else {
        block.code += `${line}\n`
      }
      return
    }
    if (fence !== null) {
      block = { place: `${path}:${index + 1}`, language: fence[1]!, mark: fence[2]!, code: '' }
      return
    }
    document.prose += `${line}\n`
    const heading = /^#+ (.*)$/.exec(line)
    if (heading !== null) document.headings.push(heading[1]!)
    if (!line.startsWith('|')) {
      table = undefined
    } else if (table === undefined) {
      table = { heading: document.headings.at(-1) ?? '', columns: cellsOf(line), rows: [] }
      document.tables.push(table)
    } else if (!/^\|[-|]+$/.test(line)) {
      table.rows.push(cellsOf(line))
    }
  })
  if (block !== undefined) throw new Error(`${block.place}: the block has no end`)
  return document
}

function cellsOf (line: string): string[] {
  return line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim())
}

/** What stands in code marks in the first column of tables. */
export function firstColumn (tables: readonly Table[]): string[] {
  return tables.flatMap(({ rows }) => rows.flatMap(([cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)))
}

/** Checks the types of files, all in one program, with the options of this repository. */
export function typeErrors (root: string, files: readonly string[]): string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const program = ts.createProgram([...files], { ...options, noEmit: true, allowJs: true, checkJs: true })
  return files.flatMap((file) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((diagnostic) =>
      `${basename(file)}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')} (${lineOf(diagnostic)})`)
  })
}

function lineOf ({ file, start = 0 }: ts.Diagnostic): string {
  return file === undefined ? '' : file.text.slice(start).split('\n', 1)[0]!
}

/** Errors of the syntax alone, for code whose packages are not here. */
export function syntaxErrors ({ place, code }: CodeBlock): string[] {
  const { diagnostics = [] } = ts.transpileModule(code, { reportDiagnostics: true, compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 } })
  return diagnostics.map(({ messageText }) => `${place}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
}

/** Strips the types of a block. */
export function toJavaScript (code: string): string {
  return compile(code, ts.ModuleKind.ESNext)
}

function compile (code: string, module: ts.ModuleKind): string {
  return ts.transpileModule(code, {
    compilerOptions: {
      module,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: module === ts.ModuleKind.ESNext,
      rewriteRelativeImportExtensions: true,
    },
  }).outputText
}

/** Puts this package, built as ES modules and as CommonJS, into `<directory>/node_modules`, so that programs find it as when installed. */
export function installPackage (root: string, directory: string): void {
  const home = join(directory, 'node_modules/fastify-schema-telemetry')
  const { name, type, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  write(join(home, 'package.json'), JSON.stringify({ name, type, exports }))
  write(join(home, 'dist/cjs/package.json'), '{"type":"commonjs"}')
  const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  for (const path of ['plugin.ts', ...sources.map((source) => join('lib', source))]) {
    const code = readFileSync(join(root, path), 'utf8')
    const output = path.replace(/\.ts$/, '.js')
    write(join(home, 'dist/esm', output), compile(code, ts.ModuleKind.ESNext))
    write(join(home, 'dist/cjs', output), compile(code, ts.ModuleKind.CommonJS))
  }
  execFileSync(process.execPath, [join(root, '.ci/write-doors.mjs'), join(home, 'dist/esm'), join(home, 'dist/cjs')])
}

function write (path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
