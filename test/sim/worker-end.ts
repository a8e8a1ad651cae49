// When a process of a long run has ended and everything it said was heard: the news of its exit may overtake its last words.
import type { ChildProcess } from 'node:child_process'

/** Its exit code; null: it was killed. */
export function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    let code: number | null | undefined
    let isHeard = false
    const settle = () => {
      if (code !== undefined && isHeard) resolve(code)
    }
    child.on('exit', (given) => {
      code = given
      settle()
    })
    child.on('disconnect', () => {
      isHeard = true
      settle()
    })
  })
}
