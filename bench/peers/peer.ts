// What a peer is: another way to keep the sessions of one process in a second one, measured by the same clock, with the
// same sessions and the same updates. Each file of this folder that is named after a peer makes one.

/** What one round of updates gave. */
export interface UpdateRun {
  readonly updates: number
  /** From the first update until the second process holds the last. */
  readonly ms: number
  /** Bytes that the first process sent to the second meanwhile. */
  readonly bytes: number
  /** CPU of all threads of the first process, and of the second. */
  readonly primaryMs: number
  readonly secondaryMs: number
}

/** What filling an empty second process gave. */
export interface ResyncRun {
  readonly sessions: number
  /** From the start of the process until it holds every session. */
  readonly ms: number
  /** From when it was up and answered. */
  readonly transferMs: number
  readonly bytes: number
}

export interface Running {
  readonly version: string
  readonly sessions: number
  /**
   * Gives two counters of so many sessions, random and different ones, a new value each, as fast as it goes, and checks
   * that the second process has them.
   */
  update(updates: number, round: number): Promise<UpdateRun>
  /** Ends the second process, starts an empty one, and checks that it gets every session. */
  resync(): Promise<ResyncRun>
  end(): Promise<void>
}

export interface Peer {
  readonly name: string
  readonly title: string
  /** How it is set up and what one update is. */
  readonly setup: string
  /** What it does that Holdfast does not, and the other way round. */
  readonly more: string
  readonly less: string
  /** What a byte is counted as. */
  readonly bytes: string
  /** Most sessions it is measured with, and most updates a round: what a run can wait for. */
  readonly sessionsMax?: number
  readonly updatesMax?: number
  /** What is missing on this machine and how to get it; undefined when it can be measured. */
  missing(): string | undefined
  start(sessions: number): Promise<Running>
}
