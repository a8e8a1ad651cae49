// What an operator may have a real node do, once the token of its admin option is entered. The token stays in this
// page's memory.
import { button, el, setData, setHidden, setText } from './dom.js'

export class Operate {
  #token = el('input', { type: 'password', id: 'token', autocomplete: 'off', spellcheck: 'false' })
  #answer = el('p.words', { role: 'status' })
  #buttons = el('div.buttons', { role: 'group', 'aria-label': 'Actions' })
  #maintenance
  #inMaintenance = false
  #busy = false

  constructor(element) {
    const say = (text, path, body) => {
      const made = button(text, text, () => this.#act(made.textContent, path, body?.()))
      return made
    }
    this.#maintenance = say('Begin maintenance', 'maintenance', () => ({ on: !this.#inMaintenance }))
    this.#buttons.append(
      say('Hand over', 'handover'),
      this.#maintenance,
      say('Compare and repair', 'resync'),
      say('Prove that both are equal', 'verify'),
    )
    const label = el('label', { for: 'token' }, 'Token')
    element.append(
      el('h2', { id: 'operate-title' }, 'Operate'),
      el('div.token', {}, label, this.#token),
      this.#buttons,
      this.#answer,
    )
    this.#token.addEventListener('input', () => this.#showToken())
    this.#showToken()
    setHidden(element, false)
  }

  show({ nodes }) {
    this.#inMaintenance = nodes[0].status.maintenance
    const text = this.#inMaintenance ? 'End maintenance' : 'Begin maintenance'
    setText(this.#maintenance, text)
    this.#maintenance.setAttribute('aria-label', text)
  }

  #showToken() {
    const given = this.#token.value !== ''
    setHidden(this.#buttons, !given)
    setData(this.#answer, 'tone', 'idle')
    if (!given) setText(this.#answer, 'Enter the token of this node (admin: { token }) to act on it.')
    else setText(this.#answer, '')
  }

  async #act(text, path, body) {
    if (this.#busy) return
    this.#busy = true
    this.#tell('idle', `${text} …`)
    try {
      const headers = { authorization: `Bearer ${this.#token.value}` }
      if (body) headers['content-type'] = 'application/json'
      const options = { method: 'POST', headers }
      if (body) options.body = JSON.stringify(body)
      const answer = await (await fetch(`/actions/${path}`, options)).json()
      if (answer.error) this.#tell('bad', `${text}: ${answer.error.message}`)
      else if (answer.equal === false) this.#tell('bad', 'The nodes differ; what differs is being repaired.')
      else this.#tell('good', answer.equal === true ? 'Both nodes hold the same.' : `${text}: done.`)
    } catch (error) {
      this.#tell('bad', `${text}: ${error.message}`)
    } finally {
      this.#busy = false
    }
  }

  #tell(tone, text) {
    setData(this.#answer, 'tone', tone)
    setText(this.#answer, text)
  }
}
