// The HTTP receiver of docs/FENCING.md, as a reader would paste it.
import { readFileSync } from 'node:fs'

export interface Fence {
  admit(header: string | undefined): 200 | 412 | 428
}

export async function recipe(): Promise<{
  Fence: new (highest?: number, keep?: (epoch: number) => void) => Fence
}> {
  const page = readFileSync(new URL('../../docs/FENCING.md', import.meta.url), 'utf8')
  const code = /```js\n([\s\S]*?)```/.exec(page)![1]!
  return import(`data:text/javascript,${encodeURIComponent(code)}`)
}
