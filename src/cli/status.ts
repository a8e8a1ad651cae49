// holdfast status and holdfast watch: a running node in a terminal, once or for as long as one looks.
import { setTimeout as wait } from 'node:timers/promises'
import { askStatus, DEFAULT_ADDRESS } from './admin-client.ts'
import { type Command, numberOf, parse, type Terminal, UsageError } from './command.ts'
import { painter, statusLine, statusPage } from './status-view.ts'

const ADDRESS = `ADDRESS is the node's admin address, HOST:PORT or the path of its unix socket (${DEFAULT_ADDRESS}); the node
needs the option admin: { listen: ADDRESS }.`

function addressOf(positionals: readonly string[]): string {
  if (positionals.length > 1) throw new UsageError(`${positionals.length} addresses given; allowed: one`)
  return positionals[0] ?? DEFAULT_ADDRESS
}

export const status: Command = {
  summary: 'what a running node says of itself',
  help: `usage: holdfast status [ADDRESS] [--json]

${ADDRESS}

  --json    the status as JSON
Ends with 0 if the node is a protected primary or a synced secondary, 1 if not, or if nothing answers.`,
  async run(args, terminal) {
    const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } })
    const shown = await askStatus(addressOf(positionals))
    terminal.out(values.json ? JSON.stringify(shown, null, 2) : statusPage(shown, painter(terminal.colours)))
    return shown.protected || shown.synced ? 0 : 1
  },
}

export const watch: Command = {
  summary: 'the same, again and again',
  help: `usage: holdfast watch [ADDRESS] [--interval S] [--count N]

${ADDRESS}
In a terminal a page that is drawn anew; otherwise a line each time. Ctrl-C ends it.

  --interval S    seconds between two looks, 0.1 to 3600 (1)
  --count N       end after so many looks (0: never)`,
  async run(args, terminal) {
    const { values, positionals } = parse(args, {
      interval: { type: 'string', default: '1' },
      count: { type: 'string', default: '0' },
    })
    const address = addressOf(positionals)
    const intervalMs = 1000 * numberOf('interval', values.interval, 0.1, 3600)
    const looks = numberOf('count', values.count, 0, 1e9)
    let wasWell = true
    for (let i = 0; looks === 0 || i < looks; i++) {
      if (i > 0) await wait(intervalMs)
      wasWell = await look(address, terminal)
    }
    return wasWell ? 0 : 1
  },
}

/** A node that does not answer is shown as that, and asked again: it may be starting anew. */
async function look(address: string, terminal: Terminal): Promise<boolean> {
  const at = new Date().toISOString()
  try {
    const shown = await askStatus(address)
    if (terminal.isTty) draw(terminal, statusPage(shown, painter(terminal.colours)), at)
    else terminal.out(statusLine(shown))
    return shown.protected || shown.synced
  } catch (error) {
    const { message } = error as Error
    if (terminal.isTty) draw(terminal, painter(terminal.colours)('red', message), at)
    else terminal.out(`${at} ${message}`)
    return false
  }
}

/** From the top, each line's rest cleared, then what is below: no flicker. */
function draw(terminal: Terminal, page: string, at: string): void {
  const lines = [
    ...page.split('\n'),
    '',
    painter(terminal.colours)('dim', `${at.slice(11, 19)} UTC, Ctrl-C ends`),
  ]
  terminal.out(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`)
}
