// The runner's handle on one node process: starts it, calls its methods, sends it signals.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Account } from './account.ts'
import type { Answer, Call, Methods, Told } from './node-process.ts'

const PROGRAM = fileURLToPath(new URL('./node-process.ts', import.meta.url))
const CALL_LIMIT_MS = 60_000

type Result<Name extends keyof Methods> = Awaited<ReturnType<Methods[Name]>>

export class Remote {
  readonly id: 'a' | 'b'
  /** Counts the processes of a node. */
  readonly life: number
  readonly #child: ChildProcess
  readonly #open = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  readonly #ended: Promise<void>
  #number = 0
  #killed = false
  /** All that it has told so far. */
  readonly story: Told[] = []

  constructor(id: 'a' | 'b', life: number) {
    this.id = id
    this.life = life
    this.#child = fork(PROGRAM, [], { execArgv: ['--import', 'tsx', '--expose-gc'] })
    // A stopped process does not notice that its parent is gone.
    const kill = () => this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#child.on('message', ({ number, result, error }: Answer) => {
      const call = this.#open.get(number)
      this.#open.delete(number)
      if (error === undefined) call?.resolve(result)
      else call?.reject(new Error(`${this.name}: ${error}`))
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        for (const call of this.#open.values()) {
          call.reject(new Error(`${this.name} ended: ${signal ?? `exit code ${code}`}`))
        }
        this.#open.clear()
        process.off('exit', kill)
        resolve()
      })
    })
  }

  get name(): string {
    return `${this.id}${this.life}`
  }

  async call<Name extends keyof Methods>(
    method: Name,
    ...args: Parameters<Methods[Name]>
  ): Promise<Result<Name>> {
    if (this.#killed) throw new Error(`${this.name} was killed`)
    const number = ++this.#number
    let late: NodeJS.Timeout | undefined
    try {
      return await new Promise<Result<Name>>((resolve, reject) => {
        this.#open.set(number, { resolve: resolve as (result: unknown) => void, reject })
        const call: Call = { number, method, args }
        this.#child.send(call, (error) => error && reject(error))
        const message = `${this.name}: no answer to ${method} within ${CALL_LIMIT_MS} ms`
        late = setTimeout(() => reject(new Error(message)), CALL_LIMIT_MS)
      })
    } finally {
      clearTimeout(late)
    }
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  /** Ends the process at once; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#killed = true
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** What it has told since this was last called. */
  async account(): Promise<Account> {
    const { told, standstills } = await this.call('told')
    this.story.push(...told)
    return { id: this.id, name: this.name, told, standstills }
  }
}
