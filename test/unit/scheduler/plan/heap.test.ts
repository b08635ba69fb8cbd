import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap } from '../../../../src/scheduler/plan/heap.ts'

const drain = (heap: Heap<number>): number[] => {
  const out: number[] = []
  while (heap.size > 0) out.push(heap.pop() as number)
  return out
}

describe('the heap', () => {
  it('gives its items back in order, whatever the order they came in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (items) => {
        const heap = new Heap<number>((a, b) => a < b)
        for (const item of items) heap.push(item)
        expect(heap.size).toBe(items.length)
        expect(drain(heap)).toEqual(items.toSorted((a, b) => a - b))
      }),
    )
  })

  it('keeps its order when items come and go in turns', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (steps) => {
        const heap = new Heap<number>((a, b) => a < b)
        const model: number[] = []
        for (const step of steps) {
          if (step === undefined) expect(heap.pop()).toBe(model.shift())
          else {
            heap.push(step)
            model.push(step)
            model.sort((a, b) => a - b)
          }
          expect(heap.peek()).toBe(model[0])
        }
      }),
    )
  })

  it('is empty at first and after clear, and then gives nothing', () => {
    const heap = new Heap<number>((a, b) => a < b)
    expect(heap.pop()).toBeUndefined()
    heap.push(1)
    heap.clear()
    expect([heap.size, heap.peek(), heap.pop()]).toEqual([0, undefined, undefined])
  })
})
