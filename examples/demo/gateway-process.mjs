// A gateway in a process of its own.
import { startGateway } from '../gateway/gateway.mjs'
import { monotonicMs, report, serve } from './child.mjs'

const REPORT_MS = 100
const STATS_MS = 500

let gateway
/** What the gateway counted in the last STATS_MS. */
let stats

serve({
  async start(options) {
    gateway = await startGateway(options)
    const { node } = gateway
    node.on('role', ({ role, epoch, reason, message, durationMs, report: { sessions } }) => {
      const at = monotonicMs()
      report('role', { role, epoch, reason, message, durationMs, sessions, at, wallAt: Date.now() })
      reportStatus()
    })
    node.on('link', reportStatus)
    stats = gateway.takeStats()
    setInterval(() => {
      stats = gateway.takeStats()
    }, STATS_MS)
    setInterval(reportStatus, REPORT_MS)
    reportStatus()
  },
  /** When this node was decided, and as a secondary filled. */
  async ready() {
    await gateway.node.ready()
    reportStatus()
    return monotonicMs()
  },
  handover: () => gateway.node.handover(),
  verify: () => gateway.node.verify(),
  /** Nothing of the application runs for so long: a long computation, a stop-the-world collection. */
  block({ ms }) {
    const until = performance.now() + ms
    while (performance.now() < until);
  },
  close: () => gateway.close(),
})

function reportStatus() {
  report('status', { ...gateway.node.status(), stats, uptimeMs: performance.now() })
}
