import type { Timed } from '../harness/interleave.ts'
import { figure, type Result } from '../harness/result.ts'
import type { BenchContext, Row } from '../harness/row.ts'
import { type LockRival, onPostgresServer, onRedisServer } from '../locks/rivals.ts'
import { wantedStores } from '../stores/index.ts'

const PAIRS = 40
const ROUNDS = 25

/** They promise less: none knows ticks, none has fencing tokens that outlive the lock, and an advisory lock ends with its session. */
export const locks: Row = {
  name: 'locks',
  what: 'obtain + release, one after another, library by library on the same server: the time of each against ours',
  rivals: true,
  async run(context) {
    const all = { redis: onRedisServer, postgres: onPostgresServer }
    const results: Result[] = []
    for (const store of wantedStores(context, ['redis', 'postgres'])) {
      const server = await context.server(store)
      if (server) results.push(...(await compare(context, store, server.url, all[store])))
    }
    return results
  },
}

async function compare(
  context: BenchContext,
  store: string,
  url: string,
  rivals: readonly LockRival[],
): Promise<Result[]> {
  const works: Record<string, Timed> = {}
  const closes: (() => unknown)[] = []
  for (const { name, open } of rivals) {
    try {
      const { pair, close } = await open(url)
      closes.push(close)
      await pair()
      works[name] = {
        async run() {
          for (let count = 0; count < PAIRS; count++) await pair()
        },
      }
    } catch (error) {
      context.say(`!!! NOT MEASURED: ${name}: ${error}`)
    }
  }
  const times = await context.interleave(works, ROUNDS, 1_500)
  for (const close of closes) await close()
  const ours = times.ticklock ?? Number.NaN
  return Object.entries(times).flatMap(([name, time]) => [
    figure(`locks: on ${store}, a pair`, name, time / PAIRS, 'ms'),
    ...(name === 'ticklock' ? [] : [figure(`locks: on ${store}, its time against ours`, name, time / ours, 'times')]),
  ])
}
