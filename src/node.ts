/// <reference lib="esnext.disposable" preserve="true" />
// The public face of a node. What it does is in src/node-runtime.ts; here is what it promises.
import { Aborts } from './aborts.ts'
import {
  checkEffect,
  checkListener,
  checkMaintenance,
  checkMonitor,
  checkPromote,
  checkReady,
  checkReplicated,
} from './call-options.ts'
import type { VerifyResult } from './core/verifications.ts'
import type { Alone } from './core/waiters.ts'
import { ConfigError } from './errors.ts'
import type { Listener, NodeEventName } from './events.ts'
import { NodeRuntime } from './node-runtime.ts'
import type {
  AbortSignalLike,
  Effect,
  IdentityOptions,
  MonitorCheck,
  MonitorOptions,
  NodeOptions,
  TableDefinitions,
} from './options.ts'
import { prepare } from './prepared.ts'
import type { TableDefinition } from './schema/index.ts'
import { checkOptions } from './settings.ts'
import type { NodeStatus } from './status.ts'
import type { Table } from './table/index.ts'
import type { Role } from './wire/constants.ts'

/** A node's tables, typed by their definitions. */
export type TablesOf<Definitions extends TableDefinitions> = {
  readonly [Name in keyof Definitions]: Definitions[Name] extends TableDefinition<
    infer Key,
    infer Fields,
    infer Indexes
  >
    ? Table<Key, Fields, Indexes>
    : never
}

/**
 * Starts a node: reserves its tables, starts the sync thread, and looks for the peer. Resolves when at least one link
 * listens (TCP and UDP) and the sync thread runs; a link that cannot listen is tried again and told by a `link` event.
 * The role comes later: see `ready()` and the `role` event. A node keeps its process alive until it is closed.
 *
 * ```ts
 * const node = await createNode({
 *   id: 'a',
 *   peer: 'b',
 *   tables: { connections },
 *   links: {
 *     m1: { listen: '10.0.1.1:7401', peer: '10.0.1.2:7401' },
 *     m2: { listen: '10.0.2.1:7401', peer: '10.0.2.2:7401' },
 *   },
 *   identity: { cert, key, trust: [peerCert] },
 * })
 * node.on('role', ({ role, message }) => console.log(role, message))
 * ```
 *
 * @throws ConfigError for an option that is missing, wrong, unknown, or contradicts another; when no link listens; and when
 *   `admin` cannot listen.
 * @throws SchemaError when a table's memory cannot be reserved.
 * @throws StateError when `stateDir`, or what lies in it, cannot be used.
 * @throws WitnessError when the witness could not be opened.
 * @throws SyncThreadError when the sync thread ends at its start.
 */
export async function createNode<const Tables extends TableDefinitions>(
  options: NodeOptions<Tables>,
): Promise<HoldfastNode<Tables>> {
  const settings = checkOptions(options)
  if (settings.signal?.aborted) throw settings.signal.reason
  // First, so that a port that cannot be had is known before this node takes part in anything; and loaded only on demand.
  const admin = settings.admin && (await (await import('./admin/server.ts')).openAdmin(settings.admin))
  try {
    const runtime = new NodeRuntime(settings, await prepare(settings))
    const node = new HoldfastNode<Tables>(runtime)
    if (admin !== undefined) {
      runtime.admin = admin
      admin.serve(node)
    }
    await runtime.start()
    return node
  } catch (error) {
    await admin?.close()
    throw error
  }
}

/** One of the two nodes. Made by `createNode`. */
export class HoldfastNode<Tables extends TableDefinitions = TableDefinitions> {
  readonly #runtime: NodeRuntime
  readonly #aborts = new Aborts()
  readonly id: string
  /**
   * The tables, by the names given in the options. The primary's are written and read; a secondary's may be read, and
   * show what the primary had a moment ago. Views end at every change of role.
   */
  readonly tables: TablesOf<Tables>

  /** @internal */
  constructor(runtime: NodeRuntime) {
    if (!(runtime instanceof NodeRuntime)) {
      throw new ConfigError('HoldfastNode: made by createNode(options); call that')
    }
    this.#runtime = runtime
    runtime.face = this
    this.id = runtime.id
    this.tables = runtime.tables as unknown as TablesOf<Tables>
  }

  /** 'starting' until it is decided, 'stopped' after the end. */
  get role(): Role {
    return this.#runtime.role
  }

  /** Number of the reign this node leads or follows; grows with every change of primary, and no two nodes share one. */
  get epoch(): number {
    return this.#runtime.epoch
  }

  /** A snapshot of what this node knows. */
  status(): NodeStatus {
    return this.#runtime.status()
  }

