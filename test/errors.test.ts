// The name of each error is the name of its class, also where a minifier has renamed the class.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as errors from '../src/errors.ts'

const test = suite('errors')

type Constructor = new (...args: never[]) => errors.HoldfastError
const named = Object.entries(errors).filter(([name]) => name !== 'HoldfastError') as [string, Constructor][]

test('each is called as its class, by its code alone', () => {
  assert.ok(named.length > 20)
  for (const [name, Class] of named) {
    const Renamed = { De: class extends Class {} }.De
    const error = new Renamed(...(['words'] as never[]))
    assert.is(error.name, name)
    assert.instance(error, Class)
  }
})

test.run()
