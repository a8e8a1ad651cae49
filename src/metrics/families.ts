// A node's status as families of metrics: names by the rules of Prometheus (one prefix, base units, the unit last, _total for
// what only grows), values in seconds, bytes, ratios. Pure: one status in, one list out.
import type { Histogram, NodeStatus, TableStatus } from '../index.ts'
import { VERSION } from '../version.ts'

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

export interface SpreadSample {
  readonly labels: Labels
  /** In the family's unit. */
  readonly spread: Histogram
}

/** A name with its samples: one for each set of labels. */
export type MetricFamily =
  | {
      /** Without `_total`. */
      readonly name: string
      readonly help: string
      readonly type: 'counter' | 'gauge'
      readonly samples: readonly Sample[]
    }
  | {
      readonly name: string
      readonly help: string
      readonly type: 'histogram'
      readonly samples: readonly SpreadSample[]
    }

const ROLES = ['starting', 'secondary', 'primary', 'stopped'] as const
const MODES = ['full', 'difference'] as const

/** One sample under each name of a record. */
function each<Value>(
  label: string,
  of: Readonly<Record<string, Value>>,
  value: (one: Value) => number,
): Sample[] {
  return Object.entries(of).map(([name, one]) => ({ labels: { [label]: name }, value: value(one) }))
}

/** No sample where there is nothing yet: a meter has to know the family all the same. */
const where = <Part>(part: Part | null, value: (part: Part) => number | boolean): Sample[] =>
  part === null ? [] : one(value(part))
const one = (value: number | boolean, labels: Labels = {}): Sample[] => [{ labels, value: Number(value) }]

function inSeconds({ bounds, counts, sum, count }: Histogram): Histogram {
  return { bounds: bounds.map((bound) => bound / 1000), counts, sum: sum / 1000, count }
}

/** All families of one node. Each sample carries the node's id as label `node`. */
export function familiesOf(status: NodeStatus): MetricFamily[] {
  const families = [...ofNode(status), ...ofPair(status), ...ofTables(status.tables), ...ofChanges(status)]
  const withNode = <S extends { labels: Labels }>(sample: S): S => ({
    ...sample,
    labels: { node: status.id, ...sample.labels },
  })
  return families.map((family) =>
    family.type === 'histogram'
      ? { ...family, samples: family.samples.map(withNode) }
      : { ...family, samples: family.samples.map(withNode) },
  )
}

const gauge = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name: `holdfast_${name}`,
  help,
  type: 'gauge',
  samples,
})

const counter = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name: `holdfast_${name}`,
  help,
  type: 'counter',
  samples,
})

const histogram = (name: string, help: string, samples: readonly SpreadSample[]): MetricFamily => ({
  name: `holdfast_${name}`,
  help,
  type: 'histogram',
  samples,
})

function ofNode(status: NodeStatus): MetricFamily[] {
  const { role, epoch, acting, synced, maintenance, forced, health, damping, snapshot, witness, refusals } =
    status
  return [
    gauge('info', 'Always 1; the version of holdfast is a label.', one(1, { version: VERSION })),
    gauge(
      'role',
      '1 for the role the node has, 0 for the others.',
      ROLES.map((name) => ({ labels: { role: name }, value: Number(name === role) })),
    ),
    gauge('epoch', 'Number of the reign the node leads or follows.', one(epoch)),
    gauge('acting', '1 while the node may act: it is primary and writes are let through.', one(acting)),
    gauge(
      'protected',
      '1 on a primary whose secondary holds everything but the batches in flight.',
      one(status.protected),
    ),
    gauge('synced', '1 on a secondary that holds one whole state of a living primary.', one(synced)),
    gauge('maintenance', '1 while the node is kept from being primary.', one(maintenance)),
    gauge('forced', '1 while promote({ force: true }) holds.', one(forced)),
    gauge(
      'monitor_healthy',
      '1 for each monitor that is healthy.',
      each('monitor', health.monitors, ({ healthy }) => Number(healthy)),
    ),
    gauge('monitors_failed_weight', 'Sum of the weights of the monitors that fail.', one(health.failed)),
    gauge(
      'switch_hold_down_seconds',
      'How long a handover by health or override is still put off.',
      one(damping.leftMs / 1000),
    ),
    counter('refusals', 'Input refused and connections closed, by reason.', each('reason', refusals, Number)),
    gauge(
      'snapshot_timestamp_seconds',
      'When the last snapshot was taken, seconds since 1970.',
      where(snapshot, ({ at }) => at / 1000),
    ),
    gauge(
      'snapshot_bytes',
      'Length of the last snapshot.',
      where(snapshot, ({ bytes }) => bytes),
    ),
    gauge(
      'snapshot_sessions',
      'Sessions in the last snapshot.',
      where(snapshot, ({ sessions }) => sessions),
    ),
    gauge(
      'witness_reachable',
      '1 while the witness answers.',
      where(witness, ({ reachable }) => reachable),
    ),
    gauge(
      'witness_lease_seconds',
      'How long the node may still act without a renewal; 0 where it does not act.',
      where(witness, ({ remainingMs }) => (remainingMs ?? 0) / 1000),
    ),
  ]
}