  /**
   * Resolves `{ held: true }` when the secondary has received everything written before this call: it survives the loss
   * of this node. Callers between two flushes share one promise. Never ends by time; `signal` gives up waiting.
   *
   * `alone` says what to do without a synced secondary: 'reject' (default), 'wait' until there is one, or 'resolve'
   * with `{ held: false }`. One that is only behind, however far, is waited for: also while more changes than the
   * journal holds are on their way and `status().protected` is false.
   *
   * Sessions that a table's `pickup` holds back are not covered. `pickup: 'now'` picks up all young ones first, before
   * their delay is over; what a filter refuses stays local. Default 'due'.
   *
   * @throws ConfigError for a wrong option
   * @throws NotProtectedError there is no synced secondary
   * @throws NotPrimaryError this node is not primary, or ceased to be while waiting
   * @throws ClosedError or SyncThreadError the node has ended
   */
  replicated(
    options: {
      readonly signal?: AbortSignalLike
      readonly alone?: Alone
      readonly pickup?: 'due' | 'now'
    } = {},
  ): Promise<{ held: boolean }> {
    return checked(() => {
      const { signal, alone, withYoung } = checkReplicated(options)
      return this.#aborts.orAborted(signal, () => this.#runtime.replicated(alone, withYoung))
    })
  }

