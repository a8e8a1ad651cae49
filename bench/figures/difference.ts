// resync.difference.bytes_share: what a secondary that was away for ten seconds is sent, by what one is sent that has
// nothing. A million sessions, a hundredth of them changed at random places while both links were cut. Two replicas with
// their tables in one process, every frame of both directions counted, acknowledgements too, before TLS: bytes depend on
// neither the machine nor its load. An unsynced secondary is fed on one link, so the links' number does not matter.
import { createTable, FrameType, Replica } from '../lib/built.ts'
import type { Context, Measured } from '../lib/figure.ts'
import { Random } from '../lib/random.ts'
import { defineConnections, fieldsOf, keyOf, packetBytesOf } from '../lib/sessions.ts'
import { median } from '../lib/statistics.ts'
import { type Side, Wired } from '../lib/wired.ts'

const WORD = 5
const CUT_MS = 10_000
const STEP_MS = 100
/** Changes go on before the cut, for so long, at the pace they have in it. */
const BEFORE_MS = 1000

export async function measure({ smoke, expect, note }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 50_000 : 1_000_000
  const rounds = smoke ? 2 : 5
  const [a, b] = [node(sessions), node(sessions)]
  const wired = new Wired(a.replica, b.replica, WORD)
  const random = new Random(1)
  let packets = 2000
  /** Each call gives its sessions another count than they had. */
  const change = ({ table }: typeof a, updates: number) => {
    packets++
    for (let n = 0; n < updates; n++) {
      const i = random.below(sessions)
      table.update(keyOf(i), { packets, bytes: packets * packetBytesOf(i) })
    }
  }
  const pass = (ms: number, each: () => void) => {
    for (let at = 0; at < ms; at += STEP_MS) {
      each()
      wired.now += STEP_MS
      wired.settle()
    }
  }
  const attach = (primary: Side, secondary: Side) => {
    const before = wired.bytes
    wired.types.clear()
    wired.attach(primary, secondary)
    while (!(secondary.replica.isSynced && primary.replica.isProtected)) {
      if (!wired.turn()) wired.now++
    }
    return wired.bytes - before
  }
  const [first, second] = wired.sides
  const perStep = (share: number) => Math.round((sessions * share * STEP_MS) / CUT_MS)

  wired.lead(first)
  for (let i = 0; i < sessions; i++) a.table.set(keyOf(i), fieldsOf(i))
  const full = attach(first, second)
  note(`${sessions} sessions: ${(full / sessions).toFixed(1)} bytes each to a secondary without any`)

  /** Away while the other leads on; or both lead, and the second stays. */
  const away = (splits: boolean, [primary, secondary]: readonly [Side, Side]) => {
    const leading = primary === first ? a : b
    const other = primary === first ? b : a
    pass(BEFORE_MS, () => change(leading, perStep(0.01)))
    wired.cut()
    if (splits) wired.lead(secondary)
    pass(CUT_MS, () => {
      change(leading, perStep(splits ? 0.005 : 0.01))
      if (splits) change(other, perStep(0.005))
    })
    const bytes = splits ? attach(secondary, primary) : attach(primary, secondary)
    expect(!wired.types.has(FrameType.IMAGE), 'no segment was sent')
    expect(wired.types.has(FrameType.OWED), 'the difference was agreed on')
    expectEqual(a.table, b.table, sessions, expect)
    return bytes
  }
  const shares: number[] = []
  const split: number[] = []
  let order: readonly [Side, Side] = [first, second]
  for (let round = 0; round < rounds; round++) {
    shares.push(away(false, order) / full)
    split.push(away(true, order) / full)
    order = [order[1], order[0]]
    note(
      `round ${round}: ${(100 * shares.at(-1)!).toFixed(2)} %, split ${(100 * split.at(-1)!).toFixed(2)} %`,
    )
  }
  return {
    'resync.difference.bytes_share': {
      runs: shares,
      detail: { split_share: median(split), full_bytes: full / sessions },
    },
  }
}

function node(capacity: number) {
  const gate = { words: Int32Array.of(WORD), open: -1 }
  const table = createTable(defineConnections(capacity), { gate, hashSeed: [1, 2, 3, 4] })
  const random = new Random(7)
  const replica = new Replica({
    stores: [table],
    gate,
    flushInterval: 1,
    random: () => random.below(2 ** 30) / 2 ** 30,
  })
  return { table, replica }
}

function expectEqual(
  a: ReturnType<typeof node>['table'],
  b: ReturnType<typeof node>['table'],
  sessions: number,
  expect: Context['expect'],
): void {
  expect(a.size === sessions && b.size === sessions, `every session: ${a.size} and ${b.size} of ${sessions}`)
  for (let segment = 0; segment < a.segments; segment++) {
    const mine = a.digests(segment, 1).join()
    expect(mine === b.digests(segment, 1).join(), `segment ${segment} has the same digest`)
  }
}
