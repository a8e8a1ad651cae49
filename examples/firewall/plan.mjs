// What the kernel has to be told at a promotion, given what it already has: usually every flow of the tables, as a kernel
// through which no traffic goes knows nothing.
import { answersOf, nameOf, ZERO } from './flow.mjs'
import { addLine } from './lines.mjs'

/** Lines made between two turns of the event loop: some ten milliseconds. */
const CHUNK = 4096

/**
 * @param {Iterable<object>} sessions of the tables; read as the lines are taken, and once before where the kernel has flows
 * @param {{ flows: object[], ignored: string[] }} there what the kernel has: our flows as parsed, others as lines to load
 * @param {number} leastTimeout seconds
 * @returns {Iterable<string[]>} lines to load, in portions
 */
export function* planOf(sessions, there, leastTimeout) {
  const { kept, before } =
    there.flows.length === 0 ? { kept: new Set(), before: [] } : compare([...sessions], there)
  let lines = before
  for (const session of sessions) {
    if (kept.size > 0 && kept.has(nameOf(session))) continue
    lines.push(addLine(session, leastTimeout))
    if (lines.length < CHUNK) continue
    yield lines
    lines = []
  }
  if (lines.length > 0) yield lines
}

/** Flows that may stay, by name; or, where one is in the way, the lines to start over with. */
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
      else own.push(addLine(flow))
    } else if (isSame(session, flow)) kept.add(nameOf(key))
    else isInTheWay = true
  }
  // The kernel's tool changes or deletes a flow only by walking the whole table, for each one anew. Starting over is quicker.
  return isInTheWay ? { kept: new Set(), before: ['-F', ...there.ignored, ...own] } : { kept, before: [] }
}

/** Marks and time-outs may differ; a connection goes on with either. */
const isSame = (session, flow) =>
  session.state === flow.state && session.seen === flow.seen && answersOf(session) === answersOf(flow)
