// A node in a process of its own, as its parent sees it: the program is bench/lib/node-process.ts.
import type { NodeMethods } from './node-process.ts'
import { RemoteProcess } from './remote-process.ts'

export class RemoteNode extends RemoteProcess<NodeMethods> {
  /** Starts the process; its node is made by the call `start`. */
  constructor() {
    super('node-process.js')
  }
}
