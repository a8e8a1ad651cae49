/**
 * etcd as the witness of mode 'witness': one key per cluster, put under an etcd lease by compare-and-put, so that etcd deletes
 * it when it is not renewed. The key's mod_revision is the lease's revision. Spoken through etcd's HTTP/JSON gateway.
 *
 * @module holdfast/witness/etcd
 */
import { ConfigError } from '../errors.ts'
import { checkNames, integer, isObject, refusal } from '../option-kinds.ts'
import { EtcdHttp } from './etcd-http.ts'
import type { Witness, WitnessContext, WitnessGrant, WitnessOptions, WitnessState } from './witness.ts'

/** Options of `etcd()`. */
export interface EtcdOptions {
  /** Base addresses of the members' client ports, 1 to 9: 'http://10.0.3.1:2379'. Tried in order, the last good one first. */
  readonly endpoints: readonly string[]
  /**
   * Length of the lease, ms; whole seconds, 2000 to 600000. Default 3000. etcd grants none below about 2 s (one and a half
   * of its election time-out, rounded up), and ends one up to half a second after it has run out: a primary whose host is
   * lost is replaced after about so long.
   */
  readonly lease?: number
  /** Put before the cluster's name in the key. Default 'holdfast/'. */
  readonly prefix?: string
  /** Sent as the header `Authorization`, where etcd has authentication enabled. */
  readonly token?: string
}

/**
 * This module, for the sync thread to load. By name: within a bundle the module's own address is that of the whole
 * application, which must not be run a second time.
 */
const MODULE = new URL(import.meta.url.endsWith('.ts') ? './etcd.ts' : './etcd.js', import.meta.url).href

/** What travels to the sync thread. */
interface Given {
  readonly endpoints: readonly string[]
  readonly prefix: string
  readonly token: string | undefined
}

const LEASE_DEFAULT_MS = 3_000
const LEASE_MIN_MS = 2_000
const LEASE_MAX_MS = 600_000
const ENDPOINTS_MAX = 9
const PREFIX_MAX = 256
const REVOKE_TIMEOUT_MS = 1_000

/**
 * An etcd cluster as the witness of a pair. It should live on machines of its own: a witness that is lost together with a
 * node cannot help the other one. Tested against one member of etcd 3.4.23, that of Debian 12; the calls are those of the v3
 * gateway, which begins with 3.4. Where there are several members: a leader that stands still and is replaced may revoke
 * leases that the next one has renewed (etcd issue 15247), so a lease ends too soon; take a release that has its mitigation (etcd
 * pull request 16822), and members with prompt disks. Certificates of `https:` endpoints are those the runtime trusts
 * (`NODE_EXTRA_CA_CERTS`).
 *
 * @throws ConfigError
 * @example
 * await createNode({ ..., mode: 'witness', witness: etcd({ endpoints: ['http://10.0.3.1:2379'] }) })
 */
export function etcd(given: EtcdOptions): WitnessOptions {
  if (!isObject(given)) throw refusal('etcd', given, 'an object with endpoints')
  checkNames('etcd', given, ['endpoints', 'lease', 'prefix', 'token'])
  const { endpoints, lease = LEASE_DEFAULT_MS, prefix = 'holdfast/', token } = given as unknown as EtcdOptions
  if (!Array.isArray(endpoints) || endpoints.length < 1 || endpoints.length > ENDPOINTS_MAX) {
    throw refusal('etcd.endpoints', endpoints, `an array of 1 to ${ENDPOINTS_MAX} addresses`)
  }
  for (const [i, endpoint] of endpoints.entries()) checkEndpoint(`etcd.endpoints[${i}]`, endpoint)
  integer('etcd.lease', lease, LEASE_MIN_MS, LEASE_MAX_MS)
  if (lease % 1_000 !== 0) throw refusal('etcd.lease', lease, 'whole seconds, in ms: etcd counts in seconds')
  if (typeof prefix !== 'string' || prefix.length > PREFIX_MAX) {
    throw refusal('etcd.prefix', prefix, `a text of at most ${PREFIX_MAX} characters`)
  }
  if (token !== undefined && (typeof token !== 'string' || /[^\x20-\x7e]/.test(token))) {
    throw new ConfigError('etcd.token: allowed: a text of printable ASCII characters')
  }
  const options: Given = { endpoints: [...endpoints], prefix, token }
  return { module: MODULE, options, lease }
}

function checkEndpoint(name: string, endpoint: unknown): void {
  const allowed = "a base address such as 'http://10.0.3.1:2379'"
  if (typeof endpoint !== 'string') throw refusal(name, endpoint, allowed)
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const isBase = url !== undefined && url.search === '' && url.hash === '' && url.username === ''
  if (!isBase || !['http:', 'https:'].includes(url.protocol)) throw refusal(name, endpoint, allowed)
}

/** Opened by the sync thread. */
export function openWitness(options: Given, context: WitnessContext): Witness {
  return new EtcdWitness(options, context)
}

