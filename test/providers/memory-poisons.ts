/* Ways to spoil a record of the memory provider, by reaching into its map. */
import type { StoredLock } from '../../src/provider/decide.ts'

export function memoryPoisons(locks: Map<string, StoredLock>): Readonly<Record<string, (name: string) => void>> {
  const spoil = (name: string, values: Readonly<Record<string, unknown>>): void =>
    void locks.set(name, { ...locks.get(name), ...values } as StoredLock)
  return {
    'a time out of range': (name) => spoil(name, { lockUntil: 9e15 }),
    'a string where a time belongs': (name) => spoil(name, { lockUntil: 'soon' }),
    'no holder': (name) => spoil(name, { lockedBy: undefined }),
    'a fencing token out of range': (name) => spoil(name, { fencingToken: 1e30 }),
    'a fencing token that no exact one follows': (name) => spoil(name, { fencingToken: Number.MAX_SAFE_INTEGER }),
    'a last tick that is no time': (name) => spoil(name, { lastTick: Number.NaN }),
  }
}
