// Second half: what was staged comes into force. First every slot that changes its session is unlinked, then the new
// sessions are written and linked, so that keys may move between slots within one batch. Never remembered in the
// journal. Cannot fail; what was staged for a table that changed since is bent to what the slots hold now.
import { bitNext } from './bitmap'
import { bucketFind } from './buckets'
import { isOwed, owedCount, settle } from './changes'
import { noteUsed } from './evict'
import { EVERY, findRow, inSet, indexesDiffering, indexesLink, indexesUnlink } from './indexes'
import {
  HASH, KEY, fixedOffset, indexCount, indexedMask, owedAt, recordAt, recordBytes, variableMask,
} from './layout'
import { takeLifetime } from './lifetime'
import { copyWords } from './lines'
import { lifetimes } from './options'
import { dropRecord, isOccupied, nextOccupied, writeRecord } from './records'
import { markTouched } from './segments'
import { noteDiffering, noteStaged, snapping } from './snapshot'
import {
  CHANGE, DROP, MOVE, PUT, isFree, stagedCount, stagedFrom, stagedId, stagedImage, stagedOp, stagedOver, stagedTo,
} from './stage'
import { commitValues, discardValues } from './values'

/** Deltas of all batches in force so far, by what they did; images do not count. */
export let takenCreates: f64 = 0
export let takenUpdates: f64 = 0
export let takenDeletes: f64 = 0

export function commit(): void {
  let creates: u32 = 0
  let deletes: u32 = 0
  const free = isFree()
  if (snapping) noteStaged()
  dropRange(stagedFrom, stagedTo)
  if (owedCount) settleStaged()
  for (let i: u32 = 0; i < stagedCount; i++) {
    const id = stagedId(i)
    const op = stagedOp(i)
    if (op == CHANGE) continue
    if (op == DROP) deletes++
    if (!isOccupied(id)) continue
    const record = recordAt(id)
    if (op != MOVE) dropRecord(id, record)
    else indexesUnlink(id, record, indexesDiffering(record, stagedImage(i)))
  }
  for (let i: u32 = 0; i < stagedCount; i++) {
    const id = stagedId(i)
    const record = recordAt(id)
    const image = stagedImage(i)
    switch (stagedOp(i)) {
      case PUT: {
        creates++
        if (!free) dropHolder(image)
        if (indexedMask) dropIndexHolders(image, EVERY)
        writeRecord(id, record, image)
        break
      }
      case CHANGE: {
        if (isOccupied(id)) change(id, record, image)
        else if (variableMask) discardValues(image)
        break
      }
      case MOVE: {
        if (isOccupied(id)) move(id, record, image)
        else if (variableMask) discardValues(image)
        break
      }
    }
  }
  if (!stagedTo) {
    takenCreates += creates
    takenDeletes += deletes
    takenUpdates += stagedCount - creates - deletes
  }
  stagedOver()
}

function dropRange(first: u32, end: u32): void {
  if (first >= end) return
  for (let id = nextOccupied(first); id >= 0 && <u32>id < end; id = nextOccupied(<u32>id + 1)) {
    dropRecord(id, recordAt(id))
  }
}

/** What came whole is trusted again. */
function settleStaged(): void {
  for (let id = bitNext(owedAt, stagedFrom); id >= 0 && <u32>id < stagedTo; id = bitNext(owedAt, <u32>id + 1)) settle(id)
  for (let i: u32 = 0; i < stagedCount; i++) if (isOwed(stagedId(i))) settle(stagedId(i))
}

/** The key moved here from an awaited segment: what lies there is old. */
function dropHolder(image: usize): void {
  const holder = bucketFind(load<u32>(image, HASH), image + KEY)
  if (holder >= 0) dropOld(holder)
}

/** The same for its keys in the indexes of a set. */
function dropIndexHolders(image: usize, set: u32): void {
  for (let index: u32 = 0; index < indexCount; index++) {
    if (!inSet(set, index)) continue
    const holder = findRow(index, image)
    if (holder >= 0) dropOld(holder)
  }
}

function dropOld(id: u32): void {
  if (snapping) noteDiffering(id)
  dropRecord(id, recordAt(id))
  markTouched(id)
}

// @ts-ignore: decorator
@inline function change(id: u32, record: usize, image: usize): void {
  if (variableMask) commitValues(id, record, image)
  copyWords(record + fixedOffset, image + fixedOffset, recordBytes - fixedOffset)
  if (lifetimes) takeLifetime(id, record, image)
  noteUsed(id)
}

/** A session gets other index keys; its old ones are unlinked already. */
function move(id: u32, record: usize, image: usize): void {
  const moved = indexesDiffering(record, image)
  dropIndexHolders(image, moved)
  change(id, record, image)
  indexesLink(id, record, moved)
}
