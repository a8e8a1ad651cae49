// The pages of the documentation and what stands in them: code blocks with the notes above them, links, headings.
//
// A note is a comment that readers of the rendered page do not see, right above a block:
//   <!-- given: declare const cert: string -->   what the block takes for granted, as TypeScript declarations
//   <!-- continues -->                           the block goes on where the page's block before it ended
//   <!-- file: app.mjs -->                       the block is a file of the page's program, beside its others
//   <!-- run: ... -->                            says which test runs it, as that test is named in the page
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

export interface Block {
  readonly page: string
  /** Of its first line of code, from 1. */
  readonly line: number
  /** As the fence says it; empty without one. */
  readonly language: string
  readonly code: string
  readonly notes: ReadonlyMap<string, string>
}

const FOLDERS = ['docs', 'examples', 'bench']
const ROOT_PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']
const FENCE = /^( *)(`{3,})(\w*)[^\n]*\n([\s\S]*?)^\1\2 *$/gm
const NOTES_ABOVE = /((?:^ *<!--(?:(?!-->)[\s\S])*--> *\n+)+) *$(?![\s\S])/m

/** Every page, as paths from the root. */
export function pages(): string[] {
  const found = FOLDERS.flatMap((folder) => filesIn(folder)).filter((path) => path.endsWith('.md'))
  return [...ROOT_PAGES, ...found.sort()]
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`
    if (name === 'node_modules') return []
    return statSync(join(root, path)).isDirectory() ? filesIn(path) : [path]
  })
}

export const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

export function blocksOf(page: string): Block[] {
  const text = textOf(page)
  return [...text.matchAll(FENCE)].map((match) => {
    const [all, indent = '', , language = '', body = ''] = match
    const before = text.slice(0, match.index)
    return {
      page,
      line: before.split('\n').length + 1,
      language,
      code: indent === '' ? body : body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      notes: notesAbove(before, all),
    }
  })
}

function notesAbove(before: string, block: string): Map<string, string> {
  const above = NOTES_ABOVE.exec(before)
  if (above === null || block === '' || above.index + above[0].length !== before.length) return new Map()
  return new Map(
    [...above[1]!.matchAll(/<!--\s*([a-z]+)(?::\s*([\s\S]*?))?\s*-->/g)].map(([, name, value]) => [
      name!,
      value ?? '',
    ]),
  )
}

/** The page without its fenced blocks. */
export const proseOf = (page: string): string => textOf(page).replaceAll(FENCE, '')

/** Files of a page's program: what `<!-- file: … -->` names. */
export function filesOf(page: string): Map<string, string> {
  const named = blocksOf(page).flatMap(({ notes, code }) => {
    const name = notes.get('file')
    return name === undefined ? [] : [[name, code] as const]
  })
  return new Map(named)
}
