import { Locker } from '../../src/index.ts'
import { atLeast, figure } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { onEach, STORES } from '../stores/index.ts'

const PAIRS = 40
const ROUNDS = 40

/** What a process pays for the lock's handle, the deadlines and the batching, on top of the statements themselves. */
export const oneAfterAnother: Row = {
  name: 'one-after-another',
  what: 'obtain + release, one after another, against the raw client issuing the same statements',
  run: (context) =>
    onEach(context, STORES, 1, async (store) => {
      const locker = new Locker({ provider: store.provider })
      const pairs = async (): Promise<void> => {
        for (let pair = 0; pair < PAIRS; pair++) await (await locker.obtain('bench', '1h')).release()
      }
      await pairs() // statements are prepared, scripts known, connections open
      await store.forget()
      const calls = await store.record(pairs)
      const raw = async (): Promise<void> => {
        for (const call of calls) await call()
      }
      // Both begin with no record, so that each statement does what it did when it was noted.
      const before = () => store.forget()
      const times = await context.interleave({ ours: { before, run: pairs }, raw: { before, run: raw } }, ROUNDS)
      const aim = atLeast(store.name === 'redis' ? 0.85 : 0.9)
      return [
        figure('one-after-another', store.name, times.raw / times.ours, 'of the raw client', aim),
        figure('one-after-another: a pair', store.name, times.ours / PAIRS, 'ms'),
        figure('one-after-another: statements for a pair', store.name, calls.length / PAIRS, ''),
      ]
    }),
}
