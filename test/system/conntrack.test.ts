// time-out: 120 s
// The kernel and conntrack-tools themselves: what was read from one kernel and written into another reads the same there;
// flows that are refused are found among others; events come while many are made at once. Two network namespaces without
// a cable are the two kernels. Needs root, a kernel with nf_conntrack, conntrack and nft; says so where one is missing.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { missing } from '../../bench/firewall/ground.ts'

const load = (name: string) => import(new URL(`../../examples/firewall/${name}`, import.meta.url).href)
const { Conntrack } = await load('conntrack.mjs')
const { parseLine } = await load('parse.mjs')
const { planOf, startOver } = await load('plan.mjs')
const { NetlinkWriter } = await load('writer.mjs')
const WRITE = fileURLToPath(new URL('../../examples/firewall/write.pl', import.meta.url))

const test = suite('conntrack')
const names = { a: `hf-ct-${process.pid}-a`, b: `hf-ct-${process.pid}-b` }
const BUFFER = 33_554_432
const RULES = `table inet f {
  chain c_in { type filter hook input priority 0; ct state invalid drop; }
  chain c_post { type nat hook postrouting priority 100; }
}
`

function run(words: readonly string[], input = ''): void {
  const [program = '', ...rest] = words
  const { status, stderr, error } = spawnSync(program, rest, { encoding: 'utf8', input })
  assert.is(status, 0, `${words.join(' ')}: ${error ?? stderr}`)
}

function lay(): void {
  for (const name of Object.values(names)) {
    run(['ip', 'netns', 'add', name])
    run(['ip', 'netns', 'exec', name, 'nft', '-f', '-'], RULES)
  }
}
function clear(): void {
  for (const name of Object.values(names)) spawnSync('ip', ['netns', 'del', name])
}

const ZERO = { state: 'NONE', seen: 'unreplied', timeout: 0, mark: 0 }
type Flow = Readonly<Record<string, unknown>>

/** As a person would write them. */
const writeLines = (netns: string, lines: readonly string[]) =>
  run(['ip', 'netns', 'exec', netns, 'sh', '-c', 'cat | conntrack -R -'], `${lines.join('\n')}\n`)
const planOfAll = (flows: readonly Flow[]) => planOf(flows, { flows: [], ignored: [] }, 0)

/** The kernel's flows as a firewall's table would have them, sorted. */
async function flowsOf(netns: string): Promise<Flow[]> {
  const flows: [string, Flow][] = []
  await new Conntrack({ netns, buffer: BUFFER }).dump((line: string) => {
    const told = parseLine(line)
    if (told === undefined) return
    // Time goes on meanwhile.
    const flow = { ...ZERO, ...told.key, ...told.fields, timeout: 300 }
    flows.push([JSON.stringify(told.key), flow])
  })
  return flows.sort(([x], [y]) => (x < y ? -1 : 1)).map(([, flow]) => flow)
}

const LINES = [
  '-A -t 300 -u SEEN_REPLY,ASSURED -s 10.1.0.10 -d 10.2.0.10 -n 10.2.0.1:40001 -p tcp --sport 1001 --dport 80 --state ESTABLISHED',
  '-A -t 300 -u SEEN_REPLY,ASSURED -s 10.1.0.10 -d 10.2.0.10 -n 10.2.0.1:1002 -p tcp --sport 1002 --dport 80 --state FIN_WAIT -m 7',
  '-A -t 300 -u SEEN_REPLY -s 10.1.0.10 -d 10.2.0.1 -n 10.2.0.1:1003 -g 10.2.0.10:8080 -p tcp --sport 1003 --dport 80 --state SYN_RECV',
  '-A -t 300 -u UNSET -s 10.1.0.10 -d 10.2.0.10 -p tcp --sport 1004 --dport 80 --state SYN_SENT',
  '-A -t 300 -u SEEN_REPLY,ASSURED -s 10.1.0.10 -d 10.2.0.10 -p tcp --sport 1005 --dport 80 --state TIME_WAIT',
  '-A -t 300 -u SEEN_REPLY,ASSURED -s fd01::10 -d fd02::10 -n [fd02::1]:40006 -p tcp --sport 1006 --dport 80 --state ESTABLISHED',
  '-A -t 300 -u SEEN_REPLY,ASSURED -s fd01::10 -d fd02::10 -p tcp --sport 1007 --dport 80 --state CLOSE_WAIT',
  '-A -t 300 -u SEEN_REPLY,ASSURED -s 10.2.0.1 -d 10.2.0.10 -n 10.2.0.1:40008 -p udp --sport 1008 --dport 53',
  '-A -t 300 -u UNSET -s 10.1.0.10 -d 10.2.0.10 -g 10.2.0.11:5353 -p udp --sport 1009 --dport 53',
  '-A -t 300 -u SEEN_REPLY -s fd01::10 -d fd02::10 -p udp --sport 1010 --dport 53',
  '-A -t 300 -u SEEN_REPLY -s 10.1.0.10 -d 10.2.0.10 -n 10.2.0.1 -p gre --srckey 1 --dstkey 2 --reply-key-src 2 --reply-key-dst 1',
  '-A -t 300 -u SEEN_REPLY -s 10.1.0.10 -d 10.2.0.10 -n 10.2.0.1 -p 50',
]

