/* Two nodes that know the store's clock only between bounds. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AcquireResult, type Lease, type TimeBounds, versionedProvider } from '../../../../src/provider/index.ts'
import { MemoryVersions, memoryStore } from '../../../providers/versioned/memory-versions.ts'
import { acquire, only, release, releaseOf } from './requests.ts'

const EPOCH = Date.UTC(2024, 0, 1)

/** Nodes on one store, whose clock stands at `now`; each node's bounds lie so far before and after it. */
function cluster() {
  const versions = new MemoryVersions()
  const clock = { now: EPOCH }
  const node = (before: number, after: number) =>
    versionedProvider({
      ...memoryStore(versions),
      now: (): TimeBounds => ({ earliest: clock.now - before, latest: clock.now + after }),
    })
  return { clock, node, versions }
}

const leaseOf = (result: AcquireResult | Error): Lease => {
  if (result instanceof Error || !result.granted) throw new Error(`not granted: ${JSON.stringify(result)}`)
  return result.lease
}

const bound = fc.integer({ min: 0, max: 1_000 })

describe('a store whose clock is known between bounds', () => {
  it('gives no lock to another before the holder’s own deadline, however wide the bounds are', async () => {
    await fc.assert(
      fc.asyncProperty(bound, bound, bound, bound, fc.nat(4_000), async (a, b, c, d, later) => {
        const { clock, node } = cluster()
        const lease = leaseOf(await acquire(node(a, b), 'job', 'one', { lockAtMostFor: 1_000 }))
        // The holder counts what is left from before its request.
        const deadline = EPOCH + lease.lockUntil - lease.storeTime
        clock.now += later
        const other = await acquire(node(c, d), 'job', 'two')
        if (clock.now < deadline) expect(other).toMatchObject({ granted: false })
        else if (clock.now > deadline + b + c + 1) expect(other).toMatchObject({ granted: true })
      }),
    )
  })

  it('grants no longer lease than was asked for, by the holder’s own deadline', async () => {
    const { node } = cluster()
    const lease = leaseOf(await acquire(node(300, 500), 'job', 'one', { lockAtMostFor: 1_000 }))
    expect(lease.lockUntil - lease.storeTime).toBe(1_000)
    const again = leaseOf(await acquire(node(300, 800), 'job', 'one', { lockAtMostFor: 1_000 }))
    expect(again.lockUntil - again.storeTime).toBe(700)
  })

  it('extends by the latest time, so that the holder’s deadline comes first', async () => {
    const { node } = cluster()
    const holder = node(100, 400)
    await acquire(holder, 'job', 'one', { lockAtMostFor: 1_000 })
    const request = { name: 'job', owner: 'one', label: 'a-node:1', lockAtMostFor: 5_000, lockAtLeastFor: 0 }
    expect(only(await holder.extend([request]))).toMatchObject({ lockUntil: EPOCH + 5_400, storeTime: EPOCH + 400 })
    const late = { ...request, lockAtMostFor: 1_000, mayShortenUntil: EPOCH + 300 }
    expect(only(await holder.extend([late]))).toMatchObject({ lockUntil: EPOCH + 5_400 })
  })

  it('frees a released lock at once, for nodes whose bounds are wider too', async () => {
    const { node } = cluster()
    const [holder, other] = [node(0, 20), node(900, 100)]
    for (const releasing of [holder, other, node(0, 0)]) {
      await acquire(holder, 'job', 'one')
      expect(await release(releasing, 'job', 'one')).toBe(true)
      expect(await acquire(other, 'job', 'two')).toMatchObject({ granted: true })
      expect(await release(holder, 'job', 'two')).toBe(true)
    }
    await acquire(other, 'job', 'three')
    expect(await other.forceRelease('job')).toBe(true)
    expect(await acquire(node(1_000, 0), 'job', 'four')).toMatchObject({ granted: true })
  })

  it('keeps a released lock for lockAtLeastFor', async () => {
    const { clock, node } = cluster()
    await acquire(node(0, 20), 'job', 'one')
    expect(only(await node(0, 20).release([releaseOf('job', 'one', { lockAtLeastFor: 1_000 })]))).toBe(true)
    clock.now += 900
    expect(await acquire(node(0, 20), 'job', 'two')).toMatchObject({ granted: false })
  })

  it('decides nothing by a time before the last change, but believes no change of the far future', async () => {
    const { node, versions, clock } = cluster()
    await acquire(node(0, 0), 'job', 'one', { lockAtMostFor: 60_000 })
    const write = (changedAt: number): void => {
      const entry = versions.entries.get('job')
      versions.set('job', JSON.stringify({ ...JSON.parse(entry?.value ?? ''), changedAt }))
    }
    write(EPOCH + 5_000)
    expect(await acquire(node(0, 0), 'job', 'two')).toMatchObject({ granted: false, storeTime: EPOCH + 5_000 })
    write(EPOCH + 86_400_000)
    expect(await acquire(node(0, 0), 'job', 'two')).toMatchObject({ granted: false, storeTime: clock.now })
  })
})
