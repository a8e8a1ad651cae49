// The two nodes as boxes.
import { button, el, figures, setData, setEnabled, setHidden, setText } from './dom.js'
import { count, lasting } from './format.js'
import { nodeState } from './words.js'

/** What a demonstration can do to a node: name, what the button says, what it is, and when it can be pressed. */
const ACTS = [
  ['kill', 'Kill', 'Kill node %, kill -9', ({ state }) => ['running', 'blocked', 'frozen'].includes(state)],
  ['freeze', 'Freeze', 'Freeze node %, its process stands still', ({ state }) => state === 'running'],
  ['wake', 'Wake', 'Wake node %', ({ state }) => state === 'frozen'],
  ['restart', 'Restart', 'Restart node %, empty', ({ state }) => state !== 'starting'],
  ['block-1', 'Block 1 s', 'Block 1 s, the main thread of node %', ({ state }) => state === 'running'],
  ['block-3', 'Block 3 s', 'Block 3 s, the main thread of node %', ({ state }) => state === 'running'],
  ['handover', 'Hand over', 'Hand over from node %', isHandover],
]

function isHandover({ state, role }) {
  return state === 'running' && role === 'primary'
}

export class NodeBox {
  #element
  #title = el('h2')
  #role = el('p.role')
  #text = el('p.words')
  #facts
  #figures
  #buttons = new Map()
  #id

  /**
   * @param {HTMLElement} element
   * @param {((act: string, node: string) => void) | undefined} press undefined: nothing can be done to a node
   */
  constructor(element, press) {
    this.#element = element
    const { list, figures: values } = figures('Epoch', 'Up for', 'Sessions')
    this.#facts = list
    this.#figures = values
    element.append(el('div.head', {}, this.#title, this.#role), this.#text, list)
    if (press) element.append(this.#controls(press))
  }

  #controls(press) {
    const group = el('div.buttons', { role: 'group' })
    for (const [act, text, label, isPossible] of ACTS) {
      const made = button(text, label, () => press(act, this.#id))
      if (act === 'kill') made.classList.add('harsh')
      made.dataset.act = act
      this.#buttons.set(act, { made, label, isPossible })
      group.append(made)
    }
    return group
  }

  show(node, world) {
    const { id, status, state, peer } = node
    if (this.#id !== id) this.#name(id, peer !== null || state === 'unknown')
    const { role, tone, text } = nodeState(node, world)
    setData(this.#element, 'tone', tone)
    setData(this.#element, 'state', state)
    setText(this.#role, role)
    setText(this.#text, text)
    const known = status !== null && state !== 'gone'
    setHidden(this.#facts, status === null && world.kind === 'node')
    setText(this.#figures.Epoch, known ? String(status.epoch) : '–')
    setText(this.#figures['Up for'], known ? lasting(status.uptimeMs) : '–')
    const sessions = known
      ? Object.values(status.tables).reduce((sum, table) => sum + table.sessions, 0)
      : null
    setText(this.#figures.Sessions, sessions === null ? '–' : count(sessions))
    for (const { made, isPossible } of this.#buttons.values()) setEnabled(made, isPossible(node))
    // One place for two: what stands still can be woken, what runs can be frozen.
    const frozen = state === 'frozen'
    const freeze = this.#buttons.get('freeze')?.made
    const wake = this.#buttons.get('wake')?.made
    if (freeze && wake) swap(frozen ? freeze : wake, frozen ? wake : freeze)
  }

  #name(id, isPeer) {
    this.#id = id
    setText(this.#title, isPeer && id === 'peer' ? 'The peer' : `Node ${id}`)
    this.#element.setAttribute('aria-label', `Node ${id}`)
    for (const { made, label } of this.#buttons.values())
      made.setAttribute('aria-label', label.replace('%', id))
  }
}

/** The focus goes along. */
function swap(hidden, shown) {
  if (hidden.hidden) return
  const focused = document.activeElement === hidden
  shown.hidden = false
  hidden.hidden = true
  if (focused) shown.focus()
}
