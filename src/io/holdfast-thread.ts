// Entry of the sync thread: owns the core and every socket of the node. Whatever ends it, its last act is to fence: the
// role word is shut before a socket closes, so that nobody writes on a node that can no longer be heard.
import { parentPort, workerData } from 'node:worker_threads'
import { SharedWord, WordState } from '../core/messages.ts'
import { formatAddress } from './address.ts'
import { monotonicMs } from './clock.ts'
import { plainTransport } from './plain-transport.ts'
import { takePrecedence } from './priority.ts'
import { Renewal } from './renewal.ts'
import { SyncLoop } from './sync-loop.ts'
import type { FromThread, LinkFailure, ThreadData, ToThread } from './thread-messages.ts'
import { buffersOf } from './thread-messages.ts'
import { tlsTransport } from './tls-link.ts'

const data = workerData as ThreadData
const port = parentPort!
const words = new Int32Array(data.words)

function fence(): void {
  Atomics.store(words, SharedWord.ROLE, WordState.SHUT)
}

function say(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

function die(error: unknown): void {
  fence()
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  say({ type: 'fatal', message, stack })
  process.exit(1)
}

process.on('uncaughtException', die)
process.on('unhandledRejection', die)
process.on('exit', fence)

async function start(): Promise<void> {
  takePrecedence()
  const transport = data.identity === undefined ? plainTransport : tlsTransport(data.identity)
  let started = false
  const failures: LinkFailure[] = []
  const loop = new SyncLoop(data, transport, monotonicMs, {
    post: (messages) => say({ type: 'core', messages }, buffersOf(messages)),
    failed: (link, message) => {
      const failure = { link, address: formatAddress(data.links[link]!.listen), message }
      if (started) say({ type: 'alarm', failure })
      else failures.push(failure)
    },
    stateFailed: (message) => say({ type: 'state-failed', message }),
    stop: () => void end(),
  })
  const end = async () => {
    await Promise.all([...loop.links.map((link) => link.shut()), loop.witness?.close()])
    process.exit(0)
  }
  await Promise.all(loop.links.map((link) => link.open()))
  started = true
  if (!loop.links.some((link) => link.listening)) {
    say({ type: 'unable', failures })
    await end()
  }
  try {
    await loop.witness?.open()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    say({ type: 'witness-unable', message, loaded: loop.witness?.isLoaded === true })
    await end()
  }
  loop.begin()
  say({ type: 'started', failures })
  const renewal = new Renewal(loop.links, loop, (request, error) => {
    const result = { type: 'result' as const, request }
    say({ type: 'core', messages: [error === undefined ? result : { ...result, error }] })
  })
  port.on('message', (message: ToThread) => {
    if (Array.isArray(message)) loop.handleLocal(message)
    else void renewal.begin(message.request, tlsTransport(message.identity))
  })
}

void start()
