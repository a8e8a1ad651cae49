// Links between pages lead somewhere: files and headings exist, and every page can be reached from the index of docs/.
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pages, proseOf, root } from './pages.ts'

const test = suite('links of the documentation')

const INDEX = 'docs/README.md'

/** Relative links of a page: the file they name, from the root, and the heading. */
function linksOf(page: string): { path: string; heading: string }[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', heading = ''] = target.split('#')
      return { path: path === '' ? page : normalize(join(dirname(page), path)).replace(/\/$/, ''), heading }
    })
}

/** As GitHub makes them. */
const anchorsOf = (page: string): string[] =>
  [...proseOf(page).matchAll(/^#+ +(.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/ /g, '-'),
  )

test('every link names a file that exists, and a heading that is there', () => {
  for (const page of pages()) {
    for (const { path, heading } of linksOf(page)) {
      assert.ok(existsSync(join(root, path)), `${page}: ${path}`)
      if (heading !== '') assert.ok(anchorsOf(path).includes(heading), `${page}: ${path}#${heading}`)
    }
  }
})

test('the README links the index, and from there every page of docs and every example can be reached', () => {
  assert.ok(linksOf('README.md').some(({ path }) => path === INDEX))
  const reached = new Set<string>()
  const walk = (page: string) => {
    if (reached.has(page) || !page.endsWith('.md')) return
    reached.add(page)
    for (const { path } of linksOf(page)) walk(path)
  }
  walk(INDEX)
  for (const page of pages().filter((path) => /^(docs|examples)\//.test(path))) {
    assert.ok(reached.has(page), `a link to ${page}, from ${INDEX} or from a page it links`)
  }
})

test.run()
