// Records: taking and freeing slots, and the writes of the primary. Every write tells the journal first.
import { bitAdd, bitFill, bitHas, bitNext, bitNextAbsent, bitRemove } from './bitmap'
import { bucketFind, bucketInsert, bucketRemove, bucketsEmpty } from './buckets'
import { hashKey } from './hash'
import { EVICTED, EXPIRED, noteEnded, noteRefused } from './ended'
import { chooseIdle, noteUsed } from './evict'
import { EVERY, findRow, indexesClaimed, indexesEmpty, indexesLink, indexesUnlink, takenId } from './indexes'
import { journalRelease, journalTouch } from './journal'
import { begin, forgetDeadlines, isExpired, renew, renewal, takeLifetime } from './lifetime'
import {
  DEADLINE, FLAGS, GENERATION, HASH, HELD, KEY, LOCAL, OCCUPIED,
  bucketsAt, capacity, fixedOffset, freeAt, holding, indexedMask, keyAt, keyBytes, recordAt, recordBytes, valueField,
  valuesAt, variableMask,
} from './layout'
import { copyBytes, copyWords, zeroWords } from './lines'
import { evicts, lifetimes } from './options'
import { holdAgain, holdBack, letGo } from './pickup'
import { endRound, sweepRoom } from './sweep'
import { admit, adoptValues, changeValues, createValues, dropValues, prepareDrop, valuesEmpty } from './values'

/**
 * What a write gives instead of a record id: the table is full; a key of a further index is another session's; ARENA_FULL
 * and TOO_LONG (values.ts).
 */
// @ts-ignore: decorator
@inline export const FULL: i32 = -1
// @ts-ignore: decorator
@inline export const TAKEN: i32 = -2
/** What stops a batch call: the host must take the ended sessions (ended.ts) before it goes on. */
// @ts-ignore: decorator
@inline export const ENDED: i32 = -5

export let size: u32 = 0
/** Counts slots taken and freed: as long as it stands still, every key is where it was. */
export let moves: u32 = 0

// @ts-ignore: decorator
@inline export function isOccupied(id: u32): bool {
  return !bitHas(freeAt, id)
}

/** Whether the peer is to see a session in the slot. */
// @ts-ignore: decorator
@inline export function isShown(id: u32, record: usize): bool {
  return isOccupied(id) && !(load<u32>(record, FLAGS) & HELD)
}

/** The lowest record id at or after `from` that holds a session; -1 if there is none. */
export function nextOccupied(from: u32): i32 {
  return bitNextAbsent(freeAt, from)
}

/** Ends the session in a slot. Views of it die with the generation. */
export function dropRecord(id: u32, record: usize): void {
  if (variableMask) dropValues(id, record)
  bucketRemove(bucketsAt, load<u32>(record, HASH), id)
  if (indexedMask) indexesUnlink(id, record, EVERY)
  endRecord(id, record)
  bitAdd(freeAt, id)
  size--
  moves++
}

/** Makes an empty slot the session of the image's hash, key and fields. */
export function writeRecord(id: u32, record: usize, image: usize): void {
  const hash = load<u32>(image, HASH)
  store<u32>(record, hash, HASH)
  if (lifetimes) takeLifetime(id, record, image)
  noteUsed(id)
  copyWords(record + KEY, image + KEY, recordBytes - <u32>KEY)
  if (variableMask) adoptValues(record)
  bitRemove(freeAt, id)
  bucketInsert(bucketsAt, hash, id)
  if (indexedMask) indexesLink(id, record, EVERY)
  size++
  moves++
}

/** Copies the fixed value fields of `mask` from a row shaped like a record into a record. */
function copyFields(record: usize, row: usize, fields: u64): void {
  for (let mask = fields & ~variableMask; mask; mask &= mask - 1) {
    const field = valueField(<u32>ctz(mask))
    copyBytes(record + field.offset, row + field.offset, field.size)
  }
}

// @ts-ignore: decorator
@inline export function maskOf(low: u32, high: u32): u64 {
  return (<u64>high << 32) | <u64>low
}

// @ts-ignore: decorator
@inline function live(id: i32): i32 {
  return lifetimes && id >= 0 && isExpired(recordAt(id)) ? -1 : id
}

