import type { Mutant } from './breaking.ts'
import { crashing } from './crashing.ts'
import { histories } from './history.ts'
import { holding } from './holding.ts'
import { leasing } from './leasing.ts'
import { owning } from './owning.ts'
import { pauses } from './pausing.ts'
import { repeating } from './repeating.ts'
import { ticks } from './ticks.ts'
import { upkeep } from './upkeep.ts'
import { verbs } from './verbs.ts'

/** Providers with one defect each, and the case of the conformance suite that must find it. */
export const mutants: readonly Mutant[] = [
  ...ticks,
  ...holding,
  ...owning,
  ...repeating,
  ...leasing,
  ...crashing,
  ...pauses,
  ...verbs,
  ...upkeep,
  ...histories,
]
