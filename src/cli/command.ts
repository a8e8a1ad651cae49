// What every command of `holdfast` is: a name, a line for the list, a help text, and a function that gives the exit code.
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Where a command writes, and what is known of the terminal. */
export interface Terminal {
  out(text: string): void
  error(text: string): void
  readonly isTty: boolean
  readonly columns: number
  /** Whether colours are wanted: a terminal, and no NO_COLOR. */
  readonly colours: boolean
}

export interface Command {
  readonly summary: string
  readonly help: string
  /** Resolves to the exit code. What it throws is shown, and is exit code 1, or 2 for a UsageError. */
  run(args: readonly string[], terminal: Terminal): Promise<number>
}

/** The command line is wrong; the help follows. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<Named extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Named; allowPositionals: true }>
>

/** `parseArgs` of node:util: on all three runtimes, and it keeps the package at one dependency. */
export function parse<Named extends Options>(args: readonly string[], options: Named): Parsed<Named> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

export function numberOf(name: string, value: string, least: number, most: number): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number) || number < least || number > most)
    throw new UsageError(`--${name} is '${value}'; allowed: a number from ${least} to ${most}`)
  return number
}

/** What a peer says is shown to people: nothing in it may steer their terminal. */
export const printable = (text: string): string => text.replace(/\p{C}/gu, '?')
