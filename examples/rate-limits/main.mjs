// One process of the API, from the command line. README.md in this folder shows a pair of them.
import { addressOf, announce, closeAtSignals, pairOptions, readArguments } from '../shared/process.mjs'
import { startApi } from './api.mjs'

const { values } = readArguments({
  usage: '  --points         quota of a key in a minute (100)',
  options: { points: { type: 'string', default: '100' } },
})
const api = await startApi({
  listen: addressOf(values.listen),
  points: Number(values.points),
  ...(await pairOptions(values, 'rate-limits')),
})
announce(api.node, () => `${api.node.tables.limits.size} counts`)
closeAtSignals(() => api.close())