function ofPair({ peer, links, lag, resync, traffic }: NodeStatus): MetricFamily[] {
  const directions = Object.entries(traffic)
  return [
    gauge('peer_alive', '1 while the peer is heard.', one(peer?.alive ?? false)),
    gauge('lag_batches', 'Batches the secondary has not applied.', one(lag.batches)),
    gauge('lag_seconds', 'Age of the oldest batch the secondary has not applied.', one(lag.ms / 1000)),
    gauge(
      'resync_left',
      'Segments (full) or records (difference) still to come before the pair is synced; 0 while it is.',
      MODES.map((mode) => ({ labels: { mode }, value: resync?.mode === mode ? resync.left : 0 })),
    ),
    gauge(
      'resync_all',
      'Of so many, since the resync began; 0 while the pair is synced.',
      MODES.map((mode) => ({ labels: { mode }, value: resync?.mode === mode ? resync.of : 0 })),
    ),
    gauge(
      'link_up',
      '1 while the link carries the stream.',
      each('link', links, ({ up }) => Number(up)),
    ),
    gauge(
      'link_heartbeats',
      '1 while datagrams of the peer arrive.',
      each('link', links, ({ heartbeats }) => Number(heartbeats)),
    ),
    gauge(
      'link_round_trip_seconds',
      'Smoothed round trip of heartbeats.',
      known(links, ({ rttMs }) => rttMs),
    ),
    gauge(
      'link_heartbeat_gap_seconds',
      'Longest time between two of the last 100 heartbeats.',
      known(links, ({ gapMs }) => gapMs),
    ),
    gauge(
      'link_loss_ratio',
      'Share of the last 100 heartbeats that did not arrive.',
      each('link', links, ({ lossShare }) => lossShare),
    ),
    counter(
      'link_sent_bytes',
      'Given to the stream of the link.',
      each('link', links, ({ bytesSent }) => bytesSent),
    ),
    counter(
      'link_received_bytes',
      'Come from the stream of the link.',
      each('link', links, ({ bytesReceived }) => bytesReceived),
    ),
    histogram(
      'batch_bytes',
      'Batches of changes, by length; once, whatever links they go on.',
      directions.map(([direction, { batchBytes }]) => ({ labels: { direction }, spread: batchBytes })),
    ),
    counter(
      'resync_bytes',
      'Frames of comparing, repairing and proving.',
      directions.map(([direction, { otherBytes }]) => ({ labels: { direction }, value: otherBytes })),
    ),
  ]
}

/** Milliseconds as seconds, where they are known. */
function known(links: NodeStatus['links'], ms: (link: NodeStatus['links']['m1']) => number | null): Sample[] {
  return Object.entries(links).flatMap(([link, status]) => {
    const value = ms(status)
    return value === null ? [] : [{ labels: { link }, value: value / 1000 }]
  })
}

function ofTables(tables: NodeStatus['tables']): MetricFamily[] {
  const of = (value: (table: TableStatus) => number) => each('table', tables, value)
  const spread = (value: (table: TableStatus) => Histogram): SpreadSample[] =>
    Object.entries(tables).map(([table, status]) => ({ labels: { table }, spread: inSeconds(value(status)) }))
  const arenas = Object.fromEntries(Object.entries(tables).filter(([, { arena }]) => arena !== null))
  return [
    gauge(
      'sessions',
      'Sessions held.',
      of(({ sessions }) => sessions),
    ),
    gauge(
      'sessions_capacity',
      'Sessions the table can hold.',
      of(({ capacity }) => capacity),
    ),
    gauge(
      'sessions_unprotected',
      'Primary: sessions that no secondary holds for certain.',
      of(({ unprotected }) => unprotected),
    ),
    counter(
      'sessions_expired',
      'Sessions whose time was over.',
      of(({ expired }) => expired),
    ),
    counter(
      'sessions_evicted',
      'Sessions deleted to make room.',
      of(({ evicted }) => evicted),
    ),
    counter(
      'sessions_refused',
      'Sessions refused because the table was full.',
      of(({ refused }) => refused),
    ),
    counter(
      'sessions_unreplicated_dropped',
      'Sessions that pickup held back, dropped at a demotion.',
      of(({ unreplicatedDropped }) => unreplicatedDropped),
    ),
    gauge(
      'arena_used_bytes',
      'Taken by values of blob and text fields.',
      each('table', arenas, ({ arena }) => arena!.usedBytes),
    ),
    gauge(
      'arena_limit_bytes',
      'Most that these values may take.',
      each('table', arenas, ({ arena }) => arena!.limitBytes),
    ),
    counter(
      'changes_sent',
      'Changes put into batches, by what they do.',
      changes(tables, ({ sent }) => sent),
    ),
    counter(
      'changes_received',
      'Changes applied from batches, by what they do.',
      changes(tables, ({ received }) => received),
    ),
    histogram(
      'flush_seconds',
      'Taking the changes of one flush.',
      spread(({ flushMs }) => flushMs),
    ),
    histogram(
      'apply_seconds',
      'Checking and applying the changes of one batch.',
      spread(({ applyMs }) => applyMs),
    ),
    histogram(
      'sweep_seconds',
      'One slice of removing expired sessions.',
      spread(({ sweepMs }) => sweepMs),
    ),
  ]
}

function changes(
  tables: NodeStatus['tables'],
  counts: (table: TableStatus) => TableStatus['sent'],
): Sample[] {
  return Object.entries(tables).flatMap(([table, status]) =>
    Object.entries(counts(status)).map(([op, value]) => ({ labels: { table, op }, value })),
  )
}

function ofChanges({ roleChanges }: NodeStatus): MetricFamily[] {
  const { promotions, demotions, promotionMs } = roleChanges
  return [
    counter(
      'promotions',
      'Times this node became primary, by reason; failovers are those by peer-died, peer-silent and the like.',
      each('reason', promotions, Number),
    ),
    counter(
      'demotions',
      'Times this node ceased to be primary, by reason.',
      each('reason', demotions, Number),
    ),
    histogram('promotion_seconds', 'From the first sign to the decision of a promotion.', [
      { labels: {}, spread: inSeconds(promotionMs) },
    ]),
  ]
}
