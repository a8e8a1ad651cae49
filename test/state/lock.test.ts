// The lock of a state directory: one holder, gone with its process, whatever path the directory has.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StateDirectory } from '../../src/state/directory.ts'
import { takeLock } from '../../src/state/lock.ts'

const test = suite('lock')
let directory = ''
test.before.each(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-lock-'))
})
test.after.each(() => rmSync(directory, { recursive: true }))

async function refusal(path: string): Promise<string> {
  try {
    await (await takeLock(path)).release()
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`
  }
  return 'taken'
}

/** Holds the lock in a process of its own; says 'held' or why not. */
function holder(): { child: ChildProcess; said: Promise<string> } {
  const path = fileURLToPath(new URL('./holder.mjs', import.meta.url))
  const child = spawn(process.execPath, [path, directory], { stdio: ['pipe', 'pipe', 'inherit'] })
  const said = new Promise<string>((resolve) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk).trim()))
  })
  return { child, said }
}

const gone = (child: ChildProcess) =>
  child.exitCode !== null ||
  child.signalCode !== null ||
  new Promise((resolve) => child.once('exit', resolve))

test('a second holder in the same process is refused; after the release it is not, and nothing is left behind', async () => {
  const lock = await takeLock(directory)
  assert.match(await refusal(directory), /^ERR_STATE stateDir: .* is in use by another node; one directory/)
  await lock.release()
  assert.is(await refusal(directory), 'taken')
  assert.equal(readdirSync(directory), [])
})

test('another process is refused; a killed one holds nothing', async () => {
  const { child, said } = holder()
  assert.is(await said, 'held')
  assert.match(await refusal(directory), /is in use by another node/)
  child.kill('SIGSTOP')
  assert.match(await refusal(directory), /is in use by another node/, 'a frozen process still holds it')
  child.kill('SIGKILL')
  await gone(child)
  assert.is(await refusal(directory), 'taken')
  assert.equal(readdirSync(directory), [])
})

test('of many that try at once after a death one holds', async () => {
  for (let round = 0; round < 5; round++) {
    const first = holder()
    await first.said
    first.child.kill('SIGKILL')
    await gone(first.child)
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(directory)))
    const held = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    assert.is(held.length, 1)
    await held[0]!.release()
  }
})

test('of many processes that try at once one holds', async () => {
  const all = Array.from({ length: 6 }, holder)
  const words = await Promise.all(all.map(({ said }) => said))
  for (const { child } of all) {
    const end = gone(child)
    child.kill('SIGKILL')
    await end
  }
  assert.is(words.filter((word) => word === 'held').length, 1, words.join('; '))
})

test('a path longer than a socket may have is good too', async () => {
  const deep = join(directory, 'x'.repeat(100), 'y'.repeat(100))
  mkdirSync(deep, { recursive: true })
  const lock = await takeLock(deep)
  assert.match(await refusal(deep), /in use/)
  await lock.release()
  assert.is(await refusal(deep), 'taken')
})

test('a directory that is none, is not there or cannot be written is refused with what to do', async () => {
  const open = async (path: string) => {
    try {
      await StateDirectory.open({ directory: path, owner: { cluster: 'c', id: 'a' } }, 1)
    } catch (error) {
      return `${(error as { code: string }).code} ${(error as Error).message}`
    }
    return 'opened'
  }
  assert.match(
    await open(join(directory, 'none')),
    /^ERR_STATE stateDir: .*\/none cannot be used .*create it/,
  )
  writeFileSync(join(directory, 'file'), '')
  assert.match(await open(join(directory, 'file')), /^ERR_STATE stateDir: .*\/file is no directory/)
  assert.match(await open('/proc/self'), /^ERR_STATE stateDir: \/proc\/self cannot be locked .*may write/)
})

test.run()
