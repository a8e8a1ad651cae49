// One node of the soak in a process of its own: applies load while it leads, and answers the runner's questions.
import { createNode, type HoldfastNode, type NodeOptions } from 'holdfast'
import { checkOf as checkOfCall } from './calls.ts'
import { type CallTimes, Load } from './load.ts'
import { type Standstill, watchStandstills } from './standstill.ts'
import { monotonicMs, type Tables, tables } from './tables.ts'

/** What the node has told since it was last asked. */
export interface Told {
  readonly atMs: number
  readonly event: string
  readonly text: string
}

export interface Sum {
  readonly sessions: number
  /** Of everything the tables hold, whatever the order. */
  readonly sum: number
  /** Sessions that mix two writes. */
  readonly torn: number
}

export interface Memory {
  readonly rssMib: number
  readonly heapMib: number
}

let node: HoldfastNode<Tables> | undefined
let load: Load | undefined
const told: Told[] = []
const standstills: Standstill[] = []
watchStandstills((standstill) => standstills.push(standstill))

function tell(event: string, text: string): void {
  told.push({ atMs: monotonicMs(), event, text })
}

function running(): HoldfastNode<Tables> {
  if (node === undefined) throw new Error('the node is not started')
  return node
}

function hash(text: string): number {
  let bits = 0x811c9dc5
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193)
  return bits >>> 0
}

const methods = {
  async start(options: Omit<NodeOptions<Tables>, 'tables'>, seed: number): Promise<void> {
    const made = await createNode<Tables>({ ...options, tables })
    node = made
    load = new Load(made, seed, (error) => tell('load', String(error.stack ?? error)))
    made.on('role', ({ role, epoch, reason, durationMs, report }) =>
      tell(
        'role',
        `${role} ${reason} epoch ${epoch}, decided in ${durationMs.toFixed(0)} ms, ${JSON.stringify(report)}`,
      ),
    )
    made.on('poison', (event) => tell('poison', JSON.stringify(event)))
    made.on('unsynced', (event) => tell('unsynced', JSON.stringify(event)))
    made.on('error', (error) => tell('error', String(error.stack ?? error)))
    made.on('link', ({ link, up, reason }) => tell('link', `${link} ${up ? 'up' : `down: ${reason}`}`))
    made.on('peer', ({ alive }) => tell('peer', alive ? 'heard' : 'lost'))
  },

  role: () => running().role,

  status: () => {
    const { role, epoch, protected: isProtected, synced, lag, refusals } = running().status()
    return { role, epoch, isProtected, synced, lag, refusals }
  },

  /** Load begins; it is applied while this node leads. */
  load: (perSecond: number) => load!.begin(perSecond),
  rest: () => load!.end(),
  burst: (sessions: number) => load!.burst(sessions),
  calls: (): CallTimes => load!.takeTimes(),

  /** Everything written so far is held by the secondary. Gives a number it holds, which only grows. */
  mark: () => load!.mark(),
  marked: () => load!.marked(),

  handover: () => running().handover(),
  verify: () => running().verify(),

  sum(): Sum {
    let sessions = 0
    let sum = 0
    let torn = 0
    const { calls, ...lasting } = running().tables
    // Those of the third expire while they are looked at: its digests are compared by verify().
    for (const call of calls) if (checkOfCall(call) !== call.check) torn++
    for (const [name, table] of Object.entries(lasting)) {
      let count = 0
      for (const session of table) {
        const text = JSON.stringify(session)
        if (session.check !== load!.checkOf(JSON.parse(text))) torn++
        sum = (sum + hash(name + text)) % 4_294_967_296
        count++
      }
      if (count !== table.size)
        throw new Error(`table ${name} shows ${count} sessions and says ${table.size}`)
      sessions += count
    }
    return { sessions, sum, torn }
  },

  /** After a collection of garbage. */
  memory(): Memory {
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    return { rssMib: rss / 1_048_576, heapMib: heapUsed / 1_048_576 }
  },

  told: (): { told: Told[]; standstills: Standstill[] } => ({
    told: told.splice(0),
    standstills: standstills.splice(0),
  }),
}

export type Methods = typeof methods
export interface Call {
  readonly number: number
  readonly method: keyof Methods
  readonly args: readonly unknown[]
}
export interface Answer {
  readonly number: number
  readonly result?: unknown
  readonly error?: string
}

process.on('message', async ({ number, method, args }: Call) => {
  let answer: Answer
  try {
    const run = methods[method] as (...args: readonly unknown[]) => unknown
    answer = { number, result: await run(...args) }
  } catch (error) {
    answer = { number, error: String((error as Error).stack ?? error) }
  }
  process.send?.(answer)
})
process.on('disconnect', () => process.exit())
