// What the core wants done. Plain data: src/io carries it out, the simulator plays it.
import type { FromSync } from './messages.ts'
import type { WitnessCall } from './witness.ts'

export type Action =
  /** Open a connection of `link` to the peer; answered by handleStreamOpen or handleDialFailed. */
  | { type: 'dial'; link: number }
  /** Find out whether the peer's port of `link` accepts; answered by handleProbe. */
  | { type: 'probe'; link: number }
  | { type: 'send'; stream: number; bytes: Uint8Array }
  | { type: 'close'; stream: number; reason: string }
  | { type: 'datagram'; link: number; bytes: Uint8Array }
  /** Store the role word in shared memory, at once. */
  | { type: 'word'; word: number }
  /** Write into the state file that epochs up to this may be used; answered by handleReserved once it is on disk. */
  | { type: 'reserve'; epoch: number }
  /** Store until when the gate may stay open (witness mode), on this thread's clock, at once; -Infinity: shut. */
  | { type: 'deadline'; at: number }
  /** Ask the witness; answered by handleWitness, once. */
  | { type: 'witness'; call: WitnessCall; timeoutMs: number }
  /** Give a message to the application thread. */
  | { type: 'post'; message: FromSync }
  /** Everything is said: close sockets and end the thread. */
  | { type: 'stop' }
