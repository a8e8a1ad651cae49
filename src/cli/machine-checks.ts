// What doctor looks at on this machine: addresses, ports, the identity and its files, the clock, directories.
import { X509Certificate } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { accessSync, constants, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { dirname } from 'node:path'
import type { IdentityOptions, NodeOptions } from '../index.ts'
import type { Findings } from './findings.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 60
/** Before the package existed: a clock that says this is wrong. */
const YEAR_LEAST = 2025

export interface Place {
  readonly host: string
  readonly port: number
}

/** Of an address that createNode accepts. */
export function placeOf(address: string): Place {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}

/** Each link's own address: on which interface, and whether its ports are free. */
export async function checkAddresses(links: NodeOptions['links'], findings: Findings): Promise<void> {
  const used = new Map<string, string>()
  for (const name of ['m1', 'm2'] as const) {
    const { listen } = links[name]
    const place = placeOf(listen)
    const on = interfaceOf(place.host)
    const subject = `${name} here`
    if (on === undefined && !place.host.startsWith('127.')) {
      const seen = `${place.host} is on no interface of this machine (${addresses().join(', ')})`
      findings.add('fail', subject, seen, `give the interface this address, or links.${name}.listen another`)
      continue
    }
    const faults = await Promise.all([bindTcp(place), bindUdp(place)])
    const fault = faults.find((one) => one !== undefined)
    const where = on === undefined ? listen : `${listen} on ${on}`
    if (fault === undefined) findings.add('ok', subject, `${where}; TCP and UDP are free`)
    else if (fault === 'EADDRINUSE') {
      const advice = 'nothing, if this node runs; otherwise end what holds it, or choose another port'
      findings.add('note', subject, `${where}; the port is taken`, advice)
    } else
      findings.add(
        'fail',
        subject,
        `${where} cannot be listened on (${fault})`,
        portAdvice(fault, place.port),
      )
    if (on === undefined) continue
    const before = used.get(on)
    if (before !== undefined && on !== 'lo') {
      const advice =
        'two links protect from the loss of one only on two cables: give each an interface of its own'
      findings.add('warn', subject, `${on} carries ${before} too`, advice)
    }
    used.set(on, name)
  }
}

/** Where the admin server is to listen. */
export async function checkAdmin(admin: NodeOptions['admin'], findings: Findings): Promise<void> {
  if (admin === undefined) return
  const { listen } = admin
  const fault = listen.startsWith('/') ? socketFault(listen) : await bindTcp(placeOf(listen))
  if (fault === undefined) findings.add('ok', 'admin', `${listen} is free`)
  else if (fault === 'EADDRINUSE') {
    const advice = 'nothing, if this node runs; otherwise end what holds it, or give another address'
    findings.add('note', 'admin', `${listen} is taken`, advice)
  } else {
    const advice = listen.startsWith('/')
      ? 'make its directory, and let the user that the node runs as write there'
      : "give one of this machine's addresses, and a port above 1023"
    findings.add('fail', 'admin', `${listen} cannot be listened on (${fault})`, advice)
  }
}

/** A socket that nobody answers at any more is replaced by the node. */
function socketFault(path: string): string | undefined {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
  const there = statSync(path, { throwIfNoEntry: false })
  return there === undefined || there.isSocket() ? undefined : 'EEXIST'
}

function portAdvice(fault: string, port: number): string {
  if (fault === 'EACCES')
    return `ports below 1024 need a right that this user lacks; choose one above, not ${port}`
  return 'see that the interface is up'
}

function interfaceOf(host: string): string | undefined {
  for (const [name, all = []] of Object.entries(networkInterfaces())) {
    if (all.some(({ address }) => address.toLowerCase() === host.toLowerCase())) return name
  }
  return undefined
}

const addresses = () =>
  Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))

function bindTcp({ host, port }: Place): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

function bindUdp({ host, port }: Place): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close()
      resolve(error.code ?? error.message)
    })
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)))
  })
}

/** Its certificates' times, and who may read the files with the key. createNode's own checks have passed. */
export function checkIdentity(
  identity: IdentityOptions | undefined,
  keyFiles: readonly string[],
  findings: Findings,
): void {
  if (identity === undefined) {
    findings.add('note', 'identity', 'none: insecure, between addresses of the loopback')
    return
  }
  checkTimes('identity', identity.cert, "make a new one: 'holdfast keygen rotate'", findings)
  for (const [i, pem] of identity.trust.entries())
    checkTimes(`trust ${i + 1}`, pem, 'have the peer make a new one, and trust it', findings)
  for (const file of keyFiles) {
    if (process.platform === 'win32') continue
    const { mode, uid } = statSync(file)
    const others = mode & 0o077
    if (others !== 0) {
      const seen = `${file} has mode ${(mode & 0o777).toString(8)}: others than its owner may use the key`
      findings.add(
        'fail',
        'key file',
        seen,
        `chmod 600 ${file}, and make a new key if somebody may have read it`,
      )
    } else {
      const owner = process.getuid?.() === uid ? 'this user' : `user ${uid}`
      findings.add('ok', 'key file', `${file} is for ${owner} only`)
    }
  }
}

function checkTimes(subject: string, pem: string, renewal: string, findings: Findings): void {
  const certificate = new X509Certificate(pem)
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  const pin = certificate.fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 16)
  const name = `${certificate.subject.replaceAll('\n', ', ')}, pin ${pin}`
  const day = (at: number) => new Date(at).toISOString().slice(0, 10)
  const days = Math.floor((to - Date.now()) / DAY_MS)
  if (Date.now() < from)
    findings.add('fail', subject, `${name} is valid from ${day(from)} only`, "see this machine's clock")
  else if (days < 0) findings.add('fail', subject, `${name} was valid until ${day(to)}`, renewal)
  else if (days < SOON_DAYS) findings.add('warn', subject, `${name} ends in ${days} days`, renewal)
  else findings.add('ok', subject, `${name}, valid until ${day(to)}`)
}

export function checkClock(changedAt: number, findings: Findings): void {
  const now = Date.now()
  const shown = new Date(now).toISOString().slice(0, 19)
  if (new Date(now).getUTCFullYear() < YEAR_LEAST)
    findings.add(
      'warn',
      'clock',
      `${shown} cannot be`,
      'set it; roles do not depend on it, certificates and dates do',
    )
  else if (changedAt > now + 60_000) {
    const seen = `${shown}, but a file of the configuration is of ${new Date(changedAt).toISOString().slice(0, 19)}`
    findings.add('warn', 'clock', seen, 'set it; roles do not depend on it, certificates and dates do')
  } else findings.add('ok', 'clock', `${shown} UTC`)
}

export function checkStateDir(stateDir: string | undefined, findings: Findings): void {
  if (stateDir === undefined) return
  try {
    if (!statSync(stateDir).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
    accessSync(stateDir, constants.R_OK | constants.W_OK | constants.X_OK)
    findings.add('ok', 'stateDir', `${stateDir} can be written`)
  } catch (error) {
    const seen = `${stateDir} cannot be used (${(error as NodeJS.ErrnoException).code})`
    findings.add('fail', 'stateDir', seen, 'make it a directory of the user that the node runs as')
  }
}
