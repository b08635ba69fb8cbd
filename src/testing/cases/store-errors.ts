import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { toAcquire, toExtend, toRelease } from '../requests.ts'

export const storeErrors: CaseGroup = {
  title: 'a store that fails is never "not obtained"',
  leftOut: ({ unreachable }) => (typeof unreachable === 'string' ? unreachable : undefined),
  cases: {
    'every verb rejects with an error when the store is unreachable': async (bench) => {
      const { unreachable } = bench.subject
      assert.ok(typeof unreachable === 'function')
      const node = await unreachable()
      const holder = bench.holder()
      try {
        const verbs = {
          acquire: () => node.acquire([toAcquire(holder)]),
          extend: () => node.extend([toExtend(holder)]),
          release: () => node.release([toRelease(holder)]),
          read: () => node.read([holder.name]),
          'read of all': () => node.read(),
          forceRelease: () => node.forceRelease(holder.name),
          prune: () => node.prune(60_000),
        }
        await Promise.all(
          Object.entries(verbs).map(([verb, call]) =>
            assert.rejects(call, Error, `${verb} answered, though the store can't be reached`),
          ),
        )
      } finally {
        await node.close()
      }
    },
  },
}
