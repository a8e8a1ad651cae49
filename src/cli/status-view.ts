// A node's status as a page of text of at most 80 columns. Nothing here knows of a terminal but the colours.
import type { ShownStatus } from './admin-client.ts'

const WIDTH = 80
const HISTORY_SHOWN = 6

type Paint = (colour: 'red' | 'yellow' | 'green' | 'dim' | 'bold', text: string) => string
const CODES = { red: '31', yellow: '33', green: '32', dim: '2', bold: '1' } as const

export function painter(colours: boolean): Paint {
  return (colour, text) => (colours ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text)
}

export function statusPage(status: ShownStatus, paint: Paint): string {
  const parts = [head(status, paint), pair(status, paint), links(status, paint), tables(status, paint)]
  return [...parts, others(status, paint), history(status, paint)]
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')
}

/** One line, for a log. */
export function statusLine(status: ShownStatus): string {
  const { id, role, epoch, lag } = status
  const sessions = Object.values(status.tables).reduce((sum, table) => sum + table.sessions, 0)
  const up = Object.entries(status.links).map(([name, link]) => `${name} ${link.up ? 'up' : 'down'}`)
  return `${new Date().toISOString()} ${id} ${role} epoch ${epoch} ${safety(status)} sessions ${sessions} lag ${lag.batches} ${up.join(' ')}`
}

function safety({ role, protected: isProtected, synced }: ShownStatus): string {
  if (role === 'primary') return isProtected ? 'protected' : 'unprotected'
  return role === 'secondary' ? (synced ? 'synced' : 'unsynced') : ''
}

function head(status: ShownStatus, paint: Paint): string[] {
  const { id, role, epoch, uptimeMs, runtime, version, acting } = status
  const safe = safety(status)
  const isWell = safe === 'protected' || safe === 'synced'
  const left = `${paint('bold', `${id}  ${role.toUpperCase()}`)}${safe === '' ? '' : `  ${paint(isWell ? 'green' : 'red', safe)}`}`
  const lines = [`${left}  epoch ${epoch}`]
  lines.push(paint('dim', `up ${span(uptimeMs)}, holdfast ${version}, ${runtime.name} ${runtime.version}`))
  if (role === 'primary' && !acting)
    lines.push(paint('red', 'does not act: fenced, or its role is on the way to the other node'))
  const last = status.history.at(-1)
  if (last !== undefined) lines.push(...wrap(last.message, WIDTH))
  return lines
}

function pair({ peer, lag, role, resync, witness }: ShownStatus, paint: Paint): string[] {
  const lines: string[] = []
  if (peer === null) lines.push(`peer   ${paint('yellow', 'not heard yet')}`)
  else {
    const extra = [peer.synced ? 'synced' : '', peer.maintenance ? 'in maintenance' : ''].filter(
      (word) => word !== '',
    )
    const words = [peer.role, ...extra].join(', ')
    lines.push(`peer   ${peer.id}, ${peer.alive ? words : paint('red', `not heard; was ${words}`)}`)
  }
  if (role === 'primary')
    lines.push(
      `lag    ${count(lag.batches)} ${lag.batches === 1 ? 'batch' : 'batches'}, ${Math.round(lag.ms)} ms`,
    )
  if (resync !== null) {
    const share = resync.of === 0 ? 0 : Math.floor((100 * (resync.of - resync.left)) / resync.of)
    lines.push(
      `resync ${paint('yellow', `${resync.mode}, ${share} %: ${count(resync.left)} of ${count(resync.of)} left`)}`,
    )
  }
  if (witness !== null)
    lines.push(
      `witness ${witness.reachable ? 'reachable' : paint('red', 'not reachable')}, lease held by ${witness.holder ?? 'nobody'}`,
    )
  return lines
}

