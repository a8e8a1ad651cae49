// The process of one group of figures: plain Node on compiled files, told by argv what to measure. Sends the result to
// the process that forked it and ends; run by hand, under a profiler, it prints the result. A group has a process to itself so that it pays for nobody else's heap and its
// code is compiled for its own types only.
import type { Context, Measure } from './figure.ts'

/** What goes to the parent. */
export type GroupMessage =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'measured'; readonly measured: Awaited<ReturnType<Measure>> }

const [group = '', smoke = '', ...names] = process.argv.slice(2)

function send(message: GroupMessage): void {
  if (process.send) process.send(message)
  else console.log(message.type === 'note' ? message.text : message.measured)
}

const context: Context = {
  smoke: smoke === 'smoke',
  wanted: (name) => names.includes(name),
  note: (text) => send({ type: 'note', text }),
  expect(holds, what) {
    if (!holds) throw new Error(`wrong result: ${what}`)
  },
}

// The parent may end first. An orderly exit in any case, for it takes the node processes along.
const orphaned = () => process.exit(1)
process.on('disconnect', orphaned)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, orphaned)
const { measure } = (await import(`../figures/${group}.js`)) as { measure: Measure }
send({ type: 'measured', measured: await measure(context) })
process.off('disconnect', orphaned)
process.disconnect?.()
