// The parent's side of bench/lib/serve.ts: forks a program of bench/lib, calls its methods, stops and kills it.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answer, Call, Methods } from './serve.ts'
import { within } from './time.ts'

/** No bench hangs; a million updates of a Map on a busy machine take a while. */
const CALL_LIMIT_MS = 240_000

export class RemoteProcess<Served extends Methods> {
  readonly #child: ChildProcess
  readonly #open = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  readonly #ended: Promise<void>
  #number = 0

  /** Starts the process. `program`: a compiled file of this folder. */
  constructor(program: string) {
    // Without the flags of this process.
    this.#child = fork(fileURLToPath(new URL(program, import.meta.url)), [], { execArgv: [] })
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
        for (const call of this.#open.values()) call.reject(new Error(`${program} ended: ${signal ?? code}`))
        this.#open.clear()
        process.off('exit', kill)
        resolve()
      })
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  call<Name extends keyof Served & string>(
    method: Name,
    ...args: Parameters<Served[Name]>
  ): Promise<Awaited<ReturnType<Served[Name]>>> {
    const number = ++this.#number
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#open.set(number, { resolve, reject })
      const call: Call = { number, method, args }
      this.#child.send(call, (error) => error && reject(error))
    })
    return within(CALL_LIMIT_MS, `call ${method}`, answered) as Promise<Awaited<ReturnType<Served[Name]>>>
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
