// The arena: room for values of any length, as chains of blocks of two sizes.
//
//   unit, 64 bytes: next u32 | 60 bytes of a value        page, 1024 bytes: next u32 | 1020 bytes of a value
//   handle: (first unit + 1) << 1 | 1 if it is a page; 0: no block
//
// A page is free, a large block, or split into 16 units. A value takes pages while there are any and more than 960 bytes
// are left, units for the rest, and units alone when pages have run out.
//
// Why placement never fails: a value of n bytes is accounted as ceil(n / 60) units. A page of it holds what 17 units
// would and takes 16, so no value takes more than it is accounted. While the sum of the accounts stays within the arena
// there are therefore as many free units as a new value needs if it gets nothing but units, and any free unit, in a page
// that is free or split, serves as well as any other. So whether a value fits is a matter of sums, equal on both nodes.
import { PAGE, PAGE_NOTE, UNIT, UNIT_ROOM } from './arena-sizes'
import { arenaAt, arenaPages, pagesAt } from './layout'

// @ts-ignore: decorator
@inline const PAGE_ROOM: u32 = 1020
// @ts-ignore: decorator
@inline const PAGE_UNITS: u32 = 16
/** More bytes than this take 17 units or more: a page is no waste. */
// @ts-ignore: decorator
@inline const PAGE_FROM: u32 = 960
// @ts-ignore: decorator
@inline const ALL_FREE: u32 = 0xffff

// of a page's note
// @ts-ignore: decorator
@inline const NEXT: usize = 4
// @ts-ignore: decorator
@inline const FREE: usize = 8

// lists of pages, by index + 1; 0 ends them
let freePages: u32 = 0
let splitPages: u32 = 0
/** Pages from here on were never used. */
let freshPage: u32 = 0

/** Forgets every value. */
export function arenaEmpty(): void {
  freePages = 0
  splitPages = 0
  freshPage = 0
}

/** What a value of `length` bytes is accounted. */
// @ts-ignore: decorator
@inline export function unitsOf(length: u32): u32 {
  return (length + UNIT_ROOM - 1) / UNIT_ROOM
}

// @ts-ignore: decorator
@inline function noteAt(page: u32): usize {
  return pagesAt + <usize>page * PAGE_NOTE
}

// @ts-ignore: decorator
@inline export function blockAt(handle: u32): usize {
  return arenaAt + (<usize>(handle >> 1) - 1) * UNIT
}

// @ts-ignore: decorator
@inline function roomOf(handle: u32): u32 {
  return handle & 1 ? PAGE_ROOM : UNIT_ROOM
}

/** A free page; -1 if there is none. */
function takePage(): i32 {
  if (freePages) {
    const page = freePages - 1
    freePages = load<u32>(noteAt(page), NEXT)
    return page
  }
  if (freshPage == arenaPages) return -1
  return <i32>(freshPage++)
}

function givePage(page: u32): void {
  store<u32>(noteAt(page), freePages, NEXT)
  freePages = page + 1
}

/** Puts a page with free units into the list of those. */
function link(page: u32): void {
  const note = noteAt(page)
  store<u32>(note, 0)
  store<u32>(note, splitPages, NEXT)
  if (splitPages) store<u32>(noteAt(splitPages - 1), page + 1)
  splitPages = page + 1
}

function unlink(page: u32): void {
  const note = noteAt(page)
  const previous = load<u32>(note)
  const next = load<u32>(note, NEXT)
  if (previous) store<u32>(noteAt(previous - 1), next, NEXT)
  else splitPages = next
  if (next) store<u32>(noteAt(next - 1), previous)
}

/** Handle of a free unit. There is one as long as the accounts are right; a broken contract ends here. */
function takeUnit(): u32 {
  if (!splitPages) {
    const fresh = takePage()
    if (fresh < 0) unreachable()
    store<u32>(noteAt(fresh), ALL_FREE, FREE)
    link(fresh)
  }
  const page = splitPages - 1
  const note = noteAt(page)
  const free = load<u32>(note, FREE)
  store<u32>(note, free & (free - 1), FREE)
  if (!(free & (free - 1))) unlink(page)
  return (page * PAGE_UNITS + <u32>ctz(free) + 1) << 1
}

