// The faults of a campaign: what each does to a pair that is well, and whether a secondary has to take over, or must not.
import { cpus } from 'node:os'
import type { Random } from '../support/seed.ts'
import type { Ground, LinkNumber, NodeName } from './ground.ts'
import { LINKS, OTHER } from './ground.ts'
import { BusyLoops, quota } from './squeeze.ts'

/** What a fault may do. Whatever it leaves behind is mended after it: cuts, stopped and dead processes. */
export interface Scene {
  readonly random: Random
  readonly ground: Ground
  /** Who led when the round began. */
  readonly primary: NodeName
  wait(ms: number): Promise<void>
  pid(node: NodeName): number
  kill(node: NodeName): Promise<void>
  signal(node: NodeName, signal: 'SIGSTOP' | 'SIGCONT'): void
  /** The other node has taken over. */
  untilPromoted(): Promise<void>
}

export interface Fault {
  readonly name: string
  /** True: the secondary has to take over. False: any promotion is a false one. */
  readonly promotes: boolean
  inflict(scene: Scene): Promise<void>
}

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

export const FAULTS: readonly Fault[] = [
  {
    name: 'primary killed',
    promotes: true,
    async inflict({ kill, primary, untilPromoted }) {
      await kill(primary)
      await untilPromoted()
    },
  },
  {
    name: 'primary killed on one link',
    promotes: true,
    async inflict({ random, ground, kill, wait, primary, untilPromoted }) {
      ground.cut([anyLink(random)])
      await wait(between(random, 0, 600))
      await kill(primary)
      await untilPromoted()
    },
  },
  {
    name: 'primary killed, starved',
    promotes: true,
    inflict: ({ random, kill, wait, primary, untilPromoted }) =>
      starved(async () => {
        await wait(between(random, 0, 500))
        await kill(primary)
        await untilPromoted()
      }),
  },
  {
    name: 'primary killed, packets lost',
    promotes: true,
    async inflict({ random, ground, kill, wait, primary, untilPromoted }) {
      for (const node of ['a', 'b'] as const) ground.lose(node, [anyLink(random)], between(random, 1, 30))
      await wait(between(random, 0, 500))
      await kill(primary)
      await untilPromoted()
    },
  },
  {
    name: 'primary stopped',
    promotes: true,
    async inflict({ random, signal, wait, primary, untilPromoted }) {
      signal(primary, 'SIGSTOP')
      await untilPromoted()
      await wait(between(random, 0, 800))
      signal(primary, 'SIGCONT')
    },
  },
  {
    name: 'both links cut',
    promotes: true,
    async inflict({ random, ground, wait, untilPromoted }) {
      ground.cut(LINKS)
      await untilPromoted()
      await wait(between(random, 0, 800))
    },
  },
  {
    name: 'interfaces down',
    promotes: true,
    async inflict({ random, ground, wait, untilPromoted }) {
      const node = anyNode(random)
      for (const link of LINKS) ground.setInterface(node, link, 'down')
      await untilPromoted()
      await wait(between(random, 0, 800))
    },
  },
  {
    name: 'primary not heard on either link',
    promotes: true,
    async inflict({ random, ground, wait, primary, untilPromoted }) {
      ground.cut(LINKS, [primary])
      await untilPromoted()
      await wait(between(random, 0, 500))
    },
  },
  {
    name: 'secondary not heard on either link',
    promotes: false,
    async inflict({ random, ground, wait, primary }) {
      ground.cut(LINKS, [OTHER[primary]])
      await wait(between(random, 300, 1_500))
    },
  },
  {
    name: 'secondary killed',
    promotes: false,
    async inflict({ random, kill, wait, primary }) {
      await kill(OTHER[primary])
      await wait(between(random, 0, 500))
    },
  },
  {
    name: 'secondary stopped',
    promotes: false,
    async inflict({ random, signal, wait, primary }) {
      signal(OTHER[primary], 'SIGSTOP')
      await wait(between(random, 100, 1_200))
      signal(OTHER[primary], 'SIGCONT')
    },
  },
  {
    name: 'one link cut',
    promotes: false,
    async inflict({ random, ground, wait }) {
      ground.cut([anyLink(random)])
      await wait(between(random, 200, 1_500))
    },
  },
  {
    name: 'one link cut one way',
    promotes: false,
    async inflict({ random, ground, wait }) {
      ground.cut([anyLink(random)], [anyNode(random)])
      await wait(between(random, 200, 1_500))
    },
  },
  {
    name: 'one interface flaps',
    promotes: false,
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
    promotes: false,
    async inflict({ random, ground, wait }) {
      const link = anyLink(random)
      for (const node of ['a', 'b'] as const) ground.lose(node, [link], between(random, 1, 30))
      await wait(between(random, 1_500, 3_000))
    },
  },
  {
    // At 30 % on both links four heartbeats in a row are lost every quarter of an hour: then a takeover is no mistake.
    name: '1-15 % lost on both links',
    promotes: false,
    async inflict({ random, ground, wait }) {
      for (const node of ['a', 'b'] as const) ground.lose(node, LINKS, between(random, 1, 15))
      await wait(between(random, 1_500, 3_000))
    },
  },
  {
    name: 'starved',
    promotes: false,
    inflict: ({ random, wait }) => starved(() => wait(between(random, 2_000, 4_000))),
  },
  {
    name: 'primary under a quota',
    promotes: false,
    async inflict({ random, wait, pid, primary }) {
      const group = quota(pid(primary), QUOTA_SHARE)
      await wait(between(random, 1_500, 3_000))
      group?.end()
    },
  },
]
