/* The memory of one process, by the machine's clock in whole milliseconds: a batch is decided in one go, and a restart forgets all. */
import { LocalLocks } from './local.ts'
import type { SimulatedStore, StoreWorld } from './store.ts'

export function memoryStore(world: StoreWorld): SimulatedStore {
  const local = new LocalLocks(world)
  const { machine, locks } = local
  return {
    kind: 'memory',
    provider: local.provider(),
    restart() {
      machine.crash()
      locks.clear()
    },
    change: (name, change) => locks.change(name, (record) => change(record, machine.now())),
    lose: (name) => locks.drop(name),
  }
}
