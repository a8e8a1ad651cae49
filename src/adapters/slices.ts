// Goes through a whole table without keeping the thread from everything else: a node whose application thread stands still
// for stallTimeout loses its role.
import { setImmediate as turn } from 'node:timers/promises'

/** Some milliseconds of work. */
const SLICE = 1024

/** What `pick` makes of each session, slice by slice, without those it makes undefined of; other work goes on in between. */
export async function* inSlices<Item, Value>(
  items: Iterable<Item>,
  pick: (item: Item) => Value | undefined,
): AsyncGenerator<Value[], void> {
  let seen = 0
  let picked: Value[] = []
  // A live view is good for this turn only.
  for (const item of items) {
    const value = pick(item)
    if (value !== undefined) picked.push(value)
    if (++seen % SLICE !== 0) continue
    yield picked
    picked = []
    await turn()
  }
  yield picked
}
