// Why a peer's hello is refused. Capacities are judged later, at FOLLOW, when it is known who feeds whom.
import type { RefusalName } from '../wire/constants.ts'
import type { Hello } from '../wire/hello.ts'
import type { CoreOptions } from './options.ts'
import { matchSchemas } from './schema-check.ts'

/** `detail`: what differs, for people; '' where the name says it all. */
export interface HelloRefusal {
  readonly reason: RefusalName
  readonly detail: string
}

const because = (reason: RefusalName, detail = ''): HelloRefusal => ({ reason, detail })

export function helloRefusal(hello: Hello, options: CoreOptions, link: number): HelloRefusal | undefined {
  if (hello.cluster !== options.cluster) return because('cluster')
  if (hello.id === options.id) return because('own-id')
  if (hello.id !== options.peer) return because('peer-id')
  if (hello.link !== link) return because('link')
  if (hello.heartbeatInterval !== options.interval || hello.heartbeatLost !== options.lost) {
    return because('heartbeat')
  }
  if (hello.status.witnessed !== (options.mode === 'witness')) return because('mode')
  return tablesRefusal(hello, options)
}

function tablesRefusal(hello: Hello, options: CoreOptions): HelloRefusal | undefined {
  const names = (tables: Hello['tables']) => tables.map(({ name }) => name).join(', ') || 'none'
  const [here, there] = [`on '${options.id}'`, `on '${options.peer}'`]
  const [ours, others] = [names(options.tables), names(hello.tables)]
  if (ours !== others) return because('tables', `the tables are ${ours} ${here}, ${others} ${there}`)
  for (const [i, { name, schema, schemaHash }] of options.tables.entries()) {
    const match = matchSchemas(name, schema, hello.tables[i]!.schema, here, there)
    if ('difference' in match) return because('schema', match.difference)
    const isOneLength = schema.fields.length === hello.tables[i]!.schema.fields.length
    if (isOneLength && schemaHash !== hello.tables[i]!.schemaHash) {
      return because('schema', `table ${name}: names differ that are too long to be told`)
    }
  }
  return undefined
}

/** What to say to a peer whose hello was accepted: the value fields both know, and what it can stage at once. */
export function commonWith(hello: Hello, options: CoreOptions): { fields: number; deltas: number }[] {
  return options.tables.map(({ schema }, i) => {
    const theirs = hello.tables[i]!
    return { fields: Math.min(schema.fields.length, theirs.schema.fields.length), deltas: theirs.deltasMax }
  })
}
