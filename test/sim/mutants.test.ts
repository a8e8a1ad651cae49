// The planted bugs are texts of the sources: each must still stand where it is to be replaced, or the simulator would be
// proved against nothing. `npm run sim -- --mutants` runs them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkOf } from './mutant-runs.ts'
import { mutate } from './mutant-tree.ts'
import { MUTANTS } from './mutants.ts'

const mutants = suite('mutants')

mutants('each applies to exactly one place', () => {
  for (const mutant of MUTANTS) {
    for (const { find, replace } of mutant.patches) assert.not.equal(find, replace, mutant.name)
    assert.ok(mutate(mutant).size > 0)
  }
})

mutants('are at least thirty, each under a name of its own, and those that do no harm say why', () => {
  const real = MUTANTS.filter(({ harmless }) => harmless === undefined)
  assert.ok(real.length >= 30, `${real.length}`)
  assert.is(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length)
  for (const { name, harmless } of MUTANTS) assert.not.equal(harmless, '', name)
})

mutants('what caught them is told without the numbers of the run', () => {
  assert.is(
    checkOf('b12 awaits nothing at position 1800000000001/5 and differs'),
    'node awaits nothing at position n/n and differs',
  )
})

mutants.run()
