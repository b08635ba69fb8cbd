import { Locker } from '../../src/index.ts'
import { atMost, exactly, figure } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { type MeasuredStore, onEach } from '../stores/index.ts'

const ASKS = 50
const ROUNDS = 40
const TICK = new Date(1_000)

/** Of ten nodes nine are refused each tick: what most asks of a cluster cost. */
export const refusedTick: Row = {
  name: 'refused-tick',
  what: 'a tick that another node has: bytes of log written, time against a SELECT by primary key',
  run: (context) =>
    onEach(context, ['postgres', 'mysql', 'mariadb'], 1, async (store) => {
      const locker = new Locker({ provider: store.provider })
      const ask = () => locker.tryObtain('bench', { lockAtMostFor: '1h', tick: TICK })
      await (await ask())?.release()
      const asks = async (): Promise<void> => {
        for (let count = 0; count < ASKS; count++) if (await ask()) throw new Error('a tick was granted twice')
      }
      const reads = async (): Promise<void> => {
        for (let count = 0; count < ASKS; count++) await store.readOne('bench')
      }
      const times = await context.interleave({ asks: { run: asks }, reads: { run: reads } }, ROUNDS)
      return [
        figure('refused-tick: log written', store.name, await writtenBy(store, asks), 'bytes', exactly(0)),
        figure('refused-tick', store.name, times.asks / times.reads, 'times a SELECT', atMost(1.3)),
        figure('refused-tick: time', store.name, times.asks / ASKS, 'ms'),
      ]
    }),
}

/** The least of several tries: servers also write to their logs for themselves, now and then. */
async function writtenBy(store: MeasuredStore, work: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 5 && least > 0; attempt++) {
    const before = (await store.written?.()) ?? Number.NaN
    await work()
    least = Math.min(least, ((await store.written?.()) ?? Number.NaN) - before)
  }
  return least
}
