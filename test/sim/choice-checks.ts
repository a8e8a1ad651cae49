// The applications' answers after a split, drawn, and what must be true of them: nobody is fed while an answer is awaited,
// a primary gives its role away as chosen only if its own application said so, and the chosen one leads above both.
import type { Action } from '../../src/core/actions.ts'
import type { FromSync } from '../../src/core/messages.ts'
import type { Prng } from './prng.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** Part of the plan of a run. */
export interface ChoicePlan {
  /** How long an application may take, ms; undefined: it is not asked. */
  readonly limitMs: number | undefined
  /** What is always answered, in a tenth of that; undefined: drawn. */
  readonly side?: 'self' | 'peer'
}

export function drawChoice(random: Prng, boundMs: number): ChoicePlan {
  return { limitMs: random.chance(0.5) ? boundMs * random.pick([0.3, 2, 8]) : undefined }
}

interface Asked {
  readonly token: number
  isOpen: boolean
  /** It answered that the other side is to stay. */
  isGivenAway: boolean
}

export class ChoiceChecks {
  private readonly plan: ChoicePlan
  private readonly random: Prng
  private readonly asked = new WeakMap<SimProcess, Asked>()

  constructor(plan: ChoicePlan, random: Prng) {
    this.plan = plan
    this.random = random
  }

  /** What the core wants done, before it is. */
  handleActions(process: SimProcess, actions: readonly Action[], peer: SimProcess | undefined): void {
    for (const action of actions) if (action.type === 'post') this.handlePost(process, action.message, peer)
  }

  private handlePost(process: SimProcess, message: FromSync, peer: SimProcess | undefined): void {
    const { name, world } = process
    const asked = this.asked.get(process)
    if (message.type === 'choose') {
      world.count('choice: asked')
      world.note(message.token, () => `${name} is asked which side stays`)
      if (asked?.isOpen) throw new Violation(`${name} is asked again before the first question is over`)
      if (process.core.state.role !== 'primary') throw new Violation(`${name} is asked and does not lead`)
      this.asked.set(process, { token: message.token, isOpen: true, isGivenAway: false })
    } else if (message.type === 'choice-over') {
      world.count(`choice: ${message.why}`)
      if (asked?.token === message.token) {
        asked.isOpen = false
        asked.isGivenAway = false
      }
    } else if (message.type === 'attach' && asked?.isOpen) {
      throw new Violation(`${name} feeds the other side before it is known which stays`)
    } else if (message.type === 'role' && message.reason === 'chosen')
      this.handleChosen(process, message, peer)
  }

  private handleChosen(
    process: SimProcess,
    { role, epoch }: Extract<FromSync, { type: 'role' }>,
    peer: SimProcess | undefined,
  ): void {
    const { name, world } = process
    if (role === 'primary') {
      world.count('choice: the other side leads')
      const other = peer?.core.state.epoch ?? 0
      if (epoch <= other) throw new Violation(`${name} was chosen and leads in ${epoch}, not above ${other}`)
    } else if (!this.asked.get(process)?.isGivenAway) {
      throw new Violation(`${name} gives way as if its application had chosen the other side`)
    }
  }

  /** The application is asked; it answers soon, late, wrongly (which its node takes for 'self') or never. */
  handleQuestion(process: SimProcess, { token }: Extract<FromSync, { type: 'choose' }>): void {
    const { world } = process
    const { random, plan } = this
    if (plan.side === undefined && random.chance(0.1)) return
    const side = plan.side ?? (random.chance(0.6) ? 'peer' : 'self')
    const share = plan.side === undefined ? random.pick([0, 0.1, 0.5, 0.99, 1, 1.5]) : 0.1
    const afterMs = plan.limitMs! * share
    world.after(afterMs, () => {
      process.app.run(0, () => {
        if (!process.isRunning) return
        const asked = this.asked.get(process)
        process.ask({ type: 'chosen', token, side })
        if (asked?.token !== token || !asked.isOpen) return
        world.count(`choice: ${side}`)
        world.note(token, () => `${process.name} says that ${side === 'self' ? 'it' : 'the other'} stays`)
        this.answered(asked, side)
      })
    })
  }

  /** On its way to the sync thread, where it may still come too late. */
  private answered(asked: Asked, side: 'self' | 'peer'): void {
    asked.isGivenAway = side === 'peer'
    asked.isOpen = false
  }
}
