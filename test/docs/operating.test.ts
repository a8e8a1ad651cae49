// The pieces of code on the pages about operation, run as they stand there: a node with an admin server, events on channels,
// logs, metrics, hooks, a renewed identity, a SIGTERM, timers made anew, links that get worse.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import {
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { createNode, defineTable, type HoldfastNode } from 'holdfast'
import { createPair, makeIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, PATIENT, pairOptions, portOf, protectedPair, tables, until } from '../node/support.ts'
import { Watched } from '../package/support.ts'
import { root } from './pages.ts'
import { programOf } from './program.ts'
import { blockOf, codeOf, runBlock } from './run-block.ts'

const test = suite('pages about operation')
const PAGE = 'docs/OPERATING.md'

/** A console that keeps what it is told. */
function kept() {
  const lines: unknown[][] = []
  const take = (...words: unknown[]) => void lines.push(words)
  return { lines, console: { log: take, warn: take, error: take } }
}

/** Options of a node that is primary alone after a moment. */
const alone = async () => (await pairOptions({ holdDown: 300 })).a

/** A program in a process of its own: a page's block, with something before it and after it. */
function started(program: string, options: unknown): Watched {
  const files = { 'program.mjs': program, 'options.json': JSON.stringify(options) }
  return new Watched([process.execPath, join(programOf(PAGE, files), 'program.mjs')], root)
}

const PRELUDE = `import { readFileSync } from 'node:fs'
import { defineTable } from 'holdfast'
const sessions = defineTable({ name: 'sessions', key: { id: 'u32' }, fields: { count: 'u53', note: ['none', 'seen'] }, capacity: 30_000 })
const options = { tables: { sessions }, ...JSON.parse(readFileSync(new URL('./options.json', import.meta.url), 'utf8')) }
`

test('docs/OPERATING.md: a node with an admin server, which says where it listens', () =>
  closing(async (opened) => {
    const { lines, console } = kept()
    process.env.ADMIN_TOKEN = 'a-token-that-is-long-enough'
    const { node } = await runBlock(PAGE, 'process.env.ADMIN_TOKEN', {
      given: { options: await alone(), console },
      wanted: ['node'],
      replaced: { '127.0.0.1:9470': '127.0.0.1:0' },
    })
    opened.push(node as HoldfastNode)
    const [[address]] = lines as [[string]]
    const { id } = (await (await fetch(`${address}/status`)).json()) as { id: string }
    assert.is(id, 'a')
    assert.is((await fetch(`${address}/actions/verify`, { method: 'POST' })).status, 401)
  }))

test('docs/OPERATING.md: changes of role are heard on a diagnostics channel', () =>
  closing(async (opened) => {
    const { lines, console } = kept()
    await runBlock(PAGE, 'node:diagnostics_channel', { given: { console } })
    opened.push(await createNode(await alone()))
    await until('the role was heard', () => lines.some(([id, role]) => id === 'a' && role === 'primary'))
    assert.match(String(lines.at(-1)![2]), /\w+/)
  }))

test('docs/OPERATING.md: pino writes what happens, with the node that it happened to', async () => {
  const { tables: _, ...options } = await alone()
  const block = codeOf(blockOf(PAGE, "from 'pino'"))
  const end = 'await node.ready()\nawait node.close()'
  const process = started(`${PRELUDE}${block}\n${end}`, options)
  assert.is(await process.ends(), 0)
  const lines = process.output.trim().split('\n')
  const told = lines.map((line) => JSON.parse(line) as { node: string; msg: string })
  assert.ok(told.every(({ node }) => node === 'a'))
  assert.ok(told.some(({ msg }) => msg.startsWith('primary in epoch')))
})

test('docs/OPERATING.md: metrics in an answer, and as data', async () => {
  await using pair = await createPair({ tables, heartbeat: PATIENT })
  const { lines, console } = kept()
  const server = createServer((_request, response) => {
    void runBlock(PAGE, 'PROMETHEUS_TYPE', { given: { node: pair.a, response, console } })
  })
  try {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const answer = await fetch(`http://127.0.0.1:${portOf(server)}/`)
    assert.match(answer.headers.get('content-type')!, 'text/plain')
    const text = await answer.text()
    await until('the rest was told', () => lines.length > 20)
    for (const [name, samples] of lines as [string, unknown[]][]) {
      assert.is(new RegExp(`# TYPE ${name}(_total)? `).test(text), samples.length > 0, name)
    }
  } finally {
    server.close()
  }
})

test('docs/OPERATING.md: a node is observed by OpenTelemetry, until that is ended', async () => {
  await using pair = await createPair({ tables, heartbeat: PATIENT })
  const exporter = new InMemoryMetricExporter(1)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const names = async () => {
    exporter.reset()
    await provider.forceFlush()
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      .filter(({ dataPoints }) => dataPoints.length > 0)
      .map(({ descriptor }) => descriptor.name)
  }
  try {
    let asked = 0
    const status = () => {
      asked++
      return pair.a.status()
    }
    const given = { node: { id: 'a', status }, meter: provider.getMeter('app') }
    const { end } = await runBlock(PAGE, 'observeNode', { given, wanted: ['end'] })
    assert.ok((await names()).includes('holdfast.lag'))
    assert.ok(asked > 0)
    ;(end as () => void)()
    asked = 0
    await names()
    assert.is(asked, 0)
  } finally {
    await provider.shutdown()
  }
})

