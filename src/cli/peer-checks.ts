// What doctor thinks of a peer's answers: why there was none, or what in its hello does not fit this configuration.
import type { LinkProbe, NodeOptions, ProbedPeer } from '../index.ts'
import type { Findings } from './findings.ts'

const NOT_TRUSTED = 'the other one shows a certificate that is not in identity.trust: holdfast keygen trust'

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'its machine answers, but nothing listens there: start the other node, or correct links.NAME.peer',
  ETIMEDOUT: 'no answer: cable, interface, or a packet filter that drops TCP to this port',
  EHOSTUNREACH: 'no machine has this address on this link: cable, address, or the machine is off',
  ENETUNREACH: 'no route from here: give the interface of links.NAME.listen an address of the same network',
  EADDRNOTAVAIL: 'links.NAME.listen is not an address of this machine',
  EINVAL: 'no way leads from links.NAME.listen to links.NAME.peer: give addresses of one network',
  'certificate not trusted': NOT_TRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  'ended by peer':
    'it ended the connection: it knows another address or certificate of this node; see its status().refusals',
  'no hello':
    'it takes connections, but is no holdfast node, or is starting, or only one of both has an identity and speaks TLS',
  version: 'its holdfast speaks another version of the protocol: install the same on both',
}

export function checkPeer(
  name: 'm1' | 'm2',
  probe: LinkProbe,
  options: NodeOptions,
  hasTables: boolean,
  findings: Findings,
): void {
  const subject = `${name} peer`
  const { peer, fault, connectMs, address } = probe
  if (peer === null) {
    const reached =
      connectMs === null ? `${address}: ${fault}` : `${address} answers in ${ms(connectMs)}, but: ${fault}`
    // The other node may not have been started yet: everything else can be right.
    findings.add(fault === 'ECONNREFUSED' ? 'warn' : 'fail', subject, reached, adviceFor(name, fault ?? ''))
    return
  }
  const differing = differences(name, peer, options)
  const certified = probe.certified === true ? ', certificate trusted' : ''
  const who = `'${peer.id}', ${peer.role} in epoch ${peer.epoch}`
  if (differing.length === 0)
    findings.add('ok', subject, `${address} is ${who}; connects in ${ms(connectMs!)}${certified}`)
  for (const [seen, advice] of differing)
    findings.add('fail', subject, `${address} is ${who}, but ${seen}`, advice)
  if (hasTables && name === 'm1') checkTables(peer, options, findings)
}

const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

function adviceFor(name: string, fault: string): string {
  const known = ADVICE[fault]
  if (known !== undefined) return known.replace('NAME', name)
  if (/SSL|TLS|CERT|ECONNRESET/i.test(fault))
    return 'TLS failed: each side must have the certificate of the other in identity.trust (holdfast keygen show)'
  return 'see the other machine'
}

function differences(name: string, peer: ProbedPeer, options: NodeOptions): [string, string][] {
  const found: [string, string][] = []
  const { interval = 50, lost = 4 } = options.heartbeat ?? {}
  const cluster = options.cluster ?? 'holdfast'
  if (peer.id === options.id) found.push(["has this node's own id", 'two nodes, two ids'])
  else if (peer.id !== options.peer) found.push([`not '${options.peer}'`, 'correct peer here, or id there'])
  if (peer.cluster !== cluster)
    found.push([`of cluster '${peer.cluster}', not '${cluster}'`, 'both must say the same'])
  if (peer.link !== name)
    found.push([`takes this path for its ${peer.link}`, 'm1 and m2 are crossed: exchange them on one node'])
  if (peer.heartbeat.interval !== interval || peer.heartbeat.lost !== lost) {
    const theirs = `${peer.heartbeat.interval} ms x ${peer.heartbeat.lost}`
    found.push([`its heartbeat is ${theirs}, not ${interval} ms x ${lost}`, 'both must say the same'])
  }
  if (peer.witnessed !== (options.mode === 'witness'))
    found.push([`it is ${peer.witnessed ? '' : 'not '}in mode 'witness'`, 'both must be'])
  return found
}

function checkTables(peer: ProbedPeer, options: NodeOptions, findings: Findings): void {
  const ours = Object.values(options.tables)
  const theirs = new Map(peer.tables.map((one) => [one.name, one]))
  const missing = ours.filter(({ name }) => !theirs.has(name)).map(({ name }) => name)
  const extra = peer.tables
    .filter(({ name }) => !ours.some((one) => one.name === name))
    .map(({ name }) => name)
  if (missing.length + extra.length > 0) {
    const seen = `only here: ${missing.join(', ') || 'none'}; only there: ${extra.join(', ') || 'none'}`
    findings.add('fail', 'tables', seen, 'both nodes need the same tables')
    return
  }
  for (const { name, capacity } of ours) {
    const there = theirs.get(name)!.capacity
    if (there === capacity) continue
    findings.add(
      'warn',
      'tables',
      `${name}: capacity ${capacity} here, ${there} there`,
      'give both the same: a primary does not feed a secondary with less room',
    )
  }
  const differing = ours.filter(({ name, schemaHash }) => theirs.get(name)!.schemaHash !== schemaHash)
  if (differing.length > 0) {
    const seen = `${differing.map(({ name }) => name).join(', ')}: another definition there`
    findings.add(
      'warn',
      'tables',
      seen,
      'right during a rolling upgrade that appends fields; otherwise the nodes refuse each other',
    )
  } else findings.add('ok', 'tables', `the same on both: ${ours.map(({ name }) => name).join(', ')}`)
}
