// The program of a page, written out and run: its files as they stand there, in a folder from which 'holdfast' is this
// package; requests that are asked again until a primary answers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { filesOf, root } from './pages.ts'

const folders: string[] = []
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder with the files of a page and others. */
export function programOf(page: string, others: Readonly<Record<string, string>> = {}): string {
  mkdirSync(join(root, 'build'), { recursive: true })
  const folder = mkdtempSync(join(root, 'build/page-'))
  folders.push(folder)
  for (const [path, text] of [...filesOf(page), ...Object.entries(others)]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** The first good answer of any of these addresses, asked in turn until the bound. */
export async function answerOf(
  urls: readonly string[],
  options: RequestInit = {},
  boundMs = 30_000,
): Promise<Response> {
  const deadline = performance.now() + boundMs
  let last: unknown
  for (let i = 0; performance.now() < deadline; i++) {
    try {
      const response = await fetch(urls[i % urls.length]!, { redirect: 'manual', ...options })
      if (response.status < 500) return response
      last = `${response.status} ${await response.text()}`
    } catch (error) {
      last = error
    }
    await wait(20)
  }
  throw new Error(`no answer from ${urls.join(', ')} within ${boundMs} ms: ${last}`)
}
