/** Cuts a batch into as many parts of about the same size, in order. */
export function splitInto<Request>(batch: readonly Request[], count: number): (readonly Request[])[] {
  const size = Math.ceil(batch.length / count)
  return Array.from({ length: count }, (_, part) => batch.slice(part * size, (part + 1) * size))
}

/**
 * The answers of works that go on side by side, in their order. When one fails it rejects, but only after all have
 * ended: whoever then releases what the others were granted must not come before them.
 */
export async function allSettledOrThrow<Result>(works: readonly Promise<Result>[]): Promise<Result[]> {
  const outcomes = await Promise.allSettled(works)
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}
