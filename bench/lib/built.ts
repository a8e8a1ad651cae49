// The built package, as a user runs it: `dist`, not the sources through a loader. `createNode` and its kin by the
// package's name; the table without a node, and the frames, from inside `dist`. Types come from the sources, so that the
// type check needs no build.
const root = import.meta.resolve('holdfast/package.json')

/** As a user imports it. */
const byName = (name: string) => import(name)
const inside = (path: string) => import(new URL(`dist/${path}`, root).href)

export const { createNode, defineTable } = (await byName('holdfast')) as typeof import('../../src/index.ts')

export const { freeAddress, makeIdentity } = (await byName(
  'holdfast/testing',
)) as typeof import('../../src/testing/index.ts')

export const { bytesFor, createTable, openGate } = (await inside(
  'table/index.js',
)) as typeof import('../../src/table/index.ts')

export const { createEngine, ENCODE_BYTES_MAX } = (await inside(
  'table/engine.js',
)) as typeof import('../../src/table/engine.ts')

export const { Replica } = (await inside('core/replica.js')) as typeof import('../../src/core/replica.ts')

export const { beginFrame, sealFrame } = (await inside(
  'wire/frame.js',
)) as typeof import('../../src/wire/frame.ts')

export const { FrameType } = (await inside(
  'wire/constants.js',
)) as typeof import('../../src/wire/constants.ts')

export const { beginBatch, writeSection } = (await inside(
  'wire/sequenced.js',
)) as typeof import('../../src/wire/sequenced.ts')
