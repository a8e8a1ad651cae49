// What the kernel has to be told at a promotion, given what it already has: usually every flow of the tables, as a kernel
// through which no traffic goes knows nothing.
import { answersOf, nameOf, ZERO } from './flow.mjs'

/**
 * What to load, in portions, of which the first may ask for everything to be forgotten.
 * @param {Iterable<object>} sessions of the tables; read as the portions are taken, and once before where the kernel has flows
 * @param {{ flows: object[], ignored: object[] }} there what the kernel has: our flows as parsed, and others
 * @param {number} leastTimeout seconds
 * @returns {Iterable<{ flush?: boolean, flows: Iterable<object>, leastTimeout: number }>} may be read twice
 */
export function planOf(sessions, there, leastTimeout) {
  if (there.flows.length === 0) return [{ flows: sessions, leastTimeout }]
  const all = [...sessions]
  const { kept, before } = compare(all, there)
  return [...before, { flows: all.filter((session) => !kept.has(nameOf(session))), leastTimeout }]
}

/** A plan that leaves only these in the kernel. */
export const startOver = (flows) => [{ flush: true, flows, leastTimeout: 0 }]

/** Flows that may stay, by name; or, where one is in the way, the portions to start over with. */
function compare(sessions, there) {
  const names = new Map(sessions.map((session) => [nameOf(session), session]))
  const answers = new Set(sessions.map(answersOf))
  const kept = new Set()
  const own = []
  let isInTheWay = false
  for (const { key, fields } of there.flows) {
    const flow = { ...ZERO, ...key, ...fields }
    const session = names.get(nameOf(key))
    if (session === undefined) {
      if (answers.has(answersOf(flow))) isInTheWay = true
      else own.push(flow)
    } else if (isSame(session, flow)) kept.add(nameOf(key))
    else isInTheWay = true
  }
  // The kernel's tool changes or deletes a flow only by walking the whole table, for each one anew. Starting over is quicker.
  return isInTheWay
    ? { kept: new Set(), before: startOver([...there.ignored, ...own]) }
    : { kept, before: [] }
}

/** Marks and time-outs may differ; a connection goes on with either. */
const isSame = (session, flow) =>
  session.state === flow.state && session.seen === flow.seen && answersOf(session) === answersOf(flow)
