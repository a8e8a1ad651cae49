// The parent's side of bench/lib/node-process.ts: forks a node, calls its methods, stops and kills it.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answer, Call, Methods } from './node-process.ts'
import { within } from './time.ts'

const PROGRAM = fileURLToPath(new URL('node-process.js', import.meta.url))
const CALL_LIMIT_MS = 60_000

type Result<Name extends keyof Methods> = Awaited<ReturnType<Methods[Name]>>

export class RemoteNode {
  readonly #child: ChildProcess
  readonly #open = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  readonly #ended: Promise<void>
  #number = 0

  /** Starts the process; its node is made by the call `start`. */
  constructor() {
    // Without the flags of this process.
    this.#child = fork(PROGRAM, [], { execArgv: [] })
    // A stopped process does not notice that its parent is gone.
    const kill = () => this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#child.on('message', ({ number, result, error }: Answer) => {
      const call = this.#open.get(number)
      this.#open.delete(number)
      if (error === undefined) call?.resolve(result)
      else call?.reject(new Error(error))
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        for (const call of this.#open.values())
          call.reject(new Error(`node process ended: ${signal ?? code}`))
        this.#open.clear()
        process.off('exit', kill)
        resolve()
      })
    })
  }

  call<Name extends keyof Methods>(method: Name, ...args: Parameters<Methods[Name]>): Promise<Result<Name>> {
    const number = ++this.#number
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#open.set(number, { resolve, reject })
      const call: Call = { number, method, args }
      this.#child.send(call, (error) => error && reject(error))
    })
    return within(CALL_LIMIT_MS, `call ${method}`, answered) as Promise<Result<Name>>
  }

  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  /** Ends the process at once; resolves when it is gone. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
