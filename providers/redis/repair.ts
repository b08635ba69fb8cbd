/* Puts in order what is no record. */
import { repairLock } from '../../src/provider/record.ts'
import { rawLockIn, textOf, unreadableIn } from './format.ts'
import type { LockKeys } from './keys.ts'
import type { ScriptReply, ScriptRunner } from './script-runner.ts'
import { repairScript } from './scripts.ts'

/**
 * @param now the time that takes the place of one that can't be read
 * @returns whether there was something to repair, and this call has done so
 */
export async function repair(
  runner: ScriptRunner,
  name: string,
  keys: LockKeys,
  { value, storeTime }: ScriptReply,
  now: number = storeTime,
): Promise<boolean> {
  const found = unreadableIn(value)
  if (!found) return false
  const replace = async (key: string, text: string): Promise<boolean> =>
    Number(await runner.runOn(repairScript, [key], [found.mark, text])) === 1
  if (found.which === 'shedLock') return await replace(keys.shedLock ?? '', '')
  const lock = repairLock(name, rawLockIn(name, found), now)
  return await replace(keys.record, textOf(lock))
}
