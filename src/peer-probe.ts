// Looks whether a peer can be reached over both links, without being its peer: connects as a node would, proves itself by
// its certificate, reads the hello that the other one says first, and leaves without a word. So it can be done beside a
// running pair, which sees a connection come and go.
import { createConnection } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'
import { type Address, formatAddress } from './io/address.ts'
import { monotonicMs } from './io/clock.ts'
import { plainTransport } from './io/plain-transport.ts'
import type { LinkAddresses } from './io/thread-messages.ts'
import { tlsTransport } from './io/tls-link.ts'
import { number } from './option-kinds.ts'
import type { NodeOptions } from './options.ts'
import { checkOptions } from './settings.ts'
import type { Role } from './wire/constants.ts'
import { FrameType } from './wire/constants.ts'
import { FrameReader } from './wire/frame.ts'
import { decodeHello, type Hello } from './wire/hello.ts'

/** What a peer said in its hello on one link. */
export interface ProbedPeer {
  readonly id: string
  readonly cluster: string
  /** As which it takes this path. */
  readonly link: 'm1' | 'm2'
  readonly role: Role
  readonly epoch: number
  /** 16 hex digits, new at every start of its process. */
  readonly incarnation: string
  readonly heartbeat: { readonly interval: number; readonly lost: number }
  /** It is in mode 'witness'. */
  readonly witnessed: boolean
  readonly tables: readonly {
    readonly name: string
    readonly schemaHash: string
    readonly capacity: number
  }[]
}

/** One link, as seen from here. */
export interface LinkProbe {
  /** Where the peer was looked for, 'address:port'. */
  readonly address: string
  /** TCP: from the connect to its answer, ms, the least of three; null: it did not answer. */
  readonly connectMs: number | null
  /** Its certificate is one of those trusted, and it has its key. Null: not asked, or without TLS. */
  readonly certified: boolean | null
  /** Null: it said none. */
  readonly peer: ProbedPeer | null
  /** What went wrong, as a system's or a refusal's name; null where a hello came. */
  readonly fault: string | null
}

const HELLO_BYTES_MAX = 262_144
const CONNECTS = 3

/**
 * Asks on both links whether the peer of such a node is there, and what it says of itself. Nothing is changed: no port is
 * opened, no memory reserved, and a running node of this name is not disturbed.
 *
 * @param options what `createNode` would get
 * @param limits `timeout`: of each step on each link, 10 to 60000 ms; default 2000
 * @example
 * const { m1, m2 } = await probePeer(options)
 * console.log(m1.peer?.role ?? m1.fault)
 * @throws ConfigError as createNode
 */
export async function probePeer(
  options: NodeOptions,
  limits: { readonly timeout?: number } = {},
): Promise<{ readonly m1: LinkProbe; readonly m2: LinkProbe }> {
  const { links, identity } = checkOptions(options)
  const timeoutMs = number('timeout', limits.timeout ?? 2_000, 10, 60_000)
  const transport = identity === undefined ? plainTransport : tlsTransport(identity)
  const probe = async (addresses: LinkAddresses): Promise<LinkProbe> => {
    const address = formatAddress(addresses.peer)
    let connectMs: number | null = null
    try {
      for (let i = 0; i < CONNECTS; i++)
        connectMs = Math.min(connectMs ?? Number.POSITIVE_INFINITY, await connectTime(addresses, timeoutMs))
    } catch (error) {
      return { address, connectMs: null, certified: null, peer: null, fault: (error as Error).message }
    }
    const heard = await hear(addresses, transport, timeoutMs)
    const certified = identity === undefined ? null : heard.opened
    if (heard.hello === undefined) return { address, connectMs, certified, peer: null, fault: heard.fault }
    return { address, connectMs, certified, peer: probed(heard.hello), fault: null }
  }
  const [m1, m2] = await Promise.all([probe(links[0]), probe(links[1])])
  return { m1, m2 }
}

function connectTime(
  { listen, peer }: { listen: Address; peer: Address },
  timeoutMs: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const from = monotonicMs()
    const socket = createConnection({ ...peer, localAddress: listen.host })
    const late = setTimeout(() => end(new Error('ETIMEDOUT')), timeoutMs)
    const end = (error?: Error) => {
      clearTimeout(late)
      socket.destroy()
      if (error === undefined) resolve(monotonicMs() - from)
      else reject(error)
    }
    socket.once('connect', () => {
      // A free port of the own machine can be met by oneself.
      const isSelf = socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress
      end(isSelf ? new Error('ECONNREFUSED') : undefined)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => end(new Error(error.code ?? error.message)))
  })
}

interface Heard {
  readonly opened: boolean
  readonly hello: Hello | undefined
  readonly fault: string
}

function hear(
  { listen, peer }: LinkAddresses,
  transport: Pick<typeof plainTransport, 'dial'>,
  timeoutMs: number,
): Promise<Heard> {
  return new Promise((resolve) => {
    let opened = false
    const late = setTimeout(() => settle(undefined, opened ? 'no hello' : 'dial-timeout'), timeoutMs)
    let leave = () => {}
    const settle = (hello: Hello | undefined, fault: string) => {
      clearTimeout(late)
      leave()
      resolve({ opened, hello, fault })
    }
    transport.dial(
      listen,
      peer,
      (socket) => {
        opened = true
        leave = () => socket.destroy()
        const reader = new FrameReader(HELLO_BYTES_MAX)
        socket.on('data', (bytes: Uint8Array) => {
          const fault = reader.push(new Uint8Array(bytes), (frame) => {
            if (frame.type !== FrameType.HELLO) return 'hello-expected'
            const hello = decodeHello(frame.payload)
            if (hello === undefined) return 'malformed'
            settle(hello, '')
            return undefined
          })
          if (fault !== undefined) settle(undefined, fault)
        })
        // The other side refuses a certificate only after this one calls the connection open.
        socket.on('error', (error: NodeJS.ErrnoException) => {
          opened = false
          settle(undefined, error.code ?? error.message)
        })
        socket.once('close', () => settle(undefined, 'ended by peer'))
      },
      (_refused, reason) => settle(undefined, reason),
    )
  })
}

function probed({ id, cluster, link, heartbeatInterval, heartbeatLost, tables, status }: Hello): ProbedPeer {
  return {
    id,
    cluster,
    link: link === 0 ? 'm1' : 'm2',
    role: status.role,
    epoch: status.epoch,
    incarnation: status.incarnation,
    heartbeat: { interval: heartbeatInterval, lost: heartbeatLost },
    witnessed: status.witnessed,
    tables: tables.map(({ name, schemaHash, capacity }) => ({ name, schemaHash, capacity })),
  }
}
