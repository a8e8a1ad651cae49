// What the tests of a runtime share: a table, addresses, a pair, a node in a process of the same runtime.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { defineTable } from 'holdfast'
import { freeAddress, makeIdentity } from 'holdfast/testing'

export const sessions = defineTable({
  name: 'sessions',
  key: { ip: 'ipv4', port: 'u16' },
  fields: { count: 'u53', state: ['new', 'open'] },
  capacity: 5_000,
})
export const SESSIONS = 3_000
export const keyOf = (i) => ({ ip: `10.0.${i >> 8}.${i & 255}`, port: i })

export async function until(what, holds) {
  const deadline = performance.now() + 20_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${what}`)
    await wait(1)
  }
}

/**
 * Options of nodes a and b, with identities. They wait for each other for long: where a process takes seconds to start, as on a
 * busy machine, the first one up would lead alone by default.
 */
export async function pairOptions(given = {}) {
  const extra = { holdDown: 20_000, ...given }
  const [a1, a2, b1, b2] = await Promise.all([1, 2, 3, 4].map(freeAddress))
  const [a, b] = await Promise.all(['a', 'b'].map(makeIdentity))
  return {
    a: {
      id: 'a',
      peer: 'b',
      priority: 200,
      links: { m1: { listen: a1, peer: b1 }, m2: { listen: a2, peer: b2 } },
      identity: { ...a, trust: [b.cert] },
      ...extra,
    },
    b: {
      id: 'b',
      peer: 'a',
      links: { m1: { listen: b1, peer: a1 }, m2: { listen: b2, peer: a2 } },
      identity: { ...b, trust: [a.cert] },
      ...extra,
    },
  }
}

/** A primary in another process of this runtime: test/runtime/primary.mjs. `says` resolves at a line of its output. */
export function startPrimary(options) {
  const path = fileURLToPath(new URL('./primary.mjs', import.meta.url))
  const before = 'Deno' in globalThis ? ['run', '--allow-all', '--no-prompt'] : []
  const child = spawn(process.execPath, [...before, path, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  return {
    says: (line) => until(`the primary says '${line}'`, () => lines.includes(line)),
    // Not child.kill: Deno's takes any signal for the end of the child.
    kill(signal) {
      if (child.exitCode === null && child.signalCode === null) process.kill(child.pid, signal)
    },
  }
}
