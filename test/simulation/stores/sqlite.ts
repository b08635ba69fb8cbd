/*
 * SQLite, as its documentation has it:
 *
 *   - It has no clock of its own: the machine's, in the whole milliseconds that the columns keep.
 *   - A read transaction sees one state of the file ("Isolation In SQLite"): when nothing would change, it answers. Otherwise the whole
 *     batch is decided again in a write transaction, of which there is one at a time (BEGIN IMMEDIATE); others come in between.
 *   - A committed write survives a crash of the process, and of the machine with PRAGMA synchronous = FULL. There are no replicas.
 */
import { LocalLocks } from './local.ts'
import type { SimulatedStore, StoreWorld } from './store.ts'

export function sqliteStore(world: StoreWorld): SimulatedStore {
  const local = new LocalLocks(world)
  const { machine, locks } = local
  return {
    kind: 'sqlite',
    provider: local.provider(() => machine.pause()),
    restart: () => machine.crash(),
    change: (name, change) => locks.change(name, (record) => change(record, machine.now())),
    lose: (name) => locks.drop(name),
  }
}
