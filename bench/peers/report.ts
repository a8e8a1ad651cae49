// What a run over all peers prints.
import { align, show } from '../lib/report.ts'
import type { PeerFigureName, PeerResults } from './results.ts'

/** Figures of a peer that are shown, and their titles. */
export const PEER_COLUMNS: readonly (readonly [PeerFigureName, string])[] = [
  ['updates_per_s', 'updates/s'],
  ['bytes_per_update', 'B/update'],
  ['primary_cpu_us_per_update', 'us/update 1st'],
  ['secondary_cpu_us_per_update', 'us/update 2nd'],
  ['resync_ms', 'refill ms'],
  ['resync_sessions_per_s', 'refill /s'],
  ['resync_bytes_per_session', 'B/session'],
]

/** What holds for all of them. */
export const NOT_CLAIMED: readonly string[] = [
  'Both processes, the load and, for Redis and HAProxy, the program that makes it share the cores of one machine: a rate is what the whole machine gives. CPU per update compares better.',
  'An update is not the same thing everywhere; the lines above say what it is.',
  'Bytes are counted at different layers. Holdfast sends everything twice, once on each link, under TLS; the others send it once, in clear.',
  'HAProxy pays for the HTTP request that changes its table, conntrackd for the events of the kernel: that is how their tables are written.',
  'No network lies between the processes: no delay, no loss, no limit of bandwidth.',
]

export function peerReport({ peers, skipped }: PeerResults): string {
  const head = ['peer', 'sessions', ...PEER_COLUMNS.map(([, title]) => title)]
  const rows = Object.values(peers).map(({ title, sessions, figures }) => [
    title,
    show(sessions),
    ...PEER_COLUMNS.map(([name]) => show(figures[name].value)),
  ])
  const right = new Set(head.map((_, column) => column).slice(1))
  const about = Object.values(peers).map(({ title, version, setup, more, less, bytes_counted_as }) =>
    [
      `${title} (${version})`,
      `  set up  ${setup}`,
      `  more    ${more}`,
      ...(less === '' ? [] : [`  less    ${less}`]),
      `  bytes   ${bytes_counted_as}`,
    ].join('\n'),
  )
  const absent = Object.entries(skipped).map(([name, why]) => `SKIPPED ${name}: ${why}`)
  const limits = NOT_CLAIMED.map((line) => `- ${line}`)
  return [align([head, ...rows], right), ...absent, ...about, `Not claimed:\n${limits.join('\n')}`].join(
    '\n\n',
  )
}
