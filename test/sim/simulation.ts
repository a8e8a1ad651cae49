// One run: two nodes on two links, their applications, the faults, and everybody who watches. Starts processes, ends
// them, starts them again, and passes on what the watchers must see.
import type { Action } from '../../src/core/actions.ts'
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import type { ReplicaEvent } from '../../src/core/replica-event.ts'
import { App, type AppMood } from './app.ts'
import { ChoiceChecks } from './choice-checks.ts'
import { ConflictChecks } from './conflict-checks.ts'
import { CutChecks } from './cut-checks.ts'
import { DataChecks } from './data-checks.ts'
import { FaultBook } from './faultbook.ts'
import { Faults, type Patient } from './faults.ts'
import { HandoverChecks } from './handover-checks.ts'
import { History } from './history.ts'
import { Labels } from './labels.ts'
import { LeaseStore } from './lease-store.ts'
import { lagMaxMs } from './link-faults.ts'
import { MeetingChecks } from './meeting-checks.ts'
import { Network } from './network.ts'
import { demandChoice, Operator } from './operator.ts'
import { demandRead, demandUnderstood } from './peer-checks.ts'
import { type Phase, phaseOf } from './phases.ts'
import type { Plan } from './plan.ts'
import type { Prng } from './prng.ts'
import { type ProcessStart, SimProcess, type Witness } from './process.ts'
import { RoleChecks } from './role-checks.ts'
import { Sinks } from './sinks.ts'
import { StateFile } from './state-file.ts'
import { hasPickup, type TablePool } from './tables.ts'
import { TimeChecks } from './time-checks.ts'
import { Violation, World } from './world.ts'

/** At the start of the world. In seconds it would not do: role changes can follow each other faster. */
const UNIX_START_MS = 1_800_000_000_000

interface SimNode {
  /** Processes started so far. */
  count: number
  process: SimProcess | undefined
  app: App | undefined
  operator: Operator | undefined
  /** Ends the interval in which the node is away. */
  back: ((to: number) => void) | undefined
  /** Counts planned starts; only the last one happens. */
  starts: number
}

export class Simulation implements Witness, Patient {
  readonly plan: Plan
  readonly world: World
  readonly network: Network
  readonly book = new FaultBook()
  readonly faults: Faults
  readonly history: History
  readonly roles: RoleChecks
  readonly data: DataChecks
  readonly conflicts: ConflictChecks
  private readonly meetings = new MeetingChecks()
  private readonly choices: ChoiceChecks
  readonly labels: Labels
  readonly sinks: Sinks
  private readonly handovers: HandoverChecks
  private readonly cuts: CutChecks
  private readonly times = new TimeChecks()
  /** How long news of a silent peer or an end of silence may take, ms. */
  readonly newsMs: number
  readonly mood: AppMood = { wild: true, resting: false }
  /** When the last process with spoilt memory ended. */
  private spoiltTo = Number.NEGATIVE_INFINITY
  private readonly nodes: readonly [SimNode, SimNode]
  private readonly pool: TablePool
  private readonly random: Prng
  private readonly stateFiles: [StateFile | undefined, StateFile | undefined] = [undefined, undefined]
  /** For what happens at the very end. */
  readonly lastRandom: Prng
  /** When everything was mended; before that, infinity. */
  healedAt = Number.POSITIVE_INFINITY

  constructor(plan: Plan, random: Prng, pool: TablePool, tell: ((line: string) => void) | undefined) {
    this.plan = plan
    this.random = random
    this.pool = pool
    this.world = new World(random.split('world'), tell)
    this.network = new Network(this.world, random.split('network'), plan.network)
    if (plan.leases !== undefined) {
      this.network.leases = new LeaseStore(this.world, random.split('leases'), plan.leases)
    }
    const { tables } = plan.nodes[0]
    const held = tables.kinds.flatMap((_, table) => (hasPickup(tables, table) ? [table] : []))
    this.history = new History(tables.kinds.length, new Set(held))
    this.newsMs = plan.boundMs * 1.03 + plan.interval + 50
    this.data = new DataChecks(this.history)
    this.conflicts = new ConflictChecks(this.data, this.history)
    this.choices = new ChoiceChecks(plan.choice, random.split('choices'))
    this.roles = new RoleChecks(this.history, this.data.lineages, this.book, this.newsMs, () =>
      this.processes(),
    )
    this.labels = new Labels(this.data, 2 * this.newsMs + lagMaxMs(plan))
    this.handovers = new HandoverChecks((process) => this.data.reignOf(process))
    // What was under way arrives late, and a thread that was late before waits up to two bounds longer.
    this.cuts = new CutChecks(this.network, 2 * this.newsMs + plan.boundMs + lagMaxMs(plan))
    this.sinks = new Sinks(this.world, this.history, random.split('sinks'), 4 * plan.boundMs)
    this.lastRandom = random.split('last')
    this.faults = new Faults(plan, this.network, this.book, this, random.split('faults'))
    this.nodes = [this.awayNode(0), this.awayNode(1)]
    for (const node of [0, 1] as const) this.startLater(node, plan.starts[node])
    this.faults.begin()
    this.watch()
  }

