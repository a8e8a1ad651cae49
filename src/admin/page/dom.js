// Elements, made once and then only changed where something is new, so that focus, selection and screen readers are
// left in peace.

/**
 * @param {string} tag 'div', or with a class: 'div.name'
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.')
  const element = document.createElement(name)
  if (classes.length > 0) element.className = classes.join(' ')
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

export function setData(element, key, value) {
  if (element.dataset[key] !== value) element.dataset[key] = value
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden
}

/**
 * A list of figures with names.
 * @param {readonly string[]} names
 * @returns {{ list: HTMLElement, figures: Record<string, HTMLElement> }}
 */
export function figures(...names) {
  const values = names.map((name) => [name, el('dd')])
  const list = el('dl', {}, ...values.map(([name, value]) => el('div', {}, el('dt', {}, name), value)))
  return { list, figures: Object.fromEntries(values) }
}

/** A button that says that it cannot be pressed now, and keeps the focus while it cannot. */
export function button(text, label, onPress) {
  const element = el('button', { type: 'button', 'aria-label': label }, text)
  element.addEventListener('click', () => {
    if (element.getAttribute('aria-disabled') !== 'true') onPress()
  })
  return element
}

export function setEnabled(element, enabled) {
  const value = enabled ? 'false' : 'true'
  if (element.getAttribute('aria-disabled') !== value) element.setAttribute('aria-disabled', value)
}
