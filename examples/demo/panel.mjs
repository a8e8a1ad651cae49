// The live panel as text: what the nodes and the clients last said of themselves. No terminal in here.

/**
 * @param {import('./cluster.mjs').Cluster} cluster
 * @param {{ act: string, seconds: number, columns: number, rows: number }} view
 * @returns {string[]} lines no longer than `columns`; as many as fit, the most telling first to stay
 */
export function panel(cluster, { act, seconds, columns, rows }) {
  const { status, window, primary } = cluster
  const lead = status[primary]
  const lines = [
    { text: `${clock(seconds)}  ${act}`, keep: 1 },
    { text: nodeLine('a', status.a), keep: 0 },
    { text: nodeLine('b', status.b), keep: 0 },
    { text: linkLine('M1', lead?.links.m1), keep: 2 },
    { text: linkLine('M2', lead?.links.m2), keep: 2 },
    { text: trafficLine(lead), keep: 4 },
    { text: clientLine(cluster.flows, window), keep: 3 },
  ]
  // A small terminal loses lines, the least telling first; one row stays for the cursor.
  const room = Math.max(1, rows - 1)
  const kept = new Set([...lines].sort((a, b) => a.keep - b.keep).slice(0, room))
  return lines.filter((line) => kept.has(line)).map(({ text }) => ` ${text}`.slice(0, columns))
}

function nodeLine(id, status) {
  if (!status) return `${id}   not running`
  const { role, epoch } = status
  const safety =
    role === 'primary'
      ? status.protected
        ? 'protected'
        : 'NOT PROTECTED'
      : status.synced
        ? 'synced'
        : 'NOT SYNCED'
  return `${id}   ${role.padEnd(10)} epoch ${epoch}   ${count(status.tables.flows.sessions)} sessions   ${safety}`
}

function linkLine(name, link) {
  if (!link) return `${name}  unknown`
  const up = (link.up ? 'up' : 'DOWN').padEnd(10)
  return `${name}  ${up} round trip ${ms(link.rttMs)}   loss ${((link.lossShare ?? 0) * 100).toFixed(1)} %`
}

function trafficLine(lead) {
  if (!lead) return 'sync  no primary'
  const { lag, stats } = lead
  return `sync  ${count(stats.packetsPerSecond)} updates/s   lag ${lag.batches} batches, ${ms(lag.ms)}   answers wait ${ms(stats.waitMs)}`
}

function clientLine(flows, { perSecond = 0, gapMsMax, open }) {
  return `load  ${count(flows)} clients   ${count(perSecond)} answers/s   longest gap ${ms(gapMsMax)}   open ${count(open)}`
}

/** 20000 as 20,000. */
export const count = (n) => Math.round(n ?? 0).toLocaleString('en-US')

/** Milliseconds with as many digits as matter; seconds from one on. */
export function ms(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return '- ms'
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`
  return value >= 100 ? `${value.toFixed(0)} ms` : `${value.toFixed(1)} ms`
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
