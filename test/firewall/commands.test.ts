// The commands that take and give up addresses: what they are told, what becomes of one that fails or hangs, and the guard
// that runs one when its parent is killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../node/support.ts'

const module = new URL('../../examples/firewall/commands.mjs', import.meta.url)
const { Command, Guard } = await import(module.href)

const test = suite('commands of a firewall')
const folder = mkdtempSync(join(tmpdir(), 'holdfast-firewall-commands-'))
const file = (name: string) => join(folder, name)
const read = (name: string) => readFileSync(file(name), 'utf8')
const how = { timeoutMs: 10_000, env: { HOLDFAST_ID: 'a' } }

test.after(() => rmSync(folder, { recursive: true, force: true }))

test('a command is told why it runs, each time anew', async () => {
  const words = 'echo "$HOLDFAST_ID $HOLDFAST_ROLE $HOLDFAST_EPOCH $HOLDFAST_REASON"'
  const command = new Command(`${words} >>${file('told')}`, how)
  command.prepare()
  assert.is(await command.run({ role: 'primary', epoch: 7, reason: 'peer-died' }), undefined)
  assert.is(await command.run({ role: 'stopped' }), undefined)
  assert.is(read('told'), 'a primary 7 peer-died\na stopped - -\n')
})

test('one that fails says so, with its words', async () => {
  const command = new Command('echo "no such device" >&2; exit 3', how)
  assert.is(await command.run({ role: 'primary' }), 'ended with 3: no such device')
})

test('one that hangs is killed with all that it started', async () => {
  const command = new Command(`sleep 600 & echo $! >${file('sleeper')}; wait`, { ...how, timeoutMs: 500 })
  assert.is(await command.run({ role: 'primary' }), 'did not end within 500 ms')
  const stat = `/proc/${read('sleeper').trim()}/stat`
  await until('the sleeper is gone', () => !existsSync(stat) || / Z /.test(readFileSync(stat, 'utf8')))
})

test('a shell that waits runs nothing when it is let go', async () => {
  const command = new Command(`touch ${file('never')}`, how)
  command.prepare()
  command.close()
  const other = new Command('true', how)
  assert.is(await other.run({ role: 'primary' }), undefined)
  assert.not(existsSync(file('never')))
})

test('a guard runs its command when the process that has it is killed', async () => {
  const words = `echo $HOLDFAST_ID $HOLDFAST_ROLE >${file('guarded')}`
  const code = `import { Guard } from ${JSON.stringify(module.href)}
    new Guard(${JSON.stringify(words)}, { HOLDFAST_ID: 'a' })
    console.log('ready')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  })
  await once(child.stdout, 'data')
  assert.not(existsSync(file('guarded')))
  child.kill('SIGKILL')
  await until('the guard has run it', () => existsSync(file('guarded')) && read('guarded') === 'a dead\n')
})

test('a guard that is dismissed runs nothing', async () => {
  const guard = new Guard(`touch ${file('dismissed')}`, {})
  await guard.dismiss()
  assert.not(existsSync(file('dismissed')))
})

test.run()
