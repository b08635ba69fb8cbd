import type { CaseGroup } from '../case-group.ts'
import { batches } from './batches.ts'
import { clocks } from './clocks.ts'
import { closing, foreignClient } from './closing.ts'
import { crash } from './crash.ts'
import { fencing } from './fencing.ts'
import { forcedRelease } from './forced-release.ts'
import { history } from './history.ts'
import { leases } from './leases.ts'
import { lostReply } from './lost-reply.ts'
import { busyRecords, oneBadName } from './one-bad-name.ts'
import { oneHolder } from './one-holder.ts'
import { owner } from './owner.ts'
import { pausing } from './pausing.ts'
import { pruning } from './pruning.ts'
import { reading } from './reading.ts'
import { resetting } from './resetting.ts'
import { settingUp, settingUpAnew } from './setting-up.ts'
import { shedLock } from './shedlock.ts'
import { storeErrors } from './store-errors.ts'
import { texts } from './strings.ts'
import { ticks } from './ticks.ts'

/** All that a provider is held to: the safety rules in their order, then the rest of the contract. */
export const groups: readonly CaseGroup[] = [
  ticks,
  oneHolder,
  clocks,
  owner,
  storeErrors,
  lostReply,
  fencing,
  leases,
  crash,
  forcedRelease,
  pausing,
  batches,
  oneBadName,
  busyRecords,
  resetting,
  texts,
  reading,
  pruning,
  settingUp,
  settingUpAnew,
  closing,
  foreignClient,
  shedLock,
  history,
]
