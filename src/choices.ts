// Asks the application which of two sides stays after a split (option `onConflict`). One question at a time; how long an
// answer may take the sync thread decides (src/core/choice.ts), whatever this thread does meanwhile.
import type { FromSync, SplitChoice, ToSync } from './core/messages.ts'
import { ChoiceError } from './errors.ts'
import type { ConflictHook } from './options.ts'

export class Choices {
  private readonly hook: ConflictHook | undefined
  private readonly send: (message: ToSync) => void
  private readonly report: (error: Error) => void
  private readonly limitMs: number
  /** Of the question that is open; undefined: none. */
  private token: number | undefined

  constructor(
    hook: ConflictHook | undefined,
    limitMs: number,
    send: (message: ToSync) => void,
    report: (error: Error) => void,
  ) {
    this.hook = hook
    this.limitMs = limitMs
    this.send = send
    this.report = report
  }

  /** `changed`: records this node has changed since the last common state. */
  async handleQuestion(
    { token, question: given }: Extract<FromSync, { type: 'choose' }>,
    changed: number,
  ): Promise<void> {
    this.token = token
    const question: SplitChoice = { ...given, mine: { ...given.mine, changed } }
    let side: unknown
    let fault: string | undefined
    try {
      side = await this.hook?.(question)
      if (side !== 'self' && side !== 'peer') fault = `answered ${show(side)}; allowed: 'self' or 'peer'`
    } catch (error) {
      fault = `threw ${error instanceof Error ? `${error.name}: ${error.message}` : show(error)}`
    }
    // Too late, or void: that was told, or there is nothing to choose any more.
    if (this.token !== token) return
    this.token = undefined
    if (fault !== undefined) this.fail(fault)
    this.send({ type: 'chosen', token, side: fault === undefined && side === 'peer' ? 'peer' : 'self' })
  }

  handleOver({ token, why }: Extract<FromSync, { type: 'choice-over' }>): void {
    if (token === this.token) this.token = undefined
    if (why === 'late') this.fail(`did not answer within ${this.limitMs} ms (conflictTimeout)`)
    if (why === 'not-taken') this.fail("answered 'peer', and the other node did not take the role")
  }

  /** The node ends: no answer is of use. */
  stop(): void {
    this.token = undefined
  }

  private fail(fault: string): void {
    this.report(new ChoiceError(`onConflict ${fault}; this node stays primary`))
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 64)}'`
  return value === null || typeof value !== 'object' ? String(value) : 'an object'
}
