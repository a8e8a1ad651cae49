// The epoch file of a simulated node, as src/state keeps it: read and written ahead at each start, extended when the core
// asks, a moment later. The machine's date may be set back between two starts; what the file says stays.
import { RESERVE_AHEAD } from '../../src/core/reservation.ts'
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

const SET_BACK_MS_MAX = 3_600_000
const WRITE_MS_MAX = 20

export interface EpochStart {
  readonly epochFloor: number
  readonly reserved: number | undefined
}

export class StateFile {
  private readonly world: World
  private readonly random: Prng
  /** On disk. */
  private epoch = 0
  private setBackMs = 0

  constructor(world: World, random: Prng) {
    this.world = world
    this.random = random
  }

  /** A process starts, with the date that a right clock would show. */
  open(date: number): EpochStart {
    if (this.random.chance(0.3)) {
      this.setBackMs += this.random.below(SET_BACK_MS_MAX)
      this.world.count('date set back between starts')
    }
    const epochFloor = Math.max(date - this.setBackMs, this.epoch + 1)
    this.epoch = epochFloor + RESERVE_AHEAD
    return { epochFloor, reserved: this.epoch }
  }

  /** A write; a process that ends meanwhile has written it, or not. */
  write(epoch: number, isRunning: () => boolean, done: () => void): void {
    this.world.count('epochs reserved')
    this.world.after(this.random.between(0.1, WRITE_MS_MAX), () => {
      if (!isRunning() && this.random.chance(0.5)) return
      this.epoch = Math.max(this.epoch, epoch)
      if (isRunning()) done()
    })
  }
}
