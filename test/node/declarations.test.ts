// The declarations ask nothing of whoever compiles against them: neither Node's types, nor the DOM's, nor skipLibCheck.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('declarations')
const root = fileURLToPath(new URL('../..', import.meta.url))

const USE = `import { createNode, defineTable } from 'holdfast'
import { createPair, freeAddress } from 'holdfast/testing'
const sessions = defineTable({ name: 'sessions', key: { id: 'u32' }, fields: { count: 'u53' }, capacity: 10 })
export async function use(): Promise<number | undefined> {
  const pair = await createPair({ tables: { sessions } })
  await pair.a.replicated({ alone: 'wait' })
  await pair.a.close()
  const address: string = await freeAddress()
  const link = { listen: address, peer: address }
  const links = { m1: link, m2: link }
  const node = await createNode({ id: 'a', peer: 'b', tables: { sessions }, links, insecure: true })
  return node.tables.sessions.get({ id: 1 })?.count
}
`

function compile(...args: string[]): string {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, ...args], { encoding: 'utf8' })
  return stdout + stderr
}

test("a strict project with the language's own library only compiles against both entries", () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-types-'))
  try {
    const installed = join(folder, 'node_modules/holdfast')
    mkdirSync(installed, { recursive: true })
    const entry = (path: string) => ({ types: `./dist/${path}.d.ts` })
    const exports = { '.': entry('index'), './testing': entry('testing/index') }
    writeFileSync(join(installed, 'package.json'), JSON.stringify({ type: 'module', exports }))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    writeFileSync(join(folder, 'use.ts'), USE)
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      target: 'ES2022',
      lib: ['ES2022'],
      types: [],
      module: 'NodeNext',
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
    const build = join(root, 'tsconfig.build.json')
    assert.is(compile('-p', build, '--emitDeclarationOnly', '--outDir', join(installed, 'dist')), '')
    assert.is(compile('-p', folder), '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test.run()