async function between(body: () => Promise<void>): Promise<void> {
  try {
    lay()
    await body()
  } finally {
    clear()
  }
}

const absent = missing(['ip', 'nft', 'conntrack', 'perl'])
if (absent !== undefined) {
  test(`SKIPPED: this test needs ${absent}`, () => undefined)
} else {
  for (const write of ['netlink', 'lines', 'one-by-one']) {
    test(`what one kernel has reads the same in another, of every kind, written by ${write}`, () =>
      between(async () => {
        writeLines(names.a, LINES)
        const wanted = await flowsOf(names.a)
        assert.is(wanted.length, LINES.length)
        const other = new Conntrack({ netns: names.b, buffer: BUFFER, write })
        assert.equal(await other.load(planOfAll(wanted)), { written: LINES.length, refused: [] })
        assert.equal(await flowsOf(names.b), wanted)
        // Once more is no harm.
        assert.equal((await other.load(planOfAll(wanted))).refused, [])
        assert.equal(await flowsOf(names.b), wanted)
        assert.equal(await other.load(startOver(wanted.slice(0, 2))), { written: 2, refused: [] })
        assert.is((await flowsOf(names.b)).length, 2)
        await other.close()
      }))
  }

  for (const write of ['netlink', 'lines']) {
    test(`a flow that is refused keeps no other one out, written by ${write}`, () =>
      between(async () => {
        writeLines(names.a, LINES)
        const wanted = await flowsOf(names.a)
        const bad = (dport: number) => ({ ...wanted[0], proto: 6, dport, state: 'NONSENSE' })
        const flows = [wanted[0]!, bad(1), ...wanted.slice(1, 6), bad(2), ...wanted.slice(6)]
        const other = new Conntrack({ netns: names.b, buffer: BUFFER, write })
        const { written, refused } = await other.load(planOfAll(flows))
        assert.is(written, LINES.length)
        assert.equal(
          refused.map(({ line }: { line: string }) => / --dport (\d+) --state NONSENSE/.exec(line)?.[1]),
          ['1', '2'],
        )
        assert.equal(await flowsOf(names.b), wanted)
        await other.close()
      }))
  }

  test('more flows than fit on the way at once are all written', () =>
    between(async () => {
      const flows = Array.from({ length: 20_000 }, (_, i) => ({
        ...{
          ...ZERO,
          timeout: 300,
          proto: 17,
          src: '10.1.0.10',
          dst: '10.2.0.10',
          sport: 1024 + i,
          dport: 53,
        },
      }))
      const one = new Conntrack({ netns: names.a, buffer: BUFFER })
      assert.equal(await one.load(planOfAll(flows)), { written: flows.length, refused: [] })
      assert.is((await flowsOf(names.a)).length, flows.length)
      await one.close()
    }))

  test('where the process that writes over netlink has ended another one does, or conntrack does', () =>
    between(async () => {
      writeLines(names.a, LINES)
      const wanted = await flowsOf(names.a)
      const children: ChildProcess[] = []
      let isBroken = false
      const writer = new NetlinkWriter(() => {
        const words = ['netns', 'exec', names.b, isBroken ? 'false' : 'perl', WRITE]
        const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'pipe'] })
        children.push(child)
        return child
      })
      await writer.prepare()
      const gone = once(children[0]!, 'close')
      children[0]!.kill('SIGKILL')
      await gone
      assert.equal((await writer.load(planOfAll(wanted))).refused, [])
      assert.equal(await flowsOf(names.b), wanted)
      isBroken = true
      const over = once(children[1]!, 'close')
      children[1]!.kill('SIGKILL')
      await over
      await writer.load(planOfAll(wanted)).then(
        () => assert.unreachable(),
        (error: Error) => assert.match(error.message, /^write\.pl: /),
      )
    }))

  test('no event of 10,000 flows is lost, made at once while nobody reads', () =>
    between(async () => {
      const one = new Conntrack({ netns: names.a, buffer: BUFFER })
      let seen = 0
      let overruns = 0
      const watch = one.watch({
        gatherMs: 100,
        onLines: (lines: string[]) => {
          for (const line of lines) if (parseLine(line)?.event === 'new') seen++
        },
        onOverrun: () => overruns++,
        onNoRoom: (why: string) => assert.unreachable(why),
        onEnd: () => undefined,
      })
      await watch.listens
      const count = 10_000
      const flows = Array.from({ length: count }, (_, i) => ({
        ...{
          ...ZERO,
          timeout: 300,
          proto: 17,
          src: '10.1.0.10',
          dst: '10.2.0.10',
          sport: 1024 + i,
          dport: 53,
        },
      }))
      assert.equal((await one.load(planOfAll(flows))).refused, [])
      const bound = performance.now() + 60_000
      while (seen < count && overruns === 0 && performance.now() < bound)
        await new Promise((resolve) => setTimeout(resolve, 10))
      await watch.end()
      await one.close()
      assert.equal({ seen, overruns }, { seen: count, overruns: 0 })
    }))
}

test.run()
