// The child's side of bench/lib/remote-process.ts: answers the calls of the process that forked this one, and does not
// outlive it.

// biome-ignore lint/suspicious/noExplicitAny: any methods, whatever they take
export type Methods = Readonly<Record<string, (...args: any[]) => unknown>>

export interface Call {
  readonly number: number
  readonly method: string
  readonly args: readonly unknown[]
}

export type Answer = { readonly number: number; readonly result?: unknown; readonly error?: string }

export function serve(methods: Methods): void {
  process.on('message', async ({ number, method, args }: Call) => {
    let answer: Answer
    try {
      answer = { number, result: await methods[method]!(...args) }
    } catch (error) {
      answer = { number, error: (error as Error).stack ?? String(error) }
    }
    if (process.connected) process.send?.(answer)
  })
  process.on('disconnect', () => process.exit())
}

/** CPU time of all threads of this process, ms. */
export function cpuMsSince(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