function giveBlock(handle: u32): void {
  const unit = (handle >> 1) - 1
  const page = unit / PAGE_UNITS
  if (handle & 1) {
    givePage(page)
    return
  }
  const note = noteAt(page)
  const free = load<u32>(note, FREE)
  const now = free | (1 << (unit % PAGE_UNITS))
  store<u32>(note, now, FREE)
  if (!free) link(page)
  else if (now == ALL_FREE) {
    unlink(page)
    givePage(page)
  }
}

// @ts-ignore: decorator
@inline export function copyRun(to: usize, from: usize, size: u32): void {
  if (size >= 256) {
    memory.copy(to, from, size)
    return
  }
  let i: u32 = 0
  for (; i + 8 <= size; i += 8) store<u64>(to + i, load<u64>(from + i))
  for (; i < size; i++) store<u8>(to + i, load<u8>(from + i))
}

/** Puts a value into free blocks and gives its handle, 0 for no bytes. The caller has accounted for it. */
export function storeValue(from: usize, length: u32): u32 {
  let first: u32 = 0
  let last: usize = 0
  while (length) {
    const page = length > PAGE_FROM ? takePage() : -1
    const handle = page < 0 ? takeUnit() : ((<u32>page * PAGE_UNITS + 1) << 1) | 1
    const size = min(length, roomOf(handle))
    const block = blockAt(handle)
    copyRun(block + 4, from, size)
    if (last) store<u32>(last, handle)
    else first = handle
    last = block
    from += size
    length -= size
  }
  if (last) store<u32>(last, 0)
  return first
}

/** Gives the blocks of a value back. */
export function freeValue(handle: u32): void {
  while (handle) {
    const next = load<u32>(blockAt(handle))
    giveBlock(handle)
    handle = next
  }
}

/** Copies a value out and gives the address after it. */
export function copyValue(to: usize, handle: u32, length: u32): usize {
  while (length) {
    const size = min(length, roomOf(handle))
    const block = blockAt(handle)
    copyRun(to, block + 4, size)
    to += size
    length -= size
    handle = load<u32>(block)
  }
  return to
}

/** A value in one piece: where it lies if it is one block, else copied to `scratch`. */
export function flatValue(handle: u32, length: u32, scratch: usize): usize {
  if (length <= roomOf(handle)) return handle ? blockAt(handle) + 4 : scratch
  copyValue(scratch, handle, length)
  return scratch
}

/** Whether a value is these bytes. */
export function equalsValue(handle: u32, length: u32, bytes: usize): bool {
  while (length) {
    const size = min(length, roomOf(handle))
    const block = blockAt(handle)
    if (commonPrefix(block + 4, bytes, size) != size) return false
    bytes += size
    length -= size
    handle = load<u32>(block)
  }
  return true
}

/** Bytes that both begin with, at most `most`. */
export function commonPrefix(a: usize, b: usize, most: u32): u32 {
  let i: u32 = 0
  for (; i + 8 <= most; i += 8) {
    const differing = load<u64>(a + i) ^ load<u64>(b + i)
    if (differing) return i + (<u32>ctz(differing) >> 3)
  }
  while (i < most && load<u8>(a + i) == load<u8>(b + i)) i++
  return i
}

/** Bytes that both end with, at most `most`; `a` and `b` are the ends. */
export function commonSuffix(a: usize, b: usize, most: u32): u32 {
  let i: u32 = 0
  for (; i + 8 <= most; i += 8) {
    const differing = load<u64>(a - i - 8) ^ load<u64>(b - i - 8)
    if (differing) return i + (<u32>clz(differing) >> 3)
  }
  while (i < most && load<u8>(a - i - 1) == load<u8>(b - i - 1)) i++
  return i
}
