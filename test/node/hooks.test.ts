// onPromote and onDemote: one after the other, bounded, told when their role is over; and what a pair does when they hang.
import { setTimeout as wait } from 'node:timers/promises'
import { createNode, HookError, type RoleEvent } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RoleChanges } from '../../src/role-changes.ts'
import type { Settings } from '../../src/settings.ts'
import { closing, pairOptions, protectedPair, until } from './support.ts'

const test = suite('hooks')

interface Stage {
  readonly changes: RoleChanges
  readonly told: string[]
  readonly errors: Error[]
  note(role: 'primary' | 'secondary', epoch: number): void
  /** Notes and tells it. */
  change(role: 'primary' | 'secondary', epoch: number): void
}

function stage(hooks: Partial<Settings>): Stage {
  const told: string[] = []
  const errors: Error[] = []
  const logger = { info() {}, warn() {}, error() {} }
  const settings = { peer: 'b', hookTimeoutMs: 2_000, logger, ...hooks } as Settings
  const changes = new RoleChanges(
    settings,
    ({ role, epoch }) => told.push(`${role} ${epoch}`),
    (error) => errors.push(error),
  )
  const position = { epoch: 0, sequence: 0 }
  const report = { position, sessions: 0 } as unknown as RoleEvent['report']
  const note: Stage['note'] = (role, epoch) =>
    changes.note({ type: 'role', role, epoch, reason: 'handover', durationMs: 0, report })
  return {
    changes,
    told,
    errors,
    note,
    change(role, epoch) {
      note(role, epoch)
      changes.tellNext()
    },
  }
}

test('a hook whose role is over is told by its signal, and the next one begins when it has ended', async () => {
  const story: string[] = []
  const { changes, told, errors, change } = stage({
    async onPromote({ epoch }, signal) {
      story.push(`take ${epoch}`)
      await wait(60_000, undefined, { signal: signal as AbortSignal }).catch((error) => {
        story.push(`${error.cause?.code ?? error.code}`)
        throw error
      })
    },
    onDemote: ({ epoch }) => void story.push(`give up ${epoch}`),
  })
  change('primary', 1)
  await Promise.resolve()
  change('secondary', 2)
  await changes.told
  assert.equal(story, ['take 1', 'ERR_HOOK', 'give up 2'])
  assert.equal(told, ['primary 1', 'secondary 2'])
  assert.equal(errors, [])
})

test('onPromote is not run for a role that is over before its turn; onDemote always is', async () => {
  const story: string[] = []
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { changes, told, change } = stage({
    onPromote: ({ epoch }) => void story.push(`take ${epoch}`),
    async onDemote({ epoch }) {
      story.push(`give up ${epoch}`)
      if (epoch === 2) await held
    },
  })
  change('primary', 1)
  await changes.told
  change('secondary', 2)
  await until('the first is being given up', () => story.length === 2)
  change('primary', 3)
  change('secondary', 4)
  change('primary', 5)
  release()
  await changes.told
  assert.equal(story, ['take 1', 'give up 2', 'give up 4', 'take 5'])
  assert.equal(told, ['primary 1', 'secondary 2', 'primary 3', 'secondary 4', 'primary 5'])
})

test('a change is in the history from when the node has its role, and told when its turn comes', async () => {
  const { changes, told, note } = stage({})
  note('primary', 1)
  note('secondary', 2)
  assert.equal(
    [changes.history.at(-1)?.role, changes.reason, changes.history.length],
    ['secondary', 'handover', 2],
  )
  await changes.told
  assert.equal(told, [])
  changes.tellNext()
  await changes.told
  assert.equal(told, ['primary 1'])
  changes.tellNext()
  await changes.told
  assert.equal(told, ['primary 1', 'secondary 2'])
})

test('a primary that goes on in a later epoch runs onPromote again, and gives up once', async () => {
  const story: string[] = []
  const { changes, change } = stage({
    onPromote: ({ epoch }) => void story.push(`take ${epoch}`),
    onDemote: ({ epoch }) => void story.push(`give up ${epoch}`),
  })
  change('primary', 1)
  await changes.told
  change('primary', 2)
  await changes.told
  change('secondary', 2)
  await changes.told
  assert.equal(story, ['take 1', 'take 2', 'give up 2'])
})

test('two hooks never run at once, and the last word is that of the last role, however roles flap', async () => {
  const seed = Number(process.env.HOLDFAST_SEED ?? Date.now() % 1_000_000)
  let state = seed + 1
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  let running = 0
  let address = false
  const slowly = async (holds: boolean) => {
    assert.is(running++, 0, `seed ${seed}: HOLDFAST_SEED=${seed} replays it`)
    await wait(random() * 4)
    address = holds
    running--
  }
  for (let round = 0; round < 20; round++) {
    const { changes, errors, change } = stage({
      onPromote: () => slowly(true),
      onDemote: () => slowly(false),
    })
    const count = 1 + Math.floor(random() * 8)
    for (let i = 1; i <= count; i++) {
      change(i % 2 === 1 ? 'primary' : 'secondary', i)
      if (random() < 0.5) await wait(random() * 6)
    }
    await changes.told
    assert.is(address, count % 2 === 1, `seed ${seed}`)
    assert.equal(errors, [])
    address = false
  }
})

test('a hook that hangs is given up after hookTimeout: an error, its signal, then the role event', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const errors: Error[] = []
    const seen: { aborted: boolean } = { aborted: false }
    const from = performance.now()
    const a = await createNode({
      ...options.a,
      hookTimeout: 100,
      onPromote: (_, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            seen.aborted = true
          })
        }),
    })
    opened.push(a)
    a.on('error', (error) => errors.push(error))
    await new Promise((resolve) => a.once('role', resolve))
    assert.ok(performance.now() - from >= 400)
    assert.is(seen.aborted, true)
    assert.instance(errors[0], HookError)
    assert.match(errors[0]!.message, /^onPromote did not finish within hookTimeout, 100 ms/)
    assert.is(errors.length, 1)
    assert.is(a.role, 'primary')
  }))

test('onPromote sees every session that was replicated, and its node acts before the role is told', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const a = await createNode(options.a)
    opened.push(a)
    const seen: unknown[] = []
    const b = await createNode({
      ...options.b,
      async onPromote() {
        seen.push([b.tables.sessions.size, b.role])
        b.tables.sessions.set({ id: 77_777 }, { count: 1 })
        await wait(20)
        seen.push('let in')
      },
    })
    opened.push(b)
    b.on('role', ({ role }) => seen.push(role))
    await protectedPair(a, b)
    seen.length = 0
    for (let id = 0; id < 5_000; id++) a.tables.sessions.set({ id }, { count: id })
    await a.close()
    await until('b has told', () => seen.length === 3)
    assert.equal(seen, [[5_000, 'primary'], 'let in', 'primary'])
  }))

test('whoever cannot serve after a failed onPromote hands the role back by maintenance(true) in it', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const a = await createNode(options.a)
    opened.push(a)
    const story: string[] = []
    const b = await createNode({
      ...options.b,
      async onPromote() {
        try {
          throw new Error('the address cannot be had')
        } catch {
          story.push('handed back')
          await b.maintenance(true)
        }
      },
      onDemote: () => void story.push('given up'),
    })
    opened.push(b)
    await protectedPair(a, b)
    await a.handover()
    await until('a leads again', () => a.role === 'primary' && a.status().protected)
    await until('b has given up', () => story.length === 2)
    assert.equal(story, ['handed back', 'given up'])
  }))

test.run()
