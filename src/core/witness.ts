// What the core and a witness say to each other. A witness keeps one entry per cluster: who holds the lease, and a
// revision that grows with every change of holder. Calls go out as data; src/io/witness-port.ts makes them.

/** What a witness says of its entry. */
export interface WitnessState {
  /** '' when nobody holds the lease. */
  readonly holder: string
  /** Grows with every change of holder, never set back; 0 when nobody holds it. */
  readonly revision: number
}

export type WitnessCall =
  /** Only the state. */
  | { readonly call: number; readonly type: 'read' }
  /** Take the lease if its revision is still `after`: 0 if nobody held it, else one that its holder has given up. */
  | { readonly call: number; readonly type: 'acquire'; readonly after: number }
  /** Make the lease of this revision last for its whole length from now on. */
  | { readonly call: number; readonly type: 'renew'; readonly revision: number }
  /** End the lease of this revision. */
  | { readonly call: number; readonly type: 'release'; readonly revision: number }

export type WitnessAnswer =
  | {
      readonly call: number
      readonly type: 'state'
      readonly state: WitnessState
      /** An acquire or renew did what it was to do: the lease lasts for its length, counted from within the call. */
      readonly done: boolean
    }
  /** Whether the call had an effect is not known. */
  | { readonly call: number; readonly type: 'failed'; readonly reason: string }

/** Who holds the lease, for the witness. Another process of the same node is somebody else. */
export function holderName(id: string, incarnation: string): string {
  return `${id}/${incarnation}`
}
