// time-out: 300 s
// The epoch file: what it says comes back, every damage is noticed, and a writer killed at any moment leaves the old
// number or the new one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StateError } from '../../src/errors.ts'
import { decodeEpoch, EPOCH_FILE, encodeEpoch, readEpoch, writeEpoch } from '../../src/state/epoch-file.ts'
import { Random, runs, seed } from '../support/seed.ts'
import { killedWriter } from './killed-writer.ts'

const test = suite('epoch file')
const owner = { cluster: 'c', id: 'a' }
const KILLS = runs(200)

let directory = ''
test.before.each(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-epoch-'))
})
test.after.each(() => rmSync(directory, { recursive: true }))

test('what is written comes back; no file is no number', async () => {
  assert.is(await readEpoch(directory, owner), undefined)
  for (const epoch of [0, 1, 1_795_000_000_000, Number.MAX_SAFE_INTEGER]) {
    await writeEpoch(directory, owner, epoch)
    assert.is(await readEpoch(directory, owner), epoch)
  }
})

test('every byte changed in every bit, and every shorter and longer file, is refused', () => {
  const good = encodeEpoch(owner, 1_795_000_000_000)
  for (let at = 0; at < good.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bad = good.slice()
      bad[at]! ^= 1 << bit
      assert.type(decodeEpoch(bad, owner), 'object', `byte ${at}, bit ${bit}`)
    }
  }
  for (let length = 0; length < good.length; length++) {
    assert.type(decodeEpoch(good.subarray(0, length), owner), 'object', `${length} bytes`)
  }
  const longer = new Uint8Array(good.length + 1)
  longer.set(good)
  assert.type(decodeEpoch(longer, owner), 'object')
})

test('random bytes are never an epoch and never throw', () => {
  const random = new Random(seed)
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: random.below(200) }, () => random.below(256))
    assert.type(decodeEpoch(bytes, owner), 'object', `HOLDFAST_SEED=${seed}`)
  }
})

test('a damaged file, another version and a file of another node are refused by name, with what to do', async () => {
  const refused = async (bytes: Uint8Array, pattern: RegExp) => {
    writeFileSync(join(directory, EPOCH_FILE), bytes)
    try {
      await readEpoch(directory, owner)
      assert.unreachable()
    } catch (error) {
      assert.instance(error, StateError)
      assert.match((error as Error).message, pattern)
      assert.ok((error as Error).message.includes(join(directory, EPOCH_FILE)))
    }
  }
  await refused(
    encodeEpoch(owner, 7).subarray(0, 20),
    /is damaged: .* remove it: epochs then start from the clock/,
  )
  await refused(
    encodeEpoch({ cluster: 'c', id: 'z' }, 7),
    /is foreign: it is of node 'z' .*directory of its own/,
  )
  await refused(encodeEpoch({ cluster: 'x', id: 'a' }, 7), /is foreign: .* in cluster 'x'/)
})

/** Starts the writer, kills it after so long; the last number it said was on disk. */
test(`a writer killed ${KILLS} times at random moments leaves the last number it said, or the one it was writing`, async () => {
  const random = new Random(seed)
  let epoch = 1
  let newer = 0
  for (let i = 0; i < KILLS; i++) {
    const said = await killedWriter('./writer.mjs', directory, epoch, random.below(2_000) / 100)
    const found = await readEpoch(directory, owner)
    assert.ok(found === said || found === said + 1, `said ${said}, found ${found}; HOLDFAST_SEED=${seed}`)
    if (found !== said) newer++
    epoch = found + 1
  }
  assert.ok(readFileSync(join(directory, EPOCH_FILE)).length > 0)
  console.log(`${KILLS} kills, ${epoch} writes, ${newer} times the newer number was there and not said yet`)
})

test.run()
