import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { extended, granted, refused } from '../requests.ts'

export const closing: CaseGroup = {
  title: 'closing',
  cases: {
    'may be done twice, by a node that was used and by one that was not': async (bench) => {
      const used = await bench.subject.connect()
      await granted(used, bench.holder())
      for (const node of [used, await bench.subject.connect()]) {
        await node.close()
        await node.close()
        await Promise.all([node.close(), node.close()])
      }
    },

    'takes no lock from its holder, and disturbs no other node': async (bench) => {
      const node = await bench.subject.connect()
      const first = bench.holder()
      await granted(node, first)
      await bench.unchanged(first.name, 'closing', () => node.close())
      await refused(bench.b, bench.holder(first.name), 'held')
      await extended(bench.a, first)
    },
  },
}

export const foreignClient: CaseGroup = {
  title: "a client that is the user's own",
  leftOut: ({ clientSurvivesClose }) => (typeof clientSurvivesClose === 'string' ? clientSurvivesClose : undefined),
  cases: {
    'still works after the provider was closed': async ({ subject: { clientSurvivesClose } }) => {
      assert.ok(typeof clientSurvivesClose === 'function')
      assert.equal(await clientSurvivesClose(), true, 'close must end only what the provider itself opened')
    },
  },
}
