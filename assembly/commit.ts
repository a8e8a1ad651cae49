// Second half: what was staged comes into force. First every slot that changes its session is unlinked, then the new
// sessions are written and linked, so that keys may move between slots within one batch. Never remembered in the
// journal. Cannot fail; what was staged for a table that changed since is bent to what the slots hold now.
import { bucketFind } from './buckets'
import { HASH, KEY, SEGMENT_SHIFT, capacity, recordAt, recordBytes, valueOffset } from './layout'
import { copyWords } from './lines'
import { dropRecord, isOccupied, nextOccupied, writeRecord } from './records'
import { markTouched } from './segments'
import { CHANGE, PUT, stagedCount, stagedId, stagedImage, stagedOp, stagedSegment, unstage } from './stage'

export function commit(): void {
  if (stagedSegment >= 0) dropSegment(<u32>stagedSegment)
  for (let i: u32 = 0; i < stagedCount; i++) {
    const id = stagedId(i)
    if (stagedOp(i) != CHANGE && isOccupied(id)) dropRecord(id, recordAt(id))
  }
  for (let i: u32 = 0; i < stagedCount; i++) {
    const id = stagedId(i)
    const record = recordAt(id)
    const image = stagedImage(i)
    switch (stagedOp(i)) {
      case PUT: {
        dropHolder(image)
        writeRecord(id, record, image)
        break
      }
      case CHANGE: {
        if (isOccupied(id)) copyWords(record + valueOffset, image + valueOffset, recordBytes - valueOffset)
        break
      }
    }
  }
  unstage()
}

function dropSegment(segment: u32): void {
  const first = segment << SEGMENT_SHIFT
  const end = min(first + (1 << SEGMENT_SHIFT), capacity)
  for (let id = nextOccupied(first); id >= 0 && <u32>id < end; id = nextOccupied(<u32>id + 1)) {
    dropRecord(id, recordAt(id))
  }
}

/** The key moved here from an awaited segment: what lies there is old. */
function dropHolder(image: usize): void {
  const holder = bucketFind(load<u32>(image, HASH), image + KEY)
  if (holder < 0) return
  dropRecord(holder, recordAt(holder))
  markTouched(holder)
}
