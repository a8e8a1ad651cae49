// Node's event emitter with listeners typed as Keyv types them: a plain Function is not enough for it.
import { EventEmitter } from 'node:events'

// biome-ignore lint/suspicious/noExplicitAny: an event's arguments are its own
type AnyListener = (...args: any[]) => void

export class AdapterEmitter extends EventEmitter {
  override listeners(name: string | symbol): AnyListener[] {
    return super.listeners(name) as AnyListener[]
  }

  override rawListeners(name: string | symbol): AnyListener[] {
    return super.rawListeners(name) as AnyListener[]
  }
}
