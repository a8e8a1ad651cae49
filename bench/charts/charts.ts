// The charts of docs/charts, each from figures that were measured; a chart whose figures are missing is not drawn.
import type { Figure } from '../lib/figure.ts'
import { isBusy } from '../lib/results.ts'
import type { PeerFigureName, PeerResult, PeerResults } from '../peers/results.ts'
import { type Bar, bars } from './bars.ts'
import { type Card, drawCard } from './card.ts'
import { failoverChart } from './failover.ts'

type Figures = Readonly<Record<string, Figure>>

/** File names without ending, and the documents. */
export function drawCharts(figures: Figures, peers: PeerResults | undefined): Record<string, string> {
  const kills = figures['failover.kill.p50_ms']
  const cards: Record<string, Card | undefined> = {
    table: tableChart(figures),
    'peers-bytes':
      peers &&
      peerChart(peers, 'bytes_per_update', ' B', {
        title: 'Bytes on the wire for each update',
        subtitle: [
          'Two counters of a random session; lower is better. Holdfast: both links together, each carries',
          'everything. HAProxy: TCP payload. conntrackd: Ethernet frames of an opened flow. Line: range of the runs.',
        ],
      }),
    'peers-updates':
      peers &&
      peerChart(peers, 'updates_per_s', '', {
        title: 'Replicated updates a second',
        subtitle: [
          `${sessionsOf(peers)} sessions, random, each updated once; both processes and the load on`,
          `${peers.machine.cores} cores; higher is better. conntrackd: ${conntrackNote(peers)}. Line: range of the runs.`,
        ],
      }),
    'peers-resync':
      peers &&
      peerChart(peers, 'resync_sessions_per_s', '', {
        title: 'Filling an empty second process: sessions a second',
        subtitle: [
          `${sessionsOf(peers)} sessions, from when the process was up until it held all; higher is better.`,
          `conntrackd: ${conntrackNote(peers)}. Line: range of the runs.`,
        ],
      }),
    failover: kills && failoverChart(kills),
  }
  const drawn = Object.entries(cards).filter((entry): entry is [string, Card] => entry[1] !== undefined)
  return Object.fromEntries(drawn.map(([name, card]) => [name, drawCard(card)]))
}

function tableChart(figures: Figures): Card | undefined {
  const detail = (figure: string, name: string) => figures[figure]?.detail?.[name]
  const find = 'find of a session by its key'
  const update = 'update of two counters by its key'
  const given: readonly (readonly [string, string, number | undefined, boolean])[] = [
    [find, 'table.getMany, 4096 a call', detail('table.updateMany.vs_update', 'getMany_columns_ns'), true],
    [find, 'table.get', detail('table.find.misses', 'public_get_ns'), true],
    [find, 'Map.get, key text built', detail('table.find.misses', 'map_get_ns'), false],
    [update, 'table.updateMany, 4096 a call', detail('table.updateMany.vs_update', 'columns_ns'), true],
    [update, 'table.update', detail('table.update.vs_map', 'table_ns'), true],
    [update, 'Map + Set, key text ready', detail('table.update.vs_map_prebuilt', 'map_ns'), false],
    [update, 'Map + Set, key text built', detail('table.update.vs_map', 'map_ns'), false],
  ]
  const list = given
    .filter((one): one is readonly [string, string, number, boolean] => one[2] !== undefined)
    .map(([group, label, value, ours]): Bar => ({ group, label, value, ours }))
  if (list.length === 0) return undefined
  return bars(
    {
      title: 'One operation among 1,000,000 sessions',
      subtitle: [
        'nanoseconds from JavaScript, random keys of five values, updates remembered for replication;',
        'lower is better',
      ],
      marginLeft: 230,
    },
    ' ns',
    list,
  )
}

function peerChart(
  { peers, machine, load }: PeerResults,
  name: PeerFigureName,
  unit: string,
  words: Pick<Card, 'title' | 'subtitle'>,
): Card {
  const list = Object.entries(peers).flatMap(([peer, { title, figures }]): Bar[] => {
    const figure = figures[name]
    // One process is filled like the other, whatever calls it is updated by.
    if (figure === undefined || (name !== 'updates_per_s' && peer === 'holdfast-many')) return []
    return [{ label: title, ...figure, ours: peer.startsWith('holdfast') }]
  })
  // The best first, whichever way that is.
  const sign = name === 'bytes_per_update' ? 1 : -1
  list.sort((a, b) => sign * (a.value - b.value))
  const busy = `Provisional: the machine was busy with other things (load ${load}).`
  const subtitle = isBusy(machine, load) ? [...words.subtitle, busy] : words.subtitle
  return bars({ ...words, subtitle, marginLeft: 170 }, unit, list)
}

const count = ({ sessions }: PeerResult) => sessions.toLocaleString('en-US')

const sessionsOf = ({ peers }: PeerResults) => count(Object.values(peers)[0]!)

function conntrackNote({ peers: { conntrackd } }: PeerResults): string {
  return conntrackd === undefined ? 'not measured' : `${count(conntrackd)} flows, opened`
}
