// What the host may call. Exports only: numbers in and out, a pointer and its length side by side.
import { bitFill } from './bitmap'
import { flatValue } from './arena'
import * as taken from './commit'
import * as sent from './encode'
import { encodedAt, forgetTurns, imageEnd as lastImageEnd } from './encode'
import * as ended from './ended'
import { forgetChanges, forgetOwed, listedAt, listedNext, listing, owedCount, setListing } from './changes'
import { seedHash } from './hash'
import { takenId, takenIndex } from './indexes'
import { overflowCount, setTracking, tracking } from './journal'
import { heldCount } from './pickup'
import * as layout from './layout'
import { speakAll } from './common'
import { forgetDeadlines } from './lifetime'
import { lifetimes } from './options'
import { dropAll, nextLive, size } from './records'
import { awaited, isAwaited, isTouched, markBrought, setAwaited } from './segments'
import { sipKeyAt } from './siphash'
import { unstage } from './stage'
import * as values from './values'

export { plan, planPickup } from './layout'
export { erase, eraseAll, eraseId, find, findBy, holds, put, renewKey, touch, update, updateId } from './records'
export { manyCheck, manyErase, manyFind, manyPut, manyRead, manyStopped, manyUpdate, manyWritten } from './many'
export { encode, image, imagePart } from './encode'
export { digestedBytes, digests } from './digest'
export { stageBatch, stageImage, stageImagePart, unstage } from './stage'
export { commit } from './commit'
export { speak } from './common'
export { give, setTime } from './lifetime'
export { configure } from './options'
export {
  snapshotBegin, snapshotBytes, snapshotDiffering, snapshotGather, snapshotListAt, snapshotListed, snapshotNext,
  snapshotSessions, snapshotStop,
} from './snapshot'
export { sweep, sweepDue } from './sweep'
export { timeAt } from './time'
export { changedCount, checkpoint, confirm, forgetChanges, forgetOwed, list, oweChanged, oweListed, setListing } from './changes'
export { benchChase, benchFill, benchFind, benchFindMany } from './bench'
export {
  dropHeld, heldNext, pickupDelay, pickupDemand, pickupDemanded, pickupNext, pickupSlice, pickupTake, pickupTurn, pickupWait,
} from './pickup'

/** Reserves what was planned and makes the table empty. False if the memory cannot be had. */
export function start(a: u32, b: u32, c: u32, d: u32): bool {
  if (!layout.grow()) return false
  seedHash(a, b, c, d)
  bitFill(layout.freeAt)
  speakAll()
  if (lifetimes) forgetDeadlines()
  return true
}

/** Forgets every session and every remembered change. */
export function reset(): void {
  setTracking(tracking)
  forgetChanges()
  forgetOwed()
  setListing(false)
  forgetTurns()
  unstage()
  dropAll()
}

export function track(much: u32): void { setTracking(much) }
export function sessions(): u32 { return size }
/** Records that can go and have to go whole. */
export function overflowed(): u32 { return overflowCount + (listing ? 0 : owedCount) }
export function owed(): u32 { return owedCount }
export function listAt(): usize { return listedAt }
export function listNext(): i32 { return listedNext }
export function heldBack(): u32 { return heldCount }
export function next(from: u32): i32 { return nextLive(from) }

export function awaitSegments(first: u32, count: u32, on: bool): void { setAwaited(first, count, on) }
export function awaitedSegments(): u32 { return awaited }
export function segmentAwaited(segment: u32): bool { return segment < layout.segments && isAwaited(segment) }
export function segmentTouched(segment: u32): bool { return segment < layout.segments && isTouched(segment) }

/** A part of an awaited segment's image, up to record id `end`, is in force. */
export function brought(end: u32): void { markBrought(end) }
/** Record id at which the last image or part of one stopped. */
export function imageEnd(): u32 { return lastImageEnd }

/** Address of a value of variable length in one piece; good until the next call. */
export function flat(handle: u32, length: u32): usize { return flatValue(handle, length, layout.outboxAt) }
/** Units of live values, and most of them. */
export function liveUnits(): u32 { return values.liveUnits }
export function limitUnits(): u32 { return values.limitUnits() }

/** Of the last write that gave TAKEN. */
export function takenByIndex(): u32 { return takenIndex }
export function takenByRecord(): u32 { return takenId }

export { endedTaken, listen } from './ended'
export function endedAt(): usize { return layout.endedAt }
export function endedCount(): u32 { return ended.endedCount }
export function expired(): f64 { return ended.expired }
export function evicted(): f64 { return ended.evicted }
export function refused(): f64 { return ended.refused }

/** Deltas of batches, by what they do. */
export function sentCreates(): f64 { return sent.sentCreates }
export function sentUpdates(): f64 { return sent.sentUpdates }
export function sentDeletes(): f64 { return sent.sentDeletes }
export function takenCreates(): f64 { return taken.takenCreates }
export function takenUpdates(): f64 { return taken.takenUpdates }
export function takenDeletes(): f64 { return taken.takenDeletes }

export function descriptorsAt(): usize { return layout.descriptorsAt() }
export function indexMasksAt(): usize { return layout.indexMasksAt() }
export function keyAt(): usize { return layout.keyAt }
export function valuesAt(): usize { return layout.valuesAt }
/** Rows that one batch call takes; what follows is where their columns, masks and results lie. */
export function rowsMax(): u32 { return layout.rowsMax }
/** Column of field `i`, key fields first. */
export function columnAt(i: u32): usize { return layout.columnOf(i) }
export function rowMasksAt(): usize { return layout.rowMasksAt }
export function rowResultsAt(): usize { return layout.rowResultsAt }
export function recordsAt(): usize { return layout.recordsAt }
export function sipKey(): usize { return sipKeyAt() }
export function arenaAt(): usize { return layout.arenaAt }
export function inboxAt(): usize { return layout.inboxAt }
export function inboxBytes(): u32 { return layout.inboxBytes }
export function outputAt(): usize { return encodedAt }
export function digestsAt(): usize { return layout.digestsAt }
export function journalMax(): u32 { return layout.journalMax }
export function deltasMax(): u32 { return layout.deltasMax }
export function encodeBytesMax(): u32 { return layout.encodeBytesMax }
