// The write gate: one comparison at every write. `words[0]` is the role word, stored by the sync thread in shared
// memory; `open` is the value under which this side may write, set when a promotion is complete and set to CLOSED at a
// demotion. A word that changes under the application's feet (a fence) therefore closes the gate at once, and a word
// from an earlier reign can never open it again.

/** Never a role word. */
export const GATE_CLOSED = -1

export interface WriteGate {
  readonly words: Int32Array
  open: number
  /** Asked when the words differ: whether this node may write all the same. */
  readonly leased?: (() => boolean) | undefined
}

/** The application may write now. */
export function isOpen(gate: WriteGate): boolean {
  return gate.words[0] === gate.open || gate.leased?.() === true
}

/** A gate for a table without a node: always open. */
export function openGate(): WriteGate {
  return { words: new Int32Array(1), open: 0 }
}

/** What `words[0]` of a leased gate says: no role word ends in these two bits. */
const ASK = -2

/**
 * The gate in mode 'witness': besides the role word in `words` the writer compares its own clock with the lease's
 * deadline, `deadline[0]`, because a sync thread that stands still cannot shut the gate. Its first comparison never
 * holds, so that gates of other modes pay nothing for the second.
 */
export function leasedGate(words: Int32Array, deadline: Float64Array, clock: () => number): WriteGate {
  const gate: WriteGate = {
    words: Int32Array.of(ASK),
    open: GATE_CLOSED,
    leased: () => words[0] === gate.open && clock() < deadline[0]!,
  }
  return gate
}
