// Images of segments on their way. One that is too long for a frame that live batches may wait behind travels in parts,
// each taken right after a flush of its own: what has come of it is trusted at once and gets deltas, what has not is in
// a later part. So a part never has to be taken again, however long the whole takes.
import type { ByteWriter } from '../wire/bytes.ts'
import { FrameType } from '../wire/constants.ts'
import { type ImagePart, writeImage, writeImagePart } from '../wire/sequenced.ts'
import { SEGMENT_RECORDS, type Store } from './store.ts'

/** Bytes that take about as long as a segment of ordinary sessions to digest. */
const SEGMENT_BYTES = 131_072

/** What the last digests of a store cost, in segments of ordinary sessions. */
export function digestCost(store: Store): number {
  return 1 + Math.floor(store.digestedBytes / SEGMENT_BYTES)
}

/** Of a segment without sessions. */
const EMPTY_IMAGE_BYTES = 1

/** Whether what was taken is the whole image of a segment without sessions. */
export function isEmptyImage({ deltas, end }: { deltas: Uint8Array; end: number }): boolean {
  return deltas.length === EMPTY_IMAGE_BYTES && end === SEGMENT_RECORDS
}

type Say = (type: number, write: (writer: ByteWriter) => void, now: number, bytes: number) => void

/** The primary's side: at most one image is on its way in parts. */
export class ImageSender {
  private readonly stores: readonly Store[]
  private readonly say: Say
  private going: { table: number; segment: number; next: number } | undefined

  constructor(stores: readonly Store[], say: Say) {
    this.stores = stores
    this.say = say
  }

  /** Parts of an image are still to be sent, before anything else is compared. */
  get isGoing(): boolean {
    return this.going !== undefined
  }

  reset(): void {
    this.going = undefined
  }

  /** Sends an image whose first part, or all of it, was just taken. */
  begin(
    table: number,
    segment: number,
    { deltas, end }: { deltas: Uint8Array; end: number },
    now: number,
  ): void {
    if (end < SEGMENT_RECORDS) this.part({ table, segment, first: 0, end, deltas }, now)
    else this.say(FrameType.IMAGE, (writer) => writeImage(writer, table, segment, deltas), now, deltas.length)
  }

  /** Sends the next part; right after a flush. */
  continue(now: number): void {
    if (this.going === undefined) return
    const { table, segment, next } = this.going
    const { deltas, end } = this.stores[table]!.imagePart(segment, next)
    this.part({ table, segment, first: next, end, deltas }, now)
  }

  private part(part: ImagePart, now: number): void {
    const { table, segment, end, deltas } = part
    this.going = end < SEGMENT_RECORDS ? { table, segment, next: end } : undefined
    this.say(FrameType.IMAGE_PART, (writer) => writeImagePart(writer, part), now, deltas.length)
  }
}

/** The secondary's side: what of an image has come. */
export class ImageTaker {
  private readonly stores: readonly Store[]
  private coming: { table: number; segment: number; next: number } | undefined

  constructor(stores: readonly Store[]) {
    this.stores = stores
  }

  reset(): void {
    this.coming = undefined
  }

  /** Applies a part; the name of the refusal if it cannot be. The parts of an image come in order, from record 0. */
  take({ table, segment, first, end, deltas }: ImagePart): string | undefined {
    const store = this.stores[table]!
    const { coming } = this
    const follows = coming?.table === table && coming.segment === segment && coming.next === first
    if (first !== 0 && !follows) return 'malformed'
    if (first === 0) store.setAwaited(segment, 1, true)
    const reason = store.stageImagePart(segment, first, end, deltas)
    if (reason !== undefined) return reason
    store.commit()
    const isLast = end === SEGMENT_RECORDS
    this.coming = isLast ? undefined : { table, segment, next: end }
    if (isLast) store.setAwaited(segment, 1, false)
    else store.setBrought(segment, end)
    return undefined
  }
}
