// A node in a process of its own that fills its table, says so, and stays until it is killed or its parent is gone.
import { createNode } from 'holdfast'
import { keyOf, SESSIONS, sessions } from './pair.mjs'

process.stdin.on('end', () => process.exit()).resume()
const node = await createNode({ ...JSON.parse(process.argv[2]), tables: { sessions } })
await node.ready()
for (let i = 0; i < SESSIONS; i++) node.tables.sessions.set(keyOf(i), { count: i, state: 'open' })
await node.replicated({ alone: 'wait' })
console.log('filled')
