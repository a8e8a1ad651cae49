// What a caller meets whose witness cannot be opened. Runs the built package.
import { ConfigError, createNode, HoldfastError, WitnessError } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairOptions } from '../node/support.ts'

const test = suite('opening a witness')

async function refusal(source: string): Promise<HoldfastError> {
  const module = `data:text/javascript,${encodeURIComponent(source)}`
  const { a } = await pairOptions({ mode: 'witness', witness: { module, lease: 2_000 } })
  const error = await createNode(a).then(
    async (node) => {
      await node.close()
      throw new Error('a node was started')
    },
    (reason) => reason,
  )
  assert.instance(error, HoldfastError)
  return error
}

test('a module that is no witness is a wrong option', async () => {
  for (const source of ['export const other = 1', 'this is no module']) {
    const error = await refusal(source)
    assert.instance(error, ConfigError)
    assert.is(error.code, 'ERR_CONFIG')
  }
})

test('a witness that fails as it is opened is a WitnessError with its reason', async () => {
  const error = await refusal("export const openWitness = async () => { throw new Error('no such store') }")
  assert.instance(error, WitnessError)
  assert.is(error.code, 'ERR_WITNESS')
  assert.is(
    error.message,
    'witness: it could not be opened: no such store; see that it runs, and start the node again',
  )
})

test.run()
