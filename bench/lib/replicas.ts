// Two tables in one process, the second kept like the first through deltas alone: what table and codec do in a pair of
// nodes, without the nodes.
import { beginBatch, beginFrame, createTable, FrameType, openGate, sealFrame, writeSection } from './built.ts'
import type { Context } from './figure.ts'
import { defineConnections, fieldsOf, keyOf } from './sessions.ts'

export type ConnectionsTable = ReturnType<typeof createConnections>

/** Bytes of overflowed records per batch, as a node asks for (src/core/feeder.ts). */
export const OVERFLOW_BYTES = 131_072

export function createConnections(capacity: number) {
  return createTable(defineConnections(capacity), { gate: openGate(), hashSeed: [1, 2, 3, 4] })
}

export function fill(table: ConnectionsTable, sessions: number): void {
  for (let i = 0; i < sessions; i++) table.set(keyOf(i), fieldsOf(i))
}

export interface Pair {
  readonly primary: ConnectionsTable
  readonly secondary: ConnectionsTable
  /** Gives the second table all that the first holds, as a resync does; from then on the first remembers its changes. */
  synchronise(): void
  /** Takes what changed from the first table to the second; gives the deltas, valid until the next call. */
  carry(expect: Context['expect']): Uint8Array
}

export function createPair(capacity: number): Pair {
  const primary = createConnections(capacity)
  const secondary = createConnections(capacity)
  const key = new Uint8Array(16).fill(7)
  primary.setDigestKey(key)
  secondary.setDigestKey(key)
  return {
    primary,
    secondary,
    synchronise() {
      primary.setTracking(true)
      for (let segment = 0; segment < primary.segments; segment++) {
        const refusal = secondary.stageImage(segment, primary.image(segment))
        if (refusal !== undefined) throw new Error(`image of segment ${segment} refused: ${refusal}`)
        secondary.commit()
      }
    },
    carry(expect) {
      const deltas = primary.encode(OVERFLOW_BYTES)
      expect(!primary.changed, 'a flush takes every change')
      const refusal = secondary.stage(deltas)
      expect(refusal === undefined, `the second table takes the batch (${refusal})`)
      secondary.commit()
      return deltas
    },
  }
}

/** The deltas in the frame that a node would send. */
export function batchFrame(deltas: Uint8Array): Uint8Array {
  const frame = beginBatch(beginFrame(FrameType.BATCH, 1_000_001, 1000, 1), 1)
  return sealFrame(writeSection(frame, 0, deltas))
}

/** Both tables hold the same sessions under the same ids. */
export function expectEqual({ primary, secondary }: Pair, expect: Context['expect']): void {
  expect(primary.size === secondary.size, `as many sessions: ${primary.size} and ${secondary.size}`)
  for (let first = 0; first < primary.segments; first++) {
    const mine = primary.digests(first, 1).join()
    expect(mine === secondary.digests(first, 1).join(), `segment ${first} has the same digest`)
  }
}
