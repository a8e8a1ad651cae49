// What stands before and after every write of the application: the gate, and the note that something changed.
import { NotPrimaryError } from '../errors.ts'
import { isOpen, type WriteGate } from './gate.ts'

export class TableWrites {
  readonly #gate: WriteGate
  readonly #table: string
  /** Called after a write. */
  readonly done: () => void

  constructor(table: string, gate: WriteGate, done: () => void) {
    this.#table = table
    this.#gate = gate
    this.done = done
  }

  /** This node may write. */
  get isOpen(): boolean {
    return isOpen(this.#gate)
  }

  /** Throws unless this node may write. */
  admit(): void {
    if (!this.isOpen) {
      throw new NotPrimaryError(
        `table ${this.#table}: this node is not the acting primary; write on the primary, or wait for the role event`,
      )
    }
  }
}
