// time-out: 300 s
// examples/virtual-ip in network namespaces: clients that ask one address go on over kill -9, a handover by SIGTERM and the
// return of the lost node, and no answer is ever one of a node that did not know its client yet. Needs root and iproute2.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { makeIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { missing } from './ground.ts'

const test = suite('virtual ip')
const FLOWS = 50
const VIRTUAL = '10.5.0.100'
const NODES = ['a', 'b'] as const
type Name = (typeof NODES)[number]
const LAST = { a: 1, b: 2 } as const
const example = fileURLToPath(new URL('../../examples/virtual-ip/main.mjs', import.meta.url))
const clientProgram = fileURLToPath(new URL('./virtual-ip-client.mjs', import.meta.url))

function run(...words: string[]): void {
  const { status, stderr } = spawnSync(words[0]!, words.slice(1), { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`)
}

/** client --- bridge --- [a | b], and a ==m1,m2== b. */
class Place {
  private readonly tag: string
  constructor(tag: string) {
    this.tag = tag
  }

  in(name: Name | 'client' | 'switch'): string {
    return `hf-${this.tag}-${name}`
  }

  lay(): void {
    for (const name of [...NODES, 'client', 'switch'] as const) run('ip', 'netns', 'add', this.in(name))
    run('ip', '-n', this.in('switch'), 'link', 'add', 'name', 'lan0', 'type', 'bridge')
    run('ip', '-n', this.in('switch'), 'link', 'set', 'lan0', 'up')
    for (const [name, address] of [
      ['a', '10.5.0.1'],
      ['b', '10.5.0.2'],
      ['client', '10.5.0.10'],
    ] as const) {
      const at = this.in(name)
      run(
        'ip',
        'link',
        'add',
        'lan',
        'netns',
        at,
        'type',
        'veth',
        'peer',
        'name',
        `to-${name}`,
        'netns',
        this.in('switch'),
      )
      run('ip', '-n', this.in('switch'), 'link', 'set', `to-${name}`, 'master', 'lan0', 'up')
      run('ip', '-n', at, 'addr', 'add', `${address}/24`, 'dev', 'lan')
      run('ip', '-n', at, 'link', 'set', 'lan', 'up')
      run('ip', '-n', at, 'link', 'set', 'lo', 'up')
    }
    for (const link of [1, 2]) {
      run(
        'ip',
        'link',
        'add',
        `m${link}`,
        'netns',
        this.in('a'),
        'type',
        'veth',
        'peer',
        'name',
        `m${link}`,
        'netns',
        this.in('b'),
      )
      for (const name of NODES) {
        run('ip', '-n', this.in(name), 'addr', 'add', `10.6.${link}.${LAST[name]}/24`, 'dev', `m${link}`)
        run('ip', '-n', this.in(name), 'link', 'set', `m${link}`, 'up')
      }
    }
  }

  clear(): void {
    for (const name of [...NODES, 'client', 'switch'] as const)
      spawnSync('ip', ['netns', 'del', this.in(name)])
  }

  holds(name: Name): boolean {
    const { stdout } = spawnSync('ip', ['-n', this.in(name), 'addr', 'show', 'dev', 'lan'], {
      encoding: 'utf8',
    })
    return stdout.includes(VIRTUAL)
  }
}

interface Line {
  readonly what: string
  readonly [name: string]: unknown
}

class Actor {
  readonly lines: Line[] = []
  readonly process: ChildProcess
  private errors = ''

  constructor(place: Place, name: Name | 'client', args: readonly string[]) {
    const through = ['netns', 'exec', place.in(name), process.execPath, ...args]
    this.process = spawn('ip', through, { stdio: ['pipe', 'pipe', 'pipe'] })
    createInterface({ input: this.process.stdout! }).on('line', (line) => this.lines.push(JSON.parse(line)))
    this.process.stderr!.on('data', (bytes) => (this.errors += bytes))
  }

  async until(what: string, holds: (line: Line) => boolean = () => true, from = 0): Promise<Line> {
    const deadline = performance.now() + 30_000
    for (;;) {
      const found = this.lines.slice(from).find((line) => line.what === what && holds(line))
      if (found !== undefined) return found
      if (performance.now() > deadline) {
        const last = this.lines.slice(-5).map((line) => JSON.stringify(line))
        throw new Error(`not within 30 s: ${what}; last said: ${last.join(' ')} ${this.errors}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const gone = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill(signal)
    await gone
  }
}

async function scene(
  body: (place: Place, client: Actor, start: (name: Name) => Promise<Actor>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-vip-'))
  const place = new Place(`vip${process.pid}`)
  const actors: Actor[] = []
  const [a, b] = await Promise.all([makeIdentity('a'), makeIdentity('b')])
  writeFileSync(join(folder, 'a.json'), JSON.stringify({ ...a, trust: [b.cert] }), { mode: 0o600 })
  writeFileSync(join(folder, 'b.json'), JSON.stringify({ ...b, trust: [a.cert] }), { mode: 0o600 })
  try {
    place.lay()
    const client = new Actor(place, 'client', [clientProgram, VIRTUAL, '7000', String(FLOWS)])
    actors.push(client)
    await body(place, client, async (name) => {
      const other = LAST[name === 'a' ? 'b' : 'a']
      const link = (n: number) => `10.6.${n}.${LAST[name]}:7401,10.6.${n}.${other}:7401`
      const options = [
        '--id',
        name,
        '--m1',
        link(1),
        '--m2',
        link(2),
        '--identity',
        join(folder, `${name}.json`),
      ]
      const actor = new Actor(place, name, [
        example,
        ...options,
        '--address',
        `${VIRTUAL}/24`,
        '--device',
        'lan',
      ])
      actors.push(actor)
      await actor.until('role')
      return actor
    })
  } finally {
    for (const actor of actors.reverse()) await actor.end('SIGKILL')
    place.clear()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every flow was answered by this node within the last moments. */
const allBy = (name: Name) => (line: Line) => (line.by as Record<string, number>)[name] === FLOWS

async function goesOn(client: Actor, to: Name): Promise<Line> {
  const line = await client.until('report', allBy(to), client.lines.length)
  assert.equal(
    line.wrong,
    [],
    'an answer by a node that did not know its client, or counted what nobody asked',
  )
  return line
}

const lacking = missing('ip')
if (lacking === undefined) {
  test('clients of one address go on over kill -9, a return, and SIGTERM; no answer comes before the state', () =>
    scene(async (place, client, start) => {
      const a = await start('a')
      await a.until('serving')
      await goesOn(client, 'a')
      let b = await start('b')
      await b.until('synced', ({ synced }) => synced === true)
      await client.until('report', ({ least }) => Number(least) >= 50)
      assert.equal([place.holds('a'), place.holds('b')], [true, false])

      client.process.stdin!.write('mark\n')
      await a.end('SIGKILL')
      const promoted = await b.until('promoted')
      assert.is(promoted.sessions, FLOWS)
      await b.until('serving')
      const afterKill = await goesOn(client, 'b')
      console.log(`kill -9: longest gap of a client ${Number(afterKill.gapMsMax).toFixed(0)} ms`)
      const order = b.lines
        .map(({ what }) => what)
        .filter((what) => ['promoted', 'serving', 'role'].includes(what))
      assert.equal(order, ['role', 'promoted', 'serving', 'role'])
      for (let i = 0; i < 1000 && place.holds('a'); i++)
        await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal([place.holds('a'), place.holds('b')], [false, true], 'the guard gave it up')

      const again = await start('a')
      await again.until('synced', ({ synced }) => synced === true)
      assert.equal([place.holds('a'), place.holds('b')], [false, true])
      client.process.stdin!.write('mark\n')
      await b.end('SIGTERM')
      await again.until('serving')
      const afterTerm = await goesOn(client, 'a')
      console.log(`SIGTERM: longest gap of a client ${Number(afterTerm.gapMsMax).toFixed(0)} ms`)
      assert.equal([place.holds('a'), place.holds('b')], [true, false])

      b = await start('b')
      await b.until('synced', ({ synced }) => synced === true)
      await goesOn(client, 'a')
    }))
} else {
  test(`SKIPPED: the virtual address needs ${lacking}`, () => undefined)
}

test.run()
