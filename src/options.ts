// What users write in createNode. The checks are in src/settings.ts.

import type { SplitChoice } from './core/messages.ts'
import type { RoleEvent } from './events.ts'
import type { TableDefinition } from './schema/index.ts'
import type { AbortSignalLike, EffectSignal } from './signals.ts'
import type { WitnessOptions } from './witness/witness.ts'

export type { AbortSignalLike, EffectSignal } from './signals.ts'

/** Table definitions by the name under which `node.tables` has them. */
export type TableDefinitions = { readonly [name: string]: TableDefinition }

/** One dedicated path to the peer. IP addresses with a port: '10.0.1.1:7401', '[fd00::1]:7401'. TCP and UDP use both. */
export interface LinkOptions {
  /** Where this node listens, and from where it dials. Never a wildcard. */
  readonly listen: string
  /** Where the peer listens. */
  readonly peer: string
}

/** PEM throughout. */
export interface IdentityOptions {
  /** This node's certificate; self-signed is enough. */
  readonly cert: string
  /** Its private key. */
  readonly key: string
  /** The peer's certificate, and the next one while it is being renewed: 1 to 8. Nobody else is let in. */
  readonly trust: readonly string[]
}

/** What `node.gate()` runs: gets the epoch as a fencing token, and a signal that aborts when this node may act no more. */
export type Effect<Value> = (epoch: number, signal: EffectSignal) => Value | PromiseLike<Value>

/** Answers `false`, throws or rejects when something is wrong; anything else is good. The signal aborts at the time-out. */
export type MonitorCheck = (signal: EffectSignal) => unknown

/**
 * Any pino-shaped logger: what is known as an object, then a sentence. What it throws is dropped. docs/OPERATING.md says which
 * events come at which level.
 */
export interface Logger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/**
 * Runs at a change of role, before its `role` event. Awaited for at most `hookTimeout`; the signal aborts then, and as soon as
 * the role it runs for is over. Hooks run one after the other, never two at once. What it throws becomes an `error` event, as
 * does being late (ERR_HOOK), and the role goes on: whoever cannot serve calls `node.maintenance(true)` in it, which hands the
 * role back as soon as the other node is synced.
 */
export type RoleHook = (event: RoleEvent, signal: EffectSignal) => unknown

/**
 * Chooses between two primaries that met: 'self', this node, which stays otherwise, or 'peer'. It leads until the other side
 * has taken the role, so that what it writes after it was asked is given up too if it chooses the other.
 */
export type ConflictHook = (choice: SplitChoice) => 'self' | 'peer' | PromiseLike<'self' | 'peer'>

/** Options of `node.monitor()`. */
export interface MonitorOptions {
  /** From one call to the next, at least 10 ms. Default 1000. */
  readonly interval?: number
  /** An answer that takes longer is a bad one, ms. Default: the interval. */
  readonly timeout?: number
  /** What its failure counts, 1 to 255. Default 1. */
  readonly weight?: number
  /** Good answers in a row that end a failure, 1 to 100. Default 2. */
  readonly rise?: number
  /** Bad answers in a row that begin one, 1 to 100. Default 3. */
  readonly fall?: number
}

/** A server over HTTP for operators and their tools: what this node is, and a few actions. docs/OPERATING.md has its routes. */
export interface AdminOptions {
  /**
   * A loopback address with a port ('127.0.0.1:9470', '[::1]:9470'; port 0: the system chooses), or the absolute path of a
   * unix socket, which only this user may open.
   */
  readonly listen: string
  /**
   * Lets whoever says `authorization: Bearer <token>` act: handover, maintenance, resync, verify. 16 to 256 printable
   * characters. Default: none, and no actions.
   */
  readonly token?: string
  /** Other addresses than the loopback may be listened at: whoever reaches them may read. Default false. */
  readonly open?: boolean
  /** Names by which clients may ask, at most 16; IP addresses and localhost are always allowed. Default: none. */
  readonly hosts?: readonly string[]
}

