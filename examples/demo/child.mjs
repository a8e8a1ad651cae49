// The child's side of examples/demo/process.mjs: answers calls, reports events, and does not outlive its parent.

/**
 * @param {Record<string, (args: any) => unknown>} methods what the parent may call
 */
export function serve(methods) {
  process.on('message', async ({ id, method, args }) => {
    try {
      send({ id, result: await methods[method](args) })
    } catch (error) {
      send({ id, error: { message: error.message, code: error.code } })
    }
  })
  // The channel closes when the parent ends, however it ends.
  process.on('disconnect', () => process.exit())
  // Ctrl-C goes to the whole group; the parent decides what it means.
  process.on('SIGINT', () => {})
  report('started')
}

/** Tells the parent something it did not ask for. */
export function report(event, data) {
  send({ event, data })
}

/** Milliseconds of the machine's monotonic clock, the same in every process on it; nothing sets it back or forward. */
export function monotonicMs() {
  return Number(process.hrtime.bigint()) / 1e6
}

function send(message) {
  if (process.connected) process.send(message, () => {})
}
