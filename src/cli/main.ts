#!/usr/bin/env node
// The `holdfast` command: finds the command by its first argument and runs it. Commands are loaded when they are used.
import { VERSION } from '../version.ts'
import { type Command, type Terminal, UsageError } from './command.ts'

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  keygen: async () => (await import('./keygen.ts')).keygen,
  status: async () => (await import('./status.ts')).status,
  watch: async () => (await import('./status.ts')).watch,
  doctor: async () => (await import('./doctor.ts')).doctor,
  bench: async () => (await import('./bench.ts')).bench,
  demo: async () => (await import('./demo.ts')).demo,
}

const terminal: Terminal = {
  out: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
  isTty: process.stdout.isTTY === true,
  columns: process.stdout.columns ?? 80,
  colours: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
}

async function overview(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => `  ${name.padEnd(8)} ${(await load()).summary}`),
  )
  return ['usage: holdfast COMMAND [options]', '', ...lines, '', 'holdfast COMMAND --help tells more.'].join(
    '\n',
  )
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.out(await overview())
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    terminal.out(VERSION)
    return 0
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (load === undefined) {
    terminal.error(`holdfast: there is no command '${name}'\n\n${await overview()}`)
    return 2
  }
  const command = await load()
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(command.help)
    return 0
  }
  try {
    return await command.run(args, terminal)
  } catch (error) {
    const isUsage = error instanceof UsageError
    const { message } = error instanceof Error ? error : new Error(String(error))
    terminal.error(`holdfast ${name}: ${message}${isUsage ? `\n\n${command.help}` : ''}`)
    return isUsage ? 2 : 1
  }
}

// A reader that has seen enough (`holdfast status | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
