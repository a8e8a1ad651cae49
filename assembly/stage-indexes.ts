// The keys of further indexes in a staged batch or image: the rules of the key (docs/PROTOCOL.md section 7), with one
// more way to give a key away, an update that changes it. Called when every delta is read, since only then is known who
// gives away what.
import { INDEX_HELD, INDEX_TWICE, refuse } from './decode'
import { ALL, findPacked, hasPacked, hashPacked, pack, peekPacked } from './indexes'
import { indexCount, keyScratchAt, recordAt } from './layout'
import { loadedAhead } from './lines'
import { SKIM } from './skim'
import {
  CHANGE, MOVE, PUT,
  emptyKeys, keyMask, stagedCount, stagedId, stagedImage, stagedOf, stagedOp, yields,
} from './stage'

/** Whether in every index no staged session claims the key of another that keeps it. */
export function indexKeysFree(): bool {
  for (let index: u32 = 0; index < indexCount; index++) {
    emptyKeys()
    for (let i: u32 = 0; i < stagedCount; i++) {
      if (!(i & (SKIM - 1))) peek(index, i)
      if (claims(index, i) && !isFree(index, i)) return false
    }
  }
  return true
}

/** Whether a staged session comes with a key it did not have, which is packed then. */
function claims(index: u32, i: u32): bool {
  const op = stagedOp(i)
  if (op != PUT && op != MOVE) return false
  if (!pack(index, stagedImage(i), ALL, 0)) return false
  return op == PUT || !hasPacked(index, recordAt(stagedId(i)))
}

function isFree(index: u32, i: u32): bool {
  if (!isNew(index, i)) return refuse(INDEX_TWICE)
  const holder = findPacked(index)
  if (holder < 0 || <u32>holder == stagedId(i) || yields(holder)) return true
  return releases(index, holder) || refuse(INDEX_HELD)
}

/** Remembers the packed key in the scratch table of keys; false if another staged session claims it. */
function isNew(index: u32, i: u32): bool {
  let slot = (hashPacked() ^ (hashPacked() >> 15)) & keyMask
  while (true) {
    const at = keyScratchAt + (<usize>slot << 2)
    const other = load<u32>(at)
    if (!other) {
      store<u32>(at, i + 1)
      return true
    }
    if (hasPacked(index, stagedImage(other - 1))) return false
    slot = (slot + 1) & keyMask
  }
  return false
}

/** Whether the batch ends the session that has the packed key, or gives it another. */
function releases(index: u32, id: u32): bool {
  const staged = stagedOf(id)
  if (staged < 0) return false
  const op = stagedOp(staged)
  return op == MOVE ? !hasPacked(index, stagedImage(staged)) : op != CHANGE
}

/** Loads the buckets of the keys that come next, all at once. */
function peek(index: u32, from: u32): void {
  const end = min(from + SKIM, stagedCount)
  let sum: u32 = 0
  for (let i = from; i < end; i++) if (claims(index, i)) sum += peekPacked(index)
  loadedAhead(sum)
}