function links({ links: all }: ShownStatus, paint: Paint): string[] {
  const lines = [paint('dim', 'link   state  round trip    lost  longest gap        sent    received')]
  for (const [name, link] of Object.entries(all)) {
    const state = link.up ? paint('green', 'up   ') : paint('red', 'DOWN ')
    const trip = link.rttMs === null ? '-' : `${link.rttMs.toFixed(link.rttMs < 10 ? 2 : 0)} ms`
    const gap = link.gapMs === null ? '-' : `${Math.round(link.gapMs)} ms`
    const lost = `${(100 * link.lossShare).toFixed(1)} %`
    const cells = [
      trip.padStart(10),
      lost.padStart(8),
      gap.padStart(13),
      bytes(link.bytesSent).padStart(12),
      bytes(link.bytesReceived).padStart(12),
    ]
    lines.push(`${name}     ${state} ${cells.join('')}`)
    if (!link.up && link.lastReason !== '')
      lines.push(...wrap(link.lastReason, WIDTH - 7).map((line) => `       ${line}`))
  }
  return lines
}

function tables({ tables: all }: ShownStatus, paint: Paint): string[] {
  const lines = [paint('dim', 'table                    sessions  capacity    used  unprotected  refused')]
  for (const [name, table] of Object.entries(all)) {
    const share = (100 * table.sessions) / table.capacity
    const used = `${share.toFixed(1)} %`.padStart(8)
    const cells = [
      cut(name, 20).padEnd(20),
      count(table.sessions).padStart(13),
      short(table.capacity).padStart(10),
      share >= 90 ? paint('yellow', used) : used,
      count(table.unprotected).padStart(13),
      count(table.refused).padStart(9),
    ]
    lines.push(cells.join(''))
  }
  return lines
}

function others({ health, maintenance, forced, refusals, damping }: ShownStatus, paint: Paint): string[] {
  const lines: string[] = []
  const failed = Object.entries(health.monitors).filter(([, monitor]) => !monitor.healthy)
  if (failed.length > 0)
    lines.push(
      ...wrap(`failed monitors: ${failed.map(([name]) => name).join(', ')}`, WIDTH).map((line) =>
        paint('red', line),
      ),
    )
  if (maintenance) lines.push(paint('yellow', 'in maintenance'))
  if (forced)
    lines.push(
      paint('yellow', "made primary by promote({ force: true }); monitors and 'override' leave it alone"),
    )
  if (damping.leftMs > 0) lines.push(paint('dim', `no handover by choice for ${span(damping.leftMs)}`))
  const counted = Object.entries(refusals).filter(([, times]) => times > 0)
  if (counted.length > 0)
    lines.push(
      ...wrap(`refused: ${counted.map(([name, times]) => `${name} ${count(times)}`).join(', ')}`, WIDTH),
    )
  return lines
}

function history({ history: all }: ShownStatus, paint: Paint): string[] {
  const lines = all
    .slice(-HISTORY_SHOWN)
    .reverse()
    .flatMap((change) => {
      const at = new Date(change.at).toISOString().slice(0, 19).replace('T', ' ')
      const took = change.durationMs >= 1000 ? span(change.durationMs) : `${change.durationMs.toFixed(0)} ms`
      return [
        `${at}  ${change.role.padEnd(9)}  ${change.reason}, ${took}, ${count(change.sessions)} sessions`,
      ]
    })
  return lines.length === 0
    ? []
    : [paint('dim', 'changes of role (UTC), the last first'), ...lines.map((line) => cut(line, WIDTH))]
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => cut(one, width))
}

const cut = (text: string, width: number) => (text.length <= width ? text : `${text.slice(0, width - 1)}~`)
const count = (value: number) => (value < 1e9 ? Math.round(value).toLocaleString('en-US') : short(value))

function short(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (value >= size) return `${(value / size).toFixed(value / size < 10 ? 1 : 0)} ${unit}`
  return String(value)
}

function bytes(value: number): string {
  return `${short(value)}B`.replace(/(\d)B$/, '$1 B')
}

/** '3 d 4 h', '12 min 5 s', '0.8 s' */
export function span(ms: number): string {
  const s = ms / 1000
  if (s < 10) return `${s.toFixed(1)} s`
  if (s < 60) return `${Math.floor(s)} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
}
