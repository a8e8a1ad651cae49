// Writes a flow as the arguments of one `conntrack` command, a line of `conntrack --load-file`. The kernel makes the reply
// tuple out of the original one and the translation, ports said exactly: given the reply tuple itself it would see
// nothing left to translate.
import { hasNumbers, isAddress, isGre, timeoutOf } from './flow.mjs'

const NAMES = { 6: 'tcp', 17: 'udp', 47: 'gre', 136: 'udplite' }
const STATUS = { unreplied: 'UNSET', replied: 'SEEN_REPLY', assured: 'SEEN_REPLY,ASSURED' }

/**
 * @param {object} flow a session, or key and fields in one object
 * @param {number} leastTimeout seconds it gets at least
 */
export function addLine(flow, leastTimeout = 0) {
  const { proto, sport, dport, state, seen, mark } = flow
  let line = `-A -t ${timeoutOf(flow, leastTimeout)} -u ${STATUS[seen]} -s ${flow.src} -d ${flow.dst}`
  // A port may only be said where there is one.
  const ports = hasNumbers(proto) && !isGre(proto)
  if (isAddress(flow.snatIp)) line += ` -n ${place(flow.snatIp, ports && flow.snatPort)}`
  if (isAddress(flow.dnatIp)) line += ` -g ${place(flow.dnatIp, ports && flow.dnatPort)}`
  line += ` -p ${NAMES[proto] ?? proto}`
  if (ports) line += ` --sport ${sport} --dport ${dport}`
  if (isGre(proto)) {
    line += ` --srckey ${sport} --dstkey ${dport}`
    line += ` --reply-key-src ${flow.dnatPort || dport} --reply-key-dst ${flow.snatPort || sport}`
  }
  if (proto === 6) line += ` --state ${state === 'NONE' ? 'ESTABLISHED' : state}`
  if (mark) line += ` -m ${mark}`
  return line
}

const place = (ip, port) => (port ? (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`) : ip)
