// What one node shows of itself: its status with its process, and whether it is fit to be asked.
import type { HoldfastNode, NodeStatus, Role } from '../index.ts'
import { metricsText } from '../metrics/index.ts'
import { VERSION } from '../version.ts'

/** The body of GET /status. */
export interface AdminStatus extends NodeStatus {
  /** Of holdfast. */
  readonly version: string
  readonly runtime: { readonly name: 'node' | 'deno' | 'bun'; readonly version: string }
  /** When this node was created, ms since 1970. */
  readonly startedAt: number
  /** For how long it has been there, ms; on the monotonic clock. */
  readonly uptimeMs: number
}

/** The body of GET /ready and GET /primary. */
export interface Verdict {
  readonly ok: boolean
  readonly role: Role
  readonly epoch: number
  /** Why not; '' where it is. */
  readonly reason: string
}

function runtime(): AdminStatus['runtime'] {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>
  if (bun !== undefined) return { name: 'bun', version: bun }
  if (deno !== undefined) return { name: 'deno', version: deno }
  return { name: 'node', version: node ?? '' }
}

export class View {
  /** The role that was told last: after its hook, so that a primary whose `onPromote` still runs is none yet. */
  told: Role = 'starting'
  private readonly node: HoldfastNode
  private readonly startedAt = Date.now()
  private readonly begun = performance.now()
  private readonly runtime = runtime()

  constructor(node: HoldfastNode) {
    this.node = node
  }

  status(): AdminStatus {
    const { startedAt, runtime } = this
    const uptimeMs = performance.now() - this.begun
    return { ...this.node.status(), version: VERSION, runtime, startedAt, uptimeMs }
  }

  /** As text for Prometheus. */
  metrics(): string {
    return metricsText(this.node)
  }

  /** Whether this node may act. */
  primary(): Verdict {
    const { role, epoch, acting } = this.node.status()
    return {
      ok: role === 'primary' && acting && this.told === 'primary',
      role,
      epoch,
      reason: this.notActing(role, acting),
    }
  }

  /** Whether this node serves, or could at once. */
  ready(): Verdict {
    const { role, epoch, synced, resync } = this.node.status()
    if (role !== 'secondary') return this.primary()
    const units = resync?.mode === 'full' ? 'segments' : 'records'
    const left = resync === null ? '' : `: ${resync.left} of ${resync.of} ${units} left`
    return { ok: synced, role, epoch, reason: synced ? '' : `secondary, not synced${left}` }
  }

  private notActing(role: Role, acting: boolean): string {
    if (role === 'starting') return 'no role has been decided yet'
    if (role === 'secondary') return 'secondary'
    if (role === 'stopped') return 'stopped'
    if (!acting) return 'primary, but fenced: handing over, stalled, or without a lease'
    return this.told === 'primary' ? '' : 'primary, but onPromote has not finished'
  }
}
