// One process, from the command line, on Node, Deno or Bun. README.md in this folder shows a pair of them.
import process from 'node:process'
import { createNode } from 'holdfast'
import { addressOf, announce, closeAtSignals, pairOptions, readArguments } from '../shared/process.mjs'
import { appOf, serve } from './app.mjs'
import { sessions } from './store.mjs'

const { values, demand } = readArguments({
  usage:
    '  SESSION_SECRET   in the environment: encrypts the cookies, at least 32 characters, the same on both nodes',
})
const secret = process.env.SESSION_SECRET ?? ''
demand(secret.length >= 32, 'SESSION_SECRET in the environment, of at least 32 characters')

const node = await createNode({ ...(await pairOptions(values, 'hono-sessions')), tables: { sessions } })
await node.ready()
const close = await serve(appOf(node, secret), addressOf(values.listen))
announce(node, () => `${node.tables.sessions.size} sessions`)
closeAtSignals(async () => {
  await node.close() // a primary hands over first
  await close()
})
