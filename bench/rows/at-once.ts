import { Locker } from '../../src/index.ts'
import { inTurns } from '../harness/in-turns.ts'
import { atLeast, figure } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { type Call, onEach, STORES } from '../stores/index.ts'

const NAMES = Array.from({ length: 100 }, (_, index) => `bench-${index}`)
const CONNECTIONS = 10
const ROUNDS = 25

/** What batches are worth: the same locks, asked for in the same turn of the event loop. */
export const atOnce: Row = {
  name: 'at-once',
  what: 'obtain + release of 100 locks at once, against the raw client one by one over the same connections',
  run: (context) =>
    onEach(context, STORES, CONNECTIONS, async (store) => {
      const locker = new Locker({ provider: store.provider })
      const pair = async (name: string): Promise<void> => (await locker.obtain(name, '1h')).release()
      const together = (): Promise<unknown> => Promise.all(NAMES.map(pair))
      await together()
      await store.forget()
      const single: (readonly Call[])[] = []
      for (const name of NAMES) single.push(await store.record(() => pair(name)))
      const oneByOne = (): Promise<void> =>
        inTurns(single, store.connections, async (calls) => {
          for (const call of calls) await call()
        })
      const before = () => store.forget()
      const times = await context.interleave(
        { ours: { before, run: together }, raw: { before, run: oneByOne } },
        ROUNDS,
      )
      return [figure('at-once', store.name, times.raw / times.ours, 'times the raw client', atLeast(3))]
    }),
}
