// The faults of a campaign: what each does to a pair that is well, and whether a secondary has to take over, or must not.
import { cpus } from 'node:os'
import type { Random } from '../support/seed.ts'
import type { Ground, LinkNumber, NodeName } from './ground.ts'
import { LINKS, OTHER } from './ground.ts'
import type { Mode } from './history.ts'
import { BusyLoops, quota } from './squeeze.ts'
import { WITNESS_FAULTS } from './witness-faults.ts'

/** What a fault may do. Whatever it leaves behind is mended after it: cuts, stopped and dead processes. */
export interface Scene {
  readonly random: Random
  readonly ground: Ground
  /** Who led when the round began. */
  readonly primary: NodeName
  /** How long starvation lasts, ms. */
  readonly starvedMs: number
  wait(ms: number): Promise<void>
  pid(node: NodeName): number
  kill(node: NodeName): Promise<void>
  signal(node: NodeName, signal: 'SIGSTOP' | 'SIGCONT'): void
  /**
   * The other node has taken over; in mode 'manual' by an operator's word, after a while in which it did not by itself.
   * Where nobody may take over: as long a while as that would have taken.
   */
  untilPromoted(): Promise<void>
  /** The witness is killed, or started again with what it knew; there is one in mode 'witness' only. */
  killWitness(): Promise<void>
  startWitness(): Promise<void>
  /** The node acts without the witness, by its peer's word. */
  untilBond(node: NodeName): Promise<void>
  signalWitness(signal: 'SIGSTOP' | 'SIGCONT'): void
}

/**
 * What a fault has to come to. 'takeover': the secondary leads. 'none': any promotion is a false one. 'either': who leads
 * afterwards is left open, and only what holds in every case is asked.
 */
export type Outcome = 'takeover' | 'none' | 'either'

export interface Fault {
  readonly name: string
  readonly outcome: Outcome
  /** Where a mode asks for something else. */
  readonly outcomeIn?: Partial<Record<Mode, Outcome>>
  /** Only with `heartbeat.lost` of at least this. */
  readonly lostMin?: number
  /** Only in this mode. */
  readonly mode?: Mode
  inflict(scene: Scene): Promise<void>
}

/** What this fault has to come to in this mode. */
export const outcomeOf = ({ outcome, outcomeIn }: Fault, mode: Mode): Outcome => outcomeIn?.[mode] ?? outcome

/** Those that can be tried in this mode, with so many heartbeats that may be missing. */
export const faultsOf = (mode: Mode, lost: number): readonly Fault[] =>
  [...FAULTS, ...WITNESS_FAULTS].filter(
    (fault) => (fault.mode ?? mode) === mode && (fault.lostMin ?? 0) <= lost,
  )

/** One primary, whatever is cut: the secondary waits for an operator, or for the lease. */
const ONE_PRIMARY = { manual: 'none', witness: 'none' } as const

/** Four for each processor. */
export const BUSY_LOOPS = 4 * cpus().length
/** Of one processor, for one node. */
export const QUOTA_SHARE = 0.2

const between = (random: Random, least: number, most: number) => least + random.below(most - least + 1)
const anyLink = (random: Random): LinkNumber => random.pick(LINKS)
const anyNode = (random: Random): NodeName => random.pick(['a', 'b'] as const)

async function starved(body: () => Promise<void>): Promise<void> {
  const loops = new BusyLoops(BUSY_LOOPS)
  try {
    await body()
  } finally {
    await loops.end()
  }
}

