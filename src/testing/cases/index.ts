import type { CaseGroup } from '../case-group.ts'
import { crash } from './crash.ts'
import { fencing } from './fencing.ts'
import { leases } from './leases.ts'
import { lostReply } from './lost-reply.ts'
import { oneHolder } from './one-holder.ts'
import { owner } from './owner.ts'
import { storeErrors } from './store-errors.ts'
import { ticks } from './ticks.ts'

/** All that a provider is held to, in the order of the rules. */
export const groups: readonly CaseGroup[] = [ticks, oneHolder, owner, storeErrors, lostReply, fencing, leases, crash]
