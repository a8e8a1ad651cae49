// Everything the demonstration runs: two gateways, the cables between them, the clients. Emits `change` whenever
// something new is known, and `failed` if a process ends that was not told to.
import { EventEmitter } from 'node:events'
import { freeAddress, makeIdentity } from 'holdfast/testing'
import { Process } from './process.mjs'
import { until } from './wait.mjs'

const PRIORITY = { a: 200, b: 100 }

export class Cluster extends EventEmitter {
  /** The gateways that run, by node id. */
  gateways = {}
  /** What each last said of itself; undefined while its process is gone. */
  status = {}
  /** What was done to each process: 'starting', 'running', 'frozen', 'gone'. */
  state = { a: 'gone', b: 'gone' }
  /** When each last spoke, on performance's clock. */
  heardAt = { a: 0, b: 0 }
  /** Which cables are cut. */
  cut = { m1: false, m2: false }
  /** Every change of role, in the order it was heard: { id, role, epoch, reason, message, sessions, durationMs, at, wallAt }. */
  roles = []
  /** The clients' last window: { gapMsMax, open, openMsMax, perSecond }. */
  window = { gapMsMax: 0, open: 0, openMsMax: 0, perSecond: 0 }

  constructor({ flows, paceMs }) {
    super()
    this.flows = flows
    this.paceMs = paceMs
  }

  /** Starts all of it; a leads, b has a copy, and no client has asked yet. */
  async start() {
    const [host, port] = (await freeAddress()).split(':')
    this.service = { host, port: Number(port), shared: true }
    const [a, b] = await Promise.all([makeIdentity('a'), makeIdentity('b')])
    this.identity = { a: { ...a, trust: [b.cert] }, b: { ...b, trust: [a.cert] } }
    this.cables = await this.#process('cables', 'cables-process.mjs')
    this.load = await this.#process('load', 'load-process.mjs')
    this.load.on('window', (window) => {
      this.window = window
      this.emit('change')
    })
    this.links = await this.cables.call('lay')
    await Promise.all([this.startGateway('a'), this.startGateway('b')])
    await this.until(20_000, 'one node leads and the other is synced', () => this.protected)
  }

  /** Starts the gateway of a node, or starts it again. */
  async startGateway(id) {
    this.state[id] = 'starting'
    const gateway = await this.#process(id, 'gateway-process.mjs')
    this.gateways[id] = gateway
    gateway.on('status', (status) => {
      this.status[id] = status
      this.heardAt[id] = performance.now()
      this.emit('change')
    })
    gateway.on('role', (change) => {
      this.roles.push({ id, ...change })
      this.emit('change')
    })
    gateway.on('ended', () => {
      if (this.gateways[id] !== gateway) return
      this.gateways[id] = undefined
      this.status[id] = undefined
      this.state[id] = 'gone'
      this.emit('change')
    })
    await gateway.call('start', {
      id,
      peer: id === 'a' ? 'b' : 'a',
      cluster: 'demo',
      priority: PRIORITY[id],
      links: this.links[id],
      identity: this.identity[id],
      service: this.service,
      capacity: Math.max(1024, Math.ceil(this.flows * 1.25)),
    })
    if (this.gateways[id] === gateway) this.state[id] = 'running'
  }

  /** kill -9; resolves when the process is gone. */
  async killGateway(id) {
    await this.gateways[id]?.kill()
  }

  /** Kills it, if it is there, and starts it empty. One start at a time. */
  async restartGateway(id) {
    if (this.state[id] === 'starting') return
    await this.killGateway(id)
    await this.startGateway(id)
  }

  /** Its process stands still, and does not know it. */
  freeze(id) {
    this.#stop(id, 'frozen')
  }

  wake(id) {
    this.#stop(id, 'running')
  }

  #stop(id, state) {
    if (this.state[id] !== 'running' && this.state[id] !== 'frozen') return
    process.kill(this.gateways[id].pid, state === 'frozen' ? 'SIGSTOP' : 'SIGCONT')
    this.state[id] = state
    this.heardAt[id] = performance.now()
  }

  /** @param {'cut' | 'mend'} what */
  async layCable(what, link) {
    await this.cables.call(what, { link })
    this.cut[link] = what === 'cut'
  }

  startLoad() {
    return this.load.call('start', { flows: this.flows, paceMs: this.paceMs, service: this.service })
  }

  /** Id of the node that leads, as last heard. */
  get primary() {
    return ['a', 'b'].find((id) => this.status[id]?.role === 'primary')
  }

  /** How many the primary holds, as last heard. */
  get sessions() {
    const tables = this.status[this.primary]?.tables ?? {}
    return Object.values(tables).reduce((sum, { sessions }) => sum + sessions, 0)
  }

  /** True while the primary says that its secondary holds everything. */
  get protected() {
    return this.status[this.primary]?.protected === true && this.status[other(this.primary)]?.synced === true
  }

  /** Waits until what `holds` returns is true, looking at every change. */
  until(ms, what, holds) {
    return until(this, 'change', ms, what, holds)
  }

  /** Orderly end: the clients first, then the secondary, so that nothing is promoted on the way out. */
  async stop() {
    await this.load.call('stop')
    const secondary = other(this.primary)
    for (const id of [secondary, other(secondary)]) await this.gateways[id]?.call('close')
    this.kill()
  }

  kill() {
    for (const child of [this.load, this.gateways.a, this.gateways.b, this.cables]) child?.kill()
  }

  async #process(name, script) {
    const child = await Process.start(name, script)
    child.on('ended', (why, expected) => expected || this.emit('failed', new Error(why)))
    return child
  }
}

/** The id of the other node. */
export const other = (id) => (id === 'a' ? 'b' : 'a')
