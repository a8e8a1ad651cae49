// time-out: 900 s
// The packed package in an empty project, under every runtime: two processes of the README's program are a pair, and the
// second has the first one's session after its end; require() works where the runtime has it; types are checked.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { declared, files } from './readme.ts'
import { install, project, root, run, runtimes, Watched, write } from './support.ts'

const test = suite('runtimes')

const folder = project(
  {},
  '@types/node@20',
  'typescript@7.0.2',
  'typescript6@npm:typescript@6.0.3',
  'typescript5@npm:typescript@5.9',
)

const all = runtimes()

const COMPILER = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'ES2022',
  types: ['node'],
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>
  peerDependencies: Record<string, string>
}

/** Every entry, by name. */
const ENTRIES = Object.keys(manifest.exports)
  .filter((entry) => entry !== './package.json')
  .map(
    (entry, i) => `import * as entry${i} from '${entry.replace('.', 'holdfast')}'\nconsole.log(entry${i})\n`,
  )
  .join('')

for (const typescript of ['typescript', 'typescript6', 'typescript5']) {
  for (const [module, moduleResolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ] as const) {
    test(`${typescript}, ${moduleResolution}: the README's program is strictly typed`, () => {
      writeFileSync(join(folder, 'typed.ts'), declared())
      const compilerOptions = { ...COMPILER, module, moduleResolution }
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }))
      run(process.execPath, [join('node_modules', typescript, 'bin/tsc'), '-p', '.'], folder)
    })
  }
}

test('every entry and every adapter has its types, beside the libraries they adapt', () => {
  const peers = Object.entries(manifest.peerDependencies).map(([name, range]) => `${name}@${range}`)
  install(folder, ...peers, '@types/express-session@1')
  for (const typescript of ['typescript', 'typescript6', 'typescript5']) {
    // Not all of those libraries compile strictly themselves.
    const compilerOptions = { ...COMPILER, module: 'NodeNext', skipLibCheck: true }
    write(folder, {
      'entries.ts': ENTRIES,
      'tsconfig.json': JSON.stringify({ compilerOptions, files: ['entries.ts'] }),
    })
    run(process.execPath, [join('node_modules', typescript, 'bin/tsc'), '-p', '.'], folder)
  }
})

test("deno check: the README's program is typed", () => {
  write(folder, { 'typed.ts': declared() })
  run(join(root, 'node_modules/.bin/deno'), ['check', '--node-modules-dir=manual', 'typed.ts'], folder)
})

/** For a runtime that does not run TypeScript as it is. */
function compileTo(outDir: string): void {
  const compilerOptions = { target: 'ES2022', module: 'NodeNext', types: ['node'], strict: false, outDir }
  write(folder, { 'tsconfig.json': JSON.stringify({ compilerOptions, files: ['a.ts', 'b.ts'] }) })
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], folder)
  for (const keys of ['keys-a.json', 'keys-b.json'])
    copyFileSync(join(folder, keys), join(folder, outDir, keys))
}

for (const { name, command, runsTypes } of all) {
  test(`${name}: two processes of the README's program`, async () => {
    write(folder, await files())
    if (!runsTypes) compileTo('out')
    const script = (id: string) => [...command, runsTypes ? `${id}.ts` : `out/${id}.js`]
    await pair(script('a'), script('b'))
  })
}

for (const { name, command } of all.filter(({ name }) => ['deno', 'bun'].includes(name))) {
  test(`a process under this Node and one under ${name} are a pair`, async () => {
    write(folder, await files())
    compileTo('out')
    await pair([process.execPath, 'out/a.js'], [...command, 'b.ts'])
  })
}

async function pair(first: readonly string[], second: readonly string[]): Promise<void> {
  const b = new Watched(second, folder)
  const a = new Watched(first, folder)
  try {
    // Whichever was primary: b waits until a has ended, so at the end it leads, with a's session if a had led.
    assert.is(await a.ends(), 0, a.output)
    const [, packets, sessions] = await b.says(/b holds (\d+|undefined) of (\d+)/)
    assert.is(await b.ends(), 0, b.output)
    assert.equal([packets, sessions], ['1', '1'])
    assert.match(a.output + b.output, /survives the loss of this node|no secondary at the moment/)
  } finally {
    a.kill()
    b.kill()
  }
}

for (const { name, command } of all.filter(({ name }) => /^node 2[2-9]/.test(name))) {
  test(`${name}: CommonJS may require() it`, () => {
    write(folder, {
      'required.cjs': `const { createNode, defineTable, bytesFor } = require('holdfast')
const table = defineTable({ name: 't', key: { id: 'u32' }, fields: { n: 'u8' }, capacity: 10 })
console.log(typeof createNode, bytesFor(table) > 0)`,
    })
    assert.match(run(command[0]!, ['required.cjs'], folder), /function true/)
  })
}

test.run()
