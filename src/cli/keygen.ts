// holdfast keygen: identities of nodes, made, told whom to trust, and renewed in steps between which a pair goes on.
import { existsSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { makeIdentityOf } from '../testing/index.ts'
import { type Command, parse, type Terminal, UsageError } from './command.ts'
import {
  described,
  pinOf,
  readCertificate,
  readStored,
  type StoredIdentity,
  writeCertificate,
  writeStored,
} from './identity-store.ts'

const HELP = `usage: holdfast keygen NAME [NAME]           make identities
       holdfast keygen show FILE             what is in one
       holdfast keygen trust FILE CERT       let the node that shows CERT in (--only: and nobody else)
       holdfast keygen rotate FILE           make the next key beside the one in use (--switch: take it)

Two names make both identities of a pair, each trusting the other: NAME.json, for its node only (0600), and
NAME.crt, the certificate in it, which is no secret. One name makes one that trusts nobody yet; give its .crt
to the other machine, and the other's to this one: holdfast keygen trust a.json b.crt. Certificates are valid
from the year 2000 until 20 years from now, so that a wrong clock does not part the nodes.

  --dir DIR       where new files go (.)
  --type TYPE     p256 or ed25519 (p256)

To renew the key of node a, whose peer is b, with node.reloadIdentity() after each step that says so:
  1  on a:  holdfast keygen rotate a.json            writes a.next.json and a.next.crt; a.json stays as it is
  2  on b:  holdfast keygen trust b.json a.next.crt           then reload on b: it trusts both
  3  on a:  holdfast keygen rotate a.json --switch            then reload on a: it shows the new one
  4  on b:  holdfast keygen trust b.json a.next.crt --only    then reload on b: the old one is worthless

FILE may also be given as CERT: the certificate of that identity is taken.`

const OPTIONS = {
  dir: { type: 'string', default: '.' },
  type: { type: 'string' },
  only: { type: 'boolean', default: false },
  switch: { type: 'boolean', default: false },
} as const

const TRUST_MAX = 8
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const keygen: Command = {
  summary: 'identities for the links: make, trust, renew',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = parse(args, OPTIONS)
    const [first, ...rest] = positionals
    if (first === undefined) throw new UsageError('a name is missing')
    const deeds: Record<string, () => Promise<void> | void> = {
      show: () => show(one('show', rest, 1)[0]!, terminal),
      trust: () => trust(one('trust', rest, 2) as [string, string], values.only, terminal),
      rotate: () => rotate(one('rotate', rest, 1)[0]!, values.switch, values.type, terminal),
    }
    if (values.only && first !== 'trust') throw new UsageError('--only belongs to keygen trust')
    if (values.switch && first !== 'rotate') throw new UsageError('--switch belongs to keygen rotate')
    const deed = Object.hasOwn(deeds, first) ? deeds[first] : undefined
    await (deed === undefined ? make(positionals, values.dir, values.type, terminal) : deed())
    return 0
  },
}

function one(what: string, given: readonly string[], count: number): readonly string[] {
  if (given.length !== count) {
    throw new UsageError(`keygen ${what}: ${given.length} files given; allowed: ${count}`)
  }
  return given
}

async function newIdentity(name: string, type = 'p256'): Promise<{ cert: string; key: string }> {
  if (type !== 'p256' && type !== 'ed25519')
    throw new UsageError(`--type is '${type}'; allowed: p256, ed25519`)
  try {
    return await makeIdentityOf(type, name)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' && !/x509|reflect-metadata/.test(message)) throw error
    throw new Error(
      'certificates are made by @peculiar/x509, which is not installed here. Install it beside holdfast: npm install @peculiar/x509 reflect-metadata (or make the identity with openssl, docs/COMMAND.md)',
    )
  }
}

async function make(
  names: readonly string[],
  dir: string,
  type: string | undefined,
  terminal: Terminal,
): Promise<void> {
  if (names.length > 2) throw new UsageError(`${names.length} names given; allowed: one or two`)
  for (const name of names) {
    if (!NAME.test(name))
      throw new UsageError(`'${name}' is no name; allowed: letters, digits, '.', '_' and '-', 64 at most`)
  }
  if (names.length === 2 && names[0] === names[1])
    throw new UsageError('two names of two nodes are two names')
  const files = names.flatMap((name) => [join(dir, `${name}.json`), join(dir, `${name}.crt`)])
  const there = files.find((file) => existsSync(file))
  if (there !== undefined) throw new Error(`${there} exists already; nothing was written`)
  const made = await Promise.all(names.map((name) => newIdentity(name, type)))
  for (const [i, name] of names.entries()) {
    const others = made.filter((_, j) => j !== i).map(({ cert }) => cert)
    writeStored(join(dir, `${name}.json`), { ...made[i]!, trust: others }, false)
    writeCertificate(join(dir, `${name}.crt`), made[i]!.cert, false)
    terminal.out(`${join(dir, `${name}.json`)}: ${described(made[i]!.cert)}`)
  }
  terminal.out(
    names.length === 2
      ? `Bring ${names[1]}.json to the other machine by a way that you trust, and delete it here.`
      : `Nobody is trusted yet: holdfast keygen trust ${join(dir, `${names[0]}.json`)} PEER.crt`,
  )
}

function show(path: string, terminal: Terminal): void {
  const { cert, trust } = readStored(path)
  terminal.out(`shows   ${described(cert)}`)
  for (const pem of trust) terminal.out(`trusts  ${described(pem)}`)
  if (trust.length === 0) terminal.out('trusts  nobody yet: holdfast keygen trust FILE CERT')
}

function trust([path, from]: [string, string], only: boolean, terminal: Terminal): void {
  const identity = readStored(path)
  const cert = readCertificate(from)
  if (pinOf(cert) === pinOf(identity.cert))
    throw new Error(`${from} is the certificate of ${path} itself; give the peer's`)
  const others = only ? [] : identity.trust.filter((pem) => pinOf(pem) !== pinOf(cert))
  if (others.length >= TRUST_MAX)
    throw new Error(`${path} trusts ${TRUST_MAX} already; --only leaves this one alone`)
  // The newest last: what was proven stays first until it is taken away.
  writeStored(path, { ...identity, trust: [...others, cert] }, true)
  show(path, terminal)
}

async function rotate(
  path: string,
  take: boolean,
  type: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const identity = readStored(path)
  const stem = join(dirname(path), basename(path).replace(/\.json$/, ''))
  const next = { file: `${stem}.next.json`, cert: `${stem}.next.crt` }
  if (!take) {
    if (existsSync(next.file))
      throw new Error(
        `${next.file} exists: a rotation is under way; --switch takes it, removing it gives it up`,
      )
    const name = /CN=([^\n,]+)/.exec(described(identity.cert))?.[1] ?? basename(stem)
    const made: StoredIdentity = { ...(await newIdentity(name, type)), trust: identity.trust }
    writeStored(next.file, made, false)
    writeCertificate(next.cert, made.cert, true)
    terminal.out(`${next.file}: ${described(made.cert)}`)
    terminal.out(
      `Let the peer trust ${next.cert} first, and reload it; then: holdfast keygen rotate ${path} --switch`,
    )
    return
  }
  const { cert, key } = readStored(next.file)
  // Whom it trusts may have changed since.
  writeStored(path, { cert, key, trust: identity.trust }, true)
  writeCertificate(`${stem}.crt`, cert, true)
  rmSync(next.file)
  terminal.out(`${path}: ${described(cert)}`)
  terminal.out(`Reload this node; then let the peer trust ${next.cert} --only, and reload it.`)
}
