// What a node tells its application. A listener that throws or rejects is reported as an 'error' event and stops
// nothing; an 'error' event without a listener stops nothing either: whoever wants to know, listens or gives a logger.
import type { ConflictNews } from './core/conflicts.ts'
import type { DecidedBy } from './core/election.ts'
import type { SplitSide } from './core/messages.ts'
import type { RoleReport } from './core/role-report.ts'
import type { Reason, Role } from './wire/constants.ts'

/** The node's role has changed. */
export interface RoleEvent {
  /** What it is now. */
  readonly role: Role
  /** Epoch led or followed; serves as a fencing token. */
  readonly epoch: number
  /** Code. */
  readonly reason: Reason
  /** What decided between the two nodes; null where nothing had to. */
  readonly by: DecidedBy | null
  /** The reason in a sentence or two. */
  readonly message: string
  /** From the first sign (suspicion, claim, request) to the decision, ms. */
  readonly durationMs: number
  /** Up to where everything is there, and what is missing. */
  readonly report: RoleReport
}

/** A link came up, went down, or could not listen. */
export interface LinkEvent {
  readonly link: 'm1' | 'm2'
  readonly up: boolean
  /** Why it went down; '' for a link that came up. */
  readonly reason: string
}

/** The witness answers again, or no longer. */
export interface WitnessEvent {
  readonly reachable: boolean
  /** Why not; '' when it is. */
  readonly reason: string
}

/** A secondary no longer holds everything for certain; what is in doubt is compared or sent anew. */
export interface UnsyncedEvent {
  /** What was found, or what began. */
  readonly reason: string
  /** Undefined: every table. */
  readonly table: string | undefined
  /** Undefined: every segment. */
  readonly segment: number | undefined
}

/** A secondary refused the same batch twice: a bug, or bad memory. Nothing of it was applied; everything is compared. */
export interface PoisonEvent {
  /** Name of the refusal. */
  readonly reason: string
  /** Undefined: the frame as a whole. */
  readonly table: string | undefined
  /** Of the frame that was refused. */
  readonly sequence: number
}

/**
 * What a node gave up when it ceased to be primary: after a split the sessions it had changed and its secondary had not
 * confirmed, at any demotion the ones that `pickup` had held back. Several events may tell of one demotion.
 */
export type ConflictEvent = Omit<ConflictNews, 'type'>

/** Two primaries have met: the links, or both, were cut, or one stood still. */
export interface SplitEvent {
  readonly mine: SplitSide
  readonly theirs: SplitSide
}

/** A monitor began to fail, or is healthy again. */
export interface MonitorEvent {
  readonly name: string
  readonly healthy: boolean
  /** What the bad answers said; '' when it is healthy. */
  readonly error: string
  /** Sum of the weights of all monitors that fail now, at most 255. */
  readonly failed: number
}

/** A session that its table ended. */
export interface EndedEvent {
  /** Name of the table. */
  readonly table: string
  /** Key and fields as they were, without `blob` and `text`; plain values, not a view. */
  readonly session: Readonly<Record<string, unknown>>
}

/** Names and payloads of a node's events. */
export interface NodeEvents {
  /** The role changed; `onPromote` or `onDemote` has run. */
  readonly role: RoleEvent
  /** A link came up, went down, cannot have its port; or, while it is down, another reason for it is known. */
  readonly link: LinkEvent
  /** Mode 'witness': the witness can be reached, or cannot be any more. What that means for the role is told by `role`. */
  readonly witness: WitnessEvent
  /** The peer is heard, or is not heard any more. */
  readonly peer: { readonly id: string; readonly alive: boolean }
  /** Primary: `protected` changed. Secondary: `synced` changed. */
  readonly synced: { readonly synced: boolean }
  /** Part of this secondary's content is not trusted any more; it is being compared and repaired. */
  readonly unsynced: UnsyncedEvent
  /** One position was refused twice: a bug or bad memory. */
  readonly poison: PoisonEvent
  /** Primary: a session's time was over; told when it is removed, a moment later. */
  readonly expired: EndedEvent
  /** Primary: a session made room in a full table (`onFull: 'evict'`); told after the `set` that took its place. */
  readonly evicted: EndedEvent
  /**
   * This primary met another one, and one of them is about to give way; told on both where both hear it in time. Which
   * one it is the `role` event says, what that costs `conflict` events on that node.
   */
  readonly split: SplitEvent
  /**
   * Sessions this node gave up, each with the version of the node that stays; told when this node is synced with it, or
   * after `conflictTimeout`. Copies are taken only while somebody listens.
   */
  readonly conflict: ConflictEvent
  /** A monitor began to fail, or is healthy again. */
  readonly monitor: MonitorEvent
  /** Something went wrong: a listener, a hook, the sync thread. Never thrown. */
  readonly error: Error
}

/** The names of the events of a node. */
export type NodeEventName = keyof NodeEvents

/** A record, so that the compiler misses none. */
const NAMES: Record<NodeEventName, true> = {
  role: true,
  link: true,
  witness: true,
  peer: true,
  synced: true,
  unsynced: true,
  poison: true,
  expired: true,
  evicted: true,
  split: true,
  conflict: true,
  monitor: true,
  error: true,
}
export const EVENT_NAMES = Object.keys(NAMES) as readonly NodeEventName[]

/** What it throws, or rejects with, becomes an `error` event. */
export type Listener<Name extends NodeEventName> = (event: NodeEvents[Name]) => unknown

interface Entry {
  readonly listener: (event: never) => unknown
  readonly once: boolean
}

export class Emitter {
  private readonly entries = new Map<NodeEventName, Entry[]>()
  /** Called when somebody begins or ceases to listen. */
  onListeners: (() => void) | undefined
  /** Called with what a listener throws; tells it as an 'error' event. */
  onThrown: (error: Error) => void = (error) => this.emit('error', error)
  /** Called with every event, before its listeners. */
  onEvent: (<Name extends NodeEventName>(name: Name, event: NodeEvents[Name]) => void) | undefined

  has(name: NodeEventName): boolean {
    return (this.entries.get(name)?.length ?? 0) > 0
  }

  add<Name extends NodeEventName>(name: Name, listener: Listener<Name>, once: boolean): void {
    this.entries.set(name, [...(this.entries.get(name) ?? []), { listener, once }])
    this.onListeners?.()
  }

  /** Removes one registration of the listener, the latest. */
  remove<Name extends NodeEventName>(name: Name, listener: Listener<Name>): void {
    const entries = this.entries.get(name) ?? []
    const at = entries.findLastIndex((entry) => entry.listener === listener)
    if (at < 0) return
    this.entries.set(name, entries.toSpliced(at, 1))
    this.onListeners?.()
  }

  emit<Name extends NodeEventName>(name: Name, event: NodeEvents[Name]): void {
    this.onEvent?.(name, event)
    for (const { listener, once } of this.entries.get(name) ?? []) {
      if (once) this.remove(name, listener as Listener<Name>)
      try {
        const result = (listener as Listener<Name>)(event)
        if (result instanceof Promise) result.catch((error) => this.report(name, error))
      } catch (error) {
        this.report(name, error)
      }
    }
  }

  /** What a listener of 'error' throws goes nowhere: there is nobody left to tell. */
  private report(name: NodeEventName, error: unknown): void {
    if (name !== 'error') this.onThrown(error instanceof Error ? error : new Error(String(error)))
  }
}
