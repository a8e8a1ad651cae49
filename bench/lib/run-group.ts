// Compiles the benches to build/bench and runs one group of figures in a process of its own, for a bounded time.
import { fork, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FigureSpec, Measured } from './figure.ts'
import type { GroupMessage } from './group-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const COMPILER = join(root, 'node_modules/typescript/bin/tsc')
const PROGRAM = join(root, 'build/bench/lib/group-process.js')
const MINUTE_MS = 60_000

/** Plain JavaScript of all benches. A loader in the measured process would cost memory, time and code quality. */
export function compile(): void {
  const project = join(root, 'bench/tsconfig.run.json')
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMPILER, '-p', project], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`bench does not compile:\n${stdout}${stderr}`)
}

/** Measures the figures of one group. Rejects when a result is wrong, the process fails or takes too long. */
export function runGroup(
  specs: readonly FigureSpec[],
  smoke: boolean,
  note: (text: string) => void,
): Promise<Readonly<Record<string, Measured>>> {
  const { group } = specs[0]!
  const names = specs.map(({ name }) => name)
  const limitMs = (smoke ? 1 : 30) * MINUTE_MS
  return new Promise((resolve, reject) => {
    const child = fork(PROGRAM, [group, smoke ? 'smoke' : 'full', ...names], {
      cwd: root,
      execArgv: ['--expose-gc', '--max-old-space-size=8192'],
    })
    let measured: Readonly<Record<string, Measured>> | undefined
    let late = false
    let killer: NodeJS.Timeout | undefined
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGTERM')
      killer = setTimeout(() => child.kill('SIGKILL'), 5000)
    }, limitMs)
    child.on('message', (message: GroupMessage) => {
      if (message.type === 'note') note(message.text)
      else measured = message.measured
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      clearTimeout(killer)
      const missing = names.filter((name) => !measured?.[name])
      if (late) reject(new Error(`group ${group}: not done after ${limitMs / 1000} s`))
      else if (code !== 0) reject(new Error(`group ${group}: ended with ${signal ?? code}`))
      else if (missing.length > 0) reject(new Error(`group ${group}: gave no ${missing.join(', ')}`))
      else resolve(measured!)
    })
  })
}
