// bench/results/latest.json: the figures last measured, each with its own date and commit, and the machine.
import { spawnSync } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Figure } from './figure.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const LATEST = fileURLToPath(new URL('../results/latest.json', import.meta.url))

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGib: number
  readonly kernel: string
}

export interface Results {
  readonly machine: Machine
  readonly runtime: string
  readonly commit: string
  readonly date: string
  readonly figures: Readonly<Record<string, Figure>>
}

/** The kind of machine, not which one. */
export function machine(): Machine {
  const cpus = os.cpus()
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
  }
}

/** Above so many times the cores something else ran beside a bench; its own load stays below. */
const BUSY = 2

/** Whether a load average says that what was measured then is provisional. */
export function isBusy({ cores }: Machine, load: number): boolean {
  return load > BUSY * cores
}

/** Short hash of the commit that is measured, with `+` if what is measured differs from it. */
export function commit(): string {
  const git = (...args: string[]) =>
    spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? ''
  const hash = git('rev-parse', '--short', 'HEAD')
  if (hash === '') return 'unknown'
  return git('status', '--porcelain', '--', 'assembly', 'src', 'bench', ':!bench/results') === ''
    ? hash
    : `${hash}+`
}

/** The figures of a file; none if there is no such file yet. */
export function readFigures(file: string): Readonly<Record<string, Figure>> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  return (JSON.parse(text) as Results).figures
}

/** Replaces a file at once: a run that is stopped leaves the old one. Lists of numbers stay on one line. */
export function writeResults(file: string, results: Results): void {
  const text = JSON.stringify(results, null, 2).replace(/\[[\s\d.,eE+-]*\]/g, (list) =>
    list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  )
  writeFileSync(`${file}.tmp`, `${text}\n`)
  renameSync(`${file}.tmp`, file)
}
