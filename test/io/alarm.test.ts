// One timer for one deadline.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Alarm } from '../../src/io/alarm.ts'
import { monotonicMs } from '../../src/io/clock.ts'

const test = suite('alarm')

test('rings once at the deadline, at most a turn of the clock early', async () => {
  const rung: number[] = []
  const deadline = monotonicMs() + 20
  await new Promise<void>((resolve) => {
    const alarm = new Alarm(monotonicMs, () => {
      rung.push(monotonicMs())
      resolve()
    })
    alarm.set(deadline)
    alarm.set(deadline + 1_000)
  })
  assert.is(rung.length, 1)
  assert.ok(rung[0]! > deadline - 2, `${deadline - rung[0]!} ms early`)
})

test('an earlier deadline takes the place of a later one, and the past rings at once', async () => {
  const began = monotonicMs()
  await new Promise<void>((resolve) => {
    const alarm = new Alarm(monotonicMs, resolve)
    alarm.set(began + 60_000)
    alarm.set(began - 1)
  })
  assert.ok(monotonicMs() - began < 10_000)
})

test('no deadline, and infinity, silence it', async () => {
  let rung = 0
  const alarm = new Alarm(monotonicMs, () => rung++)
  for (const never of [undefined, Number.POSITIVE_INFINITY]) {
    alarm.set(monotonicMs())
    alarm.set(never)
  }
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  assert.is(rung, 0)
})

test('it can be set again from its own ring', async () => {
  let rung = 0
  await new Promise<void>((resolve) => {
    const alarm = new Alarm(monotonicMs, () => {
      if (++rung === 3) resolve()
      else alarm.set(monotonicMs())
    })
    alarm.set(monotonicMs())
  })
  assert.is(rung, 3)
})

test.run()