test('docs/OPERATING.md: an address is taken and given up; where it cannot be taken, the role goes back', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const story: string[] = []
    const { lines, console } = kept()
    const start = async (own: typeof options.a, takeAddress: () => Promise<void>) => {
      const giveAddressUp = async () => void story.push(`${own.id} gives up`)
      const { node } = await runBlock(PAGE, 'onPromote', {
        given: { options: own, takeAddress, giveAddressUp, console },
        wanted: ['node'],
      })
      opened.push(node as HoldfastNode)
      return node as HoldfastNode<typeof tables>
    }
    const a = await start(options.a, async () => void story.push('a takes'))
    const b = await start(options.b, async () => {
      throw new Error('no such device')
    })
    await protectedPair(a, b)
    assert.equal(story, ['a takes'])
    await a.handover()
    await until('the role is back', () => story.filter((line) => line === 'a takes').length === 2)
    assert.match(String(lines[0]![1]), 'no such device')
    assert.equal([story[1], b.status().maintenance], ['a gives up', true])
  }))

test('docs/COMMAND.md: SIGHUP renews the identity; a file that is not there costs nothing', () =>
  closing(async (opened) => {
    const [own, renewed] = await Promise.all(['a', 'a'].map(makeIdentity))
    const options = await alone()
    const identity = { ...own!, trust: [own!.cert] }
    const node = await createNode({ ...options, insecure: false, identity })
    opened.push(node)
    const reloads: Promise<void>[] = []
    const reloadIdentity = (identity: never) => {
      reloads.push(node.reloadIdentity(identity))
      return reloads.at(-1)
    }
    const file = join(programOf(PAGE), 'a.json')
    const { lines, console } = kept()
    const before = process.listeners('SIGHUP')
    try {
      await runBlock('docs/COMMAND.md', 'SIGHUP', {
        given: { node: { reloadIdentity }, console },
        replaced: { '/etc/holdfast/a.json': file },
      })
      process.kill(process.pid, 'SIGHUP')
      await until('the error was told', () => lines.length === 1)
      assert.match(String(lines[0]![0]), file)
      writeFileSync(file, JSON.stringify({ ...renewed!, trust: [own!.cert] }), { mode: 0o600 })
      process.kill(process.pid, 'SIGHUP')
      await until('it was reloaded', () => reloads.length === 1)
      await reloads[0]
      assert.is(lines.length, 1)
    } finally {
      for (const listener of process.listeners('SIGHUP'))
        if (!before.includes(listener)) process.off('SIGHUP', listener)
    }
  }))

test('docs/DEPLOYING.md: at SIGTERM the role is handed over, with everything in it, and the process ends', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const { tables: _, ...own } = options.a
    const block = codeOf(blockOf('docs/DEPLOYING.md', 'SIGTERM'))
    const process = started(
      `import { createServer } from 'node:http'
import { createNode } from 'holdfast'
${PRELUDE}
const node = await createNode(options)
const server = createServer().listen(0, '127.0.0.1')
${block}
await node.ready()
node.tables.sessions.set({ id: 7 }, { count: 42 })
await node.replicated({ alone: 'wait' })
console.log('held')`,
      own,
    )
    opened.push({ close: async () => process.kill() })
    const b = await createNode(options.b)
    opened.push(b)
    await process.says(/held/)
    process.kill('SIGTERM')
    assert.is(await process.ends(), 0)
    await until('b leads', () => b.role === 'primary')
    assert.equal([b.status().reason, b.tables.sessions.get({ id: 7 })?.count], ['handover', 42])
  }))

test('docs/LIMITS.md: timers are made anew where the role is, and end where it was', async () => {
  const calls = defineTable({ name: 'calls', key: { id: 'u53' }, fields: { endsAt: 'u53' }, capacity: 1000 })
  await using pair = await createPair({ tables: { calls }, heartbeat: PATIENT })
  const hungUp: [string, number][] = []
  for (const node of [pair.a, pair.b]) {
    const hangUp = (id: number) => void hungUp.push([node.id, id])
    await runBlock('docs/LIMITS.md', 'hangUp', { given: { node, hangUp } })
  }
  pair.a.tables.calls.set({ id: 1 }, { endsAt: Date.now() + 50 })
  pair.a.tables.calls.set({ id: 2 }, { endsAt: Date.now() + 3_600_000 })
  await pair.a.replicated()
  await pair.a.handover()
  await until('b hung up', () => hungUp.length > 0)
  assert.equal(hungUp, [['b', 1]])
  // So that no timer is left: the block clears them when the role goes.
  await pair.b.close()
})

test('docs/TUNING.md: a link that was silent for a while, and lost much, is named', async () => {
  await using pair = await createPair({ tables, heartbeat: PATIENT })
  const { lines, console } = kept()
  let tick = () => {}
  const setInterval = (task: () => void) => {
    tick = task
  }
  await runBlock('docs/TUNING.md', 'gapMs', { given: { node: pair.a, console, setInterval } })
  pair.m1.impair({ loss: 0.5 })
  await until('both were told', () => {
    tick()
    const text = lines.join('\n')
    return /m1: a gap of \d+ ms/.test(text) && /m1: \d+ % lost/.test(text)
  })
  assert.not.match(lines.join('\n'), /m2: \d+ % lost/)
})

test.run()
