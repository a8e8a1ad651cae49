// One server process, from the command line. README.md in this folder shows a pair of them.
import { addressOf, announce, closeAtSignals, pairOptions, readArguments } from '../shared/process.mjs'
import { startServer } from './server.mjs'

const { values } = readArguments()
const server = await startServer({
  listen: addressOf(values.listen),
  ...(await pairOptions(values, 'websocket-resume')),
})
announce(server.node, () => `${server.clients.size} sessions`)
closeAtSignals(() => server.close())
