// What of dist the entries of package.json reach: by imports, by `import()`, by `new URL(…, import.meta.url)`. The build
// removes the declarations that nobody can import; a test holds the rest of the package against the same walk.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const IMPORTS = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)['"](\.[^'"]+)['"]/g

/** The addresses of an exports map that stand under a condition, from the root of the package. */
export function entries(exports, condition) {
  return Object.values(exports).flatMap((entry) => {
    if (typeof entry === 'string') return condition === 'default' ? [entry.replace(/^\.\//, '')] : []
    return entry[condition] === undefined ? [] : [entry[condition].replace(/^\.\//, '')]
  })
}

/** Every file that `starts` reach, as paths from `root`. `find` says which file an import means. */
export function reached(root, starts, find = (path) => path) {
  const seen = new Set()
  const queue = [...starts]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path) || !existsSync(join(root, path))) continue
    seen.add(path)
    if (!/\.(js|ts)$/.test(path)) continue
    for (const [, name] of readFileSync(join(root, path), 'utf8').matchAll(IMPORTS)) {
      queue.push(find(join(dirname(path), name)))
    }
  }
  return seen
}

/** A declaration names its neighbours by their sources. */
export const declarationOf = (path) => path.replace(/(\.d)?\.[jt]s$/, '.d.ts')

export function pruneDeclarations(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const kept = reached(root, entries(exports, 'types'), declarationOf)
  for (const name of readdirSync(join(root, 'dist'), { recursive: true })) {
    const path = join('dist', name)
    if (path.endsWith('.d.ts') && !kept.has(path)) rmSync(join(root, path))
  }
}
