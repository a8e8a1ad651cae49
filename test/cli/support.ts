// What the tests of the command share: running it as a user does, in a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

export function start(args: readonly string[], cwd?: string, env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [program, ...args], { cwd, env: { ...process.env, ...env } })
}

export function holdfast(args: readonly string[], cwd?: string): Promise<Outcome> {
  return ended(start(args, cwd))
}

export function ended(child: ChildProcess): Promise<Outcome> {
  let out = ''
  let error = ''
  child.stdout!.on('data', (bytes) => (out += bytes))
  child.stderr!.on('data', (bytes) => (error += bytes))
  const late = setTimeout(() => child.kill('SIGKILL'), 60_000)
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(late)
      resolve({ code, out, error })
    })
  })
}

export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
