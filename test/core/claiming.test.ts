// A claim and its answer: what a grant is worth that was read late, and which denial ends which claim.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Claiming } from '../../src/core/claiming.ts'
import type { CoreOptions } from '../../src/core/options.ts'
import type { Core } from '../../src/core/state.ts'
import { NodeState } from '../../src/core/state.ts'
import type { Role } from '../../src/wire/constants.ts'
import { aStatus } from '../support/status.ts'

const BOUND_MS = 225

/** A node that claims at 0, and the epoch that it claims. */
function claim(mode: CoreOptions['mode'], role: Role) {
  const state = new NodeState(0, 10)
  state.role = role
  const core = {
    options: { mode, interval: 50 },
    state,
    place: 0,
    boundMs: BOUND_MS,
    statusAt: () => aStatus({ role }),
    broadcast: () => {},
  } as unknown as Core
  const claiming = new Claiming(core)
  claiming.begin('better-claim', 0)
  return { claiming, state, epoch: state.heardEpoch }
}

test('availability: a grant read after its giver may act again is worth nothing', () => {
  for (const [mode, role, counts] of [
    ['availability', 'secondary', false],
    ['availability', 'primary', true],
    ['manual', 'secondary', true],
    ['witness', 'secondary', true],
  ] as const) {
    const late = claim(mode, role)
    assert.is(late.claiming.take(late.epoch, BOUND_MS) !== undefined, counts, `${mode}, ${role}`)
    const inTime = claim(mode, role)
    assert.ok(inTime.claiming.take(inTime.epoch, BOUND_MS - 1), `${mode}, ${role}`)
  }
})

test('a late copy of a denial does not end the next claim', () => {
  const { claiming, state, epoch } = claim('availability', 'secondary')
  claiming.handleDeny(epoch, 10)
  assert.is(claiming.reason, undefined)
  claiming.begin('better-claim', 100)
  const next = state.heardEpoch
  assert.ok(next > epoch)
  claiming.handleDeny(epoch, 110)
  assert.is(claiming.reason, 'better-claim')
  assert.is(claiming.take(next, 120)?.epoch, next)
})

test('a denial of a claim below the peer’s epoch is no verdict on it', () => {
  const { claiming, epoch } = claim('witness', 'secondary')
  claiming.handleDeny(epoch, 10)
  assert.equal([claiming.isDenied(11, epoch - 1), claiming.isDenied(11, epoch)], [true, false])
  assert.is(claiming.isDenied(10 + BOUND_MS, epoch - 1), false)
})

test.run()
