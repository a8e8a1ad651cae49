// The checks behind createNode's options: every option by itself, then the relations between them. A refusal names the
// option, what was given, what is allowed. Unknown options are refused: a misspelt one must not be a silent default.
import type { AdminSettings } from './admin/settings.ts'
import { CONFLICT_TIMEOUT_MS } from './core/conflicts.ts'
import { SWITCHING_DEFAULTS, type SwitchingOptions } from './core/damping.ts'
import type { Address } from './io/address.ts'
import { formatAddress, isWildcard, parseAddress, sameFamily } from './io/address.ts'
import type { Identity, LinkAddresses, WitnessData } from './io/thread-messages.ts'
import { checkNames, flag, hook, integer, isObject, number, refusal, signal, text } from './option-kinds.ts'
import type { AbortSignalLike, ConflictHook, Logger, NodeOptions, RoleHook } from './options.ts'
import type { TableDefinition } from './schema/index.ts'
import { checkAdmin } from './settings-admin.ts'
import { checkIdentity } from './settings-identity.ts'
import { checkWitness } from './settings-witness.ts'
import { checkSnapshot, checkStateDir, type SnapshotSettings } from './state-options.ts'
import { TABLES_MAX } from './wire/constants.ts'

/** Checked options, all filled in. */
export interface Settings {
  readonly id: string
  readonly peer: string
  readonly cluster: string
  readonly priority: number
  /** In the order of their definitions' names, which both nodes share. */
  readonly tables: readonly { readonly property: string; readonly definition: TableDefinition }[]
  readonly links: readonly [LinkAddresses, LinkAddresses]
  readonly identity: Identity | undefined
  readonly mode: 'availability' | 'manual' | 'witness'
  readonly witness: WitnessData | undefined
  /** 0 outside mode 'witness'. */
  readonly leaseMs: number
  readonly interval: number
  readonly lost: number
  readonly holdDownMs: number
  readonly stallTimeoutMs: number
  readonly flushIntervalMs: number
  readonly override: boolean
  readonly uptimeMarginMs: number
  readonly switching: SwitchingOptions
  readonly conflictTimeoutMs: number
  readonly onConflict: ConflictHook | undefined
  readonly promoteUnsynced: boolean
  readonly fastDetection: boolean
  readonly sending: 'redundant' | 'single'
  /** Absolute. */
  readonly stateDir: string | undefined
  readonly snapshot: SnapshotSettings | undefined
  readonly onPromote: RoleHook | undefined
  readonly onDemote: RoleHook | undefined
  readonly hookTimeoutMs: number
  readonly admin: AdminSettings | undefined
  readonly signal: AbortSignalLike | undefined
  /** Never throws. */
  readonly logger: Logger
}

const DEFAULTS = {
  cluster: 'holdfast',
  priority: 128,
  mode: 'availability',
  sending: 'redundant',
  heartbeat: { interval: 50, lost: 4 },
  holdDown: 3_000,
  stallTimeout: 2_000,
  flushInterval: 1,
  hookTimeout: 10_000,
  uptimeMargin: 300_000,
} as const

const OPTIONS: readonly string[] = [
  'id',
  'peer',
  'cluster',
  'priority',
  'tables',
  'links',
  'identity',
  'insecure',
  'mode',
  'witness',
  'heartbeat',
  'holdDown',
  'stallTimeout',
  'flushInterval',
  'override',
  'uptimeMargin',
  'switchHoldDown',
  'damping',
  'conflictTimeout',
  'onConflict',
  'promoteUnsynced',
  'fastDetection',
  'sending',
  'stateDir',
  'snapshot',
  'onPromote',
  'onDemote',
  'hookTimeout',
  'admin',
  'signal',
  'logger',
]
const MODES: readonly unknown[] = ['availability', 'manual', 'witness']
const TIME_MAX_MS = 3_600_000

/**
 * Checks what was given to `createNode` and fills in the defaults.
 *
 * @throws ConfigError
 */
