import type { Row } from '../harness/row.ts'
import { atOnce } from './at-once.ts'
import { coordinators } from './coordinators.ts'
import { dueAtOnce } from './due-at-once.ts'
import { fleet } from './fleet.ts'
import { growth } from './growth.ts'
import { lateness } from './lateness.ts'
import { locks } from './locks.ts'
import { oneAfterAnother } from './one-after-another.ts'
import { refusedTick } from './refused-tick.ts'
import { registered } from './registered.ts'
import { sustained } from './sustained.ts'

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  oneAfterAnother,
  atOnce,
  refusedTick,
  dueAtOnce,
  fleet,
  sustained,
  registered,
  lateness,
  locks,
  coordinators,
  growth,
]
