// A headless Chromium for the tests of the live page, and the demonstration in a process of its own. Where there is no
// Chromium the tests say so and pass over it.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import * as assert from 'uvu/assert'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const DEMO = fileURLToPath(new URL('../../examples/demo/main.mjs', import.meta.url))
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
/** Of anything that is waited for, ms. */
const PATIENCE_MS = 30_000
export const PHONE = { width: 360, height: 740 } as const

/** Undefined, with a visible word, where there is none. HOLDFAST_CHROMIUM names another place. */
export function findChromium(): string | undefined {
  const given = process.env.HOLDFAST_CHROMIUM
  const found = given ?? PLACES.find((path) => existsSync(path))
  if (found === undefined)
    console.log('SKIPPED: no Chromium here (Debian: chromium); the live page was not looked at in a browser')
  return found
}

/** A page that remembers everything it complained of. */
export interface Watched {
  readonly page: Page
  /** Errors, warnings, refusals of the content security policy, requests that failed. */
  readonly complaints: string[]
}

export class Chromium {
  private readonly browser: Browser

  private constructor(browser: Browser) {
    this.browser = browser
  }

  static async start(executablePath: string): Promise<Chromium> {
    // The sandbox of the browser does not work for root; what is opened is the page under test only.
    return new Chromium(await chromium.launch({ executablePath, chromiumSandbox: false }))
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<Watched> {
    const context = await this.browser.newContext({ reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(PATIENCE_MS)
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()))
        complaints.push(`${message.type()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`))
    page.on('requestfailed', (request) => {
      // A page that is left ends its stream of events.
      const why = request.failure()?.errorText
      if (why !== 'net::ERR_ABORTED') complaints.push(`not loaded: ${request.url()} (${why})`)
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(new URL(url).origin)) complaints.push(`asked elsewhere: ${request.url()}`)
    })
    await page.goto(url)
    await page.waitForSelector('body[data-kind]')
    return { page, complaints }
  }

  close(): Promise<void> {
    return this.browser.close()
  }
}

/** npm run demo -- --web, with fewer clients. */
export class Demo {
  readonly url: string
  private readonly process: ChildProcess
  private readonly output: () => string

  private constructor(process: ChildProcess, url: string, output: () => string) {
    this.process = process
    this.output = output
    this.url = url
  }

  static start(flows: number): Promise<Demo> {
    const child = spawn(process.execPath, [DEMO, '--web', '--flows', String(flows)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const say = (bytes: Buffer) => (output += bytes)
    child.stdout.on('data', say)
    child.stderr.on('data', say)
    return new Promise((resolve, reject) => {
      const settle = (why: string | undefined) => {
        const url = /http:\/\/\S+/.exec(output)?.[0]
        if (url === undefined && why === undefined) return
        clearTimeout(late)
        child.stdout.off('data', look)
        child.off('exit', fail)
        if (url !== undefined) resolve(new Demo(child, url, () => output))
        else {
          child.kill('SIGKILL')
          reject(new Error(`the demonstration did not start ${why}: ${output}`))
        }
      }
      const look = () => settle(undefined)
      const fail = (code: number | null) => settle(`and ended with ${code}`)
      const late = setTimeout(() => settle(`within ${PATIENCE_MS} ms`), PATIENCE_MS)
      child.stdout.on('data', look)
      child.on('exit', fail)
    })
  }

  /** Rejects if it had ended before it was told to. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.process
    if (exitCode !== null || signalCode !== null)
      throw new Error(`the demonstration ended by itself (${exitCode ?? signalCode}): ${this.output()}`)
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGTERM')
    await ended
  }
}

/** Waits until one of the elements says something, as a person reads it. */
export async function says(page: Page, selector: string, what: RegExp): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const texts = await page.locator(selector).allInnerTexts()
    if (texts.some((text) => what.test(text.trim()))) return
    if (performance.now() > deadline)
      throw new Error(`${selector} does not say ${what}, but ${JSON.stringify(texts)}`)
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))')
  }
}

// ---- Expressions, as text: nothing here runs in a browser but these, so nothing else should know of its objects.

/** The label of what has the focus, and how that is drawn. */
export function focused(page: Page): Promise<{ label: string | null; outline: string }> {
  return page.evaluate(`({
    label: document.activeElement.getAttribute('aria-label'),
    outline: [getComputedStyle(document.activeElement)].map((s) => s.outlineStyle + ' ' + s.outlineWidth)[0],
  })`)
}

/** By how much the page is wider than the screen, px. */
export function pixelsTooWide(page: Page): Promise<number> {
  return page.evaluate('Math.max(0, document.documentElement.scrollWidth - innerWidth)')
}

/** What the accessibility rules of axe-core find, one line each. */
export async function violations(page: Page): Promise<string[]> {
  // Over the debugging protocol, which the content security policy of the page does not bind.
  await page.evaluate(readFileSync(AXE, 'utf8'))
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>
      }
    }
    const found = (await axe.run()).violations
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 120)} ${failureSummary.slice(0, 200)}`),
    )
  })
}

export function demandQuiet({ complaints }: Watched): void {
  assert.equal(complaints, [])
}