/** Record id of a session that has not expired; -1 if there is none. */
export function findLive(hash: u32, key: usize): i32 {
  return live(bucketFind(hash, key))
}

/** Record id of the key in the key buffer; -1 if there is no such session. */
export function find(): i32 {
  return findLive(hashKey(keyAt), keyAt)
}

/** The lowest record id at or after `from` that holds a session to be shown; -1 if there is none. */
export function nextLive(from: u32): i32 {
  let id = nextOccupied(from)
  while (lifetimes && id >= 0 && isExpired(recordAt(id))) id = nextOccupied(<u32>id + 1)
  return id
}

/** Whether a slot that exists holds a session that has not expired. */
export function holds(id: u32): bool {
  return id < capacity && isOccupied(id) && !(lifetimes && isExpired(recordAt(id)))
}

/** Record id of the key of a further index that lies in the value buffer; -1 if there is no such session. */
export function findBy(index: u32): i32 {
  return live(findRow(index, valuesAt))
}

/** Creates or replaces the session of the key buffer; fields outside the mask are zero. Its id, or why not. */
export function put(low: u32, high: u32): i32 {
  return putRow(keyAt, hashKey(keyAt), valuesAt, maskOf(low, high))
}

/** The same of the key at `key` and the fields of a row shaped like a record; variable ones as {address, length}. */
export function putRow(key: usize, hash: u32, row: usize, mask: u64): i32 {
  const id = bucketFind(hash, key)
  if (id < 0) return createRow(key, hash, row, mask)
  const record = recordAt(id)
  if (lifetimes && isExpired(record)) {
    endId(id, EXPIRED)
    return createRow(key, hash, row, mask)
  }
  let claimed: i32 = 0
  if (indexedMask) {
    claimed = claim(record, row, mask, 0)
    if (claimed < 0) return TAKEN
  }
  if (variableMask) {
    const refused = admit(record, row, mask, true)
    if (refused) return refused
  }
  journalTouch(id, record, OCCUPIED)
  if (variableMask) changeValues(id, record, row, mask)
  if (lifetimes) begin(id, record)
  noteUsed(id)
  if (claimed) release(id, record, claimed)
  if (load<u32>(record, FLAGS) & LOCAL) holdAgain(id, record)
  zeroWords(record + fixedOffset, recordBytes - fixedOffset)
  copyFields(record, row, mask)
  if (claimed) indexesLink(id, record, claimed)
  return id
}

/** As indexesClaimed, but sessions that have expired hold no key: they are ended. */
function claim(record: usize, row: usize, mask: u64, rest: usize): i32 {
  let claimed = indexesClaimed(record, row, mask, rest)
  while (claimed < 0 && lifetimes && isExpired(recordAt(takenId))) {
    endId(takenId, EXPIRED)
    claimed = indexesClaimed(record, row, mask, rest)
  }
  return claimed
}

/** Takes a session, after journalTouch, from the indexes in which its key is about to change. */
function release(id: u32, record: usize, indexes: u32): void {
  journalRelease(id, record)
  indexesUnlink(id, record, indexes)
}

function createRow(key: usize, hash: u32, row: usize, mask: u64): i32 {
  if (indexedMask && claim(0, row, mask, 0) < 0) return TAKEN
  let id = bitNext(freeAt, 0)
  if (id < 0) {
    // Nobody makes room for a session that is refused.
    const refused = evicts && variableMask ? admit(0, row, mask, true) : 0
    if (refused) return refused
    makeRoom()
    id = bitNext(freeAt, 0)
    if (id < 0) {
      noteRefused()
      return FULL
    }
  }
  if (variableMask) {
    const refused = admit(0, row, mask, true)
    if (refused) return refused
  }
  const record = recordAt(id)
  if (holding) holdBack(id, record)
  else journalTouch(id, record, 0)
  store<u32>(record, hash, HASH)
  if (lifetimes) begin(id, record)
  noteUsed(id)
  copyWords(record + KEY, key, keyBytes)
  if (variableMask) createValues(record, row, mask)
  zeroWords(record + fixedOffset, recordBytes - fixedOffset)
  copyFields(record, row, mask)
  bitRemove(freeAt, id)
  bucketInsert(bucketsAt, hash, id)
  if (indexedMask) indexesLink(id, record, EVERY)
  size++
  moves++
  return id
}