const FAULTS: readonly Fault[] = [
  {
    name: 'primary killed',
    outcome: 'takeover',
    async inflict({ kill, primary, untilPromoted }) {
      await kill(primary)
      await untilPromoted()
    },
  },
  {
    name: 'primary killed on one link',
    outcome: 'takeover',
    async inflict({ random, ground, kill, wait, primary, untilPromoted }) {
      ground.cut([anyLink(random)])
      await wait(between(random, 0, 600))
      await kill(primary)
      await untilPromoted()
    },
  },
  {
    name: 'primary killed, starved',
    outcome: 'takeover',
    inflict: ({ random, kill, wait, primary, untilPromoted }) =>
      starved(async () => {
        await wait(between(random, 0, 500))
        await kill(primary)
        await untilPromoted()
      }),
  },
  {
    name: 'primary killed, packets lost',
    outcome: 'takeover',
    async inflict({ random, ground, kill, wait, primary, untilPromoted }) {
      for (const node of ['a', 'b'] as const) ground.lose(node, [anyLink(random)], between(random, 1, 30))
      await wait(between(random, 0, 500))
      await kill(primary)
      await untilPromoted()
    },
  },
  {
    name: 'primary stopped',
    outcome: 'takeover',
    async inflict({ random, signal, wait, primary, untilPromoted }) {
      signal(primary, 'SIGSTOP')
      await untilPromoted()
      await wait(between(random, 0, 800))
      signal(primary, 'SIGCONT')
    },
  },
  {
    name: 'both links cut',
    outcome: 'takeover',
    outcomeIn: ONE_PRIMARY,
    async inflict({ random, ground, wait, untilPromoted }) {
      ground.cut(LINKS)
      await untilPromoted()
      await wait(between(random, 0, 800))
    },
  },
  {
    name: 'interfaces down',
    outcome: 'takeover',
    outcomeIn: ONE_PRIMARY,
    async inflict({ random, ground, wait, untilPromoted }) {
      const node = anyNode(random)
      for (const link of LINKS) ground.setInterface(node, link, 'down')
      await untilPromoted()
      await wait(between(random, 0, 800))
    },
  },
  {
    name: 'primary not heard on either link',
    outcome: 'takeover',
    // It hears that it is not heard, and keeps its lease.
    outcomeIn: { witness: 'none' },
    async inflict({ random, ground, wait, primary, untilPromoted }) {
      ground.cut(LINKS, [primary])
      await untilPromoted()
      await wait(between(random, 0, 500))
    },
  },
  {
    name: 'secondary not heard on either link',
    outcome: 'none',
    async inflict({ random, ground, wait, primary }) {
      ground.cut(LINKS, [OTHER[primary]])
      await wait(between(random, 300, 1_500))
    },
  },
  {
    name: 'secondary killed',
    outcome: 'none',
    async inflict({ random, kill, wait, primary }) {
      await kill(OTHER[primary])
      await wait(between(random, 0, 500))
    },
  },
  {
    name: 'secondary stopped',
    outcome: 'none',
    async inflict({ random, signal, wait, primary }) {
      signal(OTHER[primary], 'SIGSTOP')
      await wait(between(random, 100, 1_200))
      signal(OTHER[primary], 'SIGCONT')
    },
  },
  {
    name: 'one link cut',
    outcome: 'none',
    async inflict({ random, ground, wait }) {
      ground.cut([anyLink(random)])
      await wait(between(random, 200, 1_500))
    },
  },
  {
    name: 'one link cut one way',
    outcome: 'none',
    async inflict({ random, ground, wait }) {
      ground.cut([anyLink(random)], [anyNode(random)])
      await wait(between(random, 200, 1_500))
    },
  },
  {
    name: 'one interface flaps',
    outcome: 'none',
    async inflict({ random, ground, wait }) {
      const [node, link] = [anyNode(random), anyLink(random)]
      for (let i = 0; i < 4; i++) {
        ground.setInterface(node, link, 'down')
        await wait(between(random, 0, 150))
        ground.setInterface(node, link, 'up')
        await wait(between(random, 0, 150))
      }
    },
  },
  {
    name: '1-30 % lost on one link',
    outcome: 'none',
    async inflict({ random, ground, wait }) {
      const link = anyLink(random)
      for (const node of ['a', 'b'] as const) ground.lose(node, [link], between(random, 1, 30))
      await wait(between(random, 1_500, 3_000))
    },
  },
  {
    // At 30 % on both links four heartbeats in a row are lost every quarter of an hour: then a takeover is no mistake.
    name: '1-15 % lost on both links',
    outcome: 'none',
    async inflict({ random, ground, wait }) {
      for (const node of ['a', 'b'] as const) ground.lose(node, LINKS, between(random, 1, 15))
      await wait(between(random, 1_500, 3_000))
    },
  },
  {
    name: '30 % lost on both links',
    outcome: 'none',
    lostMin: 8,
    async inflict({ random, ground, wait }) {
      for (const node of ['a', 'b'] as const) ground.lose(node, LINKS, 30)
      await wait(between(random, 2_000, 6_000))
    },
  },
  {
    name: 'starved',
    outcome: 'none',
    inflict: ({ starvedMs, wait }) => starved(() => wait(starvedMs)),
  },
  {
    name: 'primary under a quota',
    outcome: 'none',
    async inflict({ random, wait, pid, primary }) {
      const group = quota(pid(primary), QUOTA_SHARE)
      await wait(between(random, 1_500, 3_000))
      group?.end()
    },
  },
]
