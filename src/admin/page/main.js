// The live page. It listens to /events, of a node's admin server or of the demonstration, and shows one picture of the
// pair. What comes first decides which page it is.
import { NodeBox } from './boxes.js'
import { Cables } from './cables.js'
import { Charts } from './charts.js'
import { el, setData, setText } from './dom.js'
import { Felt } from './felt.js'
import { History } from './history.js'
import { Operate } from './operate.js'
import { alarm, pairState } from './words.js'
import { World } from './world.js'

const byId = (id) => document.getElementById(id)
const world = new World()
let parts

const source = new EventSource('/events')
source.addEventListener('status', ({ data }) => show(world.fromNode(JSON.parse(data), performance.now())))
source.addEventListener('demo', ({ data }) => show(world.fromDemo(JSON.parse(data), performance.now())))
source.addEventListener('split', () => world.handleSplit(performance.now()))
source.addEventListener('error', (event) => {
  // The node's own 'error' event carries data; without it the stream has ended.
  if (event.data !== undefined) return
  document.body.dataset.stale = 'true'
  showState({ tone: 'bad', text: 'No connection, trying again' })
})

function show(picture) {
  delete document.body.dataset.stale
  parts ??= build(picture)
  showState(pairState(picture))
  showAlarm(alarm(picture))
  for (const part of parts) part.show(picture)
}

function build({ kind, title, nodes }) {
  setText(byId('cluster'), title)
  document.title = `Holdfast: ${title}`
  document.body.dataset.kind = kind
  const isDemo = kind === 'demo'
  const press = isDemo ? (act, target) => post(act, target) : undefined
  const boxes = ['left', 'right'].map((side) => new NodeBox(byId(`node-${side}`), press))
  const names = nodes.map(({ id }) => id)
  if (!isDemo) {
    const links = ['status', 'metrics', 'ready', 'routes'].map((name) =>
      el('a', { href: `/${name}` }, `/${name}`),
    )
    byId('footer').append(...links)
  }
  return [
    {
      show(picture) {
        for (const [i, box] of boxes.entries()) box.show(picture.nodes[i], picture)
      },
    },
    new Cables(byId('cables'), press),
    isDemo ? new Felt(byId('felt')) : new Operate(byId('operate')),
    new Charts(byId('charts'), kind, names),
    new History(byId('history'), byId('announce')),
  ]
}

function showState({ tone, text }) {
  setData(byId('state'), 'tone', tone)
  setText(byId('state'), text)
}

function showAlarm(found) {
  const banner = byId('banner')
  const text = found ? `${found.title}. ${found.text}` : ''
  if (banner.textContent === text) return
  banner.replaceChildren(...(found ? [el('strong', {}, `${found.title}.`), ` ${found.text}`] : []))
}

async function post(act, target) {
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ act, target }),
  }
  try {
    const { ok, status } = await fetch('/acts', options)
    if (!ok) throw new Error(`the demonstration answered ${status}`)
  } catch (error) {
    showState({ tone: 'bad', text: `Not done: ${error.message}` })
  }
}