/** Ends sessions of a full table that have expired, or the one idle longest. */
function makeRoom(): void {
  if (lifetimes) sweepRoom()
  if (evicts && size == capacity) endId(chooseIdle(), EVICTED)
}

/** Changes the fields of the mask; -1 if there is no such session. Its id, or why not. */
export function update(low: u32, high: u32): i32 {
  const id = find()
  return id < 0 ? id : updateRow(id, valuesAt, maskOf(low, high))
}

/** The same of a session that is there. */
export function updateId(id: u32, low: u32, high: u32): i32 {
  return updateRow(id, valuesAt, maskOf(low, high))
}

/** Changes the fields of the mask of a session to those of a row shaped like a record. Its id, or why not. */
export function updateRow(id: u32, row: usize, mask: u64): i32 {
  const record = recordAt(id)
  if (mask & (indexedMask | variableMask)) return updateLinked(id, record, row, mask)
  journalTouch(id, record, OCCUPIED)
  renew(id, record)
  noteUsed(id)
  copyFields(record, row, mask)
  return id
}

/** The same where fields of an index or of variable length are among them. */
function updateLinked(id: u32, record: usize, row: usize, mask: u64): i32 {
  const claimed = mask & indexedMask ? claim(record, row, mask, record) : 0
  if (claimed < 0) return TAKEN
  if (variableMask) {
    const refused = admit(record, row, mask, false)
    if (refused) return refused
  }
  journalTouch(id, record, OCCUPIED)
  if (variableMask) changeValues(id, record, row, mask)
  renew(id, record)
  noteUsed(id)
  if (claimed) release(id, record, claimed)
  copyFields(record, row, mask)
  if (claimed) indexesLink(id, record, claimed)
  return id
}

/** Deletes the session of the key buffer; -1 if there is none. */
export function erase(): i32 {
  const id = find()
  if (id >= 0) eraseId(id)
  return id
}

/** Deletes the session in a slot. */
export function eraseId(id: u32): void {
  const record = recordAt(id)
  journalTouch(id, record, OCCUPIED)
  if (variableMask) prepareDrop(id, record)
  journalRelease(id, record)
  dropRecord(id, record)
}

/** The table ends a session itself. */
export function endId(id: u32, cause: u32): void {
  noteEnded(recordAt(id), cause)
  eraseId(id)
}

/** Tells the journal that the host is about to write into a session through a view, which renews it. */
export function touch(id: u32): void {
  const record = recordAt(id)
  journalTouch(id, record, OCCUPIED)
  renew(id, record)
  noteUsed(id)
}

/** Renews the session of the key buffer: 1 if that changed its deadline, 0 if not, -1 if there is no such session. */
export function renewKey(): i32 {
  const id = find()
  if (id < 0) return -1
  const record = recordAt(id)
  noteUsed(id)
  if (!lifetimes || renewal(record) == load<u32>(record, DEADLINE)) return 0
  touch(id)
  return 1
}

/** Deletes every session, each one remembered. */
export function eraseAll(): void {
  for (let id = nextOccupied(0); id >= 0; id = nextOccupied(<u32>id + 1)) {
    const record = recordAt(id)
    journalTouch(id, record, OCCUPIED)
    if (variableMask) prepareDrop(id, record)
    journalRelease(id, record)
    if (variableMask) dropValues(id, record)
    endRecord(id, record)
  }
  empty()
}

/** Forgets every session, nothing remembered. */
export function dropAll(): void {
  for (let id = nextOccupied(0); id >= 0; id = nextOccupied(<u32>id + 1)) endRecord(id, recordAt(id))
  empty()
  if (variableMask) valuesEmpty()
}

/** What ends a session besides its index entry and its slot. */
// @ts-ignore: decorator
@inline function endRecord(id: u32, record: usize): void {
  if (load<u32>(record, FLAGS) & HELD) letGo(id, record)
  store<u32>(record, load<u32>(record, GENERATION) + 1, GENERATION)
}

function empty(): void {
  bucketsEmpty(bucketsAt)
  if (indexedMask) indexesEmpty()
  bitFill(freeAt)
  size = 0
  moves++
  if (!lifetimes) return
  forgetDeadlines()
  endRound()
}
