// The application thread's handle on the sync thread: starts it, passes messages, and tells its end. A thread that ends
// unasked is a failure whatever its exit code says.
import { Worker } from 'node:worker_threads'
import type { FromSync, ToSync } from '../core/messages.ts'
import { SharedWord, WordState } from '../core/messages.ts'
import { ConfigError, SyncThreadError, WitnessError } from '../errors.ts'
import type { FromThread, LinkFailure, NewIdentity, ThreadData } from './thread-messages.ts'
import { buffersOf } from './thread-messages.ts'

export interface ThreadEvents {
  messages(messages: FromSync[]): void
  alarm(failure: LinkFailure): void
  /** The state file could not be written; it is tried again. */
  stateFailed(message: string): void
  /** The thread has ended; `error` says why, unless it was asked to. The role word is shut. */
  ended(error: SyncThreadError | undefined): void
}

/** Sources run as they are under Deno, Bun and later Nodes: the entry has this module's own extension. */
const isSource = import.meta.url.endsWith('.ts')
const SOURCE_ENTRY = './holdfast-thread.ts'

function startWorker(workerData: ThreadData): Worker {
  const options = { name: 'holdfast-sync', workerData }
  if (isSource) return new Worker(new URL(SOURCE_ENTRY, import.meta.url), options)
  // Word for word: bundlers know this form, and bring the file along or leave the place to the user (docs/BUNDLING.md).
  // No flags of the process: what the application is run with (loaders, instrumentation) has no business in there.
  return new Worker(new URL('./holdfast-thread.js', import.meta.url), { ...options, execArgv: [] })
}

/** What is missing where a bundle was made without the thread's file; each runtime has its own words for it. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && /holdfast-thread\.js/.test(error.message)
}

export class SyncThread {
  private readonly worker: Worker
  private readonly words: Int32Array
  private readonly events: ThreadEvents
  private cause: Error | undefined
  private expected = false
  private ended = false
  private settleStart:
    | { resolve: (failures: LinkFailure[]) => void; reject: (error: Error) => void }
    | undefined

  constructor(data: ThreadData, events: ThreadEvents) {
    this.events = events
    this.words = new Int32Array(data.words)
    this.worker = startWorker(data)
    this.worker.on('message', (message: FromThread) => this.handleMessage(message))
    this.worker.on('error', (error) => {
      this.cause ??= error as Error
      this.handleEnd()
    })
    this.worker.on('exit', () => this.handleEnd())
  }

  /** Resolves with the links that do not listen when another does; rejects when none does. */
  started(): Promise<LinkFailure[]> {
    return new Promise((resolve, reject) => {
      this.settleStart = { resolve, reject }
    })
  }

  send(messages: ToSync[]): void {
    if (!this.ended) this.worker.postMessage(messages, buffersOf(messages))
  }

  renew(message: NewIdentity): void {
    if (!this.ended) this.worker.postMessage(message)
  }

  /** From here on its end is no failure. */
  expectEnd(): void {
    this.expected = true
  }

  async terminate(): Promise<void> {
    this.fence()
    await this.worker.terminate()
    this.handleEnd()
  }

  /** Ends the thread because this side of the node is broken. */
  fail(cause: unknown): void {
    this.cause ??= cause instanceof Error ? cause : new Error(String(cause))
    this.expected = false
    this.handleEnd()
    void this.worker.terminate()
  }

  private handleMessage(message: FromThread): void {
    switch (message.type) {
      case 'core':
        this.events.messages(message.messages)
        break
      case 'started':
        this.settleStart?.resolve(message.failures)
        this.settleStart = undefined
        break
      case 'unable': {
        const why = message.failures.map((failure) => failure.message).join('; ')
        this.expected = true
        this.settleStart?.reject(
          new ConfigError(`links: no link could listen (${why}); free these ports or give other addresses`),
        )
        this.settleStart = undefined
        break
      }
      case 'witness-unable':
        this.expected = true
        this.settleStart?.reject(
          message.loaded
            ? new WitnessError(
                `witness: it could not be opened: ${message.message}; see that it runs, and start the node again`,
              )
            : new ConfigError(
                `witness: ${message.message}; allowed: what etcd() gives, or a module of that kind`,
              ),
        )
        this.settleStart = undefined
        break
      case 'alarm':
        this.events.alarm(message.failure)
        break
      case 'state-failed':
        this.events.stateFailed(message.message)
        break
      case 'fatal':
        this.cause = Object.assign(new Error(message.message), { stack: message.stack })
        this.handleEnd()
        void this.worker.terminate()
        break
    }
  }

  private fence(): void {
    Atomics.store(this.words, SharedWord.ROLE, WordState.SHUT)
  }

  private handleEnd(): void {
    if (this.ended) return
    this.ended = true
    this.fence()
    const why = this.cause === undefined ? '' : `: ${this.cause.message}`
    const advice = isMissing(this.cause)
      ? 'a bundle needs that file beside it, see docs/BUNDLING.md'
      : 'this node is fenced and stopped, start a new one'
    const error = this.expected
      ? undefined
      : new SyncThreadError(`the sync thread ended${why}; ${advice}`, { cause: this.cause })
    this.settleStart?.reject(error ?? new SyncThreadError('the sync thread ended before it listened'))
    this.settleStart = undefined
    this.events.ended(error)
  }
}
