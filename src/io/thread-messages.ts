// What the application thread and the sync thread exchange around the core's own messages (src/core/messages.ts).
import type { FromSync, ToSync } from '../core/messages.ts'
import type { CoreOptions } from '../core/options.ts'
import type { StatePlace } from '../state/directory.ts'
import type { Address } from './address.ts'

export interface LinkAddresses {
  readonly listen: Address
  readonly peer: Address
}

/** PEM, all of it. */
export interface Identity {
  readonly cert: string
  readonly key: string
  /** Certificates of which the peer must show one. */
  readonly trust: readonly string[]
}

/** The module that is the witness, and what it is opened with. Plain data. */
export interface WitnessData {
  readonly module: string
  readonly options: unknown
}

/** What the sync thread is started with. Plain data. */
export interface ThreadData {
  readonly core: Omit<CoreOptions, 'random' | 'mac'>
  /** SHARED_WORDS 32-bit words (src/core/messages.ts). */
  readonly words: SharedArrayBuffer
  readonly links: readonly [LinkAddresses, LinkAddresses]
  /** Undefined: plain TCP, between loopback addresses only. */
  readonly identity: Identity | undefined
  /** Where epochs are reserved; undefined: nowhere. */
  readonly state: StatePlace | undefined
  /** In mode 'witness'. */
  readonly witness: WitnessData | undefined
}

/** Another identity, for connections to come; what is open is replaced. Answered by a `result` of the core's kind. */
export interface NewIdentity {
  readonly type: 'identity'
  readonly request: number
  readonly identity: Identity
}

export type ToThread = ToSync[] | NewIdentity

export type FromThread =
  /** At least one link listens; the core runs. `failures` says why another does not. */
  | { type: 'started'; failures: LinkFailure[] }
  /** No link listens; the thread ends. */
  | { type: 'unable'; failures: LinkFailure[] }
  /** The witness could not be opened; the thread ends. */
  /** `loaded`: the module is one, and could not be opened. */
  | { type: 'witness-unable'; message: string; loaded: boolean }
  | { type: 'core'; messages: FromSync[] }
  /** A link's port could not be had, or was lost; it is tried again. */
  | { type: 'alarm'; failure: LinkFailure }
  /** The state file could not be written; it is tried again. */
  | { type: 'state-failed'; message: string }
  /** An error that nobody caught: the node is fenced, the thread ends. */
  | { type: 'fatal'; message: string; stack: string }

export interface LinkFailure {
  readonly link: number
  /** The address that could not be had. */
  readonly address: string
  readonly message: string
}

/** The buffers that a batch of messages hands over. Each message owns its frame's buffer. */
export function buffersOf(messages: readonly (FromSync | ToSync)[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = []
  for (const message of messages) {
    if (message.type === 'frame') buffers.push(message.frame.buffer as ArrayBuffer)
  }
  return buffers
}
