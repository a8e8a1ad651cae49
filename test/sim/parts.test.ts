// The parts of the simulator that everything else stands on: random streams, the order of time, pipes, threads.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { descends, History } from './history.ts'
import { mac } from './mac.ts'
import { CLEAN_PATH, Path } from './path.ts'
import { KERNEL_BYTES, type Parcel, Pipe } from './pipe.ts'
import { Prng } from './prng.ts'
import { Channel, Thread } from './thread.ts'
import { World } from './world.ts'

const draws = (random: Prng) => Array.from({ length: 8 }, () => random.u32())

const prng = suite('random streams')

prng('are a matter of seed and path only', () => {
  assert.equal(draws(new Prng(7n).split('a')), draws(new Prng(7n).split('a')))
  assert.not.equal(draws(new Prng(7n).split('a')), draws(new Prng(7n).split('b')))
  assert.not.equal(draws(new Prng(7n).split('a')), draws(new Prng(8n).split('a')))
  assert.not.equal(draws(new Prng(7n)), draws(new Prng(7n + 2n ** 40n)))
})

prng('do not shift when another is split off', () => {
  const parent = new Prng(7n)
  const before = draws(new Prng(7n))
  parent.split('new')
  assert.equal(draws(parent), before)
})

prng.run()

const world = suite('world')

world('runs events by time, and what one event adds at once', () => {
  const { world } = makeWorld()
  const seen: string[] = []
  world.at(2, () => seen.push('c'))
  world.at(1, () => {
    seen.push('a')
    world.after(0.5, () => seen.push('b'))
  })
  world.at(9, () => seen.push('never'))
  world.runUntil(5)
  assert.equal(seen, ['a', 'b', 'c'])
  assert.is(world.now, 5)
})

world.run()

const pipe = suite('pipe')

function makeWorld() {
  const random = new Prng(11n)
  return { world: new World(random.split('world')), random }
}

function makePipe(fragment = 0) {
  const { world, random } = makeWorld()
  const profile = { ...CLEAN_PATH, jitter: 3, fragment }
  const path = new Path(world, random.split('there'), 0, 0, profile)
  const back = new Path(world, random.split('back'), 0, 1, profile)
  const parcels: Parcel[] = []
  const taken = { bytes: 0 }
  const pipe: Pipe = new Pipe(
    world,
    random.split('pipe'),
    path,
    back,
    (parcel) => {
      parcels.push(parcel)
      if (parcel.type === 'bytes') pipe.handleRead(parcel.bytes.length)
    },
    (bytes) => {
      taken.bytes += bytes
    },
  )
  const arrived = () => parcels.flatMap((parcel) => (parcel.type === 'bytes' ? [...parcel.bytes] : []))
  return { world, path, back, pipe, parcels, arrived, taken }
}

pipe('brings every byte once and in order, in pieces of any size, across a stall', () => {
  const { world, path, pipe, parcels, arrived } = makePipe(0.5)
  const sent: number[] = []
  for (let i = 0; i < 200; i++) {
    world.at(i, () => {
      if (i === 50) path.stalls++
      if (i === 120) {
        path.stalls--
        path.resume(10)
      }
      const bytes = Uint8Array.from({ length: 1 + (i % 5) }, (_, at) => (i + at) & 255)
      sent.push(...bytes)
      pipe.write(bytes)
    })
  }
  world.at(119, () => assert.ok(arrived().length < 51 * 5))
  world.at(250, () => pipe.step('end'))
  world.runUntil(1000)
  assert.equal(arrived(), sent)
  assert.is(parcels.at(-1)!.type, 'end')
})

pipe('keeps what does not fit with the sender, and says nothing of it until it does', () => {
  const { world, back, pipe, arrived, taken } = makePipe()
  back.cuts++
  for (let i = 0; i < 40; i++) pipe.write(new Uint8Array(KERNEL_BYTES / 32))
  pipe.step('end')
  world.runUntil(100)
  assert.is(taken.bytes, KERNEL_BYTES)
  back.cuts--
  pipe.resume(1)
  world.runUntil(200)
  assert.is(arrived().length, (40 * KERNEL_BYTES) / 32)
})

pipe('that is dead swallows everything', () => {
  const { world, pipe, parcels } = makePipe()
  pipe.write(Uint8Array.of(1))
  pipe.kill()
  pipe.write(Uint8Array.of(2))
  pipe.step('end')
  world.runUntil(100)
  assert.equal(parcels, [])
})

pipe.run()

const thread = suite('thread')

thread('that stands still does everything when it wakes, each source in its order', () => {
  const { world, random } = makeWorld()
  const thread = new Thread(world, random.split('thread'))
  const seen: string[] = []
  thread.block(10)
  for (let i = 0; i < 20; i++) thread.run(i % 3, () => seen.push(`${i % 3}/${i}`))
  thread.setTimer(4, () => seen.push('timer'))
  world.runUntil(9)
  assert.equal(seen, [])
  world.runUntil(10)
  assert.is(seen.length, 21)
  for (const source of [0, 1, 2]) {
    const order = seen.filter((text) => text.startsWith(`${source}/`)).map((text) => Number(text.slice(2)))
    assert.equal(
      order,
      [...order].sort((a, b) => a - b),
    )
  }
})

thread('channels keep their order', () => {
  const { world, random } = makeWorld()
  const seen: number[] = []
  const channel = new Channel<number>(world, random.split('channel'), (messages) => seen.push(...messages))
  for (let i = 0; i < 100; i++) world.at(i / 10, () => channel.send(i))
  world.runUntil(100)
  assert.equal(
    seen,
    Array.from({ length: 100 }, (_, i) => i),
  )
})

thread.run()

const truth = suite('truth')

truth('a tag depends on every byte of key and text', () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i)
  const text = Uint8Array.from({ length: 128 }, (_, i) => 3 * i)
  const tag = Buffer.from(mac(key, text)).toString('hex')
  const other = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
  for (let i = 0; i < 32; i++) assert.not.equal(Buffer.from(mac(other(key, i), text)).toString('hex'), tag)
  for (let i = 0; i < 128; i++) assert.not.equal(Buffer.from(mac(key, other(text, i))).toString('hex'), tag)
})

truth('knows which write was made on top of which', () => {
  const history = new History(1)
  const one = history.begin(1, 'x', 'a1', 0, [new Map()])
  const first = history.write(one, 0, 5, 1)
  const second = history.write(one, 0, 5, undefined)
  const two = history.begin(2, 'x', 'b1', 0, history.contentAt(one, 1))
  const other = history.write(two, 0, 5, 3)
  assert.ok(descends(second, first))
  assert.ok(descends(other, first))
  assert.not.ok(descends(other, second))
  assert.not.ok(descends(undefined, first))
})

truth('a promise lasts as long as one of its holders', () => {
  const history = new History(1)
  const reign = history.begin(1, 'x', 'a1', 0, [new Map()])
  history.write(reign, 0, 5, 1)
  history.promise(reign, 1, ['a1', 'b1'])
  const { promise } = history.owed[0]!.get(5)!
  history.release('a1')
  assert.equal([...promise.holders], ['b1'])
  history.share('b1', 'a2')
  history.release('b1')
  assert.equal([...promise.holders], ['a2'])
})

truth.run()
