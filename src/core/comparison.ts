// The primary's half of comparing segments: the digests a secondary said are judged one after the other, and the answer
// is that the segment is the same, or its image. Sans-io.
import type { ByteWriter } from '../wire/bytes.ts'
import { FrameType } from '../wire/constants.ts'
import { DIGEST_BYTES, readDigestRun, writeRun } from '../wire/sequenced.ts'
import { digestCost, type ImageSender, isEmptyImage } from './images.ts'
import type { Store } from './store.ts'

/** Segments looked at per slice and table: well under a millisecond. */
const SLICE_LOOKS = 256

/** `bytes`: about how long the payload gets. */
export type Say = (type: number, write: (writer: ByteWriter) => void, bytes?: number) => void

/** The secondary's digests of one table that are still to be judged. */
interface Wanted {
  readonly flags: Uint8Array
  readonly digests: Uint8Array
  cursor: number
  left: number
}

export class Comparison {
  private readonly stores: readonly Store[]
  private readonly say: Say
  private readonly images: ImageSender
  /** More images may be sent. */
  private readonly hasRoom: () => boolean
  private wanted: Wanted[] = []

  constructor(stores: readonly Store[], say: Say, images: ImageSender, hasRoom: () => boolean) {
    this.stores = stores
    this.say = say
    this.images = images
    this.hasRoom = hasRoom
  }

  /** Nobody compares. */
  reset(): void {
    this.wanted = []
  }

  begin(): void {
    this.wanted = this.stores.map((store) => ({
      flags: new Uint8Array(store.segments),
      digests: new Uint8Array(store.segments * DIGEST_BYTES),
      cursor: 0,
      left: 0,
    }))
  }

  get isPending(): boolean {
    return this.wanted.some((table) => table.left > 0)
  }

  /** False: malformed. */
  handleDigests(payload: Uint8Array): boolean {
    const run = readDigestRun(payload)
    const wanted = run === undefined ? undefined : this.wanted[run.table]
    if (run === undefined || wanted === undefined) return false
    if (run.first + run.count > wanted.flags.length) return false
    wanted.digests.set(run.digests, run.first * DIGEST_BYTES)
    for (let segment = run.first; segment < run.first + run.count; segment++) {
      if (wanted.flags[segment] === 0) wanted.left++
      wanted.flags[segment] = 1
    }
    return true
  }

  /** Judges up to `most` segments with sessions; gives how many more there could have been. */
  work(most: number, now: number): number {
    let budget = most
    for (const [table, wanted] of this.wanted.entries()) {
      if (wanted.left > 0 && budget > 0) budget = this.compare(table, wanted, budget, now)
    }
    return budget
  }

  private compare(table: number, wanted: Wanted, most: number, now: number): number {
    const store = this.stores[table]!
    let budget = most
    let sameFirst = -1
    let sameCount = 0
    const saySame = () => {
      const run = { table, first: sameFirst, count: sameCount }
      if (sameCount > 0) this.say(FrameType.SAME, (writer) => writeRun(writer, run))
      sameCount = 0
    }
    for (let looks = 0; looks < SLICE_LOOKS && wanted.left > 0 && budget > 0; looks++) {
      const segment = wanted.cursor
      wanted.cursor = (segment + 1) % store.segments
      if (wanted.flags[segment] === 0) continue
      wanted.flags[segment] = 0
      wanted.left--
      const theirs = wanted.digests.subarray(segment * DIGEST_BYTES, (segment + 1) * DIGEST_BYTES)
      // Where the secondary has nothing there is nothing to compare: the image comes at once.
      const theyHoldNone = isZero(theirs)
      const part = theyHoldNone ? store.imagePart(segment, 0) : undefined
      const mine = part === undefined ? store.digests(segment, 1) : part.deltas
      const isEmpty = part === undefined ? isZero(mine) : isEmptyImage(part)
      if (!isEmpty) budget -= part === undefined ? digestCost(store) : 1
      if (part === undefined ? sameBytes(mine, theirs) : isEmpty) {
        if (segment !== sameFirst + sameCount) saySame()
        if (sameCount === 0) sameFirst = segment
        sameCount++
        continue
      }
      saySame()
      this.images.begin(table, segment, part ?? store.imagePart(segment, 0), now)
      if (this.images.isGoing || !this.hasRoom()) budget = 0
    }
    saySame()
    return budget
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return a.length === b.length
}
