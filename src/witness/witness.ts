// What a witness is: a third party that grants one lease per cluster. Types only; src/witness/etcd.ts is one.
import type { WitnessState } from '../core/witness.ts'
import type { EffectSignal } from '../signals.ts'

export type { WitnessState } from '../core/witness.ts'

/** What an acquire or renew came to. */
export interface WitnessGrant extends WitnessState {
  /**
   * True: this call made the lease last for its whole length, counted by the witness from a moment within the call. False:
   * it did not, and the state says whose the lease is. A call of which that is not known rejects.
   */
  readonly done: boolean
}

/**
 * One entry, shared by the two nodes of a cluster, in a store that does not forget and that changes it for one caller at
 * a time. The entry has a holder and a revision; it ends when the lease has not been renewed for its length by the
 * witness's own clock, never sooner. Every method may reject, and should when `signal` is aborted; what comes later is
 * not listened to.
 */
export interface Witness {
  /** The entry as it is now; not from a replica that may be behind. */
  read(signal: EffectSignal): Promise<WitnessState>
  /** If the revision is still `after` (0: no entry), the entry becomes this node's, under a higher revision. */
  acquire(after: number, signal: EffectSignal): Promise<WitnessGrant>
  /** If the entry is still this node's under `revision`, it lasts for a whole lease from now. The revision stays. */
  renew(revision: number, signal: EffectSignal): Promise<WitnessGrant>
  /** If the entry is still this node's under `revision`, it ends. */
  release(revision: number, signal: EffectSignal): Promise<WitnessState>
  /**
   * Tells of changes as they happen, until it resolves or rejects; then it is called again after a while. May be absent:
   * the entry is also read, several times in a lease.
   */
  watch?(onChange: (state: WitnessState) => void, signal: EffectSignal): Promise<void>
  close?(): Promise<void>
}

/** What a witness is opened with. */
export interface WitnessContext {
  /** The entry's name: both nodes say the same. */
  readonly cluster: string
  /** This process of this node, as it stands in `holder`. */
  readonly holder: string
  /** Length of the lease, ms. */
  readonly leaseMs: number
}

/** What a witness module exports under the name `openWitness`. `options` are those of `WitnessOptions`. */
export type OpenWitness = (options: never, context: WitnessContext) => Witness | Promise<Witness>

/**
 * The option `witness` of `createNode`: a module, not an object, because the sync thread makes the calls. `etcd()` of
 * `holdfast/witness/etcd` gives one.
 */
export interface WitnessOptions {
  /** URL or absolute path of a module that exports `openWitness`; of a package: `import.meta.resolve(name)`. */
  readonly module: string | { readonly href: string }
  /** Given to `openWitness`; must survive a structured clone. */
  readonly options?: unknown
  /** Length of the lease, 100 to 600000 ms; the same on both nodes. */
  readonly lease: number
}
