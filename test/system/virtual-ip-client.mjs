// Clients of the virtual address, in a namespace of their own: each asks again and again from one socket, connected, so that
// only answers from that very address count; says every 50 ms what they got, and every answer that cannot be right.
import { createSocket } from 'node:dgram'

const [host, port, flows] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const EVERY_MS = 20
const clients = []
const wrong = []
let answered = 0

for (let i = 0; i < flows; i++) {
  const socket = createSocket('udp4')
  const one = { socket, asked: 0, count: 0, by: '', at: performance.now(), gapMs: 0 }
  clients.push(one)
  // The machine that lost the address refuses until it gives it up; whoever asks asks again.
  socket.on('error', () => {})
  socket.on('message', (bytes) => {
    const { count, by } = JSON.parse(bytes.toString())
    // Answers of one node may overtake each other, so equal counts are the one thing that no two may have.
    if (by !== one.by && count <= one.count) wrong.push({ i, count, after: one.count, by, before: one.by })
    if (count > one.asked) wrong.push({ i, count, asked: one.asked, by })
    const now = performance.now()
    one.gapMs = Math.max(one.gapMs, now - one.at)
    one.at = now
    one.count = Math.max(one.count, count)
    one.by = by
    answered++
  })
  socket.connect(port, host, () => {
    setInterval(() => {
      one.asked++
      socket.send(String(one.asked), () => {})
    }, EVERY_MS)
  })
}

setInterval(() => {
  const now = performance.now()
  const by = {}
  for (const one of clients) by[one.by] = (by[one.by] ?? 0) + (now - one.at < 200 ? 1 : 0)
  const gapMsMax = Math.max(...clients.map((one) => Math.max(one.gapMs, now - one.at)))
  const least = Math.min(...clients.map(({ count }) => count))
  console.log(JSON.stringify({ what: 'report', answered, by, gapMsMax, least, wrong: wrong.slice(0, 5) }))
}, 50)

process.stdin.on('data', () => {
  for (const one of clients) {
    one.gapMs = 0
    one.at = performance.now()
  }
})
process.stdin.on('end', () => process.exit(0))
