// What doctor found: each a subject, a verdict, what was seen, and what to do about it.
import { printable, type Terminal } from './command.ts'

export type Verdict = 'ok' | 'note' | 'warn' | 'fail'

export interface Finding {
  readonly verdict: Verdict
  readonly subject: string
  readonly seen: string
  /** What to do; '' where nothing has to be done. */
  readonly advice: string
}

export class Findings {
  readonly all: Finding[] = []

  add(verdict: Verdict, subject: string, seen: string, advice = ''): void {
    this.all.push({ verdict, subject, seen: printable(seen), advice })
  }

  get hasFailed(): boolean {
    return this.all.some(({ verdict }) => verdict === 'fail')
  }

  count(verdict: Verdict): number {
    return this.all.filter((one) => one.verdict === verdict).length
  }
}

const COLOURS: Record<Verdict, string> = { ok: '32', note: '36', warn: '33', fail: '31' }
const INDENT = 18

export function print({ all }: Findings, terminal: Terminal): void {
  const width = Math.max(40, Math.min(terminal.columns, 110)) - INDENT
  for (const { verdict, subject, seen, advice } of all) {
    const mark = verdict === 'fail' ? 'FAIL' : verdict
    const shown = terminal.colours ? `\x1b[${COLOURS[verdict]}m${mark.padEnd(5)}\x1b[0m` : mark.padEnd(5)
    const [first = '', ...rest] = [...wrap(seen, width), ...wrap(advice === '' ? '' : `-> ${advice}`, width)]
    terminal.out(`${shown} ${subject.padEnd(INDENT - 7)} ${first}`)
    for (const line of rest) terminal.out(`${' '.repeat(INDENT)}${line}`)
  }
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').filter((one) => one !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines
}
