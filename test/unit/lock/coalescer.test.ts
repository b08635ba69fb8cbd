import { describe, expect, it } from 'vitest'
import { Coalescer } from '../../../src/lock/coalescer.ts'

describe('a coalescer', () => {
  it('sends what is called for in one turn as one batch, and answers each call its own', async () => {
    const batches: (readonly number[])[] = []
    const coalescer = new Coalescer<number, number>(async (batch) => {
      batches.push(batch)
      return batch.map((value) => -value)
    })
    expect(await Promise.all([coalescer.call(1), coalescer.callAll([2, 3]), coalescer.call(4)])).toEqual([
      -1,
      [-2, -3],
      -4,
    ])
    expect(batches).toEqual([[1, 2, 3, 4]])
  })

  it('rejects the call whose request failed alone, and no other', async () => {
    const bad = new Error('its record can not be read')
    const coalescer = new Coalescer<number, number>(async (batch) => batch.map((n) => (n === 2 ? bad : -n)))
    const [first, second, both] = await Promise.allSettled([
      coalescer.call(1),
      coalescer.call(2),
      coalescer.callAll([2, 3]),
    ])
    expect(first).toEqual({ status: 'fulfilled', value: -1 })
    expect(second).toEqual({ status: 'rejected', reason: bad })
    expect(both).toEqual({ status: 'fulfilled', value: [bad, -3] })
  })

  it('keeps back what it gathers while it is not ready', async () => {
    let open = (): void => {}
    let ready: Promise<void> | undefined = new Promise((resolve) => {
      open = resolve
    })
    const batches: (readonly number[])[] = []
    const coalescer = new Coalescer<number, number>(
      async (batch) => {
        batches.push(batch)
        return batch
      },
      () => ready,
    )
    const first = coalescer.call(1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(batches).toEqual([])
    const second = coalescer.call(2)
    ready = undefined
    open()
    expect(await Promise.all([first, second])).toEqual([1, 2])
    expect(batches).toEqual([[1, 2]])
  })
})
