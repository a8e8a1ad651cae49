// A copy of the sources with one planted bug in it, under build/, which nothing ships and nobody else reads. The
// simulator in that copy is run as it is.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant, Patch } from './mutants/mutant.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EMBEDDED = 'src/table/wasm-bytes.ts'

/** Where a patch applies, among files given by their paths. */
export function placesOf(patch: Patch, texts: ReadonlyMap<string, string>): string[] {
  const places: string[] = []
  for (const [path, text] of texts) {
    for (let at = text.indexOf(patch.find); at >= 0; at = text.indexOf(patch.find, at + 1)) places.push(path)
  }
  return places
}

/** Sources of a folder, by their paths from the root. */
export function readSources(folder: 'src' | 'assembly'): Map<string, string> {
  const texts = new Map<string, string>()
  for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
    const path = join(entry.parentPath ?? entry.path, entry.name)
    const name = path.slice(ROOT.length).split('\\').join('/')
    if (name !== EMBEDDED) texts.set(name, readFileSync(path, 'utf8'))
  }
  return texts
}

/** The files a mutant changes, changed. Throws if one of its texts does not stand exactly once. */
export function mutate(mutant: Mutant): Map<string, string> {
  const texts = readSources(mutant.folder)
  const changed = new Map<string, string>()
  for (const patch of mutant.patches) {
    const places = placesOf(patch, texts)
    const [path] = places
    if (path === undefined || places.length > 1) {
      throw new Error(
        `mutant ${mutant.name}: its text stands ${places.length} times in ${mutant.folder} (${places.join(', ')}), not once; ` +
          `adapt test/sim/mutants to the changed source:\n${patch.find}`,
      )
    }
    const text = texts.get(path)!.replace(patch.find, () => patch.replace)
    texts.set(path, text)
    changed.set(path, text)
  }
  return changed
}

/** Writes the copy with the bug in it; gives its folder. */
export function plant(mutant: Mutant): string {
  const tree = join(ROOT, 'build', 'mutants', mutant.name)
  const changed = mutate(mutant)
  rmSync(tree, { recursive: true, force: true })
  const parts = ['src', 'test/sim', 'test/twins', 'test/support']
  const isWasm = mutant.folder === 'assembly'
  if (isWasm) parts.push('assembly', 'scripts', 'asconfig.json', 'package.json')
  if (mutant.test !== undefined) parts.push('test')
  for (const part of parts) {
    mkdirSync(dirname(join(tree, part)), { recursive: true })
    cpSync(join(ROOT, part), join(tree, part), { recursive: true })
  }
  for (const [path, text] of changed) writeFileSync(join(tree, path), text)
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'), 'junction')
  if (isWasm) compile(tree)
  return tree
}

function compile(tree: string): void {
  rmSync(join(tree, EMBEDDED), { force: true })
  const args = [join(tree, 'scripts/build.mjs'), '--wasm-only', '--quiet']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0 || !existsSync(join(tree, EMBEDDED)))
    throw new Error(`a mutant does not compile:\n${stderr}`)
}

export function uproot(tree: string): void {
  rmSync(tree, { recursive: true, force: true })
}
