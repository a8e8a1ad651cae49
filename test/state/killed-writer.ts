// A process that writes files, killed with SIGKILL a moment after its first word.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs `script`, a file beside this one, kills it `afterMs` after its first line, and resolves to the last number it said. */
export function killedWriter(
  script: string,
  directory: string,
  from: number,
  afterMs: number,
): Promise<number> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, directory, String(from)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      // From its first word on: before, there is nothing to interrupt.
      if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
      said += chunk
    })
    child.once('error', reject)
    child.once('close', () => resolve(Number(said.trimEnd().split('\n').at(-1))))
  })
}
