// The recipes of docs/FENCING.md, word for word: each receiver is given epochs in a random order and must never accept a
// lower one after a higher. SQLite and Redis are used where they are installed; where not, that is said.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { recipe } from '../support/recipe.ts'
import { Random, replayCommand, seed } from '../support/seed.ts'

const test = suite('recipes')
const page = readFileSync(new URL('../../docs/FENCING.md', import.meta.url), 'utf8')

const has = (command: string) => spawnSync(command, ['--version']).error === undefined

/** Epochs as two nodes of a split would send them: some early, some late, some again. */
function orders(): number[] {
  const random = new Random(seed)
  const first = 1_800_000_000_000
  return Array.from({ length: 60 }, (_, i) => first + random.below(8) + Math.floor(i / 12))
}

/** What a receiver should do with each. */
function expected(epochs: readonly number[]): boolean[] {
  let highest = 0
  return epochs.map((epoch) => {
    if (epoch < highest) return false
    highest = epoch
    return true
  })
}

test('HTTP: a lower epoch is refused, an equal one is not, and a restarted receiver remembers', async () => {
  const { Fence } = await recipe()
  const epochs = orders()
  let kept = 0
  const make = () =>
    new Fence(kept, (epoch) => {
      kept = epoch
    })
  let fence = make()
  const accepted = epochs.map((epoch, i) => {
    if (i % 7 === 6) fence = make()
    return fence.admit(String(epoch)) === 200
  })
  assert.equal(accepted, expected(epochs), replayCommand())
  for (const header of [undefined, '', 'x', '-1', '1e99', '1.5', '9'.repeat(17)]) {
    assert.is(fence.admit(header), 428, String(header))
  }
  assert.is(fence.admit('1'), 412)
})

test('SQL: no row is given for a lower epoch, and the row that holds its epoch is not changed by one', () => {
  if (!has('sqlite3')) {
    console.log('sqlite3 is not installed: the SQL recipe was not run')
    return
  }
  const [table, admit, own] = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1]!)
  const epochs = orders()
  const fill = (sql: string, epoch: number, i: number) =>
    sql.replaceAll(':epoch', String(epoch)).replaceAll(':balance', String(i)).replaceAll(':id', '1')
  const lines = [
    table!,
    'CREATE TABLE accounts (id INT PRIMARY KEY, balance INT, epoch BIGINT NOT NULL);',
    'INSERT INTO accounts VALUES (1, -1, 0);',
    ...epochs.flatMap((epoch, i) => [
      `SELECT 'n ${i}';`,
      fill(admit!, epoch, i),
      fill(own!, epoch, i),
      `SELECT 'balance ' || balance FROM accounts;`,
    ]),
  ]
  const { stdout, stderr, status } = spawnSync('sqlite3', ['-batch', ':memory:'], {
    input: lines.join('\n'),
    encoding: 'utf8',
  })
  assert.equal([status, stderr], [0, ''])
  const rounds = stdout.split(/^n \d+\n/m).slice(1)
  const accepted = rounds.map((round) => round.split('\n').filter((line) => /^\d+$/.test(line)).length === 1)
  assert.equal(accepted, expected(epochs), replayCommand())
  const changed = rounds.map((round, i) => round.includes(`balance ${i}\n`))
  assert.equal(changed, expected(epochs), replayCommand())
})

test('Redis: the script refuses a lower epoch and then changes nothing', async () => {
  if (!has('redis-server') || !has('redis-cli')) {
    console.log('redis is not installed: the Redis recipe was not run')
    return
  }
  const script = /```lua\n([\s\S]*?)```/.exec(page)![1]!
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'))
  const socket = join(folder, 'redis.sock')
  const options = ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder]
  const server = spawn('redis-server', options, { stdio: 'ignore' })
  const cli = (...args: string[]) => spawnSync('redis-cli', ['-s', socket, ...args], { encoding: 'utf8' })
  try {
    for (const deadline = performance.now() + 20_000; cli('PING').stdout !== 'PONG\n'; await wait(10)) {
      assert.ok(performance.now() < deadline, 'redis-server answers')
    }
    const epochs = orders()
    const accepted = epochs.map((epoch, i) => {
      const { stdout } = cli('EVAL', script, '2', '{o}:fence', '{o}:last', String(epoch), String(i))
      const isDone = stdout === 'OK\n'
      assert.ok(isDone || stdout.includes('FENCED'), stdout)
      assert.is(cli('GET', '{o}:last').stdout === `${i}\n`, isDone)
      return isDone
    })
    assert.equal(accepted, expected(epochs), replayCommand())
  } finally {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
})

test.run()
