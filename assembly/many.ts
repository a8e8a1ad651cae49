// Batch calls: one crossing for up to `rowsMax` sessions, whose keys and fields the host has put into the columns
// (columns.ts). A block of rows goes through three passes: hash all keys and load their buckets, load the records those
// name, then do to one after another what a single call does. The misses of a pass do not depend on each other, so they
// overlap; the last pass finds everything in the cache. A key that comes twice is met twice, in order.
import { bucketAt, bucketGuess, home } from './buckets'
import { blockRow, findMisfit, giveValues, rowMask, setRowResult, takeKeys, takeValues } from './columns'
import { ENDED_PER_WRITE, hasEndedRoom } from './ended'
import { hashKey } from './hash'
import { HASH, KEY, ROW_BLOCK, bucketsAt, recordAt, recordBytes } from './layout'
import { loadedAhead } from './lines'
import { ENDED, TAKEN, eraseId, findLive, maskOf, putRow, updateRow } from './records'

/** Lines of a record that are loaded ahead: of a longer one the rest, which few calls need, comes in order. */
// @ts-ignore: decorator
@inline const AHEAD_BYTES: u32 = 256

/** Addresses to be loaded, of a block. */
// @ts-ignore: decorator
@lazy const aheadAt: usize = memory.data(256, 8)

/** Sessions that the last batch call wrote. */
let written: u32 = 0

/** Why it stopped before its end: FULL, TAKEN or ENDED (records.ts); 0 if it did not. */
let stopped: i32 = 0

export function manyWritten(): u32 {
  return written
}

export function manyStopped(): i32 {
  return stopped
}

/** Whether what the host wrote into the columns fits: -1, or row << 8 | number of the field that does not. */
export function manyCheck(count: u32, low: u32, high: u32): i32 {
  return findMisfit(count, maskOf(low, high))
}

/** Takes the keys of a block and loads what their searches will read, in loops so short that many loads are under way. */
function prepare(first: u32, count: u32): void {
  takeKeys(first, count)
  for (let i: u32 = 0; i < count; i++) {
    const row = blockRow(i)
    const hash = hashKey(row + KEY)
    store<u32>(row, hash, HASH)
    store<u32>(aheadAt + (<usize>i << 2), <u32>bucketAt(bucketsAt, home(hash)))
  }
  let sum: u32 = 0
  for (let i: u32 = 0; i < count; i++) sum += load<u32>(load<u32>(aheadAt + (<usize>i << 2)))
  for (let i: u32 = 0; i < count; i++) {
    const record = recordAt(bucketGuess(load<u32>(blockRow(i), HASH)))
    store<u32>(aheadAt + (<usize>i << 2), <u32>record)
  }
  for (let i: u32 = 0; i < count; i++) sum += load<u32>(load<u32>(aheadAt + (<usize>i << 2)))
  const bytes = min(recordBytes, AHEAD_BYTES)
  for (let at: u32 = 64; at < bytes; at += 64) {
    for (let i: u32 = 0; i < count; i++) sum += load<u32>(load<u32>(aheadAt + (<usize>i << 2)) + at)
  }
  loadedAhead(sum)
}

// @ts-ignore: decorator
@inline function findRow(row: usize): i32 {
  return findLive(load<u32>(row, HASH), row + KEY)
}

/** Finds every row's session, ids into the results, -1 for none; gives how many there are. */
export function manyFind(count: u32): u32 {
  let found: u32 = 0
  for (let first: u32 = 0; first < count; first += ROW_BLOCK) found += findBlock(first, min(ROW_BLOCK, count - first))
  return found
}

function findBlock(first: u32, count: u32): u32 {
  prepare(first, count)
  let found: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const id = findRow(blockRow(i))
    setRowResult(first + i, id)
    if (id >= 0) found++
  }
  return found
}

/** The same, and the fields of the mask into their columns. */
export function manyRead(count: u32, low: u32, high: u32): u32 {
  let found: u32 = 0
  for (let first: u32 = 0; first < count; first += ROW_BLOCK) {
    const here = min(ROW_BLOCK, count - first)
    found += findBlock(first, here)
    giveValues(first, here, maskOf(low, high))
  }
  return found
}

/** Creates or replaces every row's session; gives how many rows were stored, less than `count` if one was refused. */
export function manyPut(count: u32, low: u32, high: u32): u32 {
  const given = maskOf(low, high)
  written = 0
  stopped = 0
  for (let first: u32 = 0; first < count; first += ROW_BLOCK) {
    const here = min(ROW_BLOCK, count - first)
    prepare(first, here)
    takeValues(first, here, given)
    for (let i: u32 = 0; i < here; i++) {
      if (!hasEndedRoom(ENDED_PER_WRITE)) {
        stopped = ENDED
        return written
      }
      const row = blockRow(i)
      setRowResult(first + i, findRow(row))
      const id = putRow(row + KEY, load<u32>(row, HASH), row, rowMask(first + i) & given)
      if (id < 0) {
        stopped = id
        return written
      }
      written++
    }
  }
  return written
}

/** Changes the fields that each row gives; gives how many rows were done, less than `count` if one was refused. */
export function manyUpdate(count: u32, low: u32, high: u32): u32 {
  const given = maskOf(low, high)
  written = 0
  stopped = 0
  for (let first: u32 = 0; first < count; first += ROW_BLOCK) {
    const here = min(ROW_BLOCK, count - first)
    prepare(first, here)
    takeValues(first, here, given)
    for (let i: u32 = 0; i < here; i++) {
      if (!hasEndedRoom(ENDED_PER_WRITE)) {
        stopped = ENDED
        return first + i
      }
      const row = blockRow(i)
      const id = findRow(row)
      setRowResult(first + i, id)
      if (id < 0) continue
      const mask = rowMask(first + i) & given
      if (!mask) continue
      if (updateRow(<u32>id, row, mask) < 0) {
        stopped = TAKEN
        return first + i
      }
      written++
    }
  }
  return count
}

/** Deletes every row's session; gives how many there were. */
export function manyErase(count: u32): u32 {
  written = 0
  for (let first: u32 = 0; first < count; first += ROW_BLOCK) {
    const here = min(ROW_BLOCK, count - first)
    prepare(first, here)
    for (let i: u32 = 0; i < here; i++) {
      const id = findRow(blockRow(i))
      setRowResult(first + i, id)
      if (id < 0) continue
      eraseId(<u32>id)
      written++
    }
  }
  return written
}
