// One firewall of a pair. While its node is primary, what the kernel tells of connections goes into the tables; when it is
// promoted the kernel takes what the tables hold, and only then are the addresses taken and traffic let in.
import { createNode } from 'holdfast'
import { Command, Guard } from './commands.mjs'
import { FAMILIES, flowTables, isEnding } from './flow.mjs'
import { Ledger } from './ledger.mjs'
import { planOf, startOver } from './plan.mjs'

/** Events that come after the traffic was stopped, of packets that were under way. */
const SETTLE_MS = 20
const RESTART_MS = 1000
/** Flows that the kernel refused and that are told one by one: where it refuses many they have the same reason. */
const REFUSED_TOLD = 32
/** So often, and so many flows: about a thousandth of a processor. */
const REHEARSAL = { everyMs: 1000, flows: 512 }
/** What a kernel has that is clear. */
const NOTHING = { flows: [], ignored: [] }

const isLiving = (session) => !isEnding(session)

export class Firewall {
  #options
  #conntrack
  #log
  #node
  #ledger
  #guard
  /** By name: `promote` and `demote`, where they are given. */
  #commands = {}
  #watch
  #restart
  #rehearsing
  #serving = false
  /** Events count from when the kernel has what the tables held. */
  #accepting = false
  #reconciling
  #closing
  /** The kernel has none of our flows: it was looked at since this node follows, and no event told of one since. */
  #isClear = false

  /**
   * @param {object} options `node`: options of `createNode` without tables and hooks; `conntrack`: a Conntrack;
   *   `capacities`; `ignored`: addresses whose flows are left alone; `gatherMs`; `leastTimeout`; `commandTimeoutMs`;
   *   `promoteCommand`, `demoteCommand`; `log(what, details)`
   */
  constructor(options) {
    this.#options = options
    this.#conntrack = options.conntrack
    this.#log = options.log
    const how = { timeoutMs: options.commandTimeoutMs, env: { HOLDFAST_ID: options.node.id } }
    const { promoteCommand: promote, demoteCommand: demote } = options
    for (const [name, command] of Object.entries({ promote, demote }))
      if (command !== undefined) this.#commands[name] = new Command(command, how)
  }

