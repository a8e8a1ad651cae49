// What the clients of the demonstration felt of the button that was pressed last.
import { el, figures, setData, setHidden, setText } from './dom.js'
import { count, ms, plural } from './format.js'

export class Felt {
  #element
  #title = el('h2', { id: 'felt-title' }, 'What the clients felt')
  #state = el('p.words')
  #figures

  constructor(element) {
    this.#element = element
    const { list, figures: values } = figures(
      'Longest wait',
      'Sessions lost',
      'Questions lost',
      'Questions repeated',
    )
    this.#figures = values
    element.append(
      el('div', { 'aria-live': 'polite', 'aria-atomic': 'true' }, this.#title, this.#state),
      list,
    )
    setHidden(element, false)
  }

  show({ act, clients }) {
    if (act === null) {
      setData(this.#element, 'state', 'idle')
      setText(this.#state, 'Press a button: what the clients feel of it is measured and shown here.')
      for (const value of Object.values(this.#figures)) setText(value, '–')
      return
    }
    const { state, title, clients: felt } = act
    setData(this.#element, 'state', state)
    setText(this.#title, title)
    setText(this.#state, sentence(act))
    if (!felt) return
    const missing = felt.seen - felt.kept
    setText(
      this.#figures['Longest wait'],
      ms(Math.max(felt.gapMsMax, state === 'watching' ? clients.openMs : 0)),
    )
    setText(this.#figures['Sessions lost'], count(missing))
    setText(this.#figures['Questions lost'], count(felt.lost))
    setText(this.#figures['Questions repeated'], count(felt.repeated))
    setData(this.#element, 'bad', String(missing > 0 || felt.lost > 0))
  }
}

function sentence({ state, error, message, clients: felt }) {
  if (error) return `Refused: ${error}`
  const took = message ? `${message} ` : ''
  if (state !== 'done' || !felt) return `${took}Watching the clients …`
  const silence = `Nobody at all was answered for ${ms(felt.silenceMsMax)}.`
  if (felt.seen < felt.flows)
    return `${took}${plural(felt.flows - felt.seen, 'client')} had no answer yet. ${silence}`
  if (felt.kept === felt.flows)
    return `${took}All ${count(felt.flows)} clients go on with port and count. ${silence}`
  return `${took}${count(felt.kept)} of ${count(felt.flows)} clients go on with port and count. ${silence}`
}
