// What primaries do to the world outside: effects that arrive late. Some sinks check the epoch that comes with an effect
// (a fencing token), some do not, as receivers outside do. An effect is begun only by a node that may act at that moment.
import type { History } from './history.ts'
import type { Prng } from './prng.ts'
import type { SimProcess } from './process.ts'
import { Violation, type World } from './world.ts'

const TOKEN_SINKS = 2
const EFFECTS = -4

interface TokenSink {
  /** Highest epoch accepted, and who acted in it. */
  epoch: number
  by: SimProcess | undefined
}

export class Sinks {
  private readonly world: World
  private readonly history: History
  private readonly random: Prng
  /** Effects are on their way for up to so long, ms. */
  private readonly lateMs: number
  private readonly checked: readonly TokenSink[] = Array.from({ length: TOKEN_SINKS }, () => ({
    epoch: 0,
    by: undefined,
  }))
  /** Highest epoch that the sink without a check has seen. */
  private unchecked = 0

  constructor(world: World, history: History, random: Prng, lateMs: number) {
    this.world = world
    this.history = history
    this.random = random
    this.lateMs = lateMs
  }

  /** A process serves its clients from now on, one about every so many ms. */
  serve(process: SimProcess, everyMs: number): void {
    this.world.after(
      this.random.exponential(everyMs),
      () => {
        if (!process.isRunning) return
        process.app.run(EFFECTS, () => this.act(process))
        this.serve(process, everyMs)
      },
      this.random,
    )
  }

  /** One effect, if the node may act. */
  private act(process: SimProcess): void {
    if (!process.canWrite || process.replica.role !== 'primary') return
    const { epoch } = process.replica
    const target = this.random.below(TOKEN_SINKS + 1)
    const late = this.random.chance(0.2) ? this.random.between(0, this.lateMs) : this.random.float()
    this.world.after(late, () => this.arrive(target, epoch, process), this.random)
  }

  private arrive(target: number, epoch: number, process: SimProcess): void {
    const sink = this.checked[target]
    if (sink === undefined) this.arriveUnchecked(epoch)
    else this.arriveChecked(sink, epoch, process)
  }

  private arriveUnchecked(epoch: number): void {
    if (epoch < this.unchecked) this.world.count('sink without a check takes an effect of an earlier epoch')
    this.unchecked = Math.max(this.unchecked, epoch)
  }

  private arriveChecked(sink: TokenSink, epoch: number, process: SimProcess): void {
    const reign = this.history.reigns.get(epoch)
    if (reign?.incarnation !== process.incarnation) {
      throw new Violation(`${process.name} acts with epoch ${epoch}, which it has not opened`)
    }
    if (epoch < sink.epoch) {
      this.world.count('sink refuses an earlier epoch')
      return
    }
    if (epoch === sink.epoch && sink.by !== undefined && sink.by !== process) {
      throw new Violation(
        `a sink takes effects of epoch ${epoch} from ${sink.by.name} and from ${process.name}`,
      )
    }
    this.world.count('sink takes an effect')
    sink.epoch = epoch
    sink.by = process
  }

  /**
   * Everything works again: what the primary does must be accepted. Only a reign of a process that ended unheard may be
   * in its way, which nobody can know of.
   */
  demandAccepted(primary: SimProcess): void {
    for (const { epoch, by } of this.checked) {
      if (by === undefined || epoch <= primary.replica.epoch) continue
      if (!by.isRunning) {
        this.world.count('sinks are ahead of the last primary')
        continue
      }
      throw new Violation(
        `${primary.name} leads in epoch ${primary.replica.epoch}, and sinks have taken effects of ${by.name} in ${epoch}`,
      )
    }
  }
}
