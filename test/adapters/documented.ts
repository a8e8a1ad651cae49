// Runs the programs of docs/adapters as they stand there, two processes of each, with ports that are free here and the
// patience that a busy machine needs: a process that is killed is noticed at once all the same.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freeAddress } from 'holdfast/testing'
import { until } from '../node/support.ts'
import { PATIENT, request } from './support.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The first block of a page that begins with `// server.mjs`. */
export function program(page: string): string {
  const text = readFileSync(join(root, 'docs/adapters', `${page}.md`), 'utf8')
  const found = /```js\n(\/\/ server\.mjs\n[\s\S]*?)```/.exec(text)
  if (found === null) throw new Error(`${page}.md has no program`)
  return found[1]!
}

/** The same with each port of it replaced by a free one; `ports` are those that the program listens on for HTTP. */
async function withFreePorts(text: string): Promise<{ text: string; ports: Map<string, number> }> {
  const ports = new Map<string, number>()
  for (const [port] of text.matchAll(/\b(?:30|74)\d\d\b/g)) {
    while (!ports.has(port)) {
      const free = Number((await freeAddress()).split(':')[1])
      if (![...ports.values()].includes(free)) ports.set(port, free)
    }
  }
  const patient = `insecure: true, heartbeat: ${JSON.stringify(PATIENT)},`
  const program = text
    .replace(/\b(?:30|74)\d\d\b/g, (port) => String(ports.get(port)))
    .replace('insecure: true,', patient)
  return { text: program, ports }
}

export interface Documented {
  /** HTTP port of a node. */
  readonly port: { readonly a: number; readonly b: number }
  /** Kills it at once and waits for its end. */
  kill(id: 'a' | 'b'): Promise<void>
  /** The node that says at /primary that it is. */
  primary(): Promise<'a' | 'b'>
}

/** Runs `body` with both processes of a page's program, a being primary and b its secondary. */
export async function documented(page: string, body: (servers: Documented) => Promise<void>): Promise<void> {
  // Inside the repository, so that the packages it imports are found.
  const folder = mkdtempSync(join(root, 'test/adapters/.run-'))
  const children = new Map<string, ChildProcess>()
  try {
    const { text, ports } = await withFreePorts(program(page))
    const file = join(folder, 'server.mjs')
    writeFileSync(file, text)
    const port = { a: ports.get('3001')!, b: ports.get('3002')! }
    const answers = async (id: 'a' | 'b') => request(port[id], '/primary').catch(() => undefined)
    const start = async (id: 'a' | 'b') => {
      const child = spawn(process.execPath, [file, id], { stdio: ['ignore', 'ignore', 'inherit'] })
      children.set(id, child)
      await untilAsync(`${id} answers`, async () => (await answers(id)) !== undefined)
    }
    await start('a')
    await untilAsync('a is primary', async () => (await answers('a'))?.status === 200)
    await start('b')
    await untilAsync('a is protected', async () => (await answers('a'))?.body === 'primary, protected')
    await body({
      port,
      async kill(id) {
        const child = children.get(id)!
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGKILL')
        await ended
      },
      async primary() {
        let found: 'a' | 'b' | undefined
        await untilAsync('one is primary', async () => {
          for (const id of ['a', 'b'] as const) if ((await answers(id))?.status === 200) found = id
          return found !== undefined
        })
        return found!
      },
    })
  } finally {
    for (const child of children.values()) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    }
    await until('all have ended', () => [...children.values()].every((c) => c.exitCode ?? c.signalCode))
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function untilAsync(
  what: string,
  holds: () => Promise<boolean>,
  boundMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + boundMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${boundMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
