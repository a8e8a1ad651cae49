// The golden stories as files: compared, or written anew. As etcd's raft keeps its interaction tests.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { STORIES, tellStory } from './stories.ts'

const FOLDER = new URL('./stories/', import.meta.url)

const pathOf = (name: string): string => fileURLToPath(new URL(`${name}.txt`, FOLDER))

/** How a story differs from its file; undefined if it does not. */
export function differenceOf(name: string, told: string): string | undefined {
  const path = pathOf(name)
  if (!existsSync(path)) return 'it has no file'
  const kept = readFileSync(path, 'utf8').split('\n')
  const now = told.split('\n')
  const at = now.findIndex((line, i) => line !== kept[i])
  if (at < 0 && kept.length === now.length) return undefined
  const line = at < 0 ? now.length : at
  return `line ${line + 1}\n    was  ${kept[line] ?? '(its end)'}\n    is   ${now[line] ?? '(its end)'}`
}

/** `names`: parts of names; none: all. Exit code: 0 if nothing differs. */
export function compareStories(
  names: readonly string[],
  write: boolean,
  print: (line: string) => void,
): number {
  const chosen = STORIES.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)))
  if (chosen.length === 0) {
    print(
      `no story is called like ${names.join(', ')}; allowed: ${STORIES.map(({ name }) => name).join(', ')}`,
    )
    return 2
  }
  let different = 0
  for (const story of chosen) {
    const told = tellStory(story)
    const difference = differenceOf(story.name, told)
    if (difference === undefined) continue
    different++
    print(`${story.name}: ${write ? 'written anew' : difference}`)
    if (!write) continue
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(pathOf(story.name), told)
  }
  print(`${chosen.length} stories, ${different} ${write ? 'written' : 'different'}`)
  return different > 0 && !write ? 1 : 0
}
