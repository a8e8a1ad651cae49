// The sync thread asks little of a processor, but must have it in time: a primary that gets none for the detection bound is
// taken for dead. On Linux it takes precedence over other threads where that is permitted (root, CAP_SYS_NICE, a limit
// RLIMIT_NICE); elsewhere the number would count for the whole process, so nothing is done. conntrackd, keepalived and
// corosync ask for the same, or for more.
import { setPriority } from 'node:os'

/** nice, from -20 to 19; 0 is what other threads have. */
const SYNC_NICE = -10

interface DenoPermissions {
  readonly permissions: { querySync(what: object): { readonly state: string } }
}

/** Of the calling thread. Whether it was permitted. */
export function takePrecedence(): boolean {
  if (process.platform !== 'linux' || !mayAsk()) return false
  try {
    // On Linux 0 is the calling thread.
    setPriority(0, SYNC_NICE)
    return true
  } catch {
    return false
  }
}

/** Deno would stop and ask at the terminal. */
function mayAsk(): boolean {
  const { Deno } = globalThis as { Deno?: DenoPermissions }
  return Deno?.permissions.querySync({ name: 'sys', kind: 'setPriority' }).state !== 'prompt'
}
