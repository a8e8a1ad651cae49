// The guard that shuts the gate of a primary that woke late, or that hears a primary of a later epoch: it opens what it has
// shut, and nothing else.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Action } from '../../src/core/actions.ts'
import { FreezeGuard } from '../../src/core/freeze.ts'
import { Link } from '../../src/core/link.ts'
import type { Core } from '../../src/core/state.ts'
import { NodeState, Peer } from '../../src/core/state.ts'
import { aStatus } from '../support/status.ts'

const BOUND_MS = 225

/** A primary of epoch 10 with an open gate, and the actions asked for since. */
function start() {
  const actions: Action[] = []
  const core = {
    state: new NodeState(0, 0),
    peer: new Peer(),
    links: [new Link(0), new Link(1)],
    boundMs: BOUND_MS,
    act: (action: Action) => actions.push(action),
    post: () => {},
    count: () => {},
  } as unknown as Core
  const { state, peer } = core
  state.role = 'primary'
  state.epoch = 10
  state.openWord()
  peer.alive = true
  peer.status = aStatus({ role: 'primary', epoch: 13 })
  return { core, guard: new FreezeGuard(core), actions }
}

test('it opens again what it shut when the other primary is gone', () => {
  const { core, guard, actions } = start()
  guard.settle(1)
  assert.is(core.state.open, false)
  core.peer.status = aStatus({ role: 'secondary', epoch: 13 })
  guard.settle(1 + BOUND_MS)
  assert.is(core.state.open, true)
  assert.is(actions.length, 2)
})

test('a gate that opened with a new reign, and is shut for a handover, is not opened by it', () => {
  const { core, guard, actions } = start()
  guard.settle(1)
  core.state.epoch = 14
  core.state.openWord()
  guard.settle(2)
  core.state.shutWord()
  guard.settle(2 + 2 * BOUND_MS)
  assert.is(core.state.open, false)
  assert.is(actions.length, 1)
})

test('woken in the midst of a handover, it shuts the gate when that is called off', () => {
  const { core, guard, actions } = start()
  core.peer.status = aStatus({ role: 'secondary', epoch: 10 })
  core.state.shutWord()
  guard.handleWake(0, 1_000)
  guard.settle(1_000)
  assert.is(actions.length, 0)
  core.state.openWord()
  guard.settle(1_001)
  assert.is(core.state.open, false)
  core.links[1].echoed = 1_002
  guard.settle(1_002)
  assert.is(core.state.open, true)
})

test('woken alone, it goes on, and shuts the gate when its peer turns out to be back', () => {
  const { core, guard, actions } = start()
  core.peer.alive = false
  guard.handleWake(0, 1_000)
  guard.settle(1_000)
  assert.is(actions.length, 0)
  core.peer.alive = true
  core.peer.status = aStatus({ role: 'secondary', epoch: 10 })
  guard.settle(1_001)
  assert.is(core.state.open, false)
  guard.settle(1_000 + BOUND_MS)
  assert.is(core.state.open, true)
})

test('what was asked after the wake is over with the bound: a peer that comes back later shuts nothing', () => {
  const { core, guard, actions } = start()
  core.peer.alive = false
  guard.handleWake(0, 1_000)
  guard.settle(1_000 + BOUND_MS)
  core.peer.alive = true
  core.peer.status = aStatus({ role: 'secondary', epoch: 10 })
  guard.settle(1_001 + BOUND_MS)
  assert.is(actions.length, 0)
})

test.run()