  private awayNode(node: number): SimNode {
    const back = this.book.harmNode(node, 0)
    return { count: 0, process: undefined, app: undefined, operator: undefined, back, starts: 0 }
  }

  // ---- Processes

  private startLater(node: 0 | 1, delayMs: number): void {
    const start = ++this.nodes[node].starts
    this.world.after(delayMs, () => {
      if (this.nodes[node].starts === start) this.start(node)
    })
  }

  private start(node: 0 | 1): void {
    const { nodes, network, plan, world, random } = this
    const one = nodes[node]
    if (one.process !== undefined) return
    one.count++
    const name = `${'ab'[node]}${one.count}`
    world.note(node, () => `${name} starts`)
    world.count('process started')
    if (!network.machines[node].powered) network.handlePowerBack(node)
    const start = { node, count: one.count, plan: plan.nodes[node], ...this.epochsOf(node) }
    const process = new SimProcess(network, start, this.pool, random.split(name), this)
    one.process = process
    one.app = new App(
      process,
      plan.app,
      this.mood,
      random.split(`app-${name}`),
      this.history,
      this.data,
      () => this.running(1 - node),
    )
    process.replica.conflicts.wanted = plan.listens
    one.operator = new Operator(process, plan.operator, this.mood, random.split(`operator-${name}`))
    this.sinks.serve(process, plan.effectMs)
    one.back?.(world.now + plan.interval)
    one.back = undefined
  }

  /** Unix time, or what the node's state file says. */
  private epochsOf(node: 0 | 1): Pick<ProcessStart, 'epochs' | 'stateFile'> {
    const date = UNIX_START_MS + Math.floor(this.world.now)
    if (!this.plan.stateFile)
      return { epochs: { epochFloor: date, reserved: undefined }, stateFile: undefined }
    this.stateFiles[node] ??= new StateFile(this.world, this.random.split(`state-file-${node}`))
    const stateFile = this.stateFiles[node]
    return { epochs: stateFile.open(date), stateFile }
  }

  running(node: number): SimProcess | undefined {
    return this.nodes[node]!.process
  }

  appOf(node: number): App | undefined {
    return this.nodes[node]!.app
  }

  processes(): SimProcess[] {
    return this.nodes.flatMap(({ process }) => (process === undefined ? [] : [process]))
  }

  phase(): Phase {
    return phaseOf(this.processes(), this.roles.changedAt)
  }

  bringDown(node: number, how: 'kill' | 'power', awayMs: number): void {
    const process = this.running(node)
    if (process === undefined) return
    this.world.note(node, () => `-- ${process.name} ${how === 'kill' ? 'killed' : 'loses power'}`)
    if (how === 'kill') process.kill()
    else process.losePower()
    this.startLater(node as 0 | 1, awayMs)
  }

  handOver(node: number): void {
    const process = this.running(node)
    if (process === undefined) return
    this.world.note(node, () => `-- ${process.name} is busy and hands over`)
    process.app.run(0, () => this.appOf(node)?.haste.handOver())
  }

  spoil(random: Prng): void {
    const process = this.processes().find(({ replica }) => replica.isSynced)
    const table = process === undefined ? undefined : random.pick(process.tables)
    if (process === undefined || table === undefined || table.size === 0) return
    const segments = Array.from({ length: table.segments }, (_, segment) => segment)
    const segment = random.pick(segments.filter((one) => table.image(one).length > 1))
    this.world.note(segment, () => `-- ${process.name} forgets segment ${segment} of ${table.name}`)
    this.world.count('segment spoilt')
    this.data.handleSpoilt(process)
    table.stageImage(segment, Uint8Array.of(0))
    table.commit()
  }

  /** A process has ended, in whatever way. */
  onGone(process: SimProcess): void {
    const { node } = process
    const one = this.nodes[node]
    this.world.note(node, () => `${process.name} is gone`)
    one.process = undefined
    one.app = undefined
    one.operator = undefined
    one.back = this.book.harmNode(node, this.world.now)
    this.spoiltTo = Math.max(this.spoiltTo, Math.min(process.spoiltTo, this.world.now))
    this.data.handleGone(process)
    this.startLater(
      node,
      this.world.now >= this.healedAt ? 100 : this.random.between(100, 20 * this.plan.boundMs),
    )
  }

  // ---- What the watchers see

  onActions(process: SimProcess, actions: readonly Action[]): void {
    demandUnderstood(process, actions)
    this.data.handleActions(process, actions)
    this.roles.handleActions(process, actions)
    this.handovers.handleActions(process, actions)
    this.data.lineages.handleActions(process, this.running(1 - process.node))
    this.choices.handleActions(process, actions, this.running(1 - process.node))
    if (this.faults.awaitsPhase) this.faults.handlePhase(this.phase())
    for (const action of actions) {
      if (action.type === 'post' && action.message.type === 'role') {
        this.meetings.handleRole(process, action.message, this.running(1 - process.node))
        demandChoice(process, action.message, this.nodes[process.node].operator, this.taker(process))
      }
      if (action.type !== 'send') continue
      this.faults.handleFrame(process, action.bytes[4]!)
    }
  }

