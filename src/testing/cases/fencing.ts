import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { granted, release, SHORT_MS } from '../requests.ts'
import type { TestBed } from '../test-bed.ts'

/** A record is lost, and the millisecond passes: some stores' clocks tell no less, and no store is lost and restored in one. */
async function losing(bench: TestBed, name: string): Promise<void> {
  await bench.subject.lose(name)
  await bench.until((await bench.now()) + 1)
}

export const fencing: CaseGroup = {
  title: 'fencing tokens',
  cases: {
    'are safe integers that grow by every grant: after a release, an expiry, a forced release, the loss of the record':
      async (bench) => {
        const name = bench.name()
        const tokens: number[] = []
        const grant = async (lockAtMostFor?: number) => {
          const holder = bench.holder(name)
          tokens.push((await granted(bench.a, holder, lockAtMostFor ? { lockAtMostFor } : {})).fencingToken)
          return holder
        }
        await release(bench.a, await grant())
        await grant(SHORT_MS)
        await bench.lapsed(name)
        await grant()
        assert.equal(await bench.b.forceRelease(name), true)
        await release(bench.b, await grant())
        await losing(bench, name)
        assert.equal(await bench.subject.look(name), undefined, 'subject.lose must lose all of the record')
        await release(bench.b, await grant())
        await grant()
        for (const [index, token] of tokens.entries()) {
          assert.ok(Number.isSafeInteger(token) && token > 0, `${token} is no fencing token`)
          assert.ok(token > (tokens[index - 1] ?? 0), `token ${index} does not grow: ${tokens.join(', ')}`)
        }
      },

    'grow when grants follow one another as fast as they can': async (bench) => {
      const name = bench.name()
      let last = 0
      for (let round = 0; round < 30; round++) {
        const holder = bench.holder(name)
        const node = round % 2 ? bench.a : bench.b
        const { fencingToken } = await granted(node, holder)
        assert.ok(fencingToken > last, `${fencingToken} after ${last}`)
        last = fencingToken
        await release(node, holder)
      }
    },

    'grow when the record is lost while the lock is held': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first)
      await losing(bench, first.name)
      const next = await granted(bench.b, bench.holder(first.name))
      assert.ok(next.fencingToken > lease.fencingToken, `${next.fencingToken} after ${lease.fencingToken}`)
      assert.equal(await release(bench.a, first), false, 'the record that is there now is not for the first holder')
    },

    'start from the clock in microseconds, so they go on where a lost record stopped': async (bench) => {
      const before = Math.floor(((await bench.now()) - 1 - bench.clockError) * 1000)
      const { fencingToken } = await granted(bench.a, bench.holder())
      const after = Math.ceil(((await bench.now()) + 1 + bench.clockError) * 1000)
      assert.ok(fencingToken >= before && fencingToken <= after, `${fencingToken} is not within ${before} to ${after}`)
    },
  },
}
