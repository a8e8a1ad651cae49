// M1 and M2 as two cables between the boxes.
import { button, el, figures, setData, setEnabled, setText } from './dom.js'
import { bytesPerSecond, ms, percent } from './format.js'

export class Cables {
  #links = {}
  #both

  /**
   * @param {HTMLElement} element
   * @param {((act: 'cut' | 'mend', link: string) => void) | undefined} press
   */
  constructor(element, press) {
    for (const name of ['m1', 'm2']) element.append(this.#cable(name, press))
    if (!press) return
    const cut = button('Cut both', 'Cut both links', () => press('cut', 'both'))
    const mend = button('Mend both', 'Mend both links', () => press('mend', 'both'))
    cut.classList.add('harsh')
    cut.dataset.act = 'cut-both'
    mend.dataset.act = 'mend-both'
    this.#both = { cut, mend }
    element.append(el('div.buttons.both', { role: 'group', 'aria-label': 'Both links' }, cut, mend))
  }

  #cable(name, press) {
    const upper = name.toUpperCase()
    const state = el('span.state')
    const head = el('div.head', {}, el('h3', {}, upper), state)
    const { list, figures: values } = figures('Round trip', 'Loss', 'Bytes')
    const link = { state, figures: values, isCut: false }
    if (press) {
      link.button = button('Cut', `Cut ${upper}`, () => press(link.isCut ? 'mend' : 'cut', name))
      link.button.dataset.act = `cable-${name}`
      head.append(link.button)
    }
    link.element = el(
      'div.cable',
      { id: `cable-${name}` },
      head,
      el('div.wire', { 'aria-hidden': 'true' }),
      list,
    )
    this.#links[name] = link
    return link.element
  }

  show({ links }) {
    for (const [name, shown] of Object.entries(this.#links)) this.#showLink(name, shown, links[name])
    if (!this.#both) return
    setEnabled(this.#both.cut, !(links.m1.cut && links.m2.cut))
    setEnabled(this.#both.mend, links.m1.cut || links.m2.cut)
  }

  #showLink(name, { element, state, figures, button }, link) {
    const { up, cut, known } = link
    setData(element, 'state', cut ? 'cut' : up ? 'up' : 'down')
    setText(state, cut ? (up ? 'cut, not noticed yet' : 'cut') : up ? 'up' : known ? 'down' : 'unknown')
    state.title = up || !known ? '' : (link.lastReason ?? '')
    const measured = up && known
    setText(figures['Round trip'], measured ? ms(link.rttMs) : '–')
    setText(figures.Loss, measured ? percent(link.lossShare) : '–')
    setText(figures.Bytes, measured ? bytesPerSecond(link.bytesPerSecond) : '–')
    this.#links[name].isCut = cut
    if (!button) return
    setText(button, cut ? 'Mend' : 'Cut')
    const label = `${cut ? 'Mend' : 'Cut'} ${name.toUpperCase()}`
    if (button.getAttribute('aria-label') !== label) button.setAttribute('aria-label', label)
  }
}
