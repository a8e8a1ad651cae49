// holdfast demo: the failover demonstration that comes with the package, in processes of its own.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { makeIdentity } from '../testing/index.ts'
import type { Command } from './command.ts'

const PROGRAM = '../../examples/demo/main.mjs'

const HELP = `usage: holdfast demo [--flows N] [--pace MS] [--quick] [--json]

Two gateway processes, two cables, 20,000 clients, and everything that can happen to them, in about a minute: a cut
cable, kill -9, a restart, a handover, a blocked main thread. Needs @peculiar/x509 and reflect-metadata beside
holdfast, and Node.

  --flows N    client flows, 1 to 1000000 (20000, or 2000 with --quick)
  --pace MS    every flow asks once in so many milliseconds
  --quick      fewer flows, shorter acts
  --json       the last line is one JSON object with what was seen
Ends with 0 if every promise held.`

export const demo: Command = {
  summary: 'two gateways, 20,000 clients, one kill -9',
  help: HELP,
  async run(args) {
    try {
      await makeIdentity('demo')
    } catch {
      throw new Error(
        'the nodes of the demonstration need certificates: npm install @peculiar/x509 reflect-metadata beside holdfast',
      )
    }
    const program = fileURLToPath(new URL(PROGRAM, import.meta.url))
    const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' })
    // A terminal tells both; a signal sent to this process alone is passed on.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => child.kill(signal))
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', (code) => resolve(code ?? 1))
    })
  },
}
