// The slow twin of lists of records (docs/PROTOCOL.md section 3).
import { Malformed, Reader, Writer } from './bytes.ts'

/** Ids ascending, each once. */
export function writeList(ids: readonly number[]): Uint8Array {
  const writer = new Writer()
  writer.varint(ids.length)
  let previous = -1
  for (const id of ids) {
    writer.varint(id - previous - 1)
    previous = id
  }
  return writer.take()
}

/** The ids, or the name of the refusal. */
export function readList(bytes: Uint8Array, capacity: number): number[] | string {
  const reader = new Reader(bytes, () => {})
  try {
    const count = reader.varint()
    if (count > reader.left) return 'count'
    const ids: number[] = []
    let previous = -1
    for (let i = 0; i < count; i++) {
      previous += 1 + reader.varint()
      if (previous >= capacity) return 'id'
      ids.push(previous)
    }
    return reader.left > 0 ? 'trailing' : ids
  } catch (error) {
    if (error instanceof Malformed) return error.reason
    throw error
  }
}
