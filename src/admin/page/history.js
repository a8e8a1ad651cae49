// The changes of role, newest first, each with its reason. New ones are read out.
import { el, setHidden, setText } from './dom.js'
import { clock, ms, plural } from './format.js'
import { announcement } from './words.js'

const SHOWN_MAX = 40

export class History {
  #list
  #empty
  #announce
  #last

  constructor(element, announce) {
    this.#list = element.querySelector('ol')
    this.#empty = element.querySelector('.empty')
    this.#announce = announce
  }

  show({ history }) {
    setHidden(this.#empty, history.length > 0)
    const keys = history.map(({ id, at, epoch, role }) => `${id} ${at} ${epoch} ${role}`)
    const begin = this.#last === undefined ? 0 : keys.indexOf(this.#last) + 1
    for (const change of history.slice(begin)) this.#list.prepend(line(change))
    while (this.#list.children.length > SHOWN_MAX) this.#list.lastChild.remove()
    // What was there before this page was opened is no news.
    if (this.#last !== undefined && begin < history.length)
      setText(this.#announce, history.slice(begin).map(announcement).join(' '))
    this.#last = keys.at(-1)
  }
}

function line({ id, at, role, epoch, message, durationMs, sessions }) {
  const facts = [`epoch ${epoch}`]
  if (durationMs > 0) facts.push(`decided in ${ms(durationMs)}`)
  if (sessions > 0) facts.push(plural(sessions, 'session'))
  const time = el('time', { datetime: new Date(at).toISOString() }, clock(at))
  const what = el('strong', { 'data-role': role }, `${id} ${role}`)
  return el('li', {}, time, what, el('p', {}, message, el('small', {}, facts.join(' · '))))
}
