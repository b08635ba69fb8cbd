/** How many requests are under way at once for one batch. */
const AT_ONCE = 8

/** Does something to chunks of a batch, some at a time, and returns all results in order. Rejects when all have ended and one has failed. */
export async function inChunks<Item, Result>(
  items: readonly Item[],
  size: number,
  run: (chunk: readonly Item[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  if (items.length <= size) return await run(items)
  const chunks = Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
  const results: (readonly Result[])[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < chunks.length; index = next++)
      results[index] = await run(chunks[index] as readonly Item[])
  }
  const outcomes = await Promise.allSettled(Array.from({ length: AT_ONCE }, work))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
  return results.flat()
}

/** Runs something for each item of a batch, in chunks of `size`, and returns the results in order. */
export const inChunksEach = <Item, Result>(
  items: readonly Item[],
  size: number,
  run: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> => inChunks(items, size, (chunk) => Promise.all(chunk.map(run)))
