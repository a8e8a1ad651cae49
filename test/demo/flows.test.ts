// The bookkeeping of the demonstration: what counts as kept, as a gap, as lost.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

// The examples are plain JavaScript without declarations.
const { Flows } = await import(new URL('../../examples/demo/flows.mjs', import.meta.url).href)

const test = suite('flows')

/** One flow that asks at `at` and is answered at `answered`. */
function exchange(flows: InstanceType<typeof Flows>, at: number, answered: number, answer: object) {
  flows.handleAsk(0, at)
  return flows.handleAnswer({ ...flows.address(0), request: flows.request[0], ...answer }, answered)
}

const nat = { natIp: 1, natPort: 2 }

test('finds every flow by its address, and no other', () => {
  const flows = new Flows(100)
  for (let flow = 0; flow < 100; flow++) assert.is(flows.find(flows.address(flow)), flow)
  assert.is(flows.find({ clientIp: 0, clientPort: 0 }), -1)
  const last = flows.address(99)
  assert.is(flows.find({ ...last, clientPort: last.clientPort + 1 }), -1)
})

test('a flow whose NAT port stays and whose count goes on is kept', () => {
  const flows = new Flows(1)
  exchange(flows, 1, 2, { ...nat, packets: 1 })
  flows.mark(10)
  assert.equal(exchange(flows, 11, 14, { ...nat, packets: 2 }), { gapMs: 3, sendings: 1 })
  const { kept, restarted, backwards, gapMsMax } = flows.report()
  assert.equal({ kept, restarted, backwards, gapMsMax }, { kept: 1, restarted: 0, backwards: 0, gapMsMax: 3 })
})

test('another NAT port is a restarted flow', () => {
  const flows = new Flows(1)
  exchange(flows, 1, 2, { ...nat, packets: 1 })
  exchange(flows, 3, 4, { ...nat, natPort: 3, packets: 2 })
  const { kept, restarted } = flows.report()
  assert.equal({ kept, restarted }, { kept: 0, restarted: 1 })
})

test('a count that does not rise is backwards', () => {
  const flows = new Flows(1)
  exchange(flows, 1, 2, { ...nat, packets: 1 })
  exchange(flows, 3, 4, { ...nat, packets: 1 })
  const { kept, backwards } = flows.report()
  assert.equal({ kept, backwards }, { kept: 0, backwards: 1 })
})

test('a count above what the client has sent is not kept', () => {
  const flows = new Flows(1)
  exchange(flows, 1, 2, { ...nat, packets: 2 })
  assert.is(flows.report().kept, 0)
})

test('the gap runs from the first sending, through repetitions, to the answer', () => {
  const flows = new Flows(1)
  flows.handleAsk(0, 100)
  flows.handleRepeat(0)
  flows.handleRepeat(0)
  const answer = { ...flows.address(0), ...nat, request: 1 }
  assert.equal(flows.handleAnswer({ ...answer, packets: 2 }, 350), { gapMs: 250, sendings: 3 })
  assert.is(flows.handleAnswer({ ...answer, packets: 3 }, 351), undefined)
  const { gapMsMax, repeated, backwards } = flows.report()
  assert.equal({ gapMsMax, repeated, backwards }, { gapMsMax: 250, repeated: 2, backwards: 0 })
})

test('an answer to a request made before the mark does not show that the flow goes on', () => {
  const flows = new Flows(1)
  flows.handleAsk(0, 1)
  flows.mark(2)
  flows.handleAnswer({ ...flows.address(0), ...nat, request: 1, packets: 1 }, 3)
  assert.is(flows.report().seen, 0)
  exchange(flows, 4, 5, { ...nat, packets: 2 })
  assert.is(flows.report().kept, 1)
})

test('a request that is given up is lost', () => {
  const flows = new Flows(1)
  flows.handleAsk(0, 0)
  flows.handleGiveUp(0, 5001)
  const { lost, gapMsMax } = flows.report()
  assert.equal({ lost, gapMsMax }, { lost: 1, gapMsMax: 5001 })
})

test.run()
