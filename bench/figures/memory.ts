// table.bytes_per_session: all memory that a table reserves, by its capacity. Index, records, journal, buffers for a
// batch in and out, bitmaps: whatever the WASM memory holds. It is reserved once and does not depend on what is stored.
import { bytesFor, createEngine, createTable, ENCODE_BYTES_MAX, openGate } from '../lib/built.ts'
import type { Context, Measured } from '../lib/figure.ts'
import { defineConnections, fieldsOf, keyOf } from '../lib/sessions.ts'

export async function measure({ smoke, expect }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 20_000 : 1_000_000
  const definition = defineConnections(sessions)
  const { core } = createEngine(definition, [1, 2, 3, 4], ENCODE_BYTES_MAX)
  const bytes = core.memory.buffer.byteLength
  expect(bytesFor(definition) === bytes, 'a table takes the memory that bytesFor says')
  expect(core.benchFill(sessions, 7) === sessions, 'the memory is enough for its capacity')
  expect(core.memory.buffer.byteLength === bytes, 'a full table has the same memory')
  const table = createTable(definition, { gate: openGate() })
  for (let i = 0; i < sessions; i++) table.set(keyOf(i), fieldsOf(i))
  expect(table.size === sessions, 'the keys of the sessions are unique')
  let refused = false
  try {
    table.set(keyOf(sessions))
  } catch {
    refused = true
  }
  expect(refused, 'no session fits beyond the capacity')
  return { 'table.bytes_per_session': { runs: [bytes / sessions], detail: { mib: bytes / 2 ** 20 } } }
}
