// Examples as a pair of real processes, with identities and ports of their own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freeAddress, makeIdentity } from '../../src/testing/index.ts'
import { root, Watched } from '../package/support.ts'

export type Id = 'a' | 'b'

export interface Servers {
  /** Where each listens for HTTP. */
  readonly port: { readonly a: number; readonly b: number }
  readonly folder: string
  /** Starts one, on this Node or by another command. */
  start(id: Id, command?: readonly string[]): Watched
  /** Starts anything else of the example. */
  run(...words: string[]): Watched
}

/**
 * Runs `body` with an example whose main.mjs takes the usual options; ends whatever it started. With the patience of a busy
 * machine: a process that is killed is noticed at once all the same.
 */
export async function inServers(
  example: string,
  env: object,
  body: (servers: Servers) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-${example}-`))
  const main = join(root, 'examples', example, 'main.mjs')
  const free: string[] = []
  while (free.length < 6) {
    const address = await freeAddress()
    if (!free.includes(address)) free.push(address)
  }
  const [a1, a2, b1, b2, sa, sb] = free as [string, string, string, string, string, string]
  const [a, b] = await Promise.all([makeIdentity('a'), makeIdentity('b')])
  writeFileSync(join(folder, 'a.json'), JSON.stringify({ ...a, trust: [b.cert] }))
  writeFileSync(join(folder, 'b.json'), JSON.stringify({ ...b, trust: [a.cert] }))
  const links = { a: [`${a1},${b1}`, `${a2},${b2}`, sa], b: [`${b1},${a1}`, `${b2},${a2}`, sb] }
  const started: Watched[] = []
  const watch = (command: readonly string[]) => {
    const watched = new Watched(command, folder, env)
    started.push(watched)
    return watched
  }
  const portOf = (address: string) => Number(address.split(':')[1])
  try {
    await body({
      port: { a: portOf(sa), b: portOf(sb) },
      folder,
      start(id, command = [process.execPath]) {
        const peer = id === 'a' ? 'b' : 'a'
        const [m1, m2, listen] = links[id] as [string, string, string]
        const options = {
          id,
          peer,
          listen,
          m1,
          m2,
          identity: `${id}.json`,
          lost: '30',
        }
        return watch([
          ...command,
          main,
          ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
        ])
      },
      run: (...words) => watch([process.execPath, main, ...words]),
    })
  } finally {
    for (const one of started) one.kill()
    await Promise.all(started.map((one) => one.ends()))
    rmSync(folder, { recursive: true, force: true })
  }
}
