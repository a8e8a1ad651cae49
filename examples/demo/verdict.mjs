// Which promises were kept. Pure: what was seen goes in, sentences and the object of --json come out.
import { count, ms } from './panel.mjs'

/** What a stream that waits for the lost link would make: the link is given up after about 300 ms. */
const NO_GAP_MS = 250

/** @param {import('./story.mjs').Seen} seen */
export function summary({ fill, cut, kill, rejoin, handover, stall }) {
  const acts = [fill, cut, kill, rejoin, handover, stall]
  const sum = (name) => acts.reduce((total, { clients }) => total + clients[name], 0)
  return {
    sessions: fill.sessions,
    kept: kill.clients.kept,
    restarted: sum('restarted'),
    countersBackwards: sum('backwards'),
    promoteMs: tenth(kill.promoteMs),
    reason: kill.reason,
    clientGapMsMax: tenth(kill.clients.gapMsMax),
    m1Cut: { lost: cut.clients.lost, gapMsMax: tenth(cut.clients.gapMsMax) },
    rejoin: { ms: tenth(rejoin.ms), digestEqual: rejoin.digestEqual },
    handover: { ms: tenth(handover.ms), lost: handover.lost },
    stall: { failovers: stall.failovers },
  }
}

/**
 * @param {import('./story.mjs').Seen} seen
 * @returns {string[]} one sentence for each promise that did not hold
 */
export function brokenPromises(seen) {
  const { flows, fill, cut, kill, rejoin, handover, stall } = seen
  const { sessions, restarted, countersBackwards } = summary(seen)
  const gapAllowed = Math.max(NO_GAP_MS, 3 * fill.clients.gapMsMax)
  const broken = []
  const promise = (holds, sentence) => holds || broken.push(sentence)
  promise(sessions === flows, `${count(flows)} flows made ${count(sessions)} sessions`)
  promise(restarted === 0, `${count(restarted)} answers came with another NAT port`)
  promise(countersBackwards === 0, `${count(countersBackwards)} answers told a count that did not go on`)
  for (const [act, { clients }] of Object.entries({ fill, cut, kill, rejoin, handover, stall })) {
    promise(clients.seen === flows, `${act}: ${count(flows - clients.seen)} flows had no answer in time`)
    promise(
      clients.kept === clients.seen,
      `${act}: ${count(clients.seen - clients.kept)} flows did not go on`,
    )
    promise(clients.lost === 0, `${act}: ${count(clients.lost)} requests were never answered`)
  }
  promise(cut.failovers === 0, `the cut of one link changed roles ${cut.failovers} times`)
  promise(
    cut.clients.gapMsMax <= gapAllowed,
    `the cut of one link made a client wait ${ms(cut.clients.gapMsMax)}, more than ${ms(gapAllowed)}`,
  )
  promise(rejoin.role === 'secondary', `the restarted node joined as ${rejoin.role}`)
  promise(rejoin.digestEqual === true, 'the restarted node does not hold what the primary holds')
  promise(handover.lost === 0, `the handover lost ${count(handover.lost)}`)
  promise(stall.failovers === 0, `a blocked main thread made ${stall.failovers} failovers`)
  return broken
}

const tenth = (value) => Math.round(value * 10) / 10
