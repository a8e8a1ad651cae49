// The side of a table that the replica drives (src/core/store.ts): journal, deltas, images, digests.
export declare class TableStore {
  readonly name: string
  readonly capacity: number
  readonly segments: number
  readonly size: number
  readonly schemaHash: string
  /** Deltas one batch may hold (refusal `count` above). */
  readonly deltasMax: number
  /** Journal entries before a change goes to the overflow bitmap. */
  readonly journalMax: number
  onChange: (() => void) | undefined
  setTracking(on: boolean): void
  readonly changed: boolean
  readonly overflowed: boolean
  encode(bytesMax: number): Uint8Array
  setDigestKey(key: Uint8Array): void
  digests(first: number, count: number): Uint8Array
  image(segment: number): Uint8Array
  setAwaited(first: number, count: number, awaited: boolean): void
  isAwaited(segment: number): boolean
  readonly awaited: number
  isTouched(segment: number): boolean
  stage(deltas: Uint8Array): string | undefined
  stageImage(segment: number, deltas: Uint8Array): string | undefined
  commit(): void
  reset(): void
}
