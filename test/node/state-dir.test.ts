// A node with a state directory: epochs go on over restarts whatever the clock says, and one directory is one node's.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, StateError } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writeEpoch } from '../../src/state/epoch-file.ts'
import { Child, closing, type Options, pairOptions, protectedPair, until } from './support.ts'

const test = suite('state directory')
let directory = ''
let options: { a: Options; b: Options }
test.before.each(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-state-'))
  options = await pairOptions({ holdDown: 300 })
})
test.after.each(() => rmSync(directory, { recursive: true }))

/** Starts a alone, and gives its epoch once it acts. */
async function epochOfOne(extra: Partial<Options> = {}): Promise<number> {
  const node = await createNode({ ...options.a, stateDir: directory, ...extra })
  try {
    await node.ready()
    return node.epoch
  } finally {
    await node.close()
  }
}

async function refusal(extra: Partial<Options> = {}): Promise<string> {
  try {
    await epochOfOne(extra)
  } catch (error) {
    assert.instance(error, StateError)
    return (error as Error).message
  }
  return 'started'
}

test('each start opens an epoch above all earlier ones, and leaves nothing locked', async () => {
  const first = await epochOfOne()
  const second = await epochOfOne()
  assert.ok(second > first)
  assert.equal(readdirSync(directory), ['epoch'])
})

test('with the clock behind the file the file decides: no epoch is opened twice', async () => {
  // As a restart with the clock set back by a century finds it.
  const then = Date.now() + 100 * 365 * 86_400_000
  await writeEpoch(directory, { cluster: 'holdfast', id: 'a' }, then)
  const first = await epochOfOne()
  assert.ok(first > then)
  assert.ok((await epochOfOne()) > first)
})

test('a killed node starts above what it had opened', () =>
  closing(async (opened) => {
    const { tables: _, ...a } = options.a
    const child = await Child.start({ ...a, stateDir: directory })
    opened.push(child)
    await child.ask('ready')
    const { epoch } = (await child.ask('status')) as { epoch: number }
    assert.match(await refusal(), /is in use by another node/)
    await child.close()
    assert.ok((await epochOfOne()) > epoch)
  }))

test('a node that granted a far epoch starts above it', () =>
  closing(async (opened) => {
    const other = mkdtempSync(join(tmpdir(), 'holdfast-state-'))
    opened.push({ close: async () => rmSync(other, { recursive: true }) })
    const far = Date.now() + 1e12
    await writeEpoch(other, { cluster: 'holdfast', id: 'b' }, far)
    const a = await createNode({ ...options.a, stateDir: directory })
    opened.push(a)
    const b = await createNode({ ...options.b, stateDir: other })
    opened.push(b)
    await protectedPair(a, b)
    await b.promote()
    assert.ok(b.epoch > far, 'b goes by its file')
    await protectedPair(b, a)
    const granted = b.epoch
    await b.close()
    await a.close()
    assert.ok((await epochOfOne()) > granted, 'a remembers what it granted')
  }))

test('two nodes on one directory, a damaged file and a file of another node are refused before a port is opened', () =>
  closing(async (opened) => {
    const a = await createNode({ ...options.a, stateDir: directory })
    opened.push(a)
    assert.match(
      await refusal(options.b),
      /is in use by another node; one directory belongs to one running node/,
    )
    await a.close()
    assert.match(await refusal({ id: 'c' }), /epoch file .* is foreign: it is of node 'a'/)
    assert.match(await refusal({ cluster: 'other' }), /is foreign: .* this is 'a' in 'other'/)
    const path = join(directory, 'epoch')
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 16
    writeFileSync(path, bytes)
    assert.match(await refusal(), /epoch file .* is damaged: its checksum does not fit\. Restore it/)
    assert.match(await refusal({ stateDir: join(directory, 'none') }), /cannot be used .*create it/)
  }))

test('a node whose links cannot listen gives the directory back', () =>
  closing(async (opened) => {
    const taken = await createNode(options.a)
    opened.push(taken)
    let message = ''
    await createNode({ ...options.a, stateDir: directory }).catch((error: Error) => {
      message = error.message
    })
    assert.match(message, /no link could listen/)
    await taken.close()
    await until('the epoch file is there', () => readdirSync(directory).includes('epoch'))
    assert.equal(readdirSync(directory), ['epoch'])
  }))

test.run()
