import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Program {
  /** What it has written so far, both streams together. */
  output: () => string
  /** Resolves with the match once the output has it; rejects when the program ends or the time is over. */
  waitFor (pattern: RegExp, timeoutMillis?: number): Promise<RegExpExecArray>
  /** Sends a signal, if any, and resolves with the exit code. */
  end (signal?: NodeJS.Signals): Promise<number | null>
}

/** Runs a Node program of this repository as a process of its own. */
export function runProgram (args: string[], env: NodeJS.ProcessEnv = {}): Program {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(OTEL_|NODE_|TAP|_TAPJS)/.test(name))
  const child = spawn(process.execPath, args, { env: { ...Object.fromEntries(inherited), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit') as Promise<[number | null]>
  let output = ''
  const checks = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const check of checks) check()
    })
  }
  return {
    output: () => output,
    waitFor (pattern, timeoutMillis = 20_000) {
      return new Promise((resolve, reject) => {
        const stop = () => {
          clearTimeout(timer)
          checks.delete(check)
          child.off('exit', onExit)
        }
        const check = () => {
          const match = pattern.exec(output)
          if (match === null) return
          stop()
          resolve(match)
        }
        const fail = (reason: string) => {
          stop()
          reject(new Error(`${reason} before ${pattern} was written; the output was:\n${output}`))
        }
        const onExit = () => {
          check()
          fail('the program ended')
        }
        const timer = setTimeout(() => fail(`${timeoutMillis} ms were over`), timeoutMillis)
        checks.add(check)
        child.once('exit', onExit)
        check()
      })
    },
    async end (signal) {
      if (signal !== undefined && child.exitCode === null) child.kill(signal)
      const [code] = await exited
      return code
    },
  }
}
