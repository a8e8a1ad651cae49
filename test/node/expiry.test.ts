// Sessions that expire in a pair of nodes: the primary removes them and says so, the secondary follows, and time goes on
// when it is promoted.
import { createNode, defineTable } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, type Options, pairOptions, protectedPair, until } from './support.ts'

const test = suite('expiry')

const leases = defineTable({
  name: 'leases',
  key: { id: 'u32' },
  fields: { count: 'u53', note: ['none', 'seen'] },
  capacity: 30_000,
  timeout: 0.5,
})

/** The tables of the shared options have another type. */
const own = (options: Options) => ({ ...options, tables: { leases } })

test('sessions leave both nodes when their time is over, and the application hears of it', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const a = await createNode(own(options.a))
    opened.push(a)
    const b = await createNode(own(options.b))
    opened.push(b)
    await protectedPair(a as never, b as never)
    const table = a.tables.leases
    const ended: unknown[] = []
    const errors: Error[] = []
    a.on('error', (error) => errors.push(error))
    a.once('expired', () => {
      throw new Error('a listener that fails')
    })
    a.on('expired', (event) => ended.push(event))
    b.on('expired', () => assert.unreachable('a secondary ends nothing'))
    table.set({ id: 1 }, { count: 7, note: 'seen' })
    table.set({ id: 2 }, {}, { timeout: 3600 })
    await until('a removes the first', () => table.size === 1)
    await until('and b', () => b.tables.leases.has({ id: 2 }) && b.tables.leases.size === 1)
    assert.equal(ended, [{ table: 'leases', session: { id: 1, count: 7, note: 'seen' } }])
    assert.equal(
      errors.map(({ message }) => message),
      ['a listener that fails'],
    )
    const { expired, evicted, refused } = a.status().tables.leases!
    assert.equal([expired, evicted, refused], [1, 0, 0])
    assert.is(a.status().protected, true)
    assert.is((await a.verify()).equal, true)
    await a.handover()
    const promoted = b.tables.leases
    await until('b leads', () => b.role === 'primary')
    assert.ok(promoted.has({ id: 2 }))
    promoted.set({ id: 3 }, { count: 1 })
    await until('b removes what expires now', () => promoted.size === 1)
    assert.is(b.status().tables.leases!.expired, 1)
  }))

test.run()