  /** Resolves when the node runs; its role may still be open. */
  async start() {
    const { node, capacities, ignored, demoteCommand } = this.#options
    const tables = flowTables(capacities)
    // Whatever was left from a life before: who does not lead has no address.
    await this.#run('demote', { role: 'starting' })
    if (demoteCommand !== undefined) this.#guard = new Guard(demoteCommand, { HOLDFAST_ID: node.id })
    this.#startWatch()
    this.#prepare()
    this.#node = await createNode({
      ...node,
      tables,
      onPromote: (event) => this.#promote(event),
      onDemote: (event) => this.#demote(event),
    })
    this.#ledger = new Ledger(this.#node.tables, ignored)
    this.#node.on('role', (event) => {
      const { role, epoch, reason, message, durationMs } = event
      this.#log('role', { role, epoch, reason, message, durationMs })
      if (role === 'secondary') this.#enqueue(() => this.#clear())
    })
    this.#node.on('peer', ({ alive }) => this.#log(alive ? 'peer-heard' : 'peer-silent', {}))
    this.#rehearsing = setInterval(() => this.#rehearse(), REHEARSAL.everyMs)
    this.#node.on('error', (error) => this.#log('error', { message: String(error?.message ?? error) }))
    return this.#node
  }

  get node() {
    return this.#node
  }

  /** Whether it holds the addresses. */
  get serving() {
    return this.#serving
  }

  counts() {
    return { serving: this.#serving, ...this.#ledger.counts }
  }

  #startWatch() {
    const watch = this.#conntrack.watch({
      gatherMs: this.#options.gatherMs,
      onLines: (lines) => {
        if (watch !== this.#watch) return
        if (this.#accepting && this.#node.role === 'primary') this.#ledger.takeEvents(lines)
        else if (this.#isClear) this.#isClear = !this.#ledger.hasOurs(lines)
      },
      onOverrun: () => {
        if (watch !== this.#watch) return
        this.#isClear = false
        this.#log('overrun', { message: 'the kernel dropped events; its table is read anew' })
        if (this.#accepting) this.#reconcile()
      },
      onNoRoom: (why) => {
        this.#log('error', { message: `little room for the kernel's events (net.core.rmem_default): ${why}` })
      },
      onEnd: (why) => {
        if (watch !== this.#watch || this.#closing !== undefined) return
        this.#isClear = false
        this.#log('error', { message: `conntrack -E ended: ${why}; started again` })
        this.#restart = setTimeout(() => {
          this.#startWatch()
          if (this.#accepting) this.#watch.listens.then(() => this.#reconcile())
        }, RESTART_MS)
      },
    })
    this.#watch = watch
  }

  /** Nobody needs to be told of what we write ourselves. */
  #endWatch() {
    clearTimeout(this.#restart)
    this.#watch.end().catch(() => {})
    this.#watch = undefined
  }

  async #promote({ epoch, reason }) {
    const began = performance.now()
    this.#log('promoting', { epoch, reason })
    const isCurrent = () => this.#node.role === 'primary' && this.#node.epoch === epoch
    // A table that is being cleared must not be filled meanwhile.
    await this.#queue
    this.#endWatch()
    try {
      const there = this.#isClear ? NOTHING : await this.#dump()
      this.#isClear = false
      if (isCurrent()) await this.#commit(there, 'committed', isLiving, began)
      if (!isCurrent()) return
      this.#accepting = true
      this.#serving = true
      // What is not needed for it starts after it: each start of a process takes milliseconds.
      const promoting = this.#run('promote', { role: 'primary', epoch, reason })
      this.#startWatch()
      await promoting
      this.#log('serving', { ms: performance.now() - began })
    } finally {
      if (this.#watch === undefined) this.#startWatch()
      this.#conntrack.prepare()
    }
    // Of what is written next each flow is an event, for which the watch must have room.
    await this.#watch.listens
    // Deposed meanwhile: the hook of that comes next.
    if (isCurrent()) await this.#commit(NOTHING, 'completed', isEnding, began)
    this.#conntrack.prepare()
    if (isCurrent()) this.#reconcile()
  }

  /** Writes the flows of the tables that `takes` says into the kernel, which has those that are there. */
  async #commit(there, what, takes, began) {
    const sessions = { [Symbol.iterator]: () => this.#sessions(takes) }
    const plan = planOf(sessions, there, this.#options.leastTimeout)
    const { written, refused } = await this.#conntrack.load(plan)
    const ms = performance.now() - began
    this.#log(what, { sessions: this.#size(), written, refused: refused.length, ms })
    for (const { line, why } of refused.slice(0, REFUSED_TOLD)) this.#log('refused', { line, why })
  }

  async #demote({ role, epoch, reason }) {
    this.#accepting = false
    if (!this.#serving) return
    this.#serving = false
    await this.#run('demote', { role, epoch, reason })
    this.#prepare()
    this.#log('released', {})
  }

  /** Forgets in the kernel what another firewall leads now: stale flows would stand in the way of a promotion. */
  async #clear() {
    if (this.#node.role !== 'secondary') return
    this.#isClear = true
    const there = await this.#dump()
    if (there.flows.length === 0 || this.#node.role !== 'secondary') return
    // What is destroyed comes as events too: they tell of nothing new.
    await this.#conntrack.load(startOver(there.ignored))
    this.#conntrack.prepare()
    this.#log('cleared', { flows: there.flows.length, kept: there.ignored.length })
  }

  #queue = Promise.resolve()

  #enqueue(work) {
    this.#queue = this.#queue
      .then(() => this.#closing ?? work())
      .catch((error) => {
        if (error.code !== 'ERR_NOT_PRIMARY') this.#log('error', { message: String(error.message) })
      })
  }

  /** Makes the tables what the kernel's table is; one at a time, and once more if asked meanwhile. */
  #reconcile() {
    if (this.#reconciling !== undefined) {
      this.#reconciling.again = true
      return
    }
    const run = { again: false }
    this.#reconciling = run
    this.#enqueue(async () => {
      try {
        const ledger = this.#ledger
        ledger.beginReconciling()
        await this.#conntrack.dump((line) => ledger.takeEntry(line))
        const goesOn = () => this.#accepting && this.#node.role === 'primary'
        const done = goesOn() ? await ledger.finishReconciling(goesOn) : undefined
        // Undefined: this node is not primary any more.
        if (done !== undefined) this.#log('reconciled', { sessions: this.#size(), ...done })
      } finally {
        this.#ledger.endReconciling()
        this.#reconciling = undefined
      }
      if (run.again && this.#accepting) this.#reconcile()
    })
  }

  async #dump() {
    const there = { flows: [], ignored: [] }
    await this.#conntrack.dump((line) => this.#ledger.sort(line, there))
    return there
  }

  *#sessions(takes) {
    for (const family of FAMILIES) {
      for (const session of this.#node.tables[family]) if (takes(session)) yield session
    }
  }

  #size() {
    return FAMILIES.reduce((sum, family) => sum + this.#node.tables[family].size, 0)
  }

  /** Code that never ran takes ten times as long, in the one moment in which it counts. */
  #rehearse() {
    if (this.#node.role !== 'secondary') return
    // One that has ended meanwhile is started again.
    this.#conntrack.prepare()
    const flows = []
    for (const session of this.#sessions(isLiving)) if (flows.push(session) >= REHEARSAL.flows) break
    this.#conntrack.rehearse(planOf(flows, NOTHING, this.#options.leastTimeout))
  }

  /** What a promotion needs, started ahead of it. */
  #prepare() {
    this.#conntrack.prepare()
    this.#commands.promote?.prepare()
  }

  async #run(name, told) {
    const command = this.#commands[name]
    if (command === undefined) return
    const began = performance.now()
    const wrong = await command.run(told)
    const ms = performance.now() - began
    if (wrong === undefined) this.#log(`on-${name}`, { role: told.role, ms })
    else this.#log('error', { message: `--on-${name} ${wrong}` })
  }

  /** Gives up the addresses, waits for the last events, hands the role over, ends. */
  close() {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close() {
    clearTimeout(this.#restart)
    clearInterval(this.#rehearsing)
    if (this.#serving) {
      this.#serving = false
      await this.#run('demote', { role: 'stopped' })
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS + 2 * this.#options.gatherMs))
    }
    await this.#queue
    await this.#node?.close()
    for (const command of Object.values(this.#commands)) command.close()
    await Promise.all([this.#watch?.end(), this.#conntrack.close()])
    await this.#guard?.dismiss()
  }
}
