// Hands out the compiled text of a TypeScript file under its own address, so that `import.meta.url` and imports are its own.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url).href
const folder = process.env.HOLDFAST_COMPILED

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const compiled = join(folder, url.replace(root, '').replace(/ts$/, 'js'))
  const source =
    url.startsWith(root) && existsSync(compiled) ? readFileSync(compiled, 'utf8') : await compileNow(url)
  return { format: 'module', shortCircuit: true, source }
}

/** A test has just written it. */
async function compileNow(url) {
  const { transform } = await import('esbuild')
  const sourcefile = fileURLToPath(url)
  const options = { loader: 'ts', format: 'esm', sourcemap: 'inline', sourcefile }
  return (await transform(readFileSync(sourcefile, 'utf8'), options)).code
}
