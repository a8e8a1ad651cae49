// Figures in documents: what stands between `<!-- figures: name -->` and `<!-- end -->` is written from the results, so
// that no document tells what was not measured.
import { CATALOGUE } from '../lib/catalogue.ts'
import { type Figure, judge, showTarget } from '../lib/figure.ts'
import { show } from '../lib/report.ts'
import { isBusy, type Machine, type Results } from '../lib/results.ts'
import { NOT_CLAIMED, PEER_COLUMNS } from '../peers/report.ts'
import type { PeerResults } from '../peers/results.ts'
import { HEADLINES } from './headlines.ts'

const BLOCK = /(<!-- figures: ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g

/**
 * The document with every block written anew. `charts`: paths of the charts that were drawn, by name, as the document
 * has to write them. Throws for a block of an unknown name.
 */
export function fillDocument(
  text: string,
  results: Results,
  peers: PeerResults | undefined,
  charts: Readonly<Record<string, string>>,
): string {
  const blocks: Record<string, () => string> = {
    machine: () => machineLine(results),
    headlines: () => headlines(results.figures),
    all: () => allFigures(results.figures),
    targets: () => targets(results.figures),
    peers: () => (peers === undefined ? 'Not measured yet.' : peerTable(peers)),
    'peers-setup': () => (peers === undefined ? 'Not measured yet.' : peerSetup(peers)),
  }
  return text.replace(BLOCK, (_, begin: string, name: string, end: string) => {
    const block = blocks[name] ?? chartBlock(name, charts)
    if (block === undefined) throw new Error(`no block of figures is named ${name}`)
    return `${begin}${block()}\n${end}`
  })
}

/** What a chart shows, for who does not see it. */
const CHARTS: Readonly<Record<string, string>> = {
  'chart-table': 'Finds and updates in a table of a million sessions and in a Map',
  'chart-peers-updates': 'Replicated updates a second, Holdfast and others',
  'chart-peers-bytes': 'Bytes on the wire for each update, Holdfast and others',
  'chart-peers-resync': 'Sessions a second into an empty second process, Holdfast and others',
  'chart-failover': 'Distribution of the time from kill -9 of the primary to the promotion of the secondary',
}

function chartBlock(name: string, charts: Readonly<Record<string, string>>): (() => string) | undefined {
  const shows = CHARTS[name]
  if (shows === undefined) return undefined
  const path = charts[name.replace('chart-', '')]
  return () => (path === undefined ? 'Not measured yet.' : `![${shows}](${path})`)
}

function machineText({ cpu, cores, memoryGib, kernel }: Machine, runtime: string): string {
  const version = runtime.replace('node v', 'Node ')
  return `${cores} cores (${cpu}), ${memoryGib} GiB, ${kernel.replace(/-.*/, '')}, ${version}`
}

function busyLine({ machine, figures }: Results): string {
  // Where the load is a part of what is measured, and told with it, nothing is provisional about it.
  const busy = Object.entries(figures).filter(
    ([, { load = 0, detail = {} }]) => isBusy(machine, load) && detail.load_max === undefined,
  )
  if (busy.length === 0) return ''
  const names = busy.map(([name]) => `\`${name}\``).join(', ')
  const most = Math.max(...busy.map(([, { load = 0 }]) => load))
  return `\n\n**Provisional**, since the machine was busy with other things (load up to ${show(most)} on ${machine.cores} cores): ${names}.`
}

function machineLine(results: Results): string {
  const { machine, runtime, date } = results
  return `Measured by \`npm run bench\` on a machine with ${machineText(machine, runtime)}, last on ${date.slice(0, 10)}; both processes and the load on it.${busyLine(results)}`
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

function headlines(figures: Results['figures']): string {
  const rows = HEADLINES.flatMap(({ title, value, measured }) => {
    const shown = value((name) => figures[name])
    return shown === undefined ? [] : [[title, shown, measured]]
  })
  return table(['figure', 'value', 'measured as'], rows)
}

const range = (runs: readonly number[]) =>
  runs.length > 1 ? `${show(Math.min(...runs))} .. ${show(Math.max(...runs))}` : '-'

function allFigures(figures: Results['figures']): string {
  const rows = CATALOGUE.flatMap(({ name }) => {
    const figure = figures[name]
    return figure === undefined ? [] : [figureRow(name, figure)]
  })
  return table(['figure', 'value', 'range', 'runs', 'unit', 'target', ''], rows)
}

function figureRow(name: string, { value, unit, target, runs }: Figure): string[] {
  const aim = target ?? undefined
  const verdict = { ok: 'reached', MISSED: '**missed**', '-': '' }[judge(value, aim)]
  return [`\`${name}\``, show(value), range(runs), String(runs.length), unit, showTarget(aim), verdict]
}

/** Which targets were missed. */
function targets(figures: Results['figures']): string {
  const aimed = Object.entries(figures).filter(([, { target }]) => target !== null)
  const missed = aimed.filter(([, { value, target }]) => judge(value, target ?? undefined) === 'MISSED')
  const names = missed.map(([name]) => `\`${name}\``).join(', ')
  const reached = `${aimed.length - missed.length} of ${aimed.length} targets are reached`
  return missed.length === 0 ? `${reached}.` : `${reached}; missed: ${names}.`
}

function peerTable({ peers, skipped, machine, runtime, date, load }: PeerResults): string {
  const head = ['', 'sessions', ...PEER_COLUMNS.map(([, title]) => title)]
  const rows = Object.values(peers).map(({ title, version, sessions, figures }) => [
    `${title} (${version})`,
    show(sessions),
    ...PEER_COLUMNS.map(([name]) => show(figures[name].value)),
  ])
  const absent = Object.entries(skipped).map(([name, why]) => `Not measured: ${name} (${why}).`)
  const where = `One run of \`npm run bench:peers\`, ${date.slice(0, 10)}, ${machineText(machine, runtime)}; medians.${isBusy(machine, load) ? ` **Provisional**: the machine was busy with other things (load ${show(load)}).` : ''}`
  return [table(head, rows), ...absent, where].join('\n\n')
}

function peerSetup({ peers }: PeerResults): string {
  const about = Object.values(peers).map(({ title, setup, more, less, bytes_counted_as }) => {
    const [others, lacks] = less === '' ? ['the others', ''] : ['Holdfast', ` Less: ${less}.`]
    return `- **${title}**: ${setup}. More than ${others}: ${more}.${lacks} Bytes: ${bytes_counted_as}.`
  })
  return [...about, '', 'Not claimed:', '', ...NOT_CLAIMED.map((line) => `- ${line}`)].join('\n')
}
