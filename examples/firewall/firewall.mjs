// One firewall of a pair. While its node is primary, what the kernel tells of connections goes into the tables; when it is
// promoted the kernel takes what the tables hold, and only then are the addresses taken and traffic let in.
import { createNode } from 'holdfast'
import { Guard, runCommand } from './commands.mjs'
import { FAMILIES, flowTables } from './flow.mjs'
import { Ledger } from './ledger.mjs'
import { planOf } from './plan.mjs'

/** Events that come after the traffic was stopped, of packets that were under way. */
const SETTLE_MS = 20
const RESTART_MS = 1000

export class Firewall {
  #options
  #conntrack
  #log
  #node
  #ledger
  #guard
  #watch
  #restart
  #serving = false
  /** Events count from when the kernel has what the tables held. */
  #accepting = false
  #reconciling
  #closing

  /**
   * @param {object} options `node`: options of `createNode` without tables and hooks; `conntrack`: a Conntrack;
   *   `capacities`; `ignored`: addresses whose flows are left alone; `gatherMs`; `leastTimeout`; `commandTimeoutMs`;
   *   `promoteCommand`, `demoteCommand`; `log(what, details)`
   */
  constructor(options) {
    this.#options = options
    this.#conntrack = options.conntrack
    this.#log = options.log
  }

  /** Resolves when the node runs; its role may still be open. */
  async start() {
    const { node, capacities, ignored, demoteCommand } = this.#options
    const tables = flowTables(capacities)
    // Whatever was left from a life before: who does not lead has no address.
    await this.#run('demote', demoteCommand, { role: 'starting' })
    if (demoteCommand !== undefined) this.#guard = new Guard(demoteCommand, { HOLDFAST_ID: node.id })
    this.#startWatch()
    this.#conntrack.prepare()
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
    const { gatherMs } = this.#options
    this.#watch = this.#conntrack.watch({
      gatherMs,
      onLines: (lines) => {
        if (this.#accepting && this.#node.role === 'primary') this.#ledger.takeEvents(lines)
      },
      onOverrun: () => {
        this.#log('overrun', { message: 'the kernel dropped events; its table is read anew' })
        if (this.#accepting) this.#reconcile()
      },
      onNoRoom: (why) => {
        this.#log('error', { message: `little room for the kernel's events (net.core.rmem_default): ${why}` })
      },
      onEnd: (why) => {
        if (this.#closing !== undefined) return
        this.#log('error', { message: `conntrack -E ended: ${why}; started again` })
        this.#restart = setTimeout(() => {
          this.#startWatch()
          if (this.#accepting) this.#reconcile()
        }, RESTART_MS)
      },
    })
  }

  async #promote({ epoch, reason }) {
    const began = performance.now()
    const isCurrent = () => this.#node.role === 'primary' && this.#node.epoch === epoch
    // A table that is being cleared must not be filled meanwhile.
    await this.#queue
    const there = await this.#dump()
    if (!isCurrent()) return
    const sessions = { [Symbol.iterator]: () => this.#sessions() }
    const { written, refused } = await this.#conntrack.load(
      planOf(sessions, there, this.#options.leastTimeout),
    )
    this.#conntrack.prepare()
    if (!isCurrent()) return
    const ms = performance.now() - began
    this.#log('committed', { sessions: this.#size(), written, refused: refused.length, ms })
    for (const { line, why } of refused) this.#log('refused', { line, why })
    this.#accepting = true
    await this.#run('promote', this.#options.promoteCommand, { role: 'primary', epoch, reason })
    // Deposed meanwhile: the hook of that comes next.
    this.#serving = true
    this.#log('serving', { ms: performance.now() - began })
    if (isCurrent()) this.#reconcile()
  }

  async #demote({ role, epoch, reason }) {
    this.#accepting = false
    if (!this.#serving) return
    this.#serving = false
    await this.#run('demote', this.#options.demoteCommand, { role, epoch, reason })
    this.#log('released', {})
  }

  /** Forgets in the kernel what another firewall leads now: stale flows would stand in the way of a promotion. */
  async #clear() {
    if (this.#node.role !== 'secondary') return
    const there = await this.#dump()
    if (there.flows.length === 0 || this.#node.role !== 'secondary') return
    await this.#conntrack.load([['-F', ...there.ignored]])
    this.#conntrack.prepare()
    this.#log('cleared', { flows: there.flows.length, kept: there.ignored.length })
  }

  #queue = Promise.resolve()

  #enqueue(work) {
    this.#queue = this.#queue
      .then(() => this.#closing ?? work())
      .catch((error) => this.#log('error', { message: String(error.message) }))
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

  *#sessions() {
    for (const family of FAMILIES) yield* this.#node.tables[family]
  }

  #size() {
    return FAMILIES.reduce((sum, family) => sum + this.#node.tables[family].size, 0)
  }

  async #run(name, command, { role, epoch, reason }) {
    if (command === undefined) return
    const env = {
      HOLDFAST_ID: this.#options.node.id,
      HOLDFAST_ROLE: role,
      HOLDFAST_EPOCH: String(epoch ?? ''),
      HOLDFAST_REASON: reason ?? '',
    }
    const began = performance.now()
    const wrong = await runCommand(command, { timeoutMs: this.#options.commandTimeoutMs, env })
    const ms = performance.now() - began
    if (wrong === undefined) this.#log(`on-${name}`, { role, ms })
    else this.#log('error', { message: `--on-${name} ${wrong}` })
  }

  /** Gives up the addresses, waits for the last events, hands the role over, ends. */
  close() {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close() {
    clearTimeout(this.#restart)
    if (this.#serving) {
      this.#serving = false
      await this.#run('demote', this.#options.demoteCommand, { role: 'stopped' })
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS + 2 * this.#options.gatherMs))
    }
    await this.#queue
    await this.#node?.close()
    await Promise.all([this.#watch.end(), this.#conntrack.close()])
    await this.#guard?.dismiss()
  }
}