export function checkOptions(given: NodeOptions): Settings {
  if (!isObject(given)) throw refusal('createNode', given, 'an object of options')
  checkNames('createNode', given, OPTIONS)
  const heartbeat = given.heartbeat ?? {}
  if (!isObject(heartbeat)) throw refusal('heartbeat', heartbeat, 'an object with interval and lost')
  checkNames('heartbeat', heartbeat, ['interval', 'lost'])
  const { mode = DEFAULTS.mode } = given
  if (!MODES.includes(mode)) throw refusal('mode', mode, "'availability', 'manual' or 'witness'")
  const links = checkLinks(given.links)
  const settings: Settings = {
    id: text('id', given.id),
    peer: text('peer', given.peer),
    cluster: text('cluster', given.cluster ?? DEFAULTS.cluster),
    priority: integer('priority', given.priority ?? DEFAULTS.priority, 0, 65_535),
    tables: checkTables(given.tables),
    links,
    identity: checkIdentity(given, links),
    mode,
    ...checkWitness(mode, given.witness),
    interval: number('heartbeat.interval', heartbeat.interval ?? DEFAULTS.heartbeat.interval, 5, 60_000),
    lost: integer('heartbeat.lost', heartbeat.lost ?? DEFAULTS.heartbeat.lost, 2, 100),
    holdDownMs: number('holdDown', given.holdDown ?? DEFAULTS.holdDown, 0, TIME_MAX_MS),
    stallTimeoutMs: number('stallTimeout', given.stallTimeout ?? DEFAULTS.stallTimeout, 0, TIME_MAX_MS),
    flushIntervalMs: number('flushInterval', given.flushInterval ?? DEFAULTS.flushInterval, 0, 1_000),
    override: flag('override', given.override ?? false),
    uptimeMarginMs: number(
      'uptimeMargin',
      given.uptimeMargin ?? DEFAULTS.uptimeMargin,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    switching: checkSwitching(given),
    conflictTimeoutMs: number(
      'conflictTimeout',
      given.conflictTimeout ?? CONFLICT_TIMEOUT_MS,
      0,
      TIME_MAX_MS,
    ),
    onConflict: hook('onConflict', given.onConflict),
    promoteUnsynced: flag('promoteUnsynced', given.promoteUnsynced ?? true),
    fastDetection: flag('fastDetection', given.fastDetection ?? true),
    sending: checkSending(given.sending ?? DEFAULTS.sending),
    stateDir: checkStateDir(given.stateDir),
    snapshot: checkSnapshot(given.snapshot, given.stateDir),
    onPromote: hook('onPromote', given.onPromote),
    onDemote: hook('onDemote', given.onDemote),
    hookTimeoutMs: number('hookTimeout', given.hookTimeout ?? DEFAULTS.hookTimeout, 10, TIME_MAX_MS),
    admin: checkAdmin(given.admin),
    signal: signal('signal', given.signal),
    logger: checkLogger(given.logger),
  }
  checkRelations(settings)
  return settings
}

function checkSwitching(given: NodeOptions): SwitchingOptions {
  const { holdDownMs, windowMs, changes, longestMs } = SWITCHING_DEFAULTS
  const damping = given.damping ?? {}
  if (!isObject(damping)) throw refusal('damping', damping, 'an object with window, changes and longest')
  checkNames('damping', damping, ['window', 'changes', 'longest'])
  const switching = {
    holdDownMs: number('switchHoldDown', given.switchHoldDown ?? holdDownMs, 0, TIME_MAX_MS),
    windowMs: number('damping.window', damping.window ?? windowMs, 0, 24 * TIME_MAX_MS),
    changes: integer('damping.changes', damping.changes ?? changes, 1, 32),
    longestMs: number('damping.longest', damping.longest ?? longestMs, 0, 24 * TIME_MAX_MS),
  }
  if (switching.longestMs < switching.holdDownMs) {
    const allowed = `at least switchHoldDown, ${switching.holdDownMs} ms`
    throw refusal('damping.longest', switching.longestMs, allowed)
  }
  return switching
}

function checkSending(sending: unknown): Settings['sending'] {
  if (sending === 'redundant' || sending === 'single') return sending
  throw refusal('sending', sending, "'redundant' or 'single'")
}

function checkRelations(settings: Settings): void {
  const { id, peer, interval, lost, stallTimeoutMs, holdDownMs, onConflict, conflictTimeoutMs } = settings
  if (onConflict !== undefined && settings.mode === 'witness') {
    throw refusal(
      'onConflict',
      onConflict,
      "nothing in mode 'witness': no two primaries act, so there is no choice",
    )
  }
  if (onConflict !== undefined && conflictTimeoutMs === 0)
    throw refusal('conflictTimeout', 0, 'more than 0 ms with onConflict, which may take that long')
  if (id === peer) throw refusal('peer', peer, `another name than this node's own id '${id}'`)
  const boundMs = interval * lost + interval / 2
  const bound = `more than the detection bound of ${boundMs} ms (heartbeat.interval x lost + interval / 2)`
  if (stallTimeoutMs <= boundMs) throw refusal('stallTimeout', stallTimeoutMs, bound)
  if (holdDownMs <= boundMs) throw refusal('holdDown', holdDownMs, bound)
}

function checkLinks(links: unknown): readonly [LinkAddresses, LinkAddresses] {
  if (!isObject(links)) throw refusal('links', links, 'an object with m1 and m2')
  checkNames('links', links, ['m1', 'm2'])
  const m1 = checkLink('links.m1', links.m1)
  const m2 = checkLink('links.m2', links.m2)
  for (const end of ['listen', 'peer'] as const) {
    const address = formatAddress(m2[end])
    if (formatAddress(m1[end]) === address) {
      throw refusal(`links.m2.${end}`, address, `another address than links.m1.${end}: two links, two paths`)
    }
  }
  // Crosswise counts too: a node that dials its own other link would meet itself.
  for (const [name, { peer }] of Object.entries({ m1, m2 })) {
    for (const [other, { listen }] of Object.entries({ m1, m2 })) {
      const address = formatAddress(peer)
      if (formatAddress(listen) === address) {
        throw refusal(`links.${name}.peer`, address, `another address than links.${other}.listen`)
      }
    }
  }
  return [m1, m2]
}

function checkLink(at: string, link: unknown): LinkAddresses {
  if (!isObject(link)) throw refusal(at, link, "{ listen: 'address:port', peer: 'address:port' }")
  checkNames(at, link, ['listen', 'peer'])
  const listen = checkAddress(`${at}.listen`, link.listen)
  const peer = checkAddress(`${at}.peer`, link.peer)
  if (!sameFamily(listen, peer)) {
    throw refusal(`${at}.peer`, link.peer, `an address of the same family as ${at}.listen, ${link.listen}`)
  }
  return { listen, peer }
}

function checkAddress(at: string, given: unknown): Address {
  const address = typeof given === 'string' ? parseAddress(given) : undefined
  if (address === undefined) {
    throw refusal(
      at,
      given,
      "an IP address and a port from 1 to 65535, as '10.0.1.1:7401' or '[fd00::1]:7401'",
    )
  }
  if (isWildcard(address)) throw refusal(at, given, "one of this machine's addresses: a link is one path")
  return address
}

function checkTables(tables: unknown): Settings['tables'] {
  if (!isObject(tables)) throw refusal('tables', tables, 'an object of definitions made by defineTable')
  const entries = Object.entries(tables).map(([property, definition]) => {
    if (!isDefinition(definition)) {
      throw refusal(`tables.${property}`, definition, 'a definition made by defineTable')
    }
    return { property, definition }
  })
  if (entries.length < 1 || entries.length > TABLES_MAX) {
    throw refusal('tables', entries.length, `1 to ${TABLES_MAX} tables`)
  }
  entries.sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1))
  for (const [i, { property, definition }] of entries.entries()) {
    if (i > 0 && entries[i - 1]!.definition.name === definition.name) {
      throw refusal(`tables.${property}`, definition.name, 'a definition whose name no other table has')
    }
  }
  return entries
}

function isDefinition(value: unknown): value is TableDefinition {
  return isObject(value) && typeof value.schemaHash === 'string' && isObject(value.layout)
}

const SILENT: Logger = { info() {}, warn() {}, error() {} }

function checkLogger(logger: unknown): Logger {
  if (logger === undefined) return SILENT
  const isLogger =
    isObject(logger) && ['info', 'warn', 'error'].every((name) => typeof logger[name] === 'function')
  if (!isLogger) throw refusal('logger', logger, 'an object with the methods info, warn and error')
  return harmless(logger as unknown as Logger)
}

/** A logger that throws, or rejects, must not stop a node. */
function harmless(logger: Logger): Logger {
  const call = (level: keyof Logger) => (details: object, message: string) => {
    try {
      const result: unknown = logger[level](details, message)
      if (result instanceof Promise) result.catch(() => {})
    } catch {
      // There is nobody left to tell.
    }
  }
  return { info: call('info'), warn: call('warn'), error: call('error') }
}