interface KeyValue {
  readonly value?: string
  readonly mod_revision?: string
  readonly lease?: string
}
interface Range {
  readonly kvs?: readonly KeyValue[]
}

const FREE: WitnessState = { holder: '', revision: 0 }

class EtcdWitness implements Witness {
  private readonly http: EtcdHttp
  private readonly key: string
  private readonly holder: string
  private readonly seconds: number
  /** The etcd lease under which this node's key is put, by revision; the last few. */
  private readonly leases = new Map<number, string>()

  constructor({ endpoints, prefix, token }: Given, { cluster, holder, leaseMs }: WitnessContext) {
    this.http = new EtcdHttp(endpoints, token, leaseMs / 6)
    this.key = base64(prefix + cluster)
    this.holder = holder
    this.seconds = leaseMs / 1_000
  }

  async read(signal: AbortSignal): Promise<WitnessState> {
    return this.see(await this.http.post<Range>('/v3/kv/range', { key: this.key }, signal))
  }

  async acquire(after: number, signal: AbortSignal): Promise<WitnessGrant> {
    const { ID: lease } = await this.http.post<{ ID: string }>(
      '/v3/lease/grant',
      { TTL: `${this.seconds}` },
      signal,
    )
    const put = { key: this.key, value: base64(this.holder), lease }
    const { succeeded, header, responses } = await this.compare(after, { request_put: put }, signal)
    if (succeeded === true) {
      const revision = Number(header.revision)
      this.remember(revision, lease)
      return { holder: this.holder, revision, done: true }
    }
    void this.http
      .post('/v3/lease/revoke', { ID: lease }, AbortSignal.timeout(REVOKE_TIMEOUT_MS))
      .catch(() => undefined)
    return { ...this.see(responses?.[0]?.response_range ?? {}), done: false }
  }

  async renew(revision: number, signal: AbortSignal): Promise<WitnessGrant> {
    let lease = this.leases.get(revision)
    if (lease === undefined) {
      const state = await this.read(signal)
      lease = this.leases.get(revision)
      if (lease === undefined || state.revision !== revision) return { ...state, done: false }
    }
    // The lease may live without the key, where somebody deleted it: both are asked.
    const [kept, state] = await Promise.all([
      this.http.post<{ result?: { TTL?: string }; error?: { message?: string } }>(
        '/v3/lease/keepalive',
        { ID: lease },
        signal,
      ),
      this.read(signal),
    ])
    if (kept.result === undefined) throw new Error(kept.error?.message ?? 'the keep-alive came to nothing')
    const isKept = Number(kept.result.TTL ?? 0) >= this.seconds
    const done = isKept && state.holder === this.holder && state.revision === revision
    return { ...(done || state.revision !== revision ? state : FREE), done }
  }

  async release(revision: number, signal: AbortSignal): Promise<WitnessState> {
    const { succeeded, responses } = await this.compare(
      revision,
      { request_delete_range: { key: this.key } },
      signal,
    )
    this.leases.delete(revision)
    return succeeded === true ? FREE : this.see(responses?.[0]?.response_range ?? {})
  }

  async watch(onChange: (state: WitnessState) => void, signal: AbortSignal): Promise<void> {
    interface Watched {
      readonly result?: {
        readonly canceled?: boolean
        readonly events?: readonly { readonly type?: string; readonly kv: KeyValue }[]
      }
      readonly error?: { readonly message?: string }
    }
    const create = { create_request: { key: this.key } }
    for await (const { result, error } of this.http.stream<Watched>('/v3/watch', create, signal)) {
      if (error !== undefined || result?.canceled === true)
        throw new Error(error?.message ?? 'the watch was cancelled')
      for (const { type, kv } of result?.events ?? []) {
        onChange(type === 'DELETE' ? FREE : this.see({ kvs: [kv] }))
      }
    }
  }

  /** A change of the key on condition that it has this mod_revision; 0: that there is none. */
  private compare(revision: number, success: object, signal: AbortSignal) {
    return this.http.post<{
      readonly succeeded?: boolean
      readonly header: { readonly revision: string }
      readonly responses?: readonly { readonly response_range?: Range }[]
    }>(
      '/v3/kv/txn',
      {
        compare: [{ key: this.key, target: 'MOD', result: 'EQUAL', mod_revision: `${revision}` }],
        success: [success],
        failure: [{ request_range: { key: this.key } }],
      },
      signal,
    )
  }

  private see({ kvs = [] }: Range): WitnessState {
    const [kv] = kvs
    if (kv === undefined) return FREE
    const state = { holder: text(kv.value ?? ''), revision: Number(kv.mod_revision) }
    if (state.holder === this.holder && kv.lease !== undefined) this.remember(state.revision, kv.lease)
    return state
  }

  private remember(revision: number, lease: string): void {
    this.leases.set(revision, lease)
    for (const old of this.leases.keys()) {
      if (this.leases.size <= 4) break
      this.leases.delete(old)
    }
  }
}

function base64(value: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(value)))
}

function text(value: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(value), (char) => char.charCodeAt(0)))
}
