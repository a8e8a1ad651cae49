// The golden stories: what happens, told in a text of its own for each, so that a change of behaviour is read in a diff.
import { Stage, type StagePlan } from './stage.ts'

export interface Story {
  /** Also that of its file. */
  readonly name: string
  readonly title: string
  readonly plan?: StagePlan
  readonly script: (stage: Stage) => void
}

export const STORIES: readonly Story[] = [
  {
    name: 'primary-dies',
    title:
      'The process of the primary is killed: promoted as soon as its ports say so. It comes back as secondary.',
    script: (stage) => {
      stage.settle()
      stage.show()
      stage.say('kill -9, and a new process two seconds later')
      stage.kill(stage.primary, 2_000)
      stage.run(1_000)
      stage.show()
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'primary-loses-power',
    title: 'The machine of the primary stops: nothing refuses anything, so the detection bound decides.',
    script: (stage) => {
      stage.settle()
      stage.say('power off, and on again two seconds later')
      stage.kill(stage.primary, 2_000, 'power')
      stage.run(1_000)
      stage.show()
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'one-link-cut',
    title:
      'One link is lost, then the other: no role changes, nothing is lost, nothing is sent again in full.',
    script: (stage) => {
      stage.settle()
      stage.say('M1 cut for a second')
      stage.cut([0], 1_000)
      stage.run(900)
      stage.show()
      stage.run(1_500)
      stage.say('M2 cut for a second, from the primary only')
      stage.cut([1], 1_000, [stage.primary])
      stage.run(900)
      stage.show()
      stage.run(1_500)
      stage.show()
    },
  },
  {
    name: 'both-cut-and-healed',
    title:
      'Both links are cut, in mode availability: two primaries until they heal; then the later epoch stays.',
    script: (stage) => {
      stage.settle()
      stage.say('M1 and M2 cut for two seconds')
      stage.cut([0, 1], 2_000)
      stage.run(1_500)
      stage.show()
      stage.run(500)
      stage.say('healed')
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'both-cut-manual',
    title: 'The same in mode manual: one primary, and the secondary waits for it or for a word.',
    plan: { mode: 'manual' },
    script: (stage) => {
      stage.settle()
      stage.say('M1 and M2 cut for two seconds')
      stage.cut([0, 1], 2_000)
      stage.run(1_500)
      stage.show()
      stage.settle()
      stage.show()
      stage.say('the primary dies: the operator promotes')
      stage.kill(0, 2_000)
      stage.run(500)
      stage.ask(1, 'promote')
      stage.run(500)
      stage.show()
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'other-side-chosen',
    title:
      'Two primaries meet and the application of the later epoch chooses the other: that one leads again, above both.',
    plan: { side: 'peer' },
    script: (stage) => {
      stage.settle()
      stage.say('M1 and M2 cut for two seconds')
      stage.cut([0, 1], 2_000)
      stage.run(1_500)
      stage.show()
      stage.run(350)
      stage.say('healed')
      stage.run(150)
      stage.show()
      stage.settle()
      stage.run(1_000)
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'resync-by-difference',
    title:
      'Two primaries for a moment, with few changes among many sessions: only what differs is sent after the cut.',
    plan: { keys: 900 },
    script: (stage) => {
      stage.settle()
      stage.run(500)
      stage.say('M1 and M2 cut for 400 ms')
      stage.cut([0, 1], 400)
      stage.run(450)
      stage.settle()
      stage.show()
      stage.counted('resync by difference')
      stage.counted('offer declined')
    },
  },
  {
    name: 'deaf',
    title:
      'Nothing of the primary gets through, while it hears its peer: it is replaced, hears so, and steps down.',
    script: (stage) => {
      stage.settle()
      stage.say('both links cut from the primary for three seconds')
      stage.cut([0, 1], 3_000, [stage.primary])
      stage.run(2_500)
      stage.show()
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'restart-empty',
    title:
      'The primary is restarted within the detection bound and is empty: the secondary keeps its sessions and leads.',
    script: (stage) => {
      stage.settle()
      stage.show()
      stage.say('killed, back after 60 ms')
      stage.kill(stage.primary, 60)
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'both-restart',
    title: 'Both processes are killed: everything is lost, and a new lineage begins.',
    script: (stage) => {
      stage.settle()
      stage.say('both killed')
      stage.kill(0, 500)
      stage.kill(1, 700)
      stage.run(800)
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'cold-start-apart',
    title:
      'A node starts while both links are down: it leads a lineage of its own, and the older one stays at heal.',
    plan: { starts: [0, 1_000] },
    script: (stage) => {
      stage.settle()
      stage.say('M1 and M2 cut for six seconds; the secondary restarts behind the cut')
      stage.cut([0, 1], 6_000)
      stage.kill(1 - stage.primary, 200)
      stage.run(5_500)
      stage.show()
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'handover',
    title: 'A planned change: nothing is lost, and the gate is shut only while it lasts.',
    script: (stage) => {
      stage.settle()
      stage.ask(stage.primary, 'handover')
      stage.run(500)
      stage.settle()
      stage.show()
      stage.say('and by closing the primary')
      stage.ask(stage.primary, 'close')
      stage.run(50)
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'stall',
    title:
      'The application thread of the primary stands still beyond stallTimeout: fenced, and the reign handed over.',
    script: (stage) => {
      stage.settle()
      const { app, name } = stage.process(stage.primary)
      stage.say(`the application thread of ${name} stands still for four seconds`)
      app.block(4_000)
      stage.run(1_900)
      stage.show()
      stage.run(500)
      stage.show()
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'freeze-and-wake',
    title:
      'The process of the primary is frozen for longer than the bound: replaced; it accepts no write when it wakes.',
    script: (stage) => {
      stage.settle()
      const process = stage.process(stage.primary)
      stage.say(`${process.name} is frozen for a second`)
      process.freeze(1_000)
      stage.run(900)
      stage.show()
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'full-table',
    title:
      'A table of 100 sessions and 300 keys: what does not fit is refused, on the new primary as on the old.',
    plan: { capacity: 100, keys: 300 },
    script: (stage) => {
      stage.settle()
      stage.run(1_000)
      stage.show()
      stage.counted('table full')
      stage.say('the primary is killed')
      stage.kill(stage.primary, 500)
      stage.run(400)
      stage.show()
      stage.settle()
      stage.counted('table full')
    },
  },
  {
    name: 'flapping',
    title: 'Each link is cut for 100 ms in turn, ten times: no role changes.',
    script: (stage) => {
      stage.settle()
      for (let i = 0; i < 10; i++) {
        stage.cut([i % 2], 100)
        stage.run(150)
      }
      stage.run(2_000)
      stage.show()
    },
  },
  {
    name: 'witness',
    title:
      'Mode witness: both links cut and one primary; then it loses the witness too, stops, and is replaced.',
    plan: { mode: 'witness' },
    script: (stage) => {
      stage.settle()
      stage.show()
      const first = stage.primary
      stage.say('M1 and M2 cut for eight seconds')
      stage.cut([0, 1], 8_000)
      stage.run(3_000)
      stage.show()
      stage.say('three seconds later the primary loses the witness as well, for four')
      stage.cutWitness(first, 4_000)
      stage.run(3_500)
      stage.show()
      stage.run(1_500)
      stage.say('healed')
      stage.settle()
      stage.show()
    },
  },
  {
    name: 'witness-lost',
    title:
      'Mode witness: it is lost, and the primary goes on while its secondary confirms; killed then, nobody replaces it.',
    plan: { mode: 'witness' },
    script: (stage) => {
      stage.settle()
      stage.say('the witness is away for ten seconds')
      stage.loseWitness(10_000)
      stage.run(5_000)
      stage.show()
      stage.say('the primary is killed, and back a second later')
      stage.kill(stage.primary, 1_000)
      stage.run(3_500)
      stage.show()
      stage.say('the witness is back')
      stage.settle()
      stage.show()
    },
  },
]

export function tellStory({ title, plan = {}, script }: Story): string {
  const stage = new Stage(plan)
  stage.say(title)
  script(stage)
  return stage.text.trimStart()
}
