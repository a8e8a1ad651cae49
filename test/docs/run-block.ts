// Runs one block of a page as it stands there. What its note declares is given by the test, under the same names; what it
// defines is handed out. Whatever cannot be so on one machine (an address, a path) is replaced by name.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { type Block, blocksOf } from './pages.ts'
import { programOf } from './program.ts'

export interface RunOptions {
  /** Values by the names that the block's note declares; they also stand before globals. */
  readonly given?: Readonly<Record<string, unknown>>
  /** Names the block defines that the test wants. */
  readonly wanted?: readonly string[]
  /** What is replaced by what; each must occur. */
  readonly replaced?: Readonly<Record<string, string>>
}

/** By number, what running blocks are given. */
const all: Record<string, unknown>[] = []
Object.assign(globalThis, { givenToBlocks: all })

/** The block of a page that contains these words; it must be the only one. */
export function blockOf(page: string, words: string): Block {
  const found = blocksOf(page).filter(
    ({ code, language }) => /^[tj]s$/.test(language) && code.includes(words),
  )
  if (found.length !== 1) throw new Error(`${page}: ${found.length} blocks contain ${JSON.stringify(words)}`)
  return found[0]!
}

/** The block's code with the note's imports and definitions before it, and these replacements, as JavaScript. */
export function codeOf({ page, notes, code }: Block, replaced: RunOptions['replaced'] = {}): string {
  let text = code
  for (const [what, by] of Object.entries(replaced)) {
    if (!text.includes(what)) throw new Error(`${page}: no ${what} in ${code}`)
    text = text.replaceAll(what, by)
  }
  return transformSync(`${notes.get('given') ?? ''}\n${text}`, { loader: 'ts', format: 'esm' }).code
}

/** Runs a block in this process; what is wanted of it. */
export async function runBlock(
  page: string,
  words: string,
  { given = {}, wanted = [], replaced = {} }: RunOptions = {},
): Promise<Record<string, unknown>> {
  const number = all.push(given) - 1
  const names = Object.keys(given).join(', ')
  const text = [
    `const { ${names} } = globalThis.givenToBlocks[${number}]`,
    codeOf(blockOf(page, words), replaced),
    `export { ${wanted.join(', ')} }`,
  ].join('\n')
  const file = join(programOf(page), 'block.mjs')
  writeFileSync(file, text)
  return (await import(file)) as Record<string, unknown>
}
