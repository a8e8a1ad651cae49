// Also while a node is being filled it holds each key once, its indexes find what is there, and nothing is in its tables
// that nobody wrote.
import { contentOf } from './content.ts'
import type { History } from './history.ts'
import type { SimProcess } from './process.ts'

/** Reading all sessions takes long: a mix of so many is read, after every so many frames. */
const SESSIONS_MAX = 400
const EVERY = 2

export class MixChecks {
  private readonly history: History
  private frames = 0

  constructor(history: History) {
    this.history = history
  }

  /** A node that awaits something has taken a frame. */
  sample(process: SimProcess): void {
    if (process.isSpoilt || this.history.isVoid) return
    if (process.sessions > SESSIONS_MAX || ++this.frames % EVERY !== 0) return
    contentOf(process, this.history)
  }
}