  /**
   * Resolves when this node is primary, or a secondary that holds everything.
   *
   * @throws ConfigError for a wrong option
   * @throws ClosedError or SyncThreadError the node has ended
   */
  ready(options: { readonly signal?: AbortSignalLike } = {}): Promise<void> {
    return checked(() => this.#aborts.orAborted(checkReady(options), () => this.#runtime.ready()))
  }

  /**
   * Gives the primary's role to the synced secondary, after everything written is there, young sessions included. Resolves when
   * the other node acts as primary; its own program may be told so (`role`) a moment later.
   *
   * @throws HandoverError this node is not primary, the peer is not synced, or it did not take over; the role stays
   */
  handover(): Promise<void> {
    return this.#runtime.handover()
  }

  /**
   * Makes this node primary: by the living primary's grant, or alone when there is none.
   *
   * `force: true` is the operator's failover: it also promotes a node that does not hold everything where no peer is
   * heard (from a living primary no role is taken whose sessions this node lacks), and from then on nothing but a fault,
   * `maintenance()`, `handover()` or the other node's `promote()` moves the role: neither monitors nor `override` do.
   * `force: false`, said of the primary, undoes that; so does any loss of the role.
   *
   * @throws ConfigError for a wrong option
   * @throws PromoteError naming what stands against it
   */
  promote(options: { readonly force?: boolean } = {}): Promise<void> {
    return checked(() => this.#runtime.promote(checkPromote(options)))
  }

  /**
   * Whether this node is to be kept from being primary, for work on its machine. While it is on, a primary hands its role
   * to its secondary as soon as that is synced (and not in maintenance itself), without waiting for `switchHoldDown`; a
   * secondary is promoted only when nothing else that holds as much is alive, and its history says so. `handover()` and
   * `promote()` towards it are refused. Not kept over a restart. Resolves when it is known; the role follows.
   *
   * ```ts
   * await node.maintenance(true)
   * while (node.role === 'primary') await once(node, 'role')
   * ```
   *
   * @throws ConfigError neither true nor false given
   * @throws ClosedError or SyncThreadError the node has ended
   */
  maintenance(on: boolean): Promise<void> {
    return checked(() => this.#runtime.maintenance(checkMaintenance(on)))
  }

  /**
   * Takes another identity, without a restart and without a gap: connections to come are made under it, and those that are
   * open are replaced, one link after the other, each by one that the peer has accepted. Resolves when none is left under
   * the old one (at once, if there is none). Roles, sessions and heartbeats are not touched.
   *
   * To renew a key: let the peer trust both certificates first (`trust: [old, new]`), then take the new key, then let the
   * peer trust the new one only. `holdfast keygen rotate` does the steps on files.
   *
   * ```ts
   * process.on('SIGHUP', async () => node.reloadIdentity(await readIdentity('/etc/holdfast/a.json')))
   * ```
   *
   * @throws ConfigError the identity is wrong, or the node was started with `insecure`; nothing has changed
   * @throws IdentityError within 10 s a connection was not replaced; it stays as it was, and is tried again
   * @throws ClosedError or SyncThreadError the node has ended
   */
  reloadIdentity(identity: IdentityOptions): Promise<void> {
    return checked(() => this.#runtime.reloadIdentity(identity))
  }

  /**
   * Has `check` called at an interval, at once for the first time. It answers `false`, throws or rejects when this node is
   * not fit to be primary; anything else is a good answer, and one that takes longer than `timeout` a bad one. After
   * `fall` bad ones in a row the monitor fails, after `rise` good ones it is healthy again; it begins healthy.
   *
   * The weights of what fails are compared: a primary whose sum is higher than its secondary's hands over to it, once
   * that is synced and `switchHoldDown` is over (`mode: 'availability'` only), and of two nodes without a primary the one
   * with the lower sum is elected, if they hold as much. `status().health` shows the monitors, the `monitor` event tells.
   * Gives a function that ends it.
   *
   * ```ts
   * const end = node.monitor('uplink', () => pingGateway(), { interval: 500, weight: 10 })
   * ```
   *
   * @throws ConfigError a wrong name, function or option, or a name that a running monitor has
   * @throws ClosedError or SyncThreadError the node has ended
   */
  monitor(name: string, check: MonitorCheck, options: MonitorOptions = {}): () => void {
    return this.#runtime.monitor(name, check, checkMonitor(name, check, options))
  }

  /**
   * Runs `effect` at once if this node is the acting primary, and not at all otherwise. It is handed the epoch, which is
   * a fencing token (a receiver that remembers the highest epoch and refuses lower ones is never changed by a primary
   * that has been replaced, however late; docs/FENCING.md has recipes for SQL, HTTP and Redis), and an AbortSignal that
   * aborts when this node ceases to act.
   *
   * Resolves to what the effect gives. If this node ceases to act while the effect runs (demoted, fenced, handing over,
   * closing; also when it is primary again by the end), it rejects at once, without waiting for the effect: without a
   * fencing token nobody can say whether it was done.
   *
   * ```ts
   * await node.gate((epoch, signal) =>
   *   fetch(url, { method: 'POST', body, signal, headers: { 'holdfast-epoch': String(epoch) } }),
   * )
   * ```
   *
   * @throws ConfigError no function given
   * @throws NotPrimaryError this node is not the acting primary; the effect was not run
   * @throws FencedError it ceased to be while the effect ran
   * @throws ClosedError or SyncThreadError the node has ended
   * @throws whatever the effect throws
   */
  gate<Value>(effect: Effect<Value>): Promise<Value> {
    return checked(() => {
      checkEffect(effect)
      return this.#runtime.runGated(effect)
    })
  }

  /**
   * Compares both nodes' tables, segment by segment, at the same positions. Either node may ask.
   *
   * @throws VerifyError they are not a synced pair, or ceased to be meanwhile
   */
  verify(): Promise<VerifyResult> {
    return this.#runtime.verify()
  }

  /**
   * Has everything compared anew, segment by segment, whatever both nodes know, and what differs sent. Resolves when the
   * secondary is synced again; `status().resync` shows how far it is. Either node may ask; who asks while one runs that
   * this node asked for waits for that one.
   *
   * Meanwhile nothing on the secondary is trusted: the pair is neither `synced` nor `protected`, and a promotion is one
   * of an incomplete node. To look for differences, and have them repaired, without giving that up, use `verify()`.
   *
   * ```ts
   * await node.resync()
   * ```
   *
   * @throws NotProtectedError there is no pair, or it parted or changed its roles meanwhile
   * @throws ClosedError or SyncThreadError the node has ended
   */
  resync(): Promise<void> {
    return this.#runtime.resync()
  }

  /**
   * Listens. The same listener may be added more than once.
   *
   * @throws ConfigError for an event there is not, or a listener that is no function; so do `once` and `off`.
   */
  on<Name extends NodeEventName>(name: Name, listener: Listener<Name>): this {
    checkListener(name, listener)
    this.#runtime.emitter.add(name, listener, false)
    return this
  }

  /** Listens to the next event only. */
  once<Name extends NodeEventName>(name: Name, listener: Listener<Name>): this {
    checkListener(name, listener)
    this.#runtime.emitter.add(name, listener, true)
    return this
  }

  off<Name extends NodeEventName>(name: Name, listener: Listener<Name>): this {
    checkListener(name, listener)
    this.#runtime.emitter.remove(name, listener)
    return this
  }

  /**
   * Ends the node and frees its ports. A primary with a synced secondary hands over first. May be called again; resolves
   * when all is done: hooks have run, events are told. Called within a running hook it does not wait for these, so a hook
   * may await it.
   */
  close(): Promise<void> {
    return this.#runtime.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** What a check throws becomes a rejection: a method that promises does not throw besides. */
function checked<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return ask()
  } catch (error) {
    return Promise.reject(error)
  }
}
