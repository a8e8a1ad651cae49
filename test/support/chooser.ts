// The application of a node in memory, asked which side is to stay after a split.
import type { FromSync, SplitChoice } from '../../src/core/messages.ts'
import type { PairNode } from './core-pair.ts'

export class Chooser {
  /** What it was asked, and how questions ended that nobody answered in time. */
  readonly questions: SplitChoice[] = []
  readonly over: string[] = []
  /** What it answers, and after how long, ms; undefined: nothing. */
  choose: () => { side: 'self' | 'peer'; afterMs: number } | undefined = () => undefined

  handle(message: FromSync, node: PairNode): void {
    if (message.type === 'choice-over') this.over.push(message.why)
    if (message.type !== 'choose') return
    const { token, question } = message
    const mine = { ...question.mine, changed: node.replica.conflicts.changedCount }
    this.questions.push({ ...question, mine })
    const answer = this.choose()
    if (answer === undefined) return
    node.pair.after(answer.afterMs, () => node.ask({ type: 'chosen', token, side: answer.side }))
  }
}
