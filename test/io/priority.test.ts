// The sync thread takes precedence, where that is permitted, and no other thread of the process does.
import { readdirSync, readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** nice of every thread of this process: field 19 of its stat, counted behind the name in brackets. */
function niceOfThreads(): number[] {
  return readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
  })
}

test('one thread more takes precedence, if any does', async () => {
  if (process.platform !== 'linux') {
    console.log('passed over: threads have no nice of their own here')
    return
  }
  const before = niceOfThreads().filter((nice) => nice === -10).length
  const source = `
    import { parentPort } from 'node:worker_threads'
    const { takePrecedence } = await import(${JSON.stringify(new URL('../../dist/io/priority.js', import.meta.url).href)})
    parentPort.postMessage(takePrecedence())
    setInterval(() => {}, 1e6)`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  try {
    const permitted = await new Promise<boolean>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    const after = niceOfThreads().filter((nice) => nice === -10).length
    assert.is(after - before, permitted ? 1 : 0)
    if (process.getuid?.() === 0) assert.ok(permitted, 'root may')
    else if (!permitted) console.log('passed over: not permitted here')
  } finally {
    await worker.terminate()
  }
})

test.run()
