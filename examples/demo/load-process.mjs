// The clients, in a process of their own.
import { report, serve } from './child.mjs'
import { Load } from './load.mjs'

const REPORT_MS = 250

let load

serve({
  async start({ service, ...options }) {
    load = new Load(options)
    await load.start(service)
    setInterval(() => report('window', load.takeWindow()), REPORT_MS)
  },
  mark: () => load.mark(),
  look: () => load.look(),
  survey: ({ withinMs }) => load.survey(withinMs),
  stop: () => load.stop(),
})
