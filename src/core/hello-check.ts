// Why a peer's hello is refused. Capacities are judged later, at FOLLOW, when it is known who feeds whom.
import type { RefusalName } from '../wire/constants.ts'
import type { Hello } from '../wire/hello.ts'
import type { CoreOptions } from './options.ts'

export function helloRefusal(hello: Hello, options: CoreOptions, link: number): RefusalName | undefined {
  if (hello.cluster !== options.cluster) return 'cluster'
  if (hello.id === options.id) return 'own-id'
  if (hello.id !== options.peer) return 'peer-id'
  if (hello.link !== link) return 'link'
  if (hello.heartbeatInterval !== options.interval || hello.heartbeatLost !== options.lost) return 'heartbeat'
  if (hello.status.witnessed !== (options.mode === 'witness')) return 'mode'
  if (hello.tables.length !== options.tables.length) return 'tables'
  for (const [i, table] of options.tables.entries()) {
    if (hello.tables[i]!.name !== table.name) return 'tables'
    if (hello.tables[i]!.schemaHash !== table.schemaHash) return 'schema'
  }
  return undefined
}
