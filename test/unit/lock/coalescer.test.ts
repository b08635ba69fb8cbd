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

  it('answers a single call as soon as its answer is told, though the others never come', async () => {
    const told: [number, number][] = []
    const coalescer = new Coalescer<number, number>((_, tell) => {
      for (const index of [3, 2, 0]) tell(index, index * 10)
      return new Promise(() => {})
    })
    const answers = [
      coalescer.call(0),
      coalescer.callAll([1, 2], (index, answer) => told.push([index, answer])),
      coalescer.call(3),
    ]
    expect(await Promise.all([answers[0], answers[2]])).toEqual([0, 30])
    expect(told).toEqual([[1, 20]])
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
