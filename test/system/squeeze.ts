// Too little processor: loops that take all they can get, and a quota on one process by a control group (version 1 or 2).
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PERIOD_US = 100_000

/** So many loops until `end`. */
export class BusyLoops {
  private readonly loops: ChildProcess[]

  constructor(count: number) {
    this.loops = Array.from({ length: count }, () =>
      spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
    )
  }

  async end(): Promise<void> {
    await Promise.all(
      this.loops.map((loop) => {
        const ended = new Promise((resolve) => loop.once('exit', resolve))
        loop.kill('SIGKILL')
        return ended
      }),
    )
  }
}

function root(): { folder: string; quota: (share: number) => [string, string][]; whole: string } | undefined {
  if (existsSync('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') || existsSync('/sys/fs/cgroup/cpu/cgroup.procs')) {
    const quota = (share: number): [string, string][] => [
      ['cpu.cfs_period_us', String(PERIOD_US)],
      ['cpu.cfs_quota_us', String(Math.round(PERIOD_US * share))],
    ]
    return { folder: '/sys/fs/cgroup/cpu', quota, whole: 'cgroup.procs' }
  }
  if (!existsSync('/sys/fs/cgroup/cgroup.procs')) return undefined
  const quota = (share: number): [string, string][] => [
    ['cpu.max', `${Math.round(PERIOD_US * share)} ${PERIOD_US}`],
  ]
  return { folder: '/sys/fs/cgroup', quota, whole: 'cgroup.procs' }
}

/** A share of one processor for one process, until `end`; undefined where the system does not let us. */
export function quota(pid: number, share: number): { end(): void } | undefined {
  const found = root()
  if (found === undefined) return undefined
  const folder = join(found.folder, `holdfast-${process.pid}-${pid}`)
  try {
    mkdirSync(folder)
    for (const [file, text] of found.quota(share)) writeFileSync(join(folder, file), text)
    writeFileSync(join(folder, found.whole), String(pid))
  } catch {
    if (existsSync(folder)) rmdirSync(folder)
    return undefined
  }
  return {
    end() {
      try {
        writeFileSync(join(found.folder, found.whole), String(pid))
      } catch {
        // It has died, and left the group with that.
      }
      rmdirSync(folder)
    },
  }
}
