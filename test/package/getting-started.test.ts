// time-out: 300 s
// docs/GETTING-STARTED.md, as a newcomer does it: an empty folder, the packages it names (this one from its tarball), its
// program, its commands with ports that are free here, the kill, the way back.
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freeAddress } from '../../src/testing/index.ts'
import { blocksOf, filesOf, textOf } from '../docs/pages.ts'
import { install, project, run, runtimes, Watched, write } from './support.ts'

const test = suite('getting started')

const PAGE = 'docs/GETTING-STARTED.md'
const blocks = blocksOf(PAGE)
const shells = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code)
const outputs = blocks.filter(({ language }) => language === 'text').map(({ code }) => code)

/** Every port of the page, and a free one for it. */
async function freePorts(): Promise<(text: string) => string> {
  const ports = new Map<string, string>()
  for (const [port] of [...filesOf(PAGE).values(), ...shells].join('\n').matchAll(/\b(?:30|74)\d\d\b/g)) {
    while (!ports.has(port)) {
      const free = (await freeAddress()).split(':')[1]!
      if (![...ports.values()].includes(free)) ports.set(port, free)
    }
  }
  return (text) => text.replace(/\b(?:30|74)\d\d\b/g, (port) => ports.get(port)!)
}

const [first = '', startA = '', startB = '', login = '', after = '', keys = ''] = shells
const packages = /npm install holdfast (.*)/.exec(first)![1]!.trim().split(' ')
const folder = project({}, ...packages)
// This Node, Deno and Bun; other Nodes are tried with the README's program.
const tried = runtimes([])

for (const { name, command } of tried) {
  test(`${name}: the page, from npm install to a login that survives a kill, and back`, async () => {
    if (spawnSync('curl', ['--version']).error !== undefined) {
      console.log('curl is not installed: docs/GETTING-STARTED.md was not followed')
      return
    }
    assert.equal([startA, startB], ['node server.mjs a\n', 'node server.mjs b\n'])
    const withPorts = await freePorts()
    write(folder, { 'server.mjs': withPorts(filesOf(PAGE).get('server.mjs')!) })
    const shell = (script: string) => {
      const { stdout, stderr, error } = spawnSync(
        'sh',
        ['-c', withPorts(script).replaceAll('curl ', 'curl -sS ')],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      )
      if (error !== undefined) throw error
      return stdout + stderr
    }
    // The other one is always this Node: a pair may be of two runtimes.
    const start = (id: string) =>
      new Watched([...(id === 'a' ? command : [process.execPath]), 'server.mjs', id], folder)

    const a = start('a')
    const started = [a]
    try {
      await a.says(/a is primary/)
      const b = start('b')
      started.push(b)
      await b.says(/both hold every session/)
      assert.is(shell(login), outputs[0])
      assert.match(a.output, /a: process \d+, port \d+/)
      a.kill()
      await b.says(/b is primary/)
      assert.is(shell(after), outputs[1])

      const again = start('a')
      started.push(again)
      await again.says(/both hold every session/)
      b.kill('SIGTERM')
      assert.is(await b.ends(), 0)
      await again.says(/a is primary/)
      assert.is(shell(after.replace('3002', '3001')), 'ada, visit 4, from a\n')
    } finally {
      for (const process of started) process.kill()
      await Promise.all(started.map((process) => process.ends()))
    }
  })
}

test('with keys: the command makes two identities, and the links speak TLS', async () => {
  const [line = '', more = '', keygen = ''] = [
    /^ {4}(identity: .*)$/m.exec(textOf(PAGE))![1]!,
    ...keys.trim().split('\n'),
  ]
  install(folder, ...more.replace('npm install ', '').split(' '))
  run('npx', keygen.split(' ').slice(1), folder)
  const withPorts = await freePorts()
  const program = filesOf(PAGE)
    .get('server.mjs')!
    .replace("import { createNode } from 'holdfast'", "import { createNode, readIdentity } from 'holdfast'")
    .replace(/insecure: true,.*/, line)
  assert.ok(program.includes(line))
  write(folder, { 'server.mjs': withPorts(program) })
  const start = (id: string) => new Watched([process.execPath, 'server.mjs', id], folder)
  const a = start('a')
  await a.says(/a is primary/)
  const b = start('b')
  try {
    await b.says(/both hold every session/)
    a.kill('SIGTERM')
    assert.is(await a.ends(), 0)
    await b.says(/b is primary/)
  } finally {
    a.kill()
    b.kill()
  }
})

test.run()
