// What two builds of one schema have in common on the wire: the newer one may have further value fields after all of the
// older's. Those are in no batch, image or digest while the two talk; a session keeps them as long as this node holds it.
// A batch has no more deltas than the other build, whose records are longer, can stage.
import { bucketFind } from './buckets'
import { KEY, HASH, deltasMax, journalMax, recordAt, valueField, valueFields } from './layout'
import { copyBytes } from './lines'

/** Value fields on the wire. */
export let wireFields: u32 = 0
/** Entries of a full journal, and deltas of a batch. */
export let journalRoom: u32 = 0
export let deltasRoom: u32 = 0

/** Every field, every delta: nobody else is there. */
export function speakAll(): void {
  speak(valueFields, deltasMax)
}

/** The first `fields` value fields, and batches of up to `deltas`. */
export function speak(fields: u32, deltas: u32): void {
  wireFields = min(fields, valueFields)
  deltasRoom = max(min(deltas, deltasMax), 1)
  // A fifth is kept for overflowed records, as layout.ts does.
  journalRoom = deltas >= deltasMax ? journalMax : max(min(journalMax, (deltas / 5) * 4), 1)
}

/** For what speaks of this node alone, such as snapshots; gives what `speakFields` restores. */
export function speakOwn(): u32 {
  const spoken = wireFields
  wireFields = valueFields
  return spoken
}

export function speakFields(fields: u32): void {
  wireFields = fields
}

/** A record that came whole takes the fields that are not on the wire from the session of its key, if it is here. */
export function keepRest(image: usize): void {
  const id = bucketFind(load<u32>(image, HASH), image + KEY)
  if (id < 0) return
  const record = recordAt(id)
  for (let i = wireFields; i < valueFields; i++) {
    const field = valueField(i)
    copyBytes(image + field.offset, record + field.offset, field.size)
  }
}
