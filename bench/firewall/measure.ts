// One run of one side on fresh ground, and of the same side with many connections to commit.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Traffic } from './actors.ts'
import { CLIENTS, FirewallGround, SERVER, SHARED } from './ground.ts'
import type { Lost, Side } from './side.ts'

const WAIT_MS = 60_000
/** Between two bytes of a connection: no gap is shorter. */
const EVERY_MS = 20

export interface Sizes {
  readonly connections: number
  readonly churnPerSecond: number
  /** Rates of short connections at which the cost of replication is measured, a second, and for how long. */
  readonly steady: readonly number[]
  readonly steadyMs: number
  /** Before the loss. */
  readonly quietMs: number
  /** After the loss, in which every connection must have got a byte. */
  readonly afterMs: number
  readonly commit: number
}

export type Make = (ground: FirewallGround, folder: string) => Side

export interface FailoverRun {
  readonly survivors: number
  readonly wrongBytes: number
  readonly gapP50Ms: number
  readonly gapMaxMs: number
  readonly quietGapMaxMs: number
  readonly servingMs: number
  readonly commitMs: number
  /** From the loss until it was noticed, until the connections were written, where a side tells; NaN where not. */
  readonly noticedMs: number
  readonly writtenMs: number
  /** From the loss until the first byte came through again, of whichever connection: the end of the longest silence. */
  readonly firstByteMs: number
}

/** What replication costs while short connections come and go. */
export interface SteadyRun {
  readonly events: number
  /** Ethernet frames in both directions, on both links and on the first. */
  readonly bytesPerEvent: number
  readonly bytesPerEventM1: number
  readonly cpuUs: { readonly a: number; readonly b: number }
}

let grounds = 0

async function on<Value>(make: Make, body: (ground: FirewallGround, side: Side) => Promise<Value>) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-firewall-bench-'))
  const ground = new FirewallGround(`bench-${process.pid}-${grounds++}`, folder)
  const side = make(ground, folder)
  const clear = () => {
    ground.clear()
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', clear)
  try {
    ground.lay()
    await side.start()
    return await body(ground, side)
  } finally {
    await side.end()
    process.off('exit', clear)
    clear()
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const bound = performance.now() + WAIT_MS
  while (!(await holds())) {
    if (performance.now() > bound) throw new Error(`not within ${WAIT_MS} ms: ${what}`)
    await pause(20)
  }
}

const to = { host: SERVER, from: CLIENTS }

/** The client and the server of a ground, for as long as `body` runs. */
async function talking<Value>(
  ground: FirewallGround,
  body: (client: Traffic) => Promise<Value>,
): Promise<Value> {
  const server = new Traffic(ground, 'server')
  const client = new Traffic(ground, 'client')
  try {
    await server.ask('serve', { ports: [7000, 7001] })
    return await body(client)
  } finally {
    await client.close()
    await server.close()
  }
}

export const failover = (make: Make, sizes: Sizes, what: Lost): Promise<FailoverRun> =>
  on(make, (ground, side) =>
    talking(ground, async (client) => {
      const { connections: count, churnPerSecond: perSecond } = sizes
      await client.ask('open', { ...to, count, port: 7000, everyMs: EVERY_MS })
      await client.ask('churn', { ...to, perSecond, port: 7001 })
      await eventually('b holds the connections', async () => (await side.held()) >= count)
      await client.mark()
      await pause(sizes.quietMs)
      const quietGapMaxMs = (await client.report()).gaps.at(-1)!
      await client.mark()
      const { lostAt, servingMs, commitMs, ...told } = await side.lose(what)
      await pause(sizes.afterMs)
      // Gaps go back to the loss; alive is who got a byte after b served.
      const { gaps, silence } = await client.report()
      await client.mark()
      await pause(500)
      const { alive, wrong } = await client.report()
      return {
        survivors: alive,
        wrongBytes: wrong,
        gapP50Ms: gaps[gaps.length >> 1]!,
        gapMaxMs: gaps.at(-1)!,
        quietGapMaxMs,
        servingMs,
        commitMs,
        noticedMs: told.noticedMs ?? Number.NaN,
        writtenMs: told.writtenMs ?? Number.NaN,
        firstByteMs: silence.to - lostAt,
      }
    }),
  )

export const steady = (make: Make, sizes: Sizes, perSecond: number): Promise<SteadyRun> =>
  on(make, (ground, side) =>
    talking(ground, async (client) => {
      await client.ask('open', { ...to, count: sizes.connections, port: 7000, everyMs: 100 })
      await client.ask('churn', { ...to, perSecond, port: 7001 })
      await client.until('short ones come and go', ({ churned }) => churned.done >= perSecond)
      const links = () => ['m1', 'm2'].map((link) => ground.sent('a', link) + ground.sent('b', link))
      const look = async () => {
        const events = await side.events()
        return { events, bytes: links(), a: side.cpuMs('a'), b: side.cpuMs('b') }
      }
      const before = await look()
      await pause(sizes.steadyMs)
      const after = await look()
      const events = after.events - before.events
      const [m1 = 0, m2 = 0] = after.bytes.map((bytes, i) => bytes - before.bytes[i]!)
      return {
        events,
        bytesPerEvent: (m1 + m2) / events,
        bytesPerEventM1: m1 / events,
        cpuUs: {
          a: ((after.a - before.a) * 1000) / events,
          b: ((after.b - before.b) * 1000) / events,
        },
      }
    }),
  )

/** Lines that put so many translated connections into a kernel. */
export function connectionLines(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const [port, service] = [1024 + (i % 60_000), 7100 + Math.floor(i / 60_000)]
    return (
      `-A -t 3600 -u SEEN_REPLY,ASSURED -s 10.1.0.${20 + (i % 4)} -d ${SERVER} -n ${SHARED}:${port} -p tcp ` +
      `--sport ${port} --dport ${service} --state ESTABLISHED\n`
    )
  })
  return lines.join('')
}

/** How long b takes to write so many connections into its kernel, ms. */
export const commit = (make: Make, count: number): Promise<{ commitMs: number }> =>
  on(make, async (ground, side) => {
    ground.inside('a', ['sh', '-c', 'cat | conntrack -R -'], connectionLines(count))
    await eventually(`b holds ${count} connections`, async () => (await side.held()) >= count)
    const { commitMs } = await side.lose('machine')
    const there = ground.entries('b')
    if (there < count) throw new Error(`${there} of ${count} connections are in b's kernel`)
    return { commitMs }
  })
