// The continuous proof between two nodes: memory of the secondary that changes by itself is found, told and repaired.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inPair, type Node, until } from './support.ts'

const test = suite('proof')

/** Nowhere else in a table. */
const MARK = 0x3456_789a

/** Where a session's counter lies, in the memory behind a table. */
function findMark(node: Node): { memory: Uint8Array; at: number } {
  const memory = (node.tables.sessions as unknown as { engine: { u8: Uint8Array } }).engine.u8
  const mark = Buffer.alloc(8)
  mark.writeBigUInt64LE(BigInt(MARK))
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength)
  const at = bytes.lastIndexOf(mark)
  assert.ok(at > 0 && bytes.indexOf(mark) >= 0, 'the counter lies in memory')
  return { memory, at }
}

test('a bit that flips in the secondary is found, told, and repaired by nothing but its segment', () =>
  inPair(async (a, b) => {
    for (let id = 0; id < 3_000; id++) a.tables.sessions.set({ id }, { count: id })
    a.tables.sessions.set({ id: 77 }, { count: MARK })
    await a.replicated()
    await until('the secondary has the mark', () => b.tables.sessions.get({ id: 77 })?.count === MARK)
    const told: unknown[] = []
    b.on('unsynced', (event) => told.push(event))
    b.on('role', () => assert.unreachable('no change of role'))
    const { memory, at } = findMark(b)
    memory[at]! ^= 1
    assert.is(b.tables.sessions.get({ id: 77 })?.count, MARK ^ 1)
    await until('it is repaired', () => b.tables.sessions.get({ id: 77 })?.count === MARK)
    await until('the secondary is synced again', () => b.status().synced && a.status().protected)
    assert.equal(told, [{ reason: 'proof', table: 'sessions', segment: 0 }])
    assert.is((await a.verify()).equal, true)
  }))

test.run()
