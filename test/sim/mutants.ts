// All planted bugs, by which the simulator proves that it would find real ones. Nothing of them is in the package: they
// are texts, put into a copy of the sources (mutant-tree.ts).
import { BOUND_MUTANTS } from './mutants/bounds.ts'
import { CHOICE_MUTANTS } from './mutants/choices.ts'
import { LEASE_MUTANTS } from './mutants/leases.ts'
import type { Mutant } from './mutants/mutant.ts'
import { REPLICATION_MUTANTS } from './mutants/replication.ts'
import { ROLE_MUTANTS } from './mutants/roles.ts'
import { TABLE_MUTANTS } from './mutants/tables.ts'

export const MUTANTS: readonly Mutant[] = [
  ...ROLE_MUTANTS,
  ...LEASE_MUTANTS,
  ...BOUND_MUTANTS,
  ...CHOICE_MUTANTS,
  ...REPLICATION_MUTANTS,
  ...TABLE_MUTANTS,
]
