// Both cables, in a process of their own: neither the display nor the load can hold a heartbeat back.
import { createCable } from 'holdfast/testing'
import { serve } from './child.mjs'

const cables = {}

serve({
  /** Lays M1 and M2; gives each node's link options. */
  async lay() {
    cables.m1 = await createCable()
    cables.m2 = await createCable()
    const links = (node) => ({ m1: cables.m1.link(node), m2: cables.m2.link(node) })
    return { a: links('a'), b: links('b') }
  },
  cut: ({ link }) => cables[link].cut(),
  mend: ({ link }) => cables[link].mend(),
})
