// The ground two nodes stand on: a network namespace each, and two veth cables between them; if wanted a third place, for
// a witness, with a cable to each. Packets are dropped by nftables where they arrive, so each way of each cable has its own
// faults. Needs root, iproute2 and nftables.
import { spawnSync } from 'node:child_process'

export type NodeName = 'a' | 'b'
export type LinkNumber = 1 | 2
export const NODES = ['a', 'b'] as const
export const LINKS = [1, 2] as const
export const OTHER = { a: 'b', b: 'a' } as const

function run(command: string, args: readonly string[], input?: string): void {
  const result = spawnSync(command, args, { encoding: 'utf8', input })
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${result.error ?? result.stderr}\n${input ?? ''}`)
}

/** What is missing for network namespaces; undefined where nothing is. */
export function missing(...tools: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'root'
  return tools.find((tool) => spawnSync('which', [tool]).status !== 0)
}

export class Ground {
  private readonly names: Record<NodeName, string>
  /** Percent lost of what arrives at a node on a link; 100 is a cut. */
  private readonly loss = { a: { 1: 0, 2: 0 }, b: { 1: 0, 2: 0 } }
  private readonly reachesWitness = { a: true, b: true }
  /** Where the witness lives; undefined where there is none. */
  private readonly third: string | undefined

  /** `tag`: a word that no other ground of this machine has. */
  constructor(tag: string, hasWitness = false) {
    this.names = { a: `hf-${tag}-a`, b: `hf-${tag}-b` }
    this.third = hasWitness ? `hf-${tag}-w` : undefined
  }

  lay(): void {
    for (const name of Object.values(this.names)) run('ip', ['netns', 'add', name])
    for (const link of LINKS) {
      const device = `m${link}`
      const { a, b } = this.names
      const far = ['type', 'veth', 'peer', 'name', device, 'netns', b]
      run('ip', ['link', 'add', device, 'netns', a, ...far])
      for (const node of NODES) {
        run('ip', ['-n', this.names[node], 'addr', 'add', `${addressOf(node, link)}/24`, 'dev', device])
        run('ip', ['-n', this.names[node], 'link', 'set', device, 'up'])
      }
    }
    if (this.third !== undefined) this.layThird(this.third)
  }

  private layThird(third: string): void {
    run('ip', ['netns', 'add', third])
    run('ip', ['-n', third, 'link', 'set', 'lo', 'up'])
    for (const node of NODES) {
      const name = this.names[node]
      run('ip', [
        'link',
        'add',
        WITNESS_DEVICE,
        'netns',
        name,
        'type',
        'veth',
        'peer',
        'name',
        node,
        'netns',
        third,
      ])
      run('ip', ['-n', third, 'addr', 'add', `${witnessAddress(node)}/24`, 'dev', node])
      run('ip', ['-n', third, 'link', 'set', 'dev', node, 'up'])
      run('ip', ['-n', name, 'addr', 'add', `10.71.${WITNESS_NETS[node]}.1/24`, 'dev', WITNESS_DEVICE])
      run('ip', ['-n', name, 'link', 'set', 'dev', WITNESS_DEVICE, 'up'])
    }
  }

  clear(): void {
    const names = [...Object.values(this.names), ...(this.third === undefined ? [] : [this.third])]
    for (const name of names) spawnSync('ip', ['netns', 'del', name])
  }

  /** The command that runs the rest of its arguments at the witness's place. */
  throughWitness(): string[] {
    if (this.third === undefined) throw new Error('this ground has no place for a witness')
    return ['ip', 'netns', 'exec', this.third]
  }

  /** A node reaches the witness, or does not. */
  setWitness(node: NodeName, isReached: boolean): void {
    this.reachesWitness[node] = isReached
    this.apply(node)
  }

  /** The command that runs the rest of its arguments at a node's place. */
  through(node: NodeName): string[] {
    return ['ip', 'netns', 'exec', this.names[node]]
  }

  /** The options of a node's links. */
  links(node: NodeName) {
    const link = (number: LinkNumber) => ({
      listen: `${addressOf(node, number)}:7401`,
      peer: `${addressOf(OTHER[node], number)}:7401`,
    })
    return { m1: link(1), m2: link(2) }
  }

  /** A share of what a node sends on these links is lost; 100: all of it. */
  lose(from: NodeName, links: readonly LinkNumber[], percent: number): void {
    for (const link of links) this.loss[OTHER[from]][link] = percent
    this.apply(OTHER[from])
  }

  cut(links: readonly LinkNumber[], from: readonly NodeName[] = NODES): void {
    for (const node of from) this.lose(node, links, 100)
  }

  /** A real interface goes down, or up again. */
  setInterface(node: NodeName, link: LinkNumber, state: 'up' | 'down'): void {
    run('ip', ['-n', this.names[node], 'link', 'set', `m${link}`, state])
  }

  /** Everything passes again. */
  mend(): void {
    for (const node of NODES) {
      for (const link of LINKS) {
        this.loss[node][link] = 0
        this.setInterface(node, link, 'up')
      }
      this.reachesWitness[node] = true
      this.apply(node)
    }
  }

  private apply(node: NodeName): void {
    const rules = LINKS.map((link) => {
      const percent = this.loss[node][link]
      if (percent === 0) return ''
      const some = percent === 100 ? '' : `numgen random mod 1000 < ${percent * 10} `
      return `iifname "m${link}" ${some}drop`
    })
    if (!this.reachesWitness[node]) rules.push(`iifname "${WITNESS_DEVICE}" drop`)
    const chain = `chain in { type filter hook input priority 0; policy accept;\n${rules.join('\n')}\n}`
    // One transaction: no packet meets a half of it.
    const text = `add table inet hf\ndelete table inet hf\ntable inet hf {\n${chain}\n}\n`
    run('ip', ['netns', 'exec', this.names[node], 'nft', '-f', '-'], text)
  }
}

const WITNESS_DEVICE = 'w'
const WITNESS_NETS = { a: 11, b: 12 } as const
/** Where a node finds the witness. */
export const witnessAddress = (node: NodeName) => `10.71.${WITNESS_NETS[node]}.3`
const addressOf = (node: NodeName, link: LinkNumber) => `10.71.${link}.${node === 'a' ? 1 : 2}`
