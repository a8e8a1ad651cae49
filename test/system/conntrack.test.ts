// time-out: 120 s
// The kernel and conntrack-tools themselves: what was read from one kernel and written into another reads the same there;
// lines that are refused are found among others; events come while many are made at once. Two network namespaces without
// a cable are the two kernels. Needs root, a kernel with nf_conntrack, conntrack and nft; says so where one is missing.
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { missing } from '../../bench/firewall/ground.ts'

const load = (name: string) => import(new URL(`../../examples/firewall/${name}`, import.meta.url).href)
const { Conntrack } = await load('conntrack.mjs')
const { parseLine } = await load('parse.mjs')
const { planOf } = await load('plan.mjs')

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
  test('what one kernel has reads the same in another, of every kind', () =>
    between(async () => {
      const one = new Conntrack({ netns: names.a, buffer: BUFFER })
      assert.equal(await one.load([LINES]), { written: LINES.length, refused: [] })
      const wanted = await flowsOf(names.a)
      assert.is(wanted.length, LINES.length)
      const other = new Conntrack({ netns: names.b, buffer: BUFFER })
      const plan = () => [...planOf(wanted, { flows: [], ignored: [] }, 0)]
      assert.equal((await other.load(plan())).refused, [])
      assert.equal(await flowsOf(names.b), wanted)
      // Once more is no harm.
      assert.equal((await other.load(plan())).refused, [])
      assert.equal(await flowsOf(names.b), wanted)
    }))

  test('the same with a process for each line, as older versions need', () =>
    between(async () => {
      const one = new Conntrack({ netns: names.a, buffer: BUFFER, oneByOne: true })
      assert.equal((await one.load([LINES])).refused, [])
      assert.equal((await one.load([LINES])).refused, [])
      assert.is((await flowsOf(names.a)).length, LINES.length)
      assert.equal((await one.load([['-F', LINES[0]]])).refused, [])
      assert.is((await flowsOf(names.a)).length, 1)
    }))

  test('a line that is refused keeps no other one out', () =>
    between(async () => {
      const bad = ['-A -t 300 -s 10.1.0.10 -p no-such-protocol', '--nonsense']
      const lines = [LINES[0], bad[0], ...LINES.slice(1, 6), bad[1], ...LINES.slice(6)]
      const one = new Conntrack({ netns: names.a, buffer: BUFFER })
      const { refused } = await one.load([lines])
      assert.equal(
        refused.map(({ line }: { line: string }) => line),
        bad,
      )
      assert.is((await flowsOf(names.a)).length, LINES.length)
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
      const flow = (i: number) =>
        `-A -t 300 -u UNSET -s 10.1.0.10 -d 10.2.0.10 -p udp --sport ${1024 + i} --dport 53`
      assert.equal((await one.load([Array.from({ length: count }, (_, i) => flow(i))])).refused, [])
      const bound = performance.now() + 60_000
      while (seen < count && overruns === 0 && performance.now() < bound)
        await new Promise((resolve) => setTimeout(resolve, 10))
      await watch.end()
      assert.equal({ seen, overruns }, { seen: count, overruns: 0 })
    }))
}

test.run()
