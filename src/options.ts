// What users write in createNode. The checks are in src/settings.ts.
import type { RoleEvent } from './events.ts'
import type { TableDefinition } from './schema/index.ts'

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

/**
 * What is used of an AbortSignal, which is what to give. Spelt out, so that these types need neither those of the DOM nor
 * those of Node.
 */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason?: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Any pino-shaped logger. */
export interface Logger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** Runs at a change of role, before its `role` event; awaited for at most 10 s. What it throws becomes an `error` event. */
export type RoleHook = (event: RoleEvent) => unknown

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
   * Default 'availability'.
   */
  readonly mode?: 'availability' | 'manual'
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
  /** Priority decides before uptime. Default false. */
  readonly override?: boolean
  /** Uptimes closer than this count as equal, ms. Default 300000. */
  readonly uptimeMargin?: number
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
  readonly onPromote?: RoleHook
  readonly onDemote?: RoleHook
  /** Abort closes the node. */
  readonly signal?: AbortSignalLike
  /** Default: silent. */
  readonly logger?: Logger
}
