// What is common to the processes that a firewall starts.
import { once } from 'node:events'

/** When it is over: its exit code and what it said. Rejects if it could not be started. */
export async function finished(child) {
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('latin1').on('data', (text) => {
    output = (output + text).slice(-1000)
  })
  child.stderr?.setEncoding('latin1').on('data', (text) => {
    errors = (errors + text).slice(-1000)
  })
  const [code, signal] = await once(child, 'close')
  return { code: code ?? signal, output, errors }
}
