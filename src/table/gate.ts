// The write gate: one comparison at every write. `words[0]` is the role word, stored by the sync thread in shared
// memory; `open` is the value under which this side may write, set when a promotion is complete and set to CLOSED at a
// demotion. A word that changes under the application's feet (a fence) therefore closes the gate at once, and a word
// from an earlier reign can never open it again.

/** Never a role word. */
export const GATE_CLOSED = -1

export interface WriteGate {
  readonly words: Int32Array
  open: number
}

/** The application may write now. */
export function isOpen(gate: WriteGate): boolean {
  return gate.words[0] === gate.open
}

/** A gate for a table without a node: always open. */
export function openGate(): WriteGate {
  return { words: new Int32Array(1), open: 0 }
}
