// table.gc.* and map.gc.*: how often the garbage collector stops the program during a million operations among a million
// sessions, half of them updates, a quarter each deletes and creates, as Node's perf_hooks tell it. The keys and fields
// of a call are objects that die young, on both sides and with neither (`without_minor_count`); the sessions are objects
// of the program on the Map's side only.
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import type { Context, Measured } from '../lib/figure.ts'
import { Random } from '../lib/random.ts'
import { createConnections, fill, OVERFLOW_BYTES } from '../lib/replicas.ts'
import { fieldsOf, keyOf } from '../lib/sessions.ts'
import { tick } from '../lib/time.ts'

interface Store {
  update(i: number): void
  delete(i: number): void
  create(i: number): void
  flush(): void
}

interface Collections {
  readonly majors: number
  readonly minors: number
  readonly maxMs: number
  readonly totalMs: number
}

const FLUSH = 4096

export async function measure({ smoke, note }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 20_000 : 1_000_000
  const rounds = smoke ? 1 : 5
  const table: Collections[] = []
  const map: Collections[] = []
  const without: Collections[] = []
  note('table')
  const ours = tableStore(sessions)
  for (let round = 0; round < rounds; round++) table.push(await collections(ours, sessions, round))
  for (let round = 0; round < rounds; round++) without.push(await collections(noStore(), sessions, round))
  note('Map')
  const theirs = mapStore(sessions)
  for (let round = 0; round < rounds; round++) map.push(await collections(theirs, sessions, round))
  const figure = (side: readonly Collections[], of: (one: Collections) => number) => side.map(of)
  const detail = (side: readonly Collections[]) => ({
    minor_count: Math.max(...figure(side, (one) => one.minors)),
    total_ms: Math.max(...figure(side, (one) => one.totalMs)),
  })
  return {
    'table.gc.major_count': {
      runs: figure(table, (one) => one.majors),
      detail: { ...detail(table), without_minor_count: Math.max(...figure(without, (one) => one.minors)) },
    },
    'table.gc.max_ms': { runs: figure(table, (one) => one.maxMs) },
    'map.gc.major_count': { runs: figure(map, (one) => one.majors), detail: detail(map) },
    'map.gc.max_ms': { runs: figure(map, (one) => one.maxMs) },
  }
}

/** Makes the operations and gives the collections that fell among them. */
async function collections(store: Store, sessions: number, seed: number): Promise<Collections> {
  const random = new Random(seed)
  const operations = sessions
  globalThis.gc?.()
  await tick(0)
  const seen: { readonly major: boolean; readonly ms: number }[] = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as PerformanceEntry & { readonly detail: { readonly kind: number } }).detail
      seen.push({ major: kind === constants.NODE_PERFORMANCE_GC_MAJOR, ms: entry.duration })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  for (let done = 0; done < operations; done += 4) {
    const i = random.below(sessions)
    store.update(random.below(sessions))
    store.delete(i)
    store.create(i)
    store.update(random.below(sessions))
    if (done % FLUSH === 0) {
      store.flush()
      // Where a server waits for its next packets; entries are told here.
      await tick(0)
    }
  }
  await tick(10)
  observer.disconnect()
  return {
    majors: seen.filter(({ major }) => major).length,
    minors: seen.filter(({ major }) => !major).length,
    maxMs: Math.max(0, ...seen.map(({ ms }) => ms)),
    totalMs: seen.reduce((sum, { ms }) => sum + ms, 0),
  }
}

function tableStore(sessions: number): Store {
  const table = createConnections(sessions)
  fill(table, sessions)
  table.setTracking(true)
  return {
    update(i) {
      const { packets, bytes } = fieldsOf(i)
      table.update(keyOf(i), { packets: packets + 1, bytes })
    },
    delete: (i) => table.delete(keyOf(i)),
    create: (i) => table.set(keyOf(i), fieldsOf(i)),
    flush: () => table.encode(OVERFLOW_BYTES),
  }
}

const textOf = (i: number) => {
  const { proto, srcIp, srcPort, dstIp, dstPort } = keyOf(i)
  return `${proto}:${srcIp}:${srcPort}:${dstIp}:${dstPort}`
}

function mapStore(sessions: number): Store {
  const map = new Map<string, { packets: number; bytes: number }>()
  const dirty = new Set<string>()
  for (let i = 0; i < sessions; i++) map.set(textOf(i), fieldsOf(i))
  return {
    update(i) {
      const { packets, bytes } = fieldsOf(i)
      const key = textOf(i)
      const session = map.get(key)
      if (session === undefined) return
      session.packets = packets + 1
      session.bytes = bytes
      dirty.add(key)
    },
    delete: (i) => {
      const key = textOf(i)
      map.delete(key)
      dirty.add(key)
    },
    create: (i) => {
      const key = textOf(i)
      map.set(key, fieldsOf(i))
      dirty.add(key)
    },
    flush: () => dirty.clear(),
  }
}

/** The same objects made, and given to nobody. */
function noStore(): Store {
  let sum = 0
  const use = (i: number) => {
    sum += keyOf(i).srcIp + fieldsOf(i).bytes
  }
  return { update: use, delete: (i) => use(i), create: use, flush: () => sum }
}
