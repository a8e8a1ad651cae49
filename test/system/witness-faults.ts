// Faults of the witness, and of the way to it: who acts then, and that never two do.
import type { Fault, Scene } from './faults.ts'
import { LINKS, NODES, OTHER } from './ground.ts'

const pause = ({ random, wait }: Scene, least: number, most: number) =>
  wait(least + random.below(most - least + 1))

export const WITNESS_FAULTS: readonly Fault[] = [
  {
    name: 'witness killed',
    mode: 'witness',
    outcome: 'none',
    async inflict(scene) {
      await scene.killWitness()
      await scene.untilBond(scene.primary)
      await pause(scene, 0, 5_000)
      await scene.startWitness()
    },
  },
  {
    name: 'witness stopped',
    mode: 'witness',
    outcome: 'none',
    async inflict(scene) {
      scene.signalWitness('SIGSTOP')
      await pause(scene, 500, 6_000)
      scene.signalWitness('SIGCONT')
    },
  },
  {
    name: 'witness not reached by the secondary',
    mode: 'witness',
    outcome: 'none',
    async inflict(scene) {
      scene.ground.setWitness(OTHER[scene.primary], false)
      await pause(scene, 500, 5_000)
    },
  },
  {
    name: 'witness not reached by the primary',
    mode: 'witness',
    outcome: 'takeover',
    async inflict(scene) {
      scene.ground.setWitness(scene.primary, false)
      await scene.untilPromoted()
    },
  },
  {
    name: 'primary reaches neither peer nor witness',
    mode: 'witness',
    outcome: 'takeover',
    async inflict(scene) {
      scene.ground.cut(LINKS)
      scene.ground.setWitness(scene.primary, false)
      await scene.untilPromoted()
      await pause(scene, 0, 800)
    },
  },
  {
    // The primary steps down when its secondary's promise ends; nobody acts until one of them holds the lease again.
    name: 'witness killed, both links cut',
    mode: 'witness',
    outcome: 'either',
    async inflict(scene) {
      await scene.killWitness()
      await scene.untilBond(scene.primary)
      scene.ground.cut(LINKS)
      await pause(scene, 500, 4_000)
      await scene.startWitness()
      await pause(scene, 0, 4_000)
    },
  },
  {
    name: 'witness and links flap',
    mode: 'witness',
    outcome: 'either',
    async inflict(scene) {
      for (let i = 0; i < 6; i++) {
        for (const node of NODES) scene.ground.setWitness(node, scene.random.chance(0.5))
        scene.ground.lose(scene.random.pick(NODES), LINKS, scene.random.pick([0, 100]))
        await pause(scene, 0, 1_500)
      }
    },
  },
]