  /** Who works on the other node. */
  private taker(process: SimProcess): Operator | undefined {
    return this.nodes[(1 - process.node) as 0 | 1].operator
  }

  onMessage(process: SimProcess, message: FromSync, isTaken: boolean): void {
    if (isTaken) this.demandWhole(process, message)
    if (!isTaken) this.conflicts.handleMessage(process, message)
    if (isTaken && message.type === 'choose') this.choices.handleQuestion(process, message)
    this.data.handleMessage(process, message, isTaken)
    const { operator } = this.nodes[process.node]
    if (message.type === 'result' && operator?.isOwn(message.request)) return
    if (isTaken) {
      this.times.handleMessage(process, message)
      this.roles.handleGate(process)
    }
    if (isTaken || message.type !== 'result') return
    const { requests } = this.appOf(process.node)!
    const asked = requests.get(message.request)
    if (asked === undefined) throw new Violation(`${process.name} answers request ${message.request} twice`)
    requests.delete(message.request)
    this.world.count(`${asked}(): ${message.error?.code ?? 'done'}`)
    this.world.note(message.request, () => `${process.name} ${asked}() ${message.error?.message ?? 'done'}`)
  }

  private demandWhole(process: SimProcess, message: FromSync): void {
    if (message.type !== 'role' || message.role !== 'primary') return
    const origin = this.data.originOf(process)
    if (origin.type === 'state')
      this.handovers.demandWhole(process, message.reason, origin.reign, origin.sequence)
  }

  onGate(process: SimProcess): void {
    this.roles.handleGate(process)
  }

  onWrite(process: SimProcess): void {
    this.roles.handleWrite(process)
  }

  onLocal(process: SimProcess, messages: readonly ToSync[]): void {
    demandRead(process, messages)
    if (this.data.handleLocal(process, messages)) this.appOf(process.node)?.haste.rush()
  }

  onPickup(process: SimProcess, table: number, session: Record<string, unknown>): boolean {
    return this.data.pickups.handleAsked(process, table, session)
  }

  onExpired(process: SimProcess, table: number, session: Record<string, unknown>): void {
    this.data.handleExpired(process, table, session)
  }

  onTurn(process: SimProcess): void {
    this.data.handleTurn(process)
    this.times.handleTurn(process)
  }

  onEvent(process: SimProcess, event: ReplicaEvent): void {
    const app = this.appOf(process.node)!
    switch (event.type) {
      case 'held':
        app.handleHeld(event.group, event.outcome)
        break
      case 'verified':
        this.handleVerified(process, app, event)
        break
      case 'resynced':
        this.world.count(`resync(): ${event.done ? 'done' : 'not finished'}`)
        if (!app.resyncing.delete(event.token)) throw new Violation(`${process.name} answers resync() twice`)
        break
      case 'unsynced':
      case 'poison':
        this.world.count(`${event.type}: ${event.reason}`)
        // What a primary forgot it may give to others, too.
        if (process.isSpoilt || this.history.isVoid) break
        throw new Violation(`${process.name} ${event.type}: ${event.reason}, table ${event.table}`)
      case 'synced':
        this.world.note(
          event.synced ? 1 : 0,
          () => `${process.name} ${event.synced ? 'synced' : 'not synced'}`,
        )
        break
      case 'conflict':
        this.conflicts.handleNews(process, event)
        break
      case 'role':
        break
    }
  }

  private handleVerified(
    process: SimProcess,
    app: App,
    { token, result }: Extract<ReplicaEvent, { type: 'verified' }>,
  ): void {
    const askedAt = app.verifying.get(token)
    if (askedAt === undefined) throw new Violation(`${process.name} verifies twice`)
    app.verifying.delete(token)
    this.world.count(`verify(): ${result === undefined ? 'not finished' : 'done'}`)
    if (result?.equal === false && !this.wasSpoilt(askedAt)) {
      throw new Violation(`${process.name}: verify() says not equal`)
    }
  }

  /** Some memory is spoilt, or was at some time since. */
  private wasSpoilt(since: number): boolean {
    const spoiltTo = Math.max(this.spoiltTo, ...this.processes().map((process) => process.spoiltTo))
    return spoiltTo >= since
  }

  /** Looks at the labels every interval. */
  private watch(): void {
    this.world.after(this.plan.interval, () => {
      for (const process of this.processes()) {
        this.labels.check(process, this.running(1 - process.node))
        this.data.lineages.sample(process)
      }
      this.cuts.sample(this.processes())
      this.watch()
    })
  }

  // ---- The end of all faults

  heal(): void {
    this.healedAt = this.world.now
    this.world.note(0, () => '-- everything is mended')
    this.faults.heal()
    this.network.leases?.heal()
    this.mood.wild = false
    for (const { operator } of this.nodes) operator?.rest()
    for (const process of this.processes()) process.thaw()
    for (const node of [0, 1] as const) if (this.running(node) === undefined) this.startLater(node, 100)
  }
}