/** Options of `createNode`. */
export interface NodeOptions<Tables extends TableDefinitions = TableDefinitions> {
  /** This node's name, 1 to 64 bytes. */
  readonly id: string
  /** The other node's name. */
  readonly peer: string
  /** Both nodes must say the same, 1 to 64 bytes. Default 'holdfast'. */
  readonly cluster?: string
  /** 0 to 65535; the higher becomes primary when nothing else decides. Default 128. */
  readonly priority?: number
  /** 1 to 15 tables, the same on both nodes. */
  readonly tables: Tables
  readonly links: { readonly m1: LinkOptions; readonly m2: LinkOptions }
  /** Required, unless `insecure`. */
  readonly identity?: IdentityOptions
  /** Plain TCP; refused unless every address is on the loopback. Default false. */
  readonly insecure?: boolean
  /**
   * 'availability': a secondary that loses its primary promotes itself. 'manual': only `promote()` or a handover does.
   * 'witness': it does when it has the lease of a third party, so that no two nodes act at once. The same on both nodes.
   * Default 'availability'.
   */
  readonly mode?: 'availability' | 'manual' | 'witness'
  /** Who grants the lease: what `etcd()` of 'holdfast/witness/etcd' gives. Required in mode 'witness', refused in others. */
  readonly witness?: WitnessOptions
  readonly heartbeat?: {
    /** Time between heartbeats, 5 to 60000 ms; the same on both nodes. Default 50. */
    readonly interval?: number
    /** Heartbeats that may be missing before the peer is suspected, 2 to 100; the same on both nodes. Default 4. */
    readonly lost?: number
  }
  /** How long a starting node looks for its peer before it becomes primary alone, ms. Default 3000. */
  readonly holdDown?: number
  /** How long the application thread may stand still before its role is offered to the peer, ms. Default 2000. */
  readonly stallTimeout?: number
  /** Least time between two flushes, 0 to 1000 ms. Default 1. */
  readonly flushInterval?: number
  /**
   * Priority decides before uptime, and a node with the higher priority that returns takes the role back once it is
   * synced and `switchHoldDown` is over. Default false.
   */
  readonly override?: boolean
  /**
   * Least time between a change of role and a handover by health or override, ms; for override also the time the other
   * node must have been up. `maintenance()`, `handover()` and `promote()` do not wait for it. Default 10000.
   */
  readonly switchHoldDown?: number
  /** Flaps: more than `changes` changes of this node's role within `window` double `switchHoldDown`, for each one more. */
  readonly damping?: {
    /** How long a change counts, ms. Default 600000. */
    readonly window?: number
    /** So many do no harm, 1 to 32. Default 4: two that go there and back. */
    readonly changes?: number
    /** The longest it may become, ms; at least `switchHoldDown`. Default 600000. */
    readonly longest?: number
  }
  /** Uptimes closer than this count as equal, ms. Default 300000. */
  readonly uptimeMargin?: number
  /**
   * How long a node that gave way to another primary keeps its versions of what it had changed, to tell them in `conflict`
   * events together with the other node's, ms; counted from when it begins to be compared, which takes as long again at
   * most. What it cannot tell by then is counted. Also how long `onConflict` may take. Default 10000.
   */
  readonly conflictTimeout?: number
  /**
   * Asked on the side that stays when two primaries have met: the later epoch, or of two histories the older. 'peer' gives
   * the role to the other side, which goes on with what it held, in an epoch above both; this node follows it and tells
   * what that costs in `conflict` events. Nobody is fed meanwhile. An answer that is late (`conflictTimeout`), wrong or an
   * exception becomes an `error` event (ERR_CHOICE), and the rule decides, as it does without this option. Each node asks
   * its own; give both the same. Refused in mode 'witness', where no two act at once.
   *
   * @example
   * onConflict: ({ mine, theirs }) => (theirs.sessions > mine.sessions ? 'peer' : 'self')
   */
  readonly onConflict?: ConflictHook
  /** Whether a secondary that does not hold everything may be promoted when nothing better is reachable. Default true. */
  readonly promoteUnsynced?: boolean
  /** See the death of the peer's process (stream ended, port refused) without waiting for its silence. Default true. */
  readonly fastDetection?: boolean
  /**
   * 'redundant': each frame goes on both links, so the loss of one is no gap. 'single': each frame goes on one link, and
   * what is unacknowledged goes on the other when that link ends or stands still for a heartbeat interval: half the bytes,
   * and a gap of about that long. In both a secondary that is not synced is fed on one link. Default 'redundant'.
   */
  readonly sending?: 'redundant' | 'single'
  /**
   * A directory of this node alone, on a disk that stays: an existing one, which this process may write. In it the node
   * keeps its epochs, so that none is opened twice and a grant still binds after a restart, whatever the clock says then.
   * Default: none; epochs start from the clock.
   */
  readonly stateDir?: string
  /**
   * Keeps a file of the tables in `stateDir`, which must be given too: one state of all of them, written each `interval` and
   * when the node ends. A node that starts loads it. Two nodes that both start so elect the younger state of the older
   * lineage; the other is compared with it and repaired. What changed after the last file is lost when both nodes are.
   */
  readonly snapshot?: {
    /** Time between two snapshots, 1000 to 86400000 ms. Default 60000. */
    readonly interval?: number
    /**
     * What to do with a file that is damaged, another node's, or of other tables: 'reject' the start with a StateError, or
     * put it aside, tell an `error` event and start 'empty'. Default 'reject'.
     */
    readonly unusable?: 'reject' | 'empty'
  }
  /**
   * Runs when this node has become primary: everything received is in the tables, and they may be written. The `role` event
   * and the admin server's `/primary` wait for it, so this is the place to let traffic in: to take an address, to
   * open a port. Not run for a role that is over before its turn has come; run again when a primary goes on in a later
   * epoch, as after a split brain, so it must do no harm where all is taken already.
   */
  readonly onPromote?: RoleHook
  /** Runs when this node is primary no more, whatever for, also when it is closed: the place to give up the address. */
  readonly onDemote?: RoleHook
  /** How long `onPromote` and `onDemote` may take, 10 to 3600000 ms. Default 10000. */
  readonly hookTimeout?: number
  /**
   * Serves status, events, metrics, health and the live page over HTTP. Listens before the node takes part in anything, and
   * ends with it. Default: none.
   */
  readonly admin?: AdminOptions
  /** Abort closes the node. */
  readonly signal?: AbortSignalLike
  /** Told what happens to the node, each event once. Default: silent. */
  readonly logger?: Logger
}
